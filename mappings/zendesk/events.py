"""What happened to a ticket, from its audits and from the ticket_events export: the same happening, the same ids.

Audits name the author of a comment; the export does not (vendor-facts §1.6, the `comment_events` side-load left out on
purpose). A comment that an agent's or a program's update carried is therefore by nobody known in the export, and
is known once the ticket's audits are read.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

from mappings.model import Actor, EventKind, TicketEvent
from mappings.zendesk.reading import Reading
from mappings.zendesk.statuses import OWN_STATUS

_FIELDS = {
    "status": "status",
    "priority": "priority",
    "group_id": "group_id",
    "assignee_id": "assignee_id",
    "organization_id": "company_id",
    "requester_id": "requester_id",
    "problem_id": "problem_id",
    "brand_id": "brand",
    "tags": "tags",
}
SCORES = {"good": "5", "bad": "1"}
"""A satisfaction score on the profile's scale of 1 to 5; one that was only offered is none (vendor-facts §1.18)."""
_SCORE, _CUSTOM_STATUS = "satisfaction_score", "custom_status_id"
_RATING = "SatisfactionRating"
_COMMENTS = ("Comment", "VoiceComment")
_MESSAGES = ("Notification", "NotificationWithCcs")
_KINDS = {"Create": EventKind.CREATE, "Change": EventKind.CHANGE}
_MERGE = "merge"
MERGED_TAG = "closed_by_merge"
"""What a merge leaves on the ticket that it closes."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its offset; one without is malformed."""


class _Origin(msgspec.Struct):
    id: Any = None
    title: Any = None


class _Source(msgspec.Struct):
    rel: str | None = None
    origin: _Origin | None = msgspec.field(name="from", default=None)


class _Via(msgspec.Struct):
    channel: str | int | None = None
    source: _Source | None = None


class _Event(msgspec.Struct):
    id: int | None = None
    type: str | None = None
    field_name: str | None = None
    value: Any = None
    previous_value: Any = None
    public: bool | None = None
    author_id: int | None = None
    via: _Via | None = None
    recipients: list[int] | None = None
    score: Any = None


class Audit(msgspec.Struct):
    """One update of a ticket, as /tickets/{id}/audits tells it."""

    id: int
    ticket_id: int
    created_at: Moment
    author_id: int | None = None
    via: _Via | None = None
    events: list[_Event] = []


class ExportedAudit(msgspec.Struct):
    """One update of a ticket, as the ticket_events export tells it. Its children are keyed by the field they change."""

    id: int
    ticket_id: int
    created_at: Moment
    updater_id: int | None = None
    via: str | _Via | None = None
    child_events: list[dict[str, Any]] = []


class _Audits(msgspec.Struct):
    audits: list[Audit] = []


def rule_titles(body: bytes) -> dict[int, str]:
    """What the account calls its rules (triggers, automations), by id, as far as a page of audits tells."""
    found: dict[int, str] = {}
    for audit in msgspec.json.decode(body, type=_Audits).audits:
        for via in (audit.via, *(event.via for event in audit.events)):
            id, origin = _rule(via), via.source.origin if via is not None and via.source is not None else None
            if id is not None and origin is not None and isinstance(origin.title, str):
                found[id] = origin.title
    return found


def _rule(via: _Via | None) -> int | None:
    """The id of the rule that stands behind a change, as audits tell it."""
    if via is None or via.source is None or via.source.origin is None or _channel(via) != "rule":
        return None
    id = via.source.origin.id
    return int(id) if isinstance(id, int | str) and str(id).isdigit() else None


def audit_events(audit: Audit, reading: Reading) -> Iterator[TicketEvent]:
    """The happenings of one audit that matter to us; what we do not know is passed over."""
    merged = _rel(audit.via) == _MERGE or any(_merges(event.field_name, event.value) for event in audit.events)
    own = None if _rel(audit.via) == _MERGE else _channel(audit.via)  # a merge is its author's, whatever its channel
    for event in audit.events:
        if event.id is None:
            continue
        via = _channel(event.via) or own
        actor = reading.actor(audit.author_id, via)
        if event.type in _COMMENTS:
            author = event.author_id if event.author_id is not None else audit.author_id
            said_by, public = reading.actor(author, via), event.public is not False
            yield _made(audit, event.id, said_by, EventKind.COMMENT, actor_id=author, public=public)
        elif event.type in _MESSAGES:
            if _reaches_customer(event.recipients, reading):
                yield _made(audit, event.id, actor, EventKind.NOTIFICATION, actor_id=audit.author_id, public=True)
        elif event.type == _RATING:
            if (stars := stars_of(event.score)) is not None:
                rated = ("rating", None, stars)
                yield _made(audit, event.id, actor, EventKind.CHANGE, rated, actor_id=audit.author_id)
        elif event.type in _KINDS and event.field_name is not None:
            named = _named(event.field_name, event.previous_value, event.value, reading, merged=merged)
            if named is not None:
                by = _rule(event.via) or _rule(audit.via) if actor is Actor.RULE else None
                yield _made(audit, event.id, actor, _KINDS[event.type], named, actor_id=by or audit.author_id)


def exported_events(audit: ExportedAudit, reading: Reading) -> Iterator[TicketEvent]:
    """The same from the export. Raises nothing: a child that says nothing we know is passed over."""
    own = _label(audit.via)
    merged = any(_merges("tags", child.get("tags")) for child in audit.child_events)
    for child in audit.child_events:
        kind, id = child.get("event_type") or child.get("type"), child.get("id")
        if not isinstance(id, int):
            continue
        actor = reading.actor(audit.updater_id, _label(child.get("via")) or own)
        if kind in _COMMENTS:
            public = child.get("comment_public", child.get("public")) is not False
            # an internal note answers nobody: it counts as work, whose update it was
            plain = actor in (Actor.CUSTOMER, Actor.RULE) or (actor in (Actor.US, Actor.AGENT) and not public)
            said_by = actor if plain else Actor.UNKNOWN
            yield _made(audit, id, said_by, EventKind.COMMENT, actor_id=audit.updater_id, public=public)
        elif kind in _MESSAGES:
            if _reaches_customer(child.get("recipients"), reading):
                yield _made(audit, id, actor, EventKind.NOTIFICATION, actor_id=audit.updater_id, public=True)
        elif kind == _RATING:
            if (stars := stars_of(child.get("score"))) is not None:
                rated = ("rating", None, stars)
                yield _made(audit, id, actor, EventKind.CHANGE, rated, actor_id=audit.updater_id)
        elif kind in _KINDS:
            for field, value in _changed(child):
                named = _named(field, child.get("previous_value"), value, reading, merged=merged)
                if named is not None:
                    rule = child.get("via_reference_id") if actor is Actor.RULE else None
                    by = rule if isinstance(rule, int) else audit.updater_id
                    yield _made(audit, id, actor, _KINDS[kind], named, actor_id=by)


def stars_of(score: Any) -> str | None:
    """A satisfaction score on our scale; null for one that was only offered, and for anything else."""
    return SCORES.get(score) if isinstance(score, str) else None


def _merges(field: str | None, value: Any) -> bool:
    return field == "tags" and isinstance(value, list | str) and MERGED_TAG in value


def _reaches_customer(recipients: Any, reading: Reading) -> bool:
    """Is a rule's mail for somebody outside? Mails that only agents get are no message to a customer."""
    return isinstance(recipients, list) and any(id not in reading.agents for id in recipients)


def _changed(child: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The one field that a child event of the export is about."""
    custom = child.get("custom_ticket_fields")
    if isinstance(custom, dict):
        yield from custom.items()
    for name in (*_FIELDS, _CUSTOM_STATUS, _SCORE):
        if name in child:
            yield name, child[name]


def _made(
    audit: Audit | ExportedAudit,
    id: int,
    actor: Actor,
    kind: EventKind,
    named: tuple[str, str | None, str | None] | None = None,
    *,
    actor_id: int | None = None,
    public: bool | None = None,
) -> TicketEvent:
    field, old, new = named or (None, None, None)
    return TicketEvent(
        id=id,
        audit_id=audit.id,
        ticket_id=audit.ticket_id,
        at=audit.created_at,
        actor=actor,
        kind=kind,
        actor_id=actor_id,
        field=field,
        old=old,
        new=new,
        public=public,
    )


def _named(
    field: str, previous: Any, value: Any, reading: Reading, *, merged: bool
) -> tuple[str, str | None, str | None] | None:
    """A field's change in our words; None for a field that is nothing to us."""
    if field == _SCORE:  # some accounts tell of a rating as a field's change, with or without an event of its own
        return None if stars_of(value) is None else ("rating", stars_of(previous), stars_of(value))
    if field == _CUSTOM_STATUS:
        old, new = reading.own_status(previous), reading.own_status(value)
        return None if old == new else (OWN_STATUS, old, new)
    if field in _FIELDS:
        if field == "brand_id":  # the first one stands on the ticket itself
            return None if previous is None else ("brand", reading.brand(previous), reading.brand(value))
        if field == "status" and merged and value == "closed":
            return "status", _text(previous), "merged"
        return _FIELDS[field], _text(previous), _text(value)
    name = reading.fields.get(int(field)) if field.isdigit() else None
    if name is None:
        return None
    return name, reading.key_of(name, previous), reading.key_of(name, value)


def _text(value: Any) -> str | None:
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, list):
        return " ".join(sorted(str(part) for part in value))
    return str(value)


def _channel(via: _Via | None) -> str | None:
    return None if via is None or via.channel is None else str(via.channel)


def _rel(via: _Via | None) -> str | None:
    return via.source.rel if via is not None and via.source is not None else None


def _label(via: object) -> str | None:
    """The export's `via`, a label; null for a merge, which is its author's."""
    if isinstance(via, dict):
        via = via.get("channel")
    elif isinstance(via, _Via):
        via = via.channel
    label = None if via is None else str(via).lower()
    return None if label is not None and _MERGE in label else label
