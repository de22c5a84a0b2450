"""The moments of a ticket's life at which rules are judged, and the facts as they were then."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise

import msgspec

from mappings.calendar import Calendar
from mappings.model import DONE
from mappings.plan import ON_HOLD
from mappings.policies.rules.around import ALONE, Around
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life
from mappings.profile import Profile, Rule
from mappings.timeline import UNREAD, epoch

_DIMENSIONS = (
    "severity", "plan", "kind", "family", "ladder", "channel", "tier", "role", "vip", "tag", "escalated", "brand",
)  # fmt: skip
COUNTED = ("rating", "affected_users", "failed_attempts", "companies_on_problem", "tickets_from_company")
"""The facts that are numbers; a rule compares them."""
FACTS = frozenset((*_DIMENSIONS, *COUNTED, "kind_not", "office", "covered", "event", "entitled"))
"""The facts that are connected. A rule that names another is not judged; `helpdesk check` says so."""
ON_PROBLEM = frozenset({"companies_on_problem", "affected_users"})
"""The facts that other tickets on the same problem change."""


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
    "company_id": ("plan", "vip", "tickets_from_company"),
    "brand": ("brand",),
    "rating": ("rating",),
    "affected_users": ("affected_users",),
    "failed_attempts": ("failed_attempts",),
    "problem_id": tuple(sorted(ON_PROBLEM)),
}
"""Of each field of a ticket: the facts that its change changes. A channel is chosen once: `entitled` stays."""


class _Happening(msgspec.Struct):
    cause: str
    events: set[str] = msgspec.field(default_factory=set)
    changed: set[str] = msgspec.field(default_factory=set)


def _happenings(life: Life, around: Around) -> dict[datetime, _Happening]:
    """Creation, each change of a fact, each move between tiers, solve and reopening; simultaneous ones are one.

    A ticket that is done and moved up is nobody's escalation: nobody works on it, and no reply is owed.
    """
    found = {life.line.created_at: _Happening(life.created, {"created"})}

    def at(when: datetime, cause: str) -> _Happening:
        return found.setdefault(when, _Happening(cause))

    for step in life.line.steps:
        if step.field in _CHANGES:
            at(step.at, step.cause).changed.update(_CHANGES[step.field])
    for when, _ in life.history.plan_history:
        if when > life.line.created_at:
            at(when, str(epoch(when))).changed.add("plan")
    for before, stay in pairwise(life.stays):
        happening = at(stay.start, stay.cause)
        happening.changed |= {"tier", "escalated"}
        up = stay.tier > before.tier and life.line.value("status", stay.start) not in DONE
        happening.events |= {"escalated"} if up else set()
    for start, stop, cause in life.solved:
        at(start, cause).events.add("solved")
        if stop is not None:
            reopened = at(stop, str(epoch(stop)))
            reopened.events.add("reopened")
            reopened.changed.add("failed_attempts")
    for when in _joined(life, around):
        at(when, str(epoch(when))).changed |= ON_PROBLEM
    for step in life.line.steps:  # what has not been read yet has no time of its own to be keyed by
        if step.cause == UNREAD and step.at in found and step.at > life.line.created_at:
            found[step.at].cause = UNREAD
    return found


def _joined(life: Life, around: Around) -> list[datetime]:
    """When others joined or left a problem while this ticket was on it."""
    begun, number = life.line.created_at, life.history.ticket.id
    problems = {number} | {int(step.new) for step in life.line.of("problem_id") if step.new}
    problems |= {int(first)} if (first := life.line.initial.get("problem_id")) else set()
    times = {when for problem in problems for when in around.joined(problem) if when > begun}
    return sorted(when for when in times if _problem(life, when, around) is not None)


def _problem(life: Life, at: datetime, around: Around) -> int | None:
    """The problem that the ticket was on, or that it is itself to others."""
    named, own = life.line.value("problem_id", at), life.history.ticket.id
    if named:
        return int(named)
    return own if any(one.id != own for one in around.on_problem(own, at)) else None


def moments(life: Life, profile: Profile, around: Around = ALONE) -> Iterable[Moment]:
    """The events at which rules are judged, oldest first, each with the facts as they were then."""
    for at, happening in sorted(_happenings(life, around).items()):
        if happening.cause == UNREAD:
            continue
        facts = dimensions(life, profile, at)
        facts |= {
            "office": "open" if profile.office.is_open(at) else "closed",
            "covered": serving(profile, facts).is_open(at),
            "entitled": entitled(profile, facts),
        }
        facts |= _counts(life, at, around)
        yield Moment(at, happening.cause, frozenset(happening.events), frozenset(happening.changed), facts)


def _counts(life: Life, at: datetime, around: Around) -> dict[str, object]:
    """The numbers that are known at a time. `tickets_from_company` depends on its rule's `within`: see conditions."""
    problem = _problem(life, at, around)
    there = around.on_problem(problem, at) if problem is not None else []
    reopened = sum(1 for _, stop, _ in life.solved if stop is not None and stop <= at)
    users = max(_number(life, "affected_users", at) or 0, len({one.requester_id for one in there} - {None}))
    found = {
        "rating": _number(life, "rating", at),
        "affected_users": users or None,
        "failed_attempts": max(reopened, _number(life, "failed_attempts", at) or 0),
        "companies_on_problem": len({one.company_id for one in there} - {None}) or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _number(life: Life, field: str, at: datetime) -> int | None:
    said = life.line.value(field, at)
    return int(said) if said is not None and said.lstrip("-").isdigit() else None


def arrivals(life: Life) -> list[tuple[int, datetime]]:
    """Each company that the ticket was given, and when: at its creation or later."""
    line = life.line
    first = line.initial.get("company_id")
    given = [(first, line.created_at)] if first else []
    given += [(step.new, step.at) for step in line.of("company_id") if step.new]
    return [(int(company), at) for company, at in given]


def entitled(profile: Profile, facts: Mapping[str, object]) -> bool:
    """Does the plan have the channel? A channel that no plan adds is nobody's to withhold."""
    channel, plan = facts.get("channel"), profile.plans.get(str(facts.get("plan")))
    sold = {name for other in profile.plans.values() for name in other.adds}
    return plan is None or channel not in sold or channel in plan.channels


def serving(profile: Profile, facts: Mapping[str, object]) -> Calendar:
    """The calendar that serves a ticket with these facts."""
    return profile.serving_calendar(**{key: facts.get(key) for key in ("severity", "plan", "kind", "channel")})
