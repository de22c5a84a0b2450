"""The decisions of triage as actions: fields with their reasons, a place to go, one question to the customer."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from mappings.model import DONE, ENDED, Actor
from mappings.plan import ON_HOLD, Action, Lane, TicketChange
from mappings.policies.sla.measures import Life
from mappings.policies.triage import finding
from mappings.policies.triage.confirming import claim, deadline
from mappings.policies.triage.finding import Found
from mappings.policies.triage.owning import ever_tagged, free, setter, tagged_by_us
from mappings.policies.triage.routing import route
from mappings.policies.triage.staffing import NO_AGENT_FREE, Staff
from mappings.profile import Profile
from mappings.reasons import reason
from mappings.replies import Replies
from mappings.timeline import UNREAD, plan_at

POLICY = "triage"
TRIAGE, ASSIGNMENT, CONFIRMATION = "Triage", "Assignment", "Confirmation"
"""The rules that triage's actions go by in the journal."""
UNMATCHED = "unmatched"
"""The tag of a mail that is no known company's."""
NOTHING: Mapping[str, Collection[str]] = {}
_STRANGER = "The mail is no known company's: the lowest plan holds."
_RESTS_ON = (
    "severity",
    "kind",
    "working",
    "affected_users",
    "current_url",
    "source",
    "company_id",
    "requester_id",
)
"""The fields on whose change triage looks again."""


class Basis(msgspec.Struct, frozen=True):
    """What triage rests on: the last happening that changed it, the creation else."""

    at: datetime
    cause: str


def bases(life: Life) -> list[Basis]:
    """The creation, and each change by others of what triage looks at, oldest first."""
    steps = (step for step in life.line.steps if step.field in _RESTS_ON and step.actor is not Actor.US)
    later = [Basis(step.at, step.cause) for step in steps if step.at > life.line.created_at]
    return [Basis(life.line.created_at, life.created), *later]


def basis(life: Life) -> Basis:
    """The newest of them; of simultaneous ones the first."""
    return max(bases(life), key=lambda one: one.at)


def triage(
    life: Life,
    profile: Profile,
    staff: Staff,
    replies: Replies,
    now: datetime,
    *,
    fields: Collection[str],
    lacking: Mapping[str, Collection[str]] = NOTHING,
    said: str | None = None,
) -> list[Action]:
    """What is to be set, routed and asked on one ticket. `fields` are those of our ticket fields that the account has,
    `lacking` the values for which one of them has no option: nothing is tried that must fail.

    `said` is what the customer replied to our question: `yes`, others can work, or `no`.
    A ticket of which something has not been read yet is left until it has, and so is one that is done or held.
    """
    ticket, found = life.history.ticket, basis(life)
    read = life.history.complete or ticket.updated_at == ticket.created_at
    if ticket.status in DONE | ENDED or ON_HOLD in ticket.tags or not life.line.known:
        return []
    deciding = _Deciding(life, profile, found, frozenset(fields), lacking)
    answered = deciding.answer(said, now)
    if answered is not None:
        return [answered]
    if not read or found.cause == UNREAD:
        return []
    wanted = (deciding.fields(), deciding.place(staff), deciding.question(replies, now))
    return [action for action in wanted if action is not None]


class _Deciding:
    """One ticket's triage."""

    def __init__(
        self,
        life: Life,
        profile: Profile,
        found: Basis,
        there: frozenset[str],
        lacking: Mapping[str, Collection[str]],
    ) -> None:
        self.life, self.profile, self.basis, self.there, self.lacking = life, profile, found, there, lacking
        self.ticket = life.history.ticket
        self.record = f"zendesk:{self.ticket.id}"
        self.kind = self._judged("kind", finding.kind(self.ticket, profile))
        severe = finding.severity(life, profile)
        chosen = setter(life, "severity") is Actor.CUSTOMER  # their word may be raised, or not borne out
        self.severity = self._sayable("severity", severe) if chosen else self._judged("severity", severe)

    def _judged(self, name: str, found: Found | None) -> Found | None:
        return self._sayable(name, found) if free(self.life, name) else None

    def _sayable(self, name: str, found: Found | None) -> Found | None:
        """What the account can hold: it has the field, with an option for the value."""
        can = name in self.there and found is not None and found.value not in self.lacking.get(name, ())
        return found if can else None

    # fields

    def fields(self) -> Action | None:
        """What the ticket lacks: kind, severity, module, source, priority, and what comes with it from the product."""
        judged = {"kind": self.kind, "severity": self.severity} | self._seen()
        told = {name: found for name, found in judged.items() if found is not None and self._now(name) != found.value}
        priority = self._priority()
        add, remove = self._tags()
        if not told and priority is None and not add and not remove:
            return None
        says = self._says(told, priority, (*add, *remove))
        weighty = {name: found for name, found in told.items() if name in ("kind", "severity")}
        change = TicketChange(
            fields={name: found.value for name, found in told.items()},
            priority=priority,
            add_tags=add,
            remove_tags=remove,
            note=f"{self._says(weighty)} Change what is wrong: it stays. Rule: {TRIAGE}." if weighty else None,
        )
        return self._action("fields", TRIAGE, change, says, Lane.ESCALATION if weighty else Lane.UPKEEP)

    def _seen(self) -> dict[str, Found | None]:
        """Facts that need no judgement, where nobody has said them."""
        ticket, history, profile = self.ticket, self.life.history, self.profile
        channel = ticket.channel if ticket.channel in profile.sources else None
        found: dict[str, Found | None] = {
            "module": finding.module(ticket.fields.get("current_url"), profile),
            "source": Found(channel, "it came in that way") if channel else None,
        }
        found = {name: self._judged(name, value) for name, value in found.items()}
        company, person = history.company, history.requester
        plan = plan_at(history, self.life.line, self.life.line.created_at)
        came = {
            "builder_id": company.external_id if company else None,
            "user_id": person.external_id if person and not person.agent else None,
            "user_role": person.role if person and not person.agent else None,
            "plan_at_submission": plan if plan in profile.plans else next(iter(profile.plans), None),
        }
        for name, value in came.items():  # kept as they were at submission: set once
            if value is not None and name in self.there and setter(self.life, name) is None:
                found[name] = Found(value, "the requester's" if name.startswith("user") else "the company's")
        return found

    def _priority(self) -> str | None:
        """The tool's priority that goes with the severity, where it is ours to set (TRI-06)."""
        key = self.severity.value if self.severity is not None else self.ticket.severity
        severity = self.profile.severities.get(key or "")
        if severity is None or not free(self.life, "priority") or self.ticket.priority == severity.priority:
            return None
        return severity.priority

    def _tags(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`unmatched` while a mail is no known company's; not again where somebody took it off.

        What we put on goes once it is true no more.
        """
        ticket, stranger = self.ticket, self.life.history.requester
        known = ticket.company_id is not None
        mail = ticket.channel == "email" and stranger is not None and not stranger.agent
        add = (UNMATCHED,) if mail and not known and not ever_tagged(self.life, UNMATCHED) else ()
        over = {UNMATCHED: known, NO_AGENT_FREE: ticket.assignee_id is not None}
        return add, tuple(tag for tag, done in over.items() if done and tagged_by_us(self.life, tag))

    def _now(self, name: str) -> str | None:
        plain = {"severity": self.ticket.severity, "kind": self.ticket.kind, "module": self.ticket.module}
        return plain[name] if name in plain else self.ticket.fields.get(name)

    def _says(self, told: dict[str, Found], priority: str | None = None, tags: tuple[str, ...] = ()) -> str:
        """`Kind: Integration, because of the word “api” in the subject. Severity: …` Nothing personal stands in it.

        `tags` are those that come or go.
        """
        said = []
        for name, found in told.items():
            if name in ("kind", "severity", "module", "source"):
                unsure = "" if found.sure else " (not certain)"
                said.append(f"{name.capitalize()}: {self._named(name, found.value)}, because {found.by}{unsure}.")
        filled = sorted(name.replace("_", " ") for name in told if name not in ("kind", "severity", "module", "source"))
        if filled:
            said.append(f"Filled in from requester and company: {', '.join(filled)}.")
        if priority is not None:
            said.append(f"Priority: {priority}, as the severity.")
        if UNMATCHED in tags:
            said.append("The company is known." if UNMATCHED in self.ticket.tags else _STRANGER)
        if NO_AGENT_FREE in tags:
            said.append("Somebody has the ticket.")
        return " ".join(said)

    def _named(self, name: str, value: str) -> str:
        """A value as people call it."""
        if name == "severity":
            return self.profile.severities[value].title
        parts = self.profile.kinds if name == "kind" else self.profile.modules if name == "module" else {}
        return parts[value].name if value in parts else value.replace("_", " ")

    # place

    def place(self, staff: Staff) -> Action | None:
        """The group and the agent."""
        kind = self.kind.value if self.kind is not None else self.ticket.kind
        routed = route(self.life, self.profile, staff, kind)
        if routed is None:
            return None
        said = [f"Sent to {routed.group}, because {routed.by}."] if routed.group else []
        if routed.agent is not None:
            said.append("Given to an agent of the group who is there, by field of work and least open tickets.")
        elif routed.tag is not None:
            said.append("Nobody in the group is free: it stays with the group.")
        freed = (NO_AGENT_FREE,) if routed.agent is not None and tagged_by_us(self.life, NO_AGENT_FREE) else ()
        change = TicketChange(
            group=routed.group,
            assignee_id=routed.agent,
            add_tags=(routed.tag,) if routed.tag else (),
            remove_tags=freed,
        )
        return self._action("assign", ASSIGNMENT, change, " ".join(said), Lane.ESCALATION)

    # question

    def question(self, replies: Replies, now: datetime) -> Action | None:
        """The one question to a customer who chose a critical severity and did not say whether anybody can work."""
        claimed, ends = claim(self.life, self.profile), deadline(self.life, self.profile, now)
        name = self.profile.triage.confirm.reply
        if claimed is None or ends is None or "working" not in self.there or not replies.has(name):
            return None
        asker = self.life.history.requester
        values = {
            "name": asker.name.split(" ")[0] if asker else "",
            "ticket": str(self.ticket.id),
            "expected": "",
            "organisation": self.profile.name,
        }
        says = "The customer chose a critical severity and did not say whether anybody can work: asked before it pages."
        change = TicketChange(reply=replies.render(name, (asker.locale if asker else None) or "en", values))
        found = self._action("reply", CONFIRMATION, change, says, Lane.CUSTOMER)
        key = f"triage:ask:{self.record}:{claimed.cause}"
        return msgspec.structs.replace(found, key=key, cause_at=claimed.at, not_after=ends)

    def answer(self, said: str | None, now: datetime) -> Action | None:
        """What the customer replied, put where the form would have it; what rests on it follows from there."""
        claimed = claim(self.life, self.profile)
        waits = deadline(self.life, self.profile, now) is not None
        if said is None or claimed is None or not waits or "working" not in self.there:
            return None
        says = f"The customer replied that {'others can' if said == 'yes' else 'nobody can'} work."
        change = TicketChange(fields={"working": said}, note=f"{says} Rule: {CONFIRMATION}.")
        found = self._action("fields", CONFIRMATION, change, says, Lane.ESCALATION)
        key = f"triage:answer:{said}:{self.record}:{claimed.cause}"
        return msgspec.structs.replace(found, key=key, cause_at=claimed.at)

    def _action(self, verb: str, rule: str, change: TicketChange, says: str, lane: Lane) -> Action:
        """One action. Its key says what rests on which happening: values and group, and neither the words about them
        nor who is given a ticket, which depends on everybody's load.
        """
        values = (sorted(change.fields.items()), change.priority, change.add_tags, change.remove_tags)
        content = repr(values if verb == "fields" else (change.group, self.ticket.group_id))
        nobody = "nobody:" if verb == "assign" and change.assignee_id is None else ""
        digest = nobody + hashlib.sha256(content.encode()).hexdigest()[:8]
        return Action(
            key=f"triage:{verb}:{self.record}:{self.basis.cause}:{digest}",
            policy=POLICY,
            rule=rule,
            verb=verb,
            tool="zendesk",
            record=self.record,
            change=change,
            reason=reason(f"triage_{verb}", rule, says, self.profile),
            lane=lane,
            cause_at=self.basis.at,
            expects={"updated_at": self.ticket.updated_at.isoformat()},
        )
