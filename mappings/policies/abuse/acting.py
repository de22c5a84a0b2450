"""What a flag and a manager's decision have done: evidence, the way to a manager, warnings, restriction, a review.

Pure: who is a manager, and what the journal holds of the company, are handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import msgspec

from mappings.model import Actor, Company, Status
from mappings.notices import About, told
from mappings.plan import (
    ON_HOLD,
    Action,
    Change,
    CompanyChange,
    KeepEvidence,
    Lane,
    Message,
    NotConnected,
    Reason,
    TicketChange,
)
from mappings.policies.abuse import companies
from mappings.policies.abuse.companies import POLICY, Entry, record_of
from mappings.policies.abuse.flags import CATEGORY, DECISION, TAG, Decision, Flag, decisions, flags
from mappings.policies.sla.measures import Life
from mappings.profile import Do, Profile
from mappings.reasons import clock_face, day_face, reason
from mappings.replies import Replies
from mappings.timeline import UNREAD, plan_at

FLAGGED, DECIDED = "Abuse flag", "Abuse decision"
"""The rules that act here, by name."""
WARNING = "abuse_warning"
"""The text of a formal warning."""
_AWAY = (Status.DELETED, Status.SPAM)
_REMOVED_IN = {"chat": "intercom"}
"""The tool in which a channel is taken from a company."""


class Known(msgspec.Struct, frozen=True):
    """What is known besides the ticket: whose decisions count, people's names, and what the journal holds.

    `managers` says by a decision's cause whether a manager took it; a cause that is not there is not known yet.
    `before` are the company's earlier changes, oldest first; `proof` is the hash of the newest evidence.
    """

    managers: Mapping[str, bool] = {}
    names: Mapping[int, str] = {}
    before: Sequence[Entry] = ()
    proof: str | None = None
    bosses: frozenset[int] = frozenset()
    """Ids of those who may decide, as far as they were asked about."""
    link: str | None = None
    """Where the ticket is read."""


def conduct(life: Life, profile: Profile, replies: Replies, known: Known) -> list[Action]:
    """All that a ticket's flags and decisions ask for, over its whole past; what is done already is known by its key.

    A ticket that somebody keeps us off is not written to: only its evidence is kept. Nor is one that was merged: its
    evidence is kept, and those who decide are told.
    """
    ticket = life.history.ticket
    if ticket.status in _AWAY or not life.line.known:
        return []
    acting = _Acting(life, profile, replies, known)
    refused = [cause for cause, may in known.managers.items() if not may]
    found = [flag for flag in flags(life.line, refused) if flag.cause != UNREAD]
    taken = [one for one in decisions(life.line) if one.cause != UNREAD and one.actor is not Actor.UNKNOWN]
    ours = [one for one in taken if known.managers.get(one.cause)]
    actions = [acting.evidence(flag.cause, flag.at, "Flagged as abusive") for flag in found]
    bare = [one for one in ours if not any(_covers(flag, one) for flag in found)]
    actions += [acting.evidence(one.cause, one.at, "Decided on as abusive") for one in bare]
    if ON_HOLD in ticket.tags:
        return actions
    flagged = [action for flag in found if flag.stop is None for action in acting.flag(flag)]
    if ticket.status is Status.MERGED:
        return actions + [action for action in flagged if isinstance(action.change, Message)]
    actions += flagged
    actions += [acting.refuse(one, taken) for one in taken if known.managers.get(one.cause) is False]
    for one in ours:
        if one.emptied is None or one.emptied not in known.bosses:
            actions += acting.decide(one, _category(found, one))
    return actions


def evidence_key(record: str, cause: str) -> str:
    """The key of a copy: one for each flag, whoever asks for it."""
    return f"abuse:evidence:{record}:{cause}"


def _covers(flag: Flag, one: Decision) -> bool:
    return flag.at <= one.at and (flag.stop is None or flag.ended == "decision" or one.at <= flag.stop)


def _category(found: Sequence[Flag], one: Decision) -> str | None:
    """What the flag that a decision is about says it was."""
    return next((flag.category for flag in reversed(found) if flag.at <= one.at), None)


class _Acting:
    """Flags and decisions of one ticket as actions."""

    def __init__(self, life: Life, profile: Profile, replies: Replies, known: Known) -> None:
        self.life, self.profile, self.replies, self.known = life, profile, replies, known
        self.record = f"zendesk:{life.history.ticket.id}"
        self.before = list(known.before)

    def evidence(self, cause: str, at: datetime, says: str) -> Action:
        """A copy of the ticket as it stands, kept apart."""
        why = self._why("abuse_evidence", FLAGGED, f"{says}: its evidence is kept.", {})
        change = KeepEvidence(kept_for=self.profile.abuse.evidence_kept)
        key = evidence_key(self.record, cause)
        return self._action(key, "keep_evidence", change, why, at, tool="evidence", lane=Lane.UPKEEP)

    def flag(self, flag: Flag) -> list[Action]:
        """At once to those who decide; where nobody said what kind of abuse it is, they are asked."""
        name, when = self.profile.abuse.decide, self._when(flag.at)
        route = self.profile.routes[name]
        kinds = ", ".join(self.profile.abuse.categories)
        what = f" ({_words(flag.category)})" if flag.category else ""
        also = "".join(f"; {_words(this)} counts as {_words(that)}" for this, that in self.profile.abuse.covers.items())
        ask = "" if flag.category else f" Please say what it is, in the field Abuse: {_words(kinds)}{also}."
        says = f"Flagged as abusive{what} by {self._who(flag.by)} at {when}.{ask}"
        decide = f" To decide, a manager sets the field Abuse decision: {_words(', '.join(self._choices()))}."
        why = self._why("abuse_flagged", FLAGGED, f"{says}{decide}", {CATEGORY: flag.category or ""})
        moved = any(s.actor is Actor.AGENT and s.at > flag.at for s in self.life.line.of("group_id"))
        note = f"For {route.group or name}: {why.text}"
        change = TicketChange(group=None if moved else route.group, add_tags=(TAG,), note=note)
        action = self._action(f"abuse:flag:{self.record}:{flag.cause}", "assign", change, why, flag.at)
        outside = f"Flagged as abusive{what} at {when}.{decide} Rule: {FLAGGED}."
        return told(action, Do("tell", name), self.profile, self._about(flag, outside))

    def _about(self, flag: Flag, says: str) -> About:
        """What those who decide are told outside the ticket."""
        ticket = self.life.history.ticket
        plan = plan_at(self.life.history, self.life.line, flag.at)
        facts = {"severity": ticket.severity, "plan": plan}
        return About(ticket_id=ticket.id, facts=facts, says=says, at=flag.at, link=self.known.link)

    def refuse(self, one: Decision, taken: Sequence[Decision]) -> Action:
        """Somebody who may not decide has tried to: the field goes back to what it was, and the note says who."""
        last = one is taken[-1] and self.life.history.ticket.fields.get(DECISION) == one.value
        backwards = {DECISION: self._stands(one, taken)} if last and one.actor is not Actor.RULE else {}
        says = f"{self._who(one.by)} set Abuse decision to {_words(one.value)} at {self._when(one.at)}: "
        says += "only a manager may decide on abuse. " + ("It was set back." if backwards else "Nothing was done.")
        why = self._why("abuse_refused", DECIDED, says, {"by": str(one.by), "decision": one.value})
        change = TicketChange(fields=backwards, note=why.text)
        key, seen = f"abuse:refuse:{self.record}:{one.cause}", self.life.history.ticket.updated_at
        expects = {"updated_at": seen.isoformat()} if backwards else {}  # a manager may decide in this very moment
        return self._action(key, "refuse", change, why, one.at, expects=expects)

    def _stands(self, one: Decision, taken: Sequence[Decision]) -> str | None:
        """The manager's decision that the field showed before an attempt; null where it showed none."""
        return one.back if any(x.value == one.back and self.known.managers.get(x.cause) for x in taken) else None

    def decide(self, one: Decision, category: str | None) -> list[Action]:
        """A manager's decision, carried out and written down: who, when, why."""
        company = self.life.history.company
        says = f"Abuse decision: {_words(one.value)}, by {self._who(one.by)} at {self._when(one.at)}"
        says += f", because of {_words(category)}." if category else "."
        facts = {"decision": one.value, "by": str(one.by), CATEGORY: category or "", "ticket": self.record}
        act: Mapping[str, Callable[[], tuple[str, list[Action]]]] = {
            "warn": lambda: self._warn(one, company, says, facts),
            "restrict": lambda: self._restrict(one, company, says, facts),
            "account_review": lambda: self._review(one, says, facts),
        }
        more, actions = act[one.value]() if one.value in act else ("", [])
        why = self._why("abuse_decided", DECIDED, f"{says}{more}", facts)
        change = TicketChange(add_tags=("abuse_decided",), note=why.text)
        return [self._action(f"abuse:decide:{self.record}:{one.cause}", "decide", change, why, one.at), *actions]

    def _warn(
        self, one: Decision, company: Company | None, says: str, facts: Mapping[str, str]
    ) -> tuple[str, list[Action]]:
        """A formal warning: told to the customer, counted on the company."""
        reply = TicketChange(reply=self._text(one, company))
        why = self._why("abuse_warned", DECIDED, says, facts)
        told = self._action(f"abuse:reply:{self.record}:{one.cause}", "reply", reply, why, one.at, lane=Lane.CUSTOMER)
        if company is None:
            return " It was told, and is counted nowhere: the ticket has no company.", [told]
        key = self._key("warn", company, one)
        change, expects = companies.warned(company, self.before, key, one.at, self.profile)
        days = [*companies.warning_days(company, self.before, key), str(change.fields["last_warning_at"])]
        more = f" Warning {change.fields['warnings']} of {company.name}: {', '.join(days)}."
        return more, [told, self._company("warn", key, company, change, expects, f"{says}{more}", facts, one)]

    def _restrict(
        self, one: Decision, company: Company | None, says: str, facts: Mapping[str, str]
    ) -> tuple[str, list[Action]]:
        """The company loses some channels for a time."""
        if company is None:
            return " Nobody is restricted: the ticket has no company.", []
        key = self._key("restrict", company, one)
        change, expects = companies.restricted(company, self.before, key, one.at, self.profile)
        removes = self.profile.abuse.restriction.removes
        more = f" {company.name} is restricted through {change.fields['restricted_until']}: no {', '.join(removes)}."
        actions = [self._company("restrict", key, company, change, expects, f"{says}{more}", facts, one)]
        for channel in removes:
            tool = _REMOVED_IN.get(channel, channel)
            needs = NotConnected(needs=f"{tool}: to take {channel} from the company")
            why = self._why("abuse_restricted", DECIDED, f"{says}{more}", facts)
            key = self._key(f"remove:{channel}", company, one)
            actions.append(self._action(key, "remove", needs, why, one.at, tool=tool, record=record_of(company)))
        return more, actions

    def _review(self, one: Decision, says: str, facts: Mapping[str, str]) -> tuple[str, list[Action]]:
        """A review of the account by whom the terms concern: a task, with the evidence's hash."""
        proof = f"sha256 {self.known.proof}" if self.known.proof else f"helpdesk evidence verify {self.record}"
        more = f" The account is to be reviewed; evidence: {proof}."
        why = self._why("abuse_review", DECIDED, f"{says}{more}", {**facts, "evidence": proof})
        needs = NotConnected(needs=f"jira: a task for the account's review ({self.record}, evidence {proof})")
        key = f"abuse:review:{self.record}:{one.cause}"
        return more, [self._action(key, "review", needs, why, one.at, tool="jira")]

    def _company(
        self,
        verb: str,
        key: str,
        company: Company,
        change: CompanyChange,
        expects: Mapping[str, str | None],
        says: str,
        facts: Mapping[str, str],
        one: Decision,
    ) -> Action:
        """A change of the company's fields; the next one of this ticket goes on from it."""
        if all(entry.key != key for entry in self.before):
            self.before.append(Entry(key, dict(change.fields), done=False))
        why = self._why(f"abuse_{verb}", DECIDED, says, facts)
        verb = "count_warning" if verb == "warn" else verb
        return self._action(key, verb, change, why, one.at, record=record_of(company), expects=expects)

    def _key(self, what: str, company: Company, one: Decision) -> str:
        return f"abuse:{what}:{record_of(company)}:{self.life.history.ticket.id}:{one.cause}"

    def _action(
        self,
        key: str,
        verb: str,
        change: Change,
        why: Reason,
        at: datetime,
        *,
        tool: str = "zendesk",
        lane: Lane = Lane.ESCALATION,
        record: str | None = None,
        expects: Mapping[str, str | None] | None = None,
    ) -> Action:
        return Action(
            key=key,
            policy=POLICY,
            rule=why.rule,
            verb=verb,
            tool=tool,
            record=record or self.record,
            change=change,
            reason=why,
            lane=lane,
            cause_at=at,
            expects=expects or {},
        )

    def _why(self, code: str, rule: str, says: str, facts: Mapping[str, str]) -> Reason:
        return reason(code, rule, says, self.profile, facts)

    def _choices(self) -> tuple[str, ...]:
        return (*self.profile.abuse.actions, "none")

    def _who(self, id: int | None) -> str:
        return self.known.names.get(id or 0, f"user {id}" if id else "somebody")

    def _when(self, at: datetime) -> str:
        local = at.astimezone(self.profile.zone)
        return f"{clock_face(at, self.profile.zone, at)} on {local:%Y-%m-%d}"

    def _text(self, one: Decision, company: Company | None) -> str:
        """The warning in the customer's language; who is restricted already reads until when."""
        requester = self.life.history.requester
        language = self.replies.language(WARNING, requester.locale if requester else None)
        until = companies.standing(company, "restricted_until", self.before, "") if company is not None else None
        values = {
            "name": requester.name.split(" ")[0] if requester else "",
            "ticket": str(self.life.history.ticket.id),
            "organisation": self.profile.name,
        }
        if until is not None and companies.day(one.at, self.profile) <= until:
            values["until"] = day_face(date.fromisoformat(until), language)
        return self.replies.render(WARNING, language, values)


def _words(key: str | None) -> str:
    """`verbal_abuse` as people say it."""
    return (key or "").replace("_", " ")
