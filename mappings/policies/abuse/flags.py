"""When a ticket was flagged as abusive, and what was decided about it, as its past tells.

A flag is the field `abuse` (a category) or the tag `abusive`, whoever set it. It is open until a decision, or until it
is taken away again. After a decision, another category or a flag set anew is a new flag.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby, pairwise

import msgspec

from mappings.model import Actor
from mappings.timeline import Step, Timeline, epoch

TAG = "abusive"
CATEGORY, DECISION = "abuse", "abuse_decision"
_FIELDS = ("tags", CATEGORY, DECISION)


class Decision(msgspec.Struct, frozen=True):
    """A value that somebody gave the field `abuse_decision`. Whether they may is not said here.

    `back` is the value before; `set_back`: we put that back; `emptied`: which agent emptied the field next.
    """

    cause: str
    at: datetime
    by: int | None
    actor: Actor
    value: str
    back: str | None = None
    set_back: bool = False
    emptied: int | None = None


class Flag(msgspec.Struct, frozen=True):
    """One flag: what began it, its category as last known (null: none yet), and what ended it (`stop` null: open)."""

    cause: str
    at: datetime
    by: int | None
    category: str | None
    stop: datetime | None = None
    ended: str | None = None
    """`decision` or `withdrawn`."""


def decisions(line: Timeline) -> list[Decision]:
    """Every value that the field was given by somebody else than us, oldest first."""
    found = []
    steps = line.of(DECISION)
    for step, after in [*pairwise(steps), *((step, None) for step in steps[-1:])]:
        if step.new is None or step.actor is Actor.US:
            continue
        set_back = after is not None and after.actor is Actor.US
        emptied = after.by if after is not None and after.new is None and after.actor is Actor.AGENT else None
        found.append(
            Decision(step.cause, step.at, step.by, step.actor, step.new, step.old, set_back=set_back, emptied=emptied)
        )
    return found


def flags(line: Timeline, refused: Collection[str] = ()) -> list[Flag]:
    """Every flag of a ticket, oldest first. An attempt to decide that was set back, or is `refused`, closes none."""
    deciding = {one.cause for one in decisions(line) if one.actor is Actor.AGENT and not one.set_back} - set(refused)
    found: list[Flag] = []
    flagged, category = _flagged(line.initial.get("tags")), line.initial.get(CATEGORY)
    if flagged or category:
        found.append(Flag(str(epoch(line.created_at)), line.created_at, None, category))
    concerned = [step for step in line.steps if step.field in _FIELDS]
    for _, together in groupby(concerned, key=lambda step: (step.at, step.cause)):
        update = list(together)
        before = flagged or bool(category)
        was = category
        for step in update:
            flagged = _flagged(step.new) if step.field == "tags" else flagged
            category = step.new if step.field == CATEGORY else category
        changed = category if category != was else None
        _note(found, update[0], now=flagged or bool(category), before=before, category=category, changed=changed)
        if found and found[-1].stop is None and any(s.field == DECISION and s.cause in deciding for s in update):
            found[-1] = msgspec.structs.replace(found[-1], stop=update[0].at, ended="decision")
    return found


def flag_at(line: Timeline, at: datetime) -> Flag | None:
    """The newest flag that was set by a time; null where there was none."""
    return next((flag for flag in reversed(flags(line)) if flag.at <= at), None)


def _note(found: list[Flag], step: Step, *, now: bool, before: bool, category: str | None, changed: str | None) -> None:
    """What one update made of the flags: a new one, the open one's category, or its end."""
    is_open = bool(found) and found[-1].stop is None
    if now and not is_open and (not before or changed):
        found.append(Flag(step.cause, step.at, step.by, category))
    elif now and is_open and changed:
        found[-1] = msgspec.structs.replace(found[-1], category=changed)
    elif before and not now and is_open:
        found[-1] = msgspec.structs.replace(found[-1], stop=step.at, ended="withdrawn")


def _flagged(tags: str | None) -> bool:
    return TAG in (tags or "").split()
