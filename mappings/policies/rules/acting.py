"""What the verbs of a rule do (profiles.md §6, "Actions")."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from mappings.model import Actor
from mappings.notices import About, mentioned, told
from mappings.plan import Action, Change, KeepEvidence, Lane, Message, NotConnected, PageTrigger, Reason, TicketChange
from mappings.policies.abuse.acting import evidence_key
from mappings.policies.abuse.flags import TAG, flag_at
from mappings.policies.escalation import calling, escalation_message, level_of, settled, step_up
from mappings.policies.paging import episode, page
from mappings.policies.rules.conditions import Firing
from mappings.policies.rules.moments import serving
from mappings.policies.sla.clocks import owed
from mappings.policies.sla.measures import Life, Stay
from mappings.policies.sla.ownership import fought, worsened
from mappings.profile import Comparison, Do, Profile, Rule
from mappings.profile.durations import say_span
from mappings.reasons import letter_face, reason
from mappings.replies import Replies

POLICY = "rules"
_REPLY_SENSE = timedelta(minutes=30)
_ESCALATION_SENSE = timedelta(hours=8)
FOLLOW_UP, INCIDENT = "follow_up", "incident_suggested"
"""Tags by which tickets are found that somebody is to call about, or that may be an incident."""
NEEDS = {
    "send_to_backlog": "jira",
    "create_lead": "jira",
    "hand_to_company_admin": "the portal",
    "open": "outage handling",
    "name": "outage handling",
    "status_page": "the status page",
    "banner": "the chat",
    "link": "outage handling",
    "solve": "outage handling",
}
"""What the verbs need whose tool is not connected."""


class Acting:
    """The verbs of a rule, for one ticket at the moment that it fired."""

    def __init__(
        self,
        life: Life,
        profile: Profile,
        replies: Replies,
        rule: Rule,
        firing: Firing,
        link: Callable[[int], str],
    ) -> None:
        self.life, self.profile, self.replies = life, profile, replies
        self.rule, self.firing, self.moment, self.link = rule, firing, firing.moment, link
        self.record = f"zendesk:{life.history.ticket.id}"

    @property
    def tier(self) -> int:
        """The tier that the ticket was in."""
        return self._stay().tier

    def done(self, do: Do, *, beside: Sequence[tuple[Rule, Do]] = ()) -> list[Action]:
        """One verb as the actions that it comes to: telling a route, or management, may be a note and messages.

        `beside` are the actions of other rules that it goes before, which its reason says.
        """
        ticket_id, action = self.life.history.ticket.id, self.do(do, beside=beside)
        if do.verb == "escalate":
            return self._called(action)
        if do.verb != "tell":
            return [action]
        due_at = self._due()
        about = About(
            ticket_id=ticket_id,
            facts=self.moment.facts,
            says=f"{self._says()} Rule: {self.rule.name}.",
            at=self.moment.at,
            due_at=due_at,
            link=self.link(ticket_id),
        )
        if "escalated" in self.moment.events or any(one.verb == "escalate" for one in self.rule.do):
            at = self.moment.at
            lines = escalation_message(self.life, self.profile, at=at, due_at=due_at, inside=False)
            about = msgspec.structs.replace(about, says=f"{about.says}\n{lines}", due_at=None)
        found = told(action, do, self.profile, about)
        return [one for one in found if not (self._told_by_flag(do) and isinstance(one.change, Message))]

    def _called(self, step: Action) -> list[Action]:
        """A step with its messages to management; of one problem they hear once, however many tickets are on it."""
        at, number = self.moment.at, self.life.history.ticket.id
        first, *messages = calling(step, self.life, self.profile, at=at, link=self.link(number))
        problem = self.life.line.value("problem_id", at) if "companies_on_problem" in self.rule.when else None
        if problem is not None:
            of_problem = f":zendesk:{problem}"
            keyed = [(one, one.key.replace(f":{self.record}", of_problem, 1)) for one in messages]
            messages = [msgspec.structs.replace(one, key=key) for one, key in keyed]
        return [first, *messages]

    def _told_by_flag(self, do: Do) -> bool:
        """Is a rule for flags to tell those who decide? Each flag tells them by a message of its own."""
        return (do.verb, do.argument) == ("tell", self.profile.abuse.decide) and self.rule.when.get("tag") == (TAG,)

    def do(self, do: Do, *, beside: Sequence[tuple[Rule, Do]] = ()) -> Action:
        """One verb as an action; one whose tool is not there is written down as not connected."""
        before = " and ".join(f"“{rule.name}”, which wanted {other}" for rule, other in beside)
        says = f"{self._says()} It goes before {before}." if before else self._says()
        if do.verb == "escalate":
            return self._escalate(do, says)
        change, lane, sense = self._change(do)
        why = reason("rule_held", self.rule.name, says, self.profile, self._facts())
        return self._action(do, do.verb, change, why, lane, sense)

    def _action(
        self,
        do: Do,
        verb: str,
        change: Change,
        why: Reason,
        lane: Lane,
        sense: timedelta | None,
        cause: str | None = None,
    ) -> Action:
        """`cause` is the key's end, where that is not the moment's own."""
        # what moves a ticket goes only while it is as it was decided on: a person's choice of a group is not undone
        moving = do.verb in ("assign", "escalate") and isinstance(change, TicketChange)
        return Action(
            key=self._key(do, change, self._cause() if cause is None else cause),
            policy=POLICY,
            rule=self.rule.name,
            verb=verb,
            tool=_tool(change),
            record=self.record,
            change=change,
            reason=why,
            lane=lane,
            cause_at=self.moment.at,
            not_after=None if sense is None else self.moment.at + sense,
            expects={"updated_at": self.life.history.ticket.updated_at.isoformat()} if moving else {},
        )

    def passed_over(self, do: Do, winner: tuple[Rule, Do]) -> Action:
        """The entry of the journal for an action that another rule's goes before. Nothing is done to the ticket."""
        other, instead = winner
        says = f"{self._says()} It wanted {do}; “{other.name}” goes before it with {instead}."
        return Action(
            key=f"rule:passed_over:{str(do).replace(' ', ':')}:{self.record}{self._cause()}",
            policy=POLICY,
            rule=self.rule.name,
            verb="leave",
            tool="zendesk",
            record=self.record,
            change=NotConnected(needs=f"the rule “{other.name}” not to want {instead} of the same ticket"),
            reason=reason("rule_passed_over", self.rule.name, says, self.profile, self._facts()),
            lane=Lane.UPKEEP,
            cause_at=self.moment.at,
        )

    def _key(self, do: Do, change: Change, cause: str) -> str:
        """Verb, argument and ticket; what is about a company, once for what it counts.

        A text goes to a customer once, but for one about steps up. A page belongs to its run of work. A ticket without
        a customer success manager may be given one: then there is something to do.
        """
        if isinstance(change, KeepEvidence):  # one copy for a flag, whoever asks for it
            flag = flag_at(self.life.line, self.moment.at)
            return evidence_key(self.record, flag.cause if flag else self.moment.cause)
        window = self.firing.window
        about = self.record
        if window is not None and do.verb != "reply":
            about = f"zendesk:organization:{window[0]}:{window[1]}"
        nobody = ":nobody" if do.verb == "follow" and isinstance(change, NotConnected) else ""
        end = self._step() if do.verb == "reply" else self._work() if do.verb == "page" else cause
        return f"rule:{str(do).replace(' ', ':')}:{about}{nobody}{end}"

    def _step(self) -> str:
        """The step up that a text is about, where its rule is judged at each: it names a new time (SLA-23)."""
        again = self.rule.again and "escalated" in _listed(self.rule.when.get("event"))
        return f":{self._stay().cause}" if again and "escalated" in self.moment.events else ""

    def _cause(self) -> str:
        return f":{self.moment.cause}" if self.rule.again else ""

    def _work(self) -> str:
        """The reopening since which a page is wanted: what was paged before ended with the work that was solved."""
        work = episode(self.life, self.moment.at)
        return self._cause() if self.rule.again or work == self.life.created else f":{work}"

    def _change(self, do: Do) -> tuple[Change, Lane, timedelta | None]:
        argument = str(do.argument)
        route = self.profile.routes.get(argument)
        match do.verb:
            case "page" if route is not None and route.pagerduty:
                return self._page(route.pagerduty), Lane.PAGE, None  # until the ticket is done: see page_delivery
            case "tag":
                return TicketChange(add_tags=(argument,)), Lane.UPKEEP, None
            case "flag":
                return TicketChange(add_tags=(f"flag_{argument}",)), Lane.UPKEEP, None
            case "follow_up":
                return self._marked(FOLLOW_UP, "Somebody is to get in touch with the customer."), Lane.UPKEEP, None
            case "suggest":
                asks = "This may be an incident: declare one, if it is."
                return self._marked(INCIDENT, asks), Lane.ESCALATION, None
            case "follow":
                return self._follow(), Lane.UPKEEP, None
            case "assign" if route is not None and route.group:
                return self._assign(route.group), Lane.ESCALATION, _ESCALATION_SENSE
            case "tell" if route is not None and (route.assignee or route.group):
                whom = f"For {route.group}: " if route.group else ""
                return TicketChange(note=f"{whom}{self._says()} Rule: {self.rule.name}."), Lane.ESCALATION, None
            case "keep_evidence":
                return KeepEvidence(kept_for=self.profile.abuse.evidence_kept), Lane.UPKEEP, None
            case "mention" if route is not None:
                note = f"For {mentioned(route)}: {self._says()} Rule: {self.rule.name}."
                return TicketChange(note=note), Lane.ESCALATION, None
            case "reply" if self.replies.has(argument):
                language = self.replies.language(argument, self._locale())
                text = self.replies.render(argument, language, self._placeholders(language))
                return TicketChange(reply=text), Lane.CUSTOMER, _REPLY_SENSE
        return NotConnected(needs=self._needs(do)), Lane.UPKEEP, None

    def _needs(self, do: Do) -> str:
        route = self.profile.routes.get(str(do.argument))
        return route.needs if route is not None else f"{NEEDS.get(do.verb, 'a tool')}, for {do}"

    def _marked(self, tag: str, asks: str) -> TicketChange:
        """A tag to find the ticket by, and a note that says why."""
        return TicketChange(add_tags=(tag,), note=f"{self._says()} {asks} Rule: {self.rule.name}.")

    def _follow(self) -> Change:
        company = self.life.history.company
        if company is None or not company.csm:
            return NotConnected(needs="the field csm of the customer's company to name somebody")
        return TicketChange(followers=(company.csm,))

    def _assign(self, group: str) -> TicketChange:
        """Into a group, unless it is there already or somebody has chosen one since: then there is only a note."""
        if self.life.group == group:
            return TicketChange(note=f"{self._says()} It is with {group} already. Rule: {self.rule.name}.")
        if self._group_is_theirs():
            says = f"{self._says()} It would go to {group}; the group that was chosen stays. Rule: {self.rule.name}."
            return TicketChange(note=says)
        return TicketChange(group=group, note=f"{self._says()} Assigned to {group}. Rule: {self.rule.name}.")

    def _group_is_theirs(self) -> bool:
        """Has an agent chosen the group at this moment or later, or set back what we chose; or does a rule keep it?

        What a person set back is theirs until severity gets worse.
        """
        steps = self.life.line.of("group_id")
        since = worsened(self.life, self.profile)
        chosen = [step for step in steps if step.actor is Actor.AGENT and step.at > self.life.line.created_at]
        ours = min((step.at for step in steps if step.actor is Actor.US), default=None)
        set_back = ours is not None and any(step.at >= max(ours, since) for step in chosen)
        return (
            set_back or any(s.at >= self.moment.at for s in chosen) or bool(fought(self.life, "group_id", self.profile))
        )

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

    def _escalate(self, do: Do, because: str) -> Action:
        """A step up from the tier at the moment. `escalate next` is one thing in each tier, so its key names the stay.

        A ticket that came to its tier less than `min_stay` ago is not sent on: the reason joins the step before.
        """
        stay, at = self._stay(), self.moment.at
        later = do.argument == "next" and not stay.first
        cause = f":{self.moment.cause}" if self.rule.again else f":{stay.cause}" if later else ""
        facts = self._facts() | {"because": because}
        if later and not settled(self.life, self.profile, stay, at, str(self.moment.facts.get("severity"))):
            minutes = f"{self.profile.min_stay // 60} minutes"
            says = f"{because} It came to this tier less than {minutes} ago, and stays."
            why = reason("rule_held", self.rule.name, says, self.profile, facts)
            return self._action(do, "note", TicketChange(note=why.text), why, Lane.ESCALATION, _ESCALATION_SENSE, cause)
        level = level_of(do.argument, stay.tier, self.profile)
        step = step_up(self.life, self.profile, [level], at=at, stay=stay)
        says = f"{because} {step.says}"
        why = reason("rule_held", self.rule.name, says, self.profile, facts | dict(step.facts))
        return self._action(do, step.verb, step.told(why), why, Lane.ESCALATION, _ESCALATION_SENSE, cause)

    def _says(self) -> str:
        """The facts that held, in words: `Severity P1, office closed.`, `Tickets from company: 3 in 7 days.`"""
        told = ", ".join(self._fact(name) for name in self.rule.when)
        return f"{told[:1].upper()}{told[1:]}."

    def _fact(self, name: str) -> str:
        wanted, facts = self.rule.when[name], self.moment.facts
        if name == "event":
            return " and ".join(sorted(self.moment.events & {str(one) for one in _listed(wanted)}))
        found = facts.get("kind" if name == "kind_not" else name, "–")
        if isinstance(wanted, Comparison):
            counted = self.rule.within if name == "tickets_from_company" else None
            within = f" in {say_span(counted)}" if counted else ""
            return f"{name.replace('_', ' ')}: {found}{within}"
        if isinstance(found, frozenset):
            found = " ".join(sorted(found & {str(one) for one in _listed(wanted)}))
        if isinstance(found, bool):
            found = "yes" if found else "no"
        return f"{name.removesuffix('_not').replace('_', ' ')} {found}"

    def _facts(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.moment.facts.items() if not isinstance(value, frozenset)}

    def _stay(self) -> Stay:
        """The tier that the ticket was in at the moment."""
        stays = self.life.stays
        return next((stay for stay in reversed(stays) if stay.start <= self.moment.at), stays[0])

    def _locale(self) -> str | None:
        requester = self.life.history.requester
        return requester.locale if requester else None

    def _due(self, *, told: bool = False) -> datetime | None:
        """When the customer hears from us: by the clock of the first reply, or after a hand-off of the new tier's.

        The earliest promise binds us; what a customer is `told` is the published one, where there is one (SLA-14).
        None where no reply is owed: it was given already, the work is done, or none is promised (SLA-23).
        """
        measure = "handoff_reply" if "escalated" in self.moment.events else "first_reply"
        return owed(self.life, self.profile, measure, self.moment.at, told=told)

    def _placeholders(self, language: str) -> dict[str, str]:
        requester, channel = self.life.history.requester, self.life.history.ticket.channel
        due_at, worst = self._due(told=True), self.profile.severities.values()
        at = due_at if due_at is not None and due_at > self.moment.at else None  # what is late promises nothing
        return {
            "name": requester.name.split(" ")[0] if requester else "",
            "ticket": str(self.life.history.ticket.id),
            "expected": letter_face(at, self.profile.zone, language) if at else "",
            "opening": "" if at else self._opening(language),
            "organisation": self.profile.name,
            "plans": ", ".join(plan.name for plan in self.profile.plans.values() if channel in plan.channels),
            "emergency": next((one.signs[0] for one in worst if one.critical and one.signs), ""),
        }

    def _opening(self, language: str) -> str:
        """When the ticket is served next, where nobody serves it at the moment (AFT-09)."""
        calendar, at = serving(self.profile, self.moment.facts), self.moment.at
        return "" if calendar.is_open(at) else letter_face(calendar.next_opening(at), self.profile.zone, language)


def _tool(change: Change) -> str:
    """Who carries a change out."""
    return (
        "pagerduty"
        if isinstance(change, PageTrigger)
        else "evidence"
        if isinstance(change, KeepEvidence)
        else "zendesk"
    )


def _listed(wanted: object) -> tuple[object, ...]:
    return wanted if isinstance(wanted, tuple) else ()
