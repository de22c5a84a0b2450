"""A ticket's past without us: what it would have been had we never touched it, and with other steps of ours put in."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from mappings.model import Actor, EventKind, History, Status, Ticket, TicketEvent
from mappings.plan import TicketChange
from mappings.timeline import Step, Timeline

_ANSWER = "working"
_TICKETS_OWN = ("severity", "kind", "module", "priority")


def without_us(line: Timeline) -> Timeline:
    """The timeline without our changes and messages. What a ticket was created with stays, whoever created it.

    So does the customer's answer to our question, which we wrote down for them.
    """
    first = line.messages[:1]
    steps = [step for step in line.steps if step.actor is not Actor.US or step.field == _ANSWER]
    messages = tuple(event for event in line.messages[1:] if event.actor is not Actor.US)
    return msgspec.structs.replace(line, steps=_laid(line.initial, steps), messages=(*first, *messages))


def with_ours(line: Timeline, own: Sequence[Step], said: Sequence[TicketEvent]) -> Timeline:
    """The timeline with steps and messages of ours put in; at one time with others' they come last."""
    if not own and not said:
        return line
    steps = sorted([*line.steps, *own], key=lambda step: step.at)
    messages = sorted([*line.messages, *said], key=lambda event: event.at)
    return msgspec.structs.replace(line, steps=_laid(line.initial, steps), messages=tuple(messages))


def as_of(history: History, line: Timeline, at: datetime) -> tuple[History, Timeline]:
    """A ticket and its timeline as they were known at `at`: nothing of what came later."""
    seen = bisect_right(line.steps, at, key=lambda step: step.at)
    spoken = bisect_right(line.messages, at, key=lambda event: event.at)
    until = msgspec.structs.replace(line, steps=line.steps[:seen], messages=line.messages[:spoken])
    plans = history.plan_history[: max(1, bisect_right(history.plan_history, at, key=lambda seen: seen[0]))]
    ticket = _ticket(history.ticket, until)
    return msgspec.structs.replace(history, ticket=ticket, events_through=at, plan_history=plans), until


def changes(change: TicketChange, line: Timeline, at: datetime, cause: str, groups: Mapping[str, int]) -> list[Step]:
    """What a change of ours does to the ticket's fields: only what it really changes. `groups` has ids by name."""
    wanted: dict[str, str | None] = dict(change.fields)
    if change.tier is not None:
        wanted["tier"] = str(change.tier)
    if change.group in groups:
        wanted["group_id"] = str(groups[str(change.group)])
    if change.assignee_id is not None:
        wanted["assignee_id"] = str(change.assignee_id)
    before = _tags(line.value("tags", at))
    after = (before | set(change.add_tags)) - set(change.remove_tags)
    if after != before:
        wanted["tags"] = _spelled(after)
    return [
        Step(at, field, line.value(field, at), new, Actor.US, cause)
        for field, new in wanted.items()
        if line.value(field, at) != new
    ]


def message(change: TicketChange, ticket: Ticket, at: datetime) -> list[TicketEvent]:
    """What a change of ours says: a reply to the customer. A note is heard by no clock."""
    if change.reply is None:
        return []
    said = TicketEvent(
        id=0, audit_id=0, ticket_id=ticket.id, at=at, actor=Actor.US, kind=EventKind.COMMENT, public=True
    )
    return [said]


def _laid(initial: Mapping[str, str | None], steps: Iterable[Step]) -> tuple[Step, ...]:
    """Steps one after another: each begins where the one before ended, and of tags says what it added and took."""
    now = dict(initial)
    found = []
    for step in steps:
        old, new = now.get(step.field), step.new
        if step.field == "tags":
            was, is_ = _tags(step.old), _tags(step.new)
            new = _spelled((_tags(old) | (is_ - was)) - (was - is_))
        found.append(step if (old, new) == (step.old, step.new) else msgspec.structs.replace(step, old=old, new=new))
        now[step.field] = new
    return tuple(found)


def _ticket(ticket: Ticket, line: Timeline) -> Ticket:
    """The ticket as the last of its steps leaves it."""
    now = dict(line.initial)
    for step in line.steps:
        now[step.field] = step.new
    times = [step.at for step in line.steps[-1:]] + [event.at for event in line.messages[-1:]]
    return msgspec.structs.replace(
        ticket,
        status=Status(now.get("status") or ticket.status),
        tags=frozenset(_tags(now.get("tags"))),
        tier=_number(now.get("tier")),
        group_id=_number(now.get("group_id")),
        assignee_id=_number(now.get("assignee_id")),
        updated_at=max(times, default=ticket.created_at),
        **{name: now.get(name) for name in _TICKETS_OWN},
        fields={name: now.get(name) for name in ticket.fields},
    )


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _tags(text: str | None) -> set[str]:
    return set((text or "").split())


def _spelled(tags: set[str]) -> str | None:
    return " ".join(sorted(tags)) or None
