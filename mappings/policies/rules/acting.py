"""What the verbs of a rule do (profiles.md §6, "Actions")."""

from collections.abc import Callable
from datetime import datetime, timedelta

from mappings.notices import About, mentioned, told
from mappings.plan import Action, Change, Lane, NotConnected, PageTrigger, TicketChange
from mappings.policies.paging import page
from mappings.policies.rules.moments import Moment, serving
from mappings.policies.sla.lateness import ESCALATED
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

    def done(self, do: Do) -> list[Action]:
        """One verb as the actions that it comes to: telling a route may be a note, messages, or both."""
        ticket_id = self.life.history.ticket.id
        about = About(
            ticket_id=ticket_id,
            facts=self.moment.facts,
            says=f"Rule: {self.rule.name}.",
            at=self.moment.at,
            due_at=self._due(),
            link=self.link(ticket_id),
        )
        return told(self.do(do), do, self.profile, about)

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
            case "mention" if route is not None:
                note = f"For {mentioned(route)}: {self._says()} Rule: {self.rule.name}."
                return TicketChange(note=note), Lane.ESCALATION, None
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
            "organisation": self.profile.name,
        }
