"""Rules: when these facts hold, do this (profiles.md §6).

A rule is judged on an event of the ticket: it was created, a fact that the rule names changed, it was escalated, solved
or reopened. Never continuously: `office` and `covered` are what they were at that event. It fires once per ticket,
unless `again: true`. Judging replays the whole past, so it gives the same actions each time; the journal lets each out
once.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from mappings.calendar import Calendar
from mappings.model import Status
from mappings.plan import ON_HOLD, Action, Change, Lane, NotConnected, PageTrigger, TicketChange
from mappings.policies.paging import page
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.lateness import ESCALATED
from mappings.policies.sla.measures import Life, Stay
from mappings.policies.sla.targets import due, promises
from mappings.profile import Do, Profile, Rule
from mappings.reasons import clock_face, reason
from mappings.replies import Replies
from mappings.timeline import UNREAD, epoch

POLICY = "rules"
_REPLY_SENSE = timedelta(minutes=30)
_ESCALATION_SENSE = timedelta(hours=8)

_OVER = (Status.MERGED, Status.DELETED, Status.SPAM)
"""Endings that are nobody's solution: no rule is judged on them."""

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


def judged(rule: Rule) -> bool:
    """Are all facts that a rule names known here?"""
    return set(rule.when) <= FACTS


def judge(life: Life, profile: Profile, replies: Replies, *, link: Callable[[int], str]) -> list[Action]:
    """What the rules want done for one ticket, over its whole past. `link` gives a ticket's address for agents."""
    ticket = life.history.ticket
    if ON_HOLD in ticket.tags or ticket.status in _OVER or not life.line.known:
        return []
    moments = list(_moments(life, profile))
    actions = []
    for rule in profile.rules.values():
        if not judged(rule):
            continue
        firing = [moment for moment in moments if moment.concerns(rule) and not moment.held and _fires(rule, moment)]
        for moment in firing if rule.again else firing[:1]:
            acting = _Acting(life, profile, replies, rule, moment, link)
            actions += [acting.do(do) for do in rule.do]
    return actions


def _fires(rule: Rule, moment: Moment) -> bool:
    return all(_holds(name, condition, moment) for name, condition in rule.when.items())


def _holds(name: str, condition: object, moment: Moment) -> bool:
    wanted = set(condition) if isinstance(condition, list | tuple | frozenset) else {condition}
    if name == "event":
        return bool(wanted & moment.events)
    if name == "kind_not":
        return moment.facts.get("kind") not in wanted
    found = moment.facts.get(name)
    if isinstance(found, frozenset):
        return bool(wanted & found)
    return found in wanted or str(found) in wanted


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


def _moments(life: Life, profile: Profile) -> Iterable[Moment]:
    """The events at which rules are judged, oldest first, each with the facts as they were then."""
    for at, happening in sorted(_happenings(life).items()):
        if happening.cause == UNREAD:
            continue
        facts = dimensions(life, profile, at)
        facts |= {
            "office": "open" if profile.office.is_open(at) else "closed",
            "covered": _serving(profile, facts).is_open(at),
        }
        yield Moment(at, happening.cause, frozenset(happening.events), frozenset(happening.changed), facts)


def _serving(profile: Profile, facts: Mapping[str, object]) -> Calendar:
    return profile.serving_calendar(**{key: facts.get(key) for key in ("severity", "plan", "kind", "channel")})


class _Acting:
    """The verbs of a rule, for one ticket at the moment that it fired."""

    def __init__(
        self,
        life: Life,
        profile: Profile,
        replies: Replies,
        rule: Rule,
        moment: Moment,
        link: Callable[[int], str],
    ) -> None:
        self.life, self.profile, self.replies = life, profile, replies
        self.rule, self.moment, self.link = rule, moment, link
        self.record = f"zendesk:{life.history.ticket.id}"

    def do(self, do: Do) -> Action:
        """One verb as an action; one whose tool is not there is written down as not connected."""
        change, lane, sense = self._change(do)
        tool = "pagerduty" if isinstance(change, PageTrigger) else "zendesk"
        cause = f":{self.moment.cause}" if self.rule.again else ""
        return Action(
            key=f"rule:{str(do).replace(' ', ':')}:{self.record}{cause}",
            policy=POLICY,
            rule=self.rule.name,
            verb=do.verb,
            tool=tool,
            record=self.record,
            change=change,
            reason=reason("rule_held", self.rule.name, self._says(), self.profile, self._facts(do)),
            lane=lane,
            cause_at=self.moment.at,
            not_after=None if sense is None else self.moment.at + sense,
        )

    def _change(self, do: Do) -> tuple[Change, Lane, timedelta | None]:
        argument = str(do.argument)
        route = self.profile.routes.get(argument)
        match do.verb:
            case "page" if route is not None and route.pagerduty:
                return self._page(route.pagerduty), Lane.PAGE, None  # until the ticket is done: see page_delivery
            case "tag":
                return TicketChange(add_tags=(argument,)), Lane.UPKEEP, None
            case "assign" if route is not None and route.group:
                note = f"{self._says()} Assigned to {route.group}. Rule: {self.rule.name}."
                return TicketChange(group=route.group, note=note), Lane.ESCALATION, _ESCALATION_SENSE
            case "tell" if route is not None and (route.assignee or route.group):
                whom = f"For {route.group}: " if route.group else ""
                return TicketChange(note=f"{whom}{self._says()} Rule: {self.rule.name}."), Lane.ESCALATION, None
            case "escalate":
                return self._escalate(argument), Lane.ESCALATION, _ESCALATION_SENSE
            case "reply" if self.replies.has(argument):
                text = self.replies.render(argument, self._locale(), self._placeholders())
                return TicketChange(reply=text), Lane.CUSTOMER, _REPLY_SENSE
        return NotConnected(needs=self._needs(do)), Lane.UPKEEP, None

    def _needs(self, do: Do) -> str:
        route = self.profile.routes.get(str(do.argument))
        return route.needs if route is not None else f"a tool for '{do.verb}'"

    def _page(self, service: str) -> PageTrigger:
        return page(
            self.life,
            self.profile,
            service=service,
            rule=self.rule.name,
            facts=self.moment.facts,
            at=self.moment.at,
            due_at=self._due(),
            link=self.link(self.life.history.ticket.id),
        )

    def _escalate(self, argument: str) -> Change:
        level = len(self.profile.tiers) + 1 if argument == "management" else 0
        level = level or (self._stay().tier + 1 if argument == "next" else int(argument))
        note = f"{self._says()} Rule: {self.rule.name}, profile {self.profile.version}."
        if level not in self.profile.tiers:
            return TicketChange(add_tags=(ESCALATED, "escalated_management"), note=f"For management: {note}")
        if level <= self.life.stays[-1].tier:
            return TicketChange(add_tags=(ESCALATED,))
        tier = self.profile.tiers[level]
        return TicketChange(
            group=tier.group, tier=level, add_tags=(ESCALATED,), note=f"Moved to {tier.name} (tier {level}). {note}"
        )

    def _says(self) -> str:
        told = ", ".join(f"{name} {self.moment.facts.get(name, '–')}" for name in self.rule.when if name != "event")
        return f"{told[:1].upper()}{told[1:]}." if told else "On this event."

    def _facts(self, do: Do) -> dict[str, str]:
        found = {name: str(value) for name, value in self.moment.facts.items() if not isinstance(value, frozenset)}
        return found | ({"stay": self._stay().cause} if do.verb == "escalate" else {})

    def _stay(self) -> Stay:
        """The tier that the ticket was in at the moment."""
        return next(stay for stay in reversed(self.life.stays) if stay.start <= self.moment.at)

    def _locale(self) -> str:
        requester = self.life.history.requester
        return (requester.locale if requester else None) or "en"

    def _due(self) -> datetime | None:
        """When the customer hears from us: the first reply, or after a hand-off the new tier's (SLA-23)."""
        measure = "handoff_reply" if "escalated" in self.moment.events else "first_reply"
        calendar = _serving(self.profile, self.moment.facts)
        dues = [
            due(self.profile, promise.budget, calendar, self.moment.at).due_at
            for promise in promises(self.profile, self.moment.facts)
            if promise.measure == measure
        ]
        return min((at for at in dues if at is not None), default=None)

    def _placeholders(self) -> dict[str, str]:
        requester = self.life.history.requester
        at = self._due()
        return {
            "name": requester.name.split(" ")[0] if requester else "",
            "ticket": str(self.life.history.ticket.id),
            "expected": clock_face(at, self.profile.zone, self.moment.at) if at else "",
            "organisation": self.profile.name,
        }
