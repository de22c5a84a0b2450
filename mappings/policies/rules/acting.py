"""What the verbs of a rule do (profiles.md §6, "Actions")."""

from collections.abc import Callable
from datetime import datetime, timedelta

from mappings.plan import Action, Change, Lane, NotConnected, PageTrigger, Reason, TicketChange
from mappings.policies.escalation import level_of, settled, step_up
from mappings.policies.paging import page
from mappings.policies.rules.moments import Moment, serving
from mappings.policies.sla.measures import Life, Stay
from mappings.policies.sla.targets import due, promises
from mappings.profile import Do, Profile, Rule
from mappings.reasons import clock_face, reason
from mappings.replies import Replies

POLICY = "rules"
_REPLY_SENSE = timedelta(minutes=30)
_ESCALATION_SENSE = timedelta(hours=8)


class Acting:
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
        if do.verb == "escalate":
            return self._escalate(do)
        change, lane, sense = self._change(do)
        why = reason("rule_held", self.rule.name, self._says(), self.profile, self._facts())
        cause = f":{self.moment.cause}" if self.rule.again else ""
        return self._action(do, do.verb, change, why, lane, sense, cause)

    def _action(
        self, do: Do, verb: str, change: Change, why: Reason, lane: Lane, sense: timedelta | None, cause: str
    ) -> Action:
        return Action(
            key=f"rule:{str(do).replace(' ', ':')}:{self.record}{cause}",
            policy=POLICY,
            rule=self.rule.name,
            verb=verb,
            tool="pagerduty" if isinstance(change, PageTrigger) else "zendesk",
            record=self.record,
            change=change,
            reason=why,
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

    def _escalate(self, do: Do) -> Action:
        """A step up from the tier at the moment. `escalate next` is one thing in each tier, so its key names the stay.

        A ticket that came to its tier less than `min_stay` ago is not sent on: the reason joins the step before.
        """
        stay, at = self._stay(), self.moment.at
        later = do.argument == "next" and not stay.first
        cause = f":{self.moment.cause}" if self.rule.again else f":{stay.cause}" if later else ""
        facts = self._facts() | {"because": self._says()}
        if later and not settled(self.life, self.profile, stay, at, str(self.moment.facts.get("severity"))):
            minutes = f"{self.profile.min_stay // 60} minutes"
            says = f"{self._says()} It came to this tier less than {minutes} ago, and stays."
            why = reason("rule_held", self.rule.name, says, self.profile, facts)
            return self._action(do, "note", TicketChange(note=why.text), why, Lane.ESCALATION, _ESCALATION_SENSE, cause)
        level = level_of(do.argument, stay.tier, self.profile)
        step = step_up(self.life, self.profile, [level], at=at, stay=stay)
        says = f"{self._says()} {step.says}"
        why = reason("rule_held", self.rule.name, says, self.profile, facts | dict(step.facts))
        return self._action(do, step.verb, step.told(why), why, Lane.ESCALATION, _ESCALATION_SENSE, cause)

    def _says(self) -> str:
        told = ", ".join(f"{name} {self._told(name)}" for name in self.rule.when if name != "event")
        return f"{told[:1].upper()}{told[1:]}." if told else "On this event."

    def _told(self, name: str) -> str:
        """A fact as it was; of several values those that the rule names."""
        found, wanted = self.moment.facts.get(name, "–"), self.rule.when[name]
        if not isinstance(found, frozenset):
            return str(found)
        named = set(wanted) if isinstance(wanted, list | tuple | frozenset) else {wanted}
        return ", ".join(sorted(str(value) for value in found & named))

    def _facts(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.moment.facts.items() if not isinstance(value, frozenset)}

    def _stay(self) -> Stay:
        """The tier that the ticket was in at the moment."""
        return next(stay for stay in reversed(self.life.stays) if stay.start <= self.moment.at)

    def _locale(self) -> str:
        requester = self.life.history.requester
        return (requester.locale if requester else None) or "en"

    def _due(self) -> datetime | None:
        """When the customer hears from us: the first reply, or after a hand-off the new tier's (SLA-23)."""
        measure = "handoff_reply" if "escalated" in self.moment.events else "first_reply"
        calendar = serving(self.profile, self.moment.facts)
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
            "opening": "" if at else self._opening(),
            "organisation": self.profile.name,
        }

    def _opening(self) -> str:
        """When the ticket is served next, where nobody serves it at the moment (AFT-09)."""
        calendar, at = serving(self.profile, self.moment.facts), self.moment.at
        return "" if calendar.is_open(at) else clock_face(calendar.next_opening(at), self.profile.zone, at)
