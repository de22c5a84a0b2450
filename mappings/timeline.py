"""A ticket's life as a line of moments: what each fact was at any time, who changed it, who spoke.

Built from the ticket as it stands and the events read so far. Where the ticket is ahead of its events (Zendesk's export
hides the newest minute), the difference becomes a change of unknown author at the ticket's own `updated_at`; it is
replaced when the event itself arrives.
"""

from bisect import bisect_right
from datetime import datetime
from functools import cached_property

import msgspec

from mappings.model import Actor, EventKind, History, Status, TicketEvent

FIELDS = (
    "status",
    "severity",
    "kind",
    "module",
    "tier",
    "priority",
    "group_id",
    "assignee_id",
    "company_id",
    "problem_id",
    "tags",
)
"""The fields whose past matters to a clock or a rule."""

LATER = ("rating",)
"""What no ticket has when it is created: where no event tells of it, it is not known since when it holds."""

UNREAD = "unread"
"""The cause of a change whose event has not been read yet: nothing may be keyed by it."""

_TIE = {EventKind.COMMENT: 0, EventKind.NOTIFICATION: 0}
"""Of simultaneous events a reply comes first, then status, then the rest (anchors §4.4)."""


class Step(msgspec.Struct, frozen=True, gc=False):
    """One field's change: what it became, when, by whom, and the vendor's id of the update that did it."""

    at: datetime
    field: str
    old: str | None
    new: str | None
    actor: Actor
    cause: str
    by: int | None = None
    """The vendor's id of the person or the rule that did it."""


class Timeline(msgspec.Struct, frozen=True, dict=True):
    """What happened to one ticket, in order. `known` is false where its beginning was never read: no clock then."""

    created_at: datetime
    initial: dict[str, str | None]
    steps: tuple[Step, ...]
    messages: tuple[TicketEvent, ...]
    known: bool
    authors: dict[str, Actor]
    """Who gave a field its first value."""

    def value(self, field: str, at: datetime) -> str | None:
        """The field's value at `at`, simultaneous changes included."""
        value = self.initial.get(field)
        for step in self.of(field):
            if step.at > at:
                break
            value = step.new
        return value

    def of(self, field: str) -> tuple[Step, ...]:
        """The changes of one field, oldest first."""
        return self._by_field.get(field, ())

    @cached_property
    def _by_field(self) -> dict[str, tuple[Step, ...]]:
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.field, []).append(step)
        return {field: tuple(steps) for field, steps in found.items()}


def epoch(at: datetime) -> int:
    """A time as the whole second since 1970 that keys and rows use."""
    return int(at.timestamp())


def text(value: object) -> str | None:
    """A ticket's own value in the spelling that events use."""
    if value is None or value == "":
        return None
    if isinstance(value, frozenset):
        return " ".join(sorted(value)) or None
    return str(value)


def build(history: History) -> Timeline:
    """Lay out a ticket's life. Nothing is guessed: an unread beginning gives `known=False`."""
    ticket = history.ticket
    events = [_known_by_deeds(event, history) for event in sorted(history.events, key=_order)]
    changes = [event for event in events if event.field is not None]
    now = {field: text(getattr(ticket, field)) for field in FIELDS} | dict(ticket.fields)
    now["tier"] = text(ticket.tier)
    created = any(event.kind is EventKind.CREATE or event.at <= ticket.created_at for event in events)
    untouched = ticket.updated_at <= ticket.created_at
    initial, authors = _beginnings(changes, now)
    steps = [_step(event) for event in changes if event.kind is EventKind.CHANGE]
    if not history.complete:
        steps += _unread(steps, initial, now, ticket.updated_at)
    messages = tuple(event for event in events if event.kind in (EventKind.COMMENT, EventKind.NOTIFICATION))
    return Timeline(ticket.created_at, initial, tuple(steps), messages, created or untouched, authors)


def _order(event: TicketEvent) -> tuple[datetime, int, int, int]:
    rank = _TIE.get(event.kind, 1 if event.field == "status" else 2)
    return (event.at, rank, event.audit_id, event.id)


def _known_by_deeds(event: TicketEvent, history: History) -> TicketEvent:
    """A happening with its actor set right by what the ticket itself tells of people.

    Who asked for help is the customer of this ticket, whatever they are elsewhere: an agent's own words on it answer
    nobody. Who was ever its assignee was an agent then, though they have left and the account no longer lists them.
    """
    if event.actor_id is None or event.actor not in (Actor.AGENT, Actor.CUSTOMER):
        return event
    ours = event.actor_id == history.ticket.requester_id
    if ours and event.actor is Actor.AGENT and event.kind is EventKind.COMMENT:
        return msgspec.structs.replace(event, actor=Actor.CUSTOMER)
    if not ours and event.actor is Actor.CUSTOMER and event.actor_id in _assignees(history):
        return msgspec.structs.replace(event, actor=Actor.AGENT)
    return event


def _assignees(history: History) -> set[int]:
    named = {value for event in history.events if event.field == "assignee_id" for value in (event.old, event.new)}
    now = history.ticket.assignee_id
    return {int(id) for id in named if id and id.isdigit()} | ({now} if now is not None else set())


def _beginnings(
    changes: list[TicketEvent], now: dict[str, str | None]
) -> tuple[dict[str, str | None], dict[str, Actor]]:
    """Each field's first value: as created, else what its first change replaced, else what it is now."""
    initial = dict(now)
    authors: dict[str, Actor] = {}
    for event in reversed(changes):
        assert event.field is not None
        if event.kind is EventKind.CREATE:
            initial[event.field] = event.new
            authors[event.field] = event.actor
        else:
            initial[event.field] = event.old
            authors.pop(event.field, None)
    for event in changes:
        if event.kind is EventKind.CREATE and event.field is not None:
            initial[event.field], authors[event.field] = event.new, event.actor
    initial |= {field: None for field in LATER if field in initial}
    return initial, authors


def _step(event: TicketEvent) -> Step:
    assert event.field is not None
    return Step(event.at, event.field, event.old, event.new, event.actor, str(event.audit_id), event.actor_id)


def _unread(steps: list[Step], initial: dict[str, str | None], now: dict[str, str | None], at: datetime) -> list[Step]:
    """What the ticket says that no event has told yet, as changes by nobody known."""
    latest = dict(initial)
    for step in steps:
        latest[step.field] = step.new
    return [
        Step(at, field, latest.get(field), value, Actor.UNKNOWN, UNREAD)
        for field, value in sorted(now.items())
        if latest.get(field) != value
    ]


def spans(timeline: Timeline, statuses: frozenset[Status]) -> list[tuple[datetime, datetime | None, str]]:
    """When the ticket was in one of `statuses`: (from, until or None, cause of entering), oldest first."""
    found: list[tuple[datetime, datetime | None, str]] = []
    inside = timeline.initial.get("status") in statuses
    start, cause = timeline.created_at, str(epoch(timeline.created_at))
    for step in timeline.of("status"):
        now_inside = step.new in statuses
        if now_inside and not inside:
            start, cause = step.at, step.cause
        elif inside and not now_inside:
            found.append((start, step.at, cause))
        inside = now_inside
    if inside:
        found.append((start, None, cause))
    return found


def plan_at(history: History, line: Timeline, at: datetime) -> str | None:
    """The company's plan at `at`: as seen then, else as first seen, else as it is now.

    Before a ticket was given its first company it had no plan: what was owed then is not rewritten.
    """
    given = line.of("company_id")
    if given and given[0].old is None and at < given[0].at:
        return None
    seen = history.plan_history
    if not seen:
        return history.company.plan if history.company else None
    index = bisect_right([when for when, _ in seen], at) - 1
    return seen[max(index, 0)][1]
