"""Evidence for those who may see it: shown to managers only, each look on record; checked by anybody."""

from datetime import timedelta

import msgspec

from connectors.store import Entry, Evidence, Store
from connectors.store.evidence import broken
from flows.context import Context
from flows.managers import manager_at
from flows.operations import Told
from mappings.faults import Explained


class NoEvidence(Explained):
    """There is none, or not for whoever asks."""


def verify(store: Store, record: str) -> Told:
    """Is what is kept of a record as it was written? Raises NoEvidence where nothing is kept, or where it is not."""
    entries = _entries(store, record)
    wrong = broken(entries)
    if wrong is not None:
        raise NoEvidence(
            f"evidence of {record}: entry {wrong.sequence} is not as it was written, or one before it is missing; "
            "restore the database's last backup into another place and compare"
        )
    copies = [entry for entry in entries if entry.kind is Entry.COPY]
    value = {"record": record, "holds": True, "entries": len(entries), "copies": len(copies), "sha256": _last(entries)}
    lines = [f"{entry.sequence}  {entry.taken_at:%Y-%m-%d %H:%M} UTC  {_what(entry)}" for entry in entries]
    return Told(value, "\n".join([f"{record}: all {len(entries)} entries are as they were written", *lines]))


def show(ctx: Context, record: str, email: str) -> Told:
    """The copies of a record, for a manager; each look, and each refusal, becomes an entry of its own.

    Raises NoEvidence for anybody else, and ConnectorError where Zendesk cannot be asked who they are.
    """
    entries = _entries(ctx.store, record)
    id = manager_at(ctx, email)
    _note(ctx, entries, Entry.READ if id is not None else Entry.REFUSED, str(id) if id is not None else email)
    if id is None:
        group = ctx.profile.routes[ctx.profile.abuse.decide].group or ctx.profile.abuse.decide
        raise NoEvidence(f"evidence of {record}: not shown: this is no manager; ask an admin or a member of {group}")
    copies = [entry for entry in entries if entry.kind is Entry.COPY]
    value = [{"sequence": copy.sequence, "sha256": copy.sha256, "content": _json(copy)} for copy in copies]
    text = "\n\n".join(f"{copy.sequence}  sha256 {copy.sha256}\n{_pretty(copy)}" for copy in copies)
    return Told(value, text)


def _entries(store: Store, record: str) -> list[Evidence]:
    entries = store.evidence(record)
    if not entries:
        raise NoEvidence(f"evidence of {record}: nothing is kept of it; write a flagged ticket such as zendesk:123")
    return entries


def _note(ctx: Context, entries: list[Evidence], kind: Entry, who: str) -> None:
    """Who looked, or tried to; kept as long as what they looked at."""
    last, now = entries[-1], ctx.now()
    keep = max(max(entry.kept_until for entry in entries) - now, timedelta())
    said = msgspec.json.encode({"by": who}).decode()
    key = f"evidence:{kind.value}:{last.record}:{last.sequence + 1}"
    ctx.store.keep_evidence(last.record, key, said, at=now, keep=keep, kind=kind)


def _last(entries: list[Evidence]) -> str:
    return entries[-1].sha256


def _what(entry: Evidence) -> str:
    if entry.kind is Entry.COPY:
        return f"copied, sha256 {entry.sha256}, kept until {entry.kept_until:%Y-%m-%d}"
    by = _json(entry).get("by", "somebody")
    return f"shown to user {by}" if entry.kind is Entry.READ else f"refused to {by}"


def _json(entry: Evidence) -> dict[str, object]:
    return msgspec.json.decode(entry.content, type=dict[str, object])


def _pretty(entry: Evidence) -> str:
    return msgspec.json.format(entry.content, indent=2)
