"""Our changes as rows of an update_many, and what its job says became of each.

Every row carries our keys twice, since whether a bulk update keeps metadata is not confirmed: in the audit's custom
metadata, and as a short last line of its comment (`ref hf-…`), note or reply. Either suffices to find a write again.
A row without a comment only sets what may be set twice.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from mappings.faults import Explained
from mappings.model import Ticket
from mappings.plan import TicketChange
from mappings.zendesk.reading import Reading

MARKER = "helpdesk_flows"
_REF_LINE = re.compile(r"^ref((?: hf-[0-9a-f]{12})+)\s*$", re.MULTILINE)


class UnknownName(Explained, ValueError):
    """A name that the account does not have: a group, a field, an option."""


class RowResult(msgspec.Struct, frozen=True):
    """What became of one ticket's row."""

    done: bool
    error: str | None = None

    @property
    def conflict(self) -> bool:
        """Did the ticket change under us (a safe update refused)?"""
        return self.error is not None and "conflict" in self.error.casefold()


class JobResults(msgspec.Struct, frozen=True):
    """A job as far as it is. `rows` by ticket id; a ticket without a row has no result: unknown."""

    finished: bool
    rows: dict[int, RowResult]
    message: str | None = None
    total: int | None = None
    """How many tickets it was for."""


def digest(key: str) -> str:
    """The short form of a key that stands in a note's last line."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def ticket_row(
    changes: Sequence[tuple[str, TicketChange]], reading: Reading, *, ticket_id: int, stamp: datetime
) -> dict[str, Any]:
    """One row of the array form of update_many for one ticket: several changes merged, safe against others' updates.

    Later changes win where two set the same thing, but for the tier: a step to another group says which it is, and not
    the upkeep of fields, which was decided on the ticket before that step. Notes are joined; of public replies there
    may be one, and none beside a note (Zendesk takes one comment an update). Raises UnknownName, ValueError.
    """
    row: dict[str, Any] = {
        "id": ticket_id,
        "safe_update": True,
        "updated_stamp": stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metadata": {MARKER: [digest(key) for key, _ in changes]},
    }
    fields: dict[int, str | None] = {}
    stepped = next((one.tier for _, one in reversed(changes) if one.group is not None and one.tier is not None), None)
    for _, change in changes:
        if change.group is not None:
            _move(row, _group(change.group, reading))
        if change.assignee_id is not None:
            row["assignee_id"] = change.assignee_id
        if change.priority is not None:
            row["priority"] = change.priority
        tier = change.tier if stepped is None else stepped
        named = dict(change.fields) | ({"tier": str(tier)} if change.tier is not None else {})
        for name, value in named.items():
            fields[_field(name, reading)] = _value(name, value, reading)
    if fields:
        row["custom_fields"] = [{"id": id, "value": value} for id, value in fields.items()]
    followers = dict.fromkeys(who for _, change in changes for who in change.followers)
    if followers:
        row["followers"] = [{"user_email": who, "action": "put"} for who in followers]
    _tags(row, changes)
    comment = _comment(changes)
    if comment is not None:
        row["comment"] = comment
    return row


def _move(row: dict[str, Any], group_id: int) -> None:
    """Another group than an earlier change meant: whom that one chose there does not go along."""
    if row.get("group_id") != group_id:
        row.pop("assignee_id", None)
    row["group_id"] = group_id


def _tags(row: dict[str, Any], changes: Sequence[tuple[str, TicketChange]]) -> None:
    """Tags added and removed, never set: others' tags stay."""
    added = dict.fromkeys(tag for _, change in changes for tag in change.add_tags)
    removed = dict.fromkeys(tag for _, change in changes for tag in change.remove_tags if tag not in added)
    if added:
        row["additional_tags"] = list(added)
    if removed:
        row["remove_tags"] = list(removed)


def _comment(changes: Sequence[tuple[str, TicketChange]]) -> dict[str, Any] | None:
    notes = [change.note for _, change in changes if change.note is not None]
    replies = [change.reply for _, change in changes if change.reply is not None]
    if len(replies) > 1 or (replies and notes):
        raise ValueError("one update carries one comment: send a reply alone, notes together")
    said = replies or list(dict.fromkeys(notes))
    if not said:
        return None
    # a reply's line is for us, too: without it, one whose answer was lost could reach the customer twice
    named = [key for key, change in changes if change.reply is not None or not replies]
    refs = " ".join(f"hf-{digest(key)}" for key in named)
    return {"body": "\n\n".join([*said, f"ref {refs}"]), "public": bool(replies)}


def _group(name: str, reading: Reading) -> int:
    found = reading.group_id(name)
    if found is None:
        raise UnknownName(f"group {name!r}: Zendesk has none of that name; create it, or change the profile's tiers")
    return found


def _field(name: str, reading: Reading) -> int:
    found = reading.field_id(name)
    if found is None:
        table = reading.table.ticket_fields
        title = table[name].known_by if name in table else name
        raise UnknownName(f"ticket field {title!r}: Zendesk has none of that title; create it")
    return found


def _value(name: str, value: str | None, reading: Reading) -> str | None:
    tag = reading.tag_of(name, value)
    if value is not None and tag is None:
        raise UnknownName(
            f"ticket field {name!r}: there is no option for {value!r}; add it to the profile or the field"
        )
    return tag


class _Comment(msgspec.Struct):
    type: str | None = None
    body: str | None = None


class _Metadata(msgspec.Struct):
    custom: dict[str, Any] | None = None


class _Audit(msgspec.Struct):
    author_id: int | None = None
    metadata: _Metadata | None = None
    events: list[_Comment] = []


class _Audits(msgspec.Struct):
    audits: list[_Audit] = []


def find_keys(body: bytes, keys: Collection[str], us: Collection[int]) -> set[str]:
    """Which of `keys` a page of audits shows to have been written by `us`, by metadata or by a comment's `ref` line.

    Somebody else's update that quotes our line says nothing: people forward and cite.
    """
    sought = {digest(key): key for key in keys}
    seen: set[str] = set()
    for audit in msgspec.json.decode(body, type=_Audits).audits:
        if audit.author_id not in us:
            continue
        custom = audit.metadata.custom if audit.metadata and audit.metadata.custom else {}
        marks = custom.get(MARKER)
        seen |= {str(mark) for mark in marks} if isinstance(marks, list) else set()
        for event in audit.events:
            if event.type == "Comment" and event.body:
                seen |= {ref.removeprefix("hf-") for line in _REF_LINE.findall(event.body) for ref in line.split()}
    return {key for short, key in sought.items() if short in seen}


def shows(change: TicketChange, ticket: Ticket, reading: Reading) -> bool:
    """Is a ticket as a change without words wanted it? One that says something is never shown by this.

    Nor is one that names followers, whom we do not read: to be named a second time changes nothing.
    """
    if change.note is not None or change.reply is not None or change.followers:
        return False
    groups = reading.groups.get(ticket.group_id or 0, "").casefold()
    held = {**ticket.fields, "tier": None if ticket.tier is None else str(ticket.tier)}
    wanted = dict(change.fields) | ({"tier": str(change.tier)} if change.tier is not None else {})
    return (
        (change.group is None or reading.table.group(change.group).casefold() == groups)
        and (change.assignee_id is None or change.assignee_id == ticket.assignee_id)
        and (change.priority is None or change.priority == ticket.priority)
        and set(change.add_tags) <= ticket.tags
        and not set(change.remove_tags) & ticket.tags
        and all(held.get(name) == value for name, value in wanted.items())
    )


class _Result(msgspec.Struct):
    id: int | None = None
    index: int | None = None
    success: bool | None = None
    error: str | None = None
    details: Any = None


class _Job(msgspec.Struct):
    status: str
    id: str | None = None
    message: str | None = None
    total: int | None = None
    results: Any = None


class _JobBody(msgspec.Struct):
    job_status: _Job


class _JobsBody(msgspec.Struct):
    job_statuses: list[_Job]


def job_results(body: bytes, ids: Sequence[int] = ()) -> JobResults:
    """A job's answer, row by row; `ids` are the tickets sent, in order, for rows that only name their index.

    A job is `completed` also when rows failed (vendor-facts §1.8): success is `success: true`, or an id and no error.
    """
    return _job_results(msgspec.json.decode(body, type=_JobBody).job_status, ids)


def jobs_results(body: bytes) -> dict[str, JobResults]:
    """Several jobs' answer, by job; those that Zendesk does not know any more are left out."""
    jobs = msgspec.json.decode(body, type=_JobsBody).job_statuses
    return {job.id: _job_results(job, ()) for job in jobs if job.id is not None}


def _job_results(job: _Job, ids: Sequence[int]) -> JobResults:
    rows: dict[int, RowResult] = {}
    for result in _results(job.results):
        id = result.id
        if id is None and result.index is not None and result.index < len(ids):
            id = ids[result.index]
        if id is None:
            continue
        done = result.success is True or (result.success is None and result.error is None)
        said = ": ".join(str(part) for part in (result.error, result.details) if part)
        rows[id] = RowResult(done, None if done else said or "refused without a reason")
    return JobResults(job.status in ("completed", "failed", "killed"), rows, job.message, job.total)


def _results(told: Any) -> list[_Result]:
    """The rows that can be read; some jobs give one object instead of rows, or none."""
    rows = []
    for row in told if isinstance(told, list) else ():
        try:
            rows.append(msgspec.convert(row, _Result))
        except msgspec.ValidationError:
            continue  # a ticket without a result of its own is unknown, and is looked up
    return rows
