"""The moments of a ticket's life at which rules are judged, and the facts as they were then."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from mappings.calendar import Calendar
from mappings.plan import ON_HOLD
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life
from mappings.profile import Profile, Rule
from mappings.timeline import UNREAD, epoch

_DIMENSIONS = {"severity", "plan", "kind", "family", "ladder", "channel", "tier", "role", "vip", "tag", "escalated"}
FACTS = frozenset(_DIMENSIONS | {"kind_not", "office", "covered", "event"})
"""The facts that Zendesk feeds so far. A rule that names another is not judged yet; `helpdesk check` says so."""


class Moment(msgspec.Struct, frozen=True):
    """An event at which rules are judged, with the facts as they were then, and those that it changed."""

    at: datetime
    cause: str
    events: frozenset[str]
    changed: frozenset[str]
    facts: Mapping[str, object]

    @property
    def held(self) -> bool:
        """Had somebody tagged the ticket to keep us off it? What happened meanwhile is not made up for later."""
        tags = self.facts.get("tag")
        return isinstance(tags, frozenset) and ON_HOLD in tags

    def concerns(self, rule: Rule) -> bool:
        """Is the rule judged here? At creation, and where a fact or an event that it names came about."""
        return (
            "created" in self.events
            or bool(self.changed & set(rule.when))
            or bool(self.events and "event" in rule.when)
        )


_CHANGES = {
    "severity": ("severity",),
    "kind": ("kind", "kind_not", "family", "ladder"),
    "tags": ("tag",),
    "company_id": ("plan", "vip"),
}
"""Of each field of a ticket: the facts that its change changes."""


class _Happening(msgspec.Struct):
    cause: str
    events: set[str] = msgspec.field(default_factory=set)
    changed: set[str] = msgspec.field(default_factory=set)


def _happenings(life: Life) -> dict[datetime, _Happening]:
    """Creation, each change of a fact, each move between tiers, solve and reopening; simultaneous ones are one."""
    found = {life.line.created_at: _Happening(life.created, {"created"})}

    def at(when: datetime, cause: str) -> _Happening:
        return found.setdefault(when, _Happening(cause))

    for step in life.line.steps:
        if step.field in _CHANGES:
            at(step.at, step.cause).changed.update(_CHANGES[step.field])
    for when, _ in life.history.plan_history:
        if when > life.line.created_at:
            at(when, str(epoch(when))).changed.add("plan")
    for stay in life.stays[1:]:
        happening = at(stay.start, stay.cause)
        happening.changed |= {"tier", "escalated"}
        happening.events |= {"escalated"} if stay.tier > life.stays[0].tier else set()
    for start, stop, cause in life.solved:
        at(start, cause).events.add("solved")
        if stop is not None:
            at(stop, str(epoch(stop))).events.add("reopened")
    for step in life.line.steps:  # what has not been read yet has no time of its own to be keyed by
        if step.cause == UNREAD and step.at in found and step.at > life.line.created_at:
            found[step.at].cause = UNREAD
    return found


def moments(life: Life, profile: Profile) -> Iterable[Moment]:
    """The events at which rules are judged, oldest first, each with the facts as they were then."""
    for at, happening in sorted(_happenings(life).items()):
        if happening.cause == UNREAD:
            continue
        facts = dimensions(life, profile, at)
        facts |= {
            "office": "open" if profile.office.is_open(at) else "closed",
            "covered": serving(profile, facts).is_open(at),
        }
        yield Moment(at, happening.cause, frozenset(happening.events), frozenset(happening.changed), facts)


def serving(profile: Profile, facts: Mapping[str, object]) -> Calendar:
    """The calendar that serves a ticket with these facts."""
    return profile.serving_calendar(**{key: facts.get(key) for key in ("severity", "plan", "kind", "channel")})
