"""When late: warn the owner, climb one tier, call management, tell whom the target names (SLA-08, SLA-09, ESC-01, 02).

`notice` looks at one ticket's clocks at `now` and says what has to be done and which have been noticed. It decides
only; whether the ticket is still as these facts say is checked just before (design §4, "Before acting on lateness").
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import msgspec

from mappings.model import Clock, ClockState
from mappings.notices import About, mentioned, told
from mappings.plan import ON_HOLD, Action, Change, Lane, NotConnected, PageTrigger, Reason, TicketChange
from mappings.policies.escalation.calling import calling
from mappings.policies.escalation.step import NONE, Taken, level_of, settled, step_up
from mappings.policies.paging import page
from mappings.policies.sla.measures import Life, Stay
from mappings.policies.sla.targets import grace
from mappings.profile import Do, Profile
from mappings.reasons import clock_facts, due_words, reason

POLICY = "sla"
WARNED, BREACHED = "sla_warned", "sla_breached"
UNVERIFIED = timedelta(minutes=5)
"""How long a page waits for a tool that cannot be asked whether the ticket is still late."""

_SENSE = timedelta(hours=8)
Link = Callable[[int], str]


class Noticed(msgspec.Struct, frozen=True):
    """What one look at one ticket came to."""

    clocks: tuple[Clock, ...] = ()
    actions: tuple[Action, ...] = ()
    waits: bool = False
    """Something is due that may not be decided yet: it comes up again."""


def notice(
    life: Life,
    clocks: Sequence[Clock],
    profile: Profile,
    now: datetime,
    *,
    stepped: Taken = NONE,
    again: AbstractSet[str] = frozenset(),
    known: AbstractSet[str] = frozenset(),
    link: Link | None = None,
) -> Noticed:
    """Decide on one ticket's clocks.

    `stepped` holds the steps that were taken or are under way. `again` holds the keys of
    actions that were dropped because the ticket changed under them: they are decided anew. `known` holds the
    `measure:cause` of lateness that a step or a note has spoken of already. `link` gives a ticket's address.
    """
    ticket = life.history.ticket
    if ON_HOLD in ticket.tags:
        return Noticed(waits=True)
    running = [clock for clock in clocks if clock.state is ClockState.RUNNING]
    redo = {(key.split(":")[0], *key.rsplit(":", 2)[1:]) for key in again}
    late = [
        clock
        for clock in running
        if late_at(clock, profile, now) and (clock.detected_at is None or ("late", clock.measure, clock.cause) in redo)
    ]
    warned = [
        clock
        for clock in running
        if clock not in late
        and clock.detected_at is None
        and (_near(clock, now) or ("warn", clock.measure, clock.cause) in redo)
    ]
    acting = _Acting(life, profile, now, stepped, known, link)
    held = [clock for clock in late if acting.waits(clock)]
    late = [clock for clock in late if clock not in held]
    actions = [action for clock in warned for action in acting.warn(clock)]
    if late:
        actions += acting.late(late)
    marked = [msgspec.structs.replace(clock, warned_at=now) for clock in warned]
    marked += [
        msgspec.structs.replace(clock, warned_at=clock.warned_at or now, detected_at=clock.detected_at or now)
        for clock in late
    ]
    return Noticed(tuple(marked), tuple(actions), waits=bool(held))


def unverified(
    life: Life, clocks: Sequence[Clock], profile: Profile, now: datetime, *, link: Link | None = None
) -> list[Action]:
    """The pages of clocks late for five minutes by what was read last, for when the tool cannot be asked any more.

    They carry the keys of those that are verified, so that nobody is paged a second time; nothing counts as noticed.
    """
    if ON_HOLD in life.history.ticket.tags:
        return []
    acting = _Acting(life, profile, now, NONE, frozenset(), link, verified=False)
    late = [
        clock
        for clock in clocks
        if clock.state is ClockState.RUNNING and clock.detected_at is None and late_at(clock, profile, now - UNVERIFIED)
    ]
    return [action for action in acting.others(late) if isinstance(action.change, PageTrigger)]


def spoken_of(action: Action) -> list[str]:
    """The `measure:cause` of every lateness that a step or note of ours speaks of."""
    if not action.key.startswith("late:"):
        return []
    return [":".join(action.key.rsplit(":", 2)[1:]), *action.reason.facts.get("with", "").split()]


def late_at(clock: Clock, profile: Profile, now: datetime) -> bool:
    """Is a running clock late? At its due time, or after the grace where it was due at once."""
    return clock.due_at is not None and now >= clock.due_at + grace(clock.cell, profile)


def passed_over(clock: Clock, profile: Profile, now: datetime) -> Clock:
    """A clock as it counts where nobody is to be told of what is past: near or late by now, it is noticed by now."""
    if late_at(clock, profile, now):
        return msgspec.structs.replace(clock, warned_at=clock.warned_at or now, detected_at=clock.detected_at or now)
    return msgspec.structs.replace(clock, warned_at=now) if _near(clock, now) else clock


def _near(clock: Clock, now: datetime) -> bool:
    return clock.warned_at is None and clock.warn_at is not None and clock.warn_at <= now


class _Acting:
    """The verbs of `warn` and `late`, for one ticket at one moment."""

    def __init__(
        self,
        life: Life,
        profile: Profile,
        now: datetime,
        stepped: Taken,
        known: AbstractSet[str],
        link: Link | None,
        *,
        verified: bool = True,
    ) -> None:
        self.life, self.profile, self.now = life, profile, now
        self.stepped, self.known, self.link, self.verified = stepped, known, link, verified
        self.record = f"zendesk:{life.history.ticket.id}"
        self.stay: Stay = life.stays[-1]

    def waits(self, clock: Clock) -> bool:
        """Must a late clock's step wait because the ticket has just come here? Critical ones never (`min_stay`)."""
        climbs = any(do.verb == "escalate" for do in self.profile.targets[clock.target].late)
        return climbs and not settled(self.life, self.profile, self.stay, self.now, clock.dims.get("severity"))

    def warn(self, clock: Clock) -> list[Action]:
        """Tell the owner once that a target is near."""
        says = due_words(clock, self.profile, self.now, late=False)
        why = reason("sla_due_soon", clock.target, says, self.profile, clock_facts(clock))
        dos = self.profile.targets[clock.target].warn_do
        return [action for do in dos for action in self._done(do, clock, why, says, "warn")]

    def late(self, late: Sequence[Clock]) -> list[Action]:
        """All late targets of the ticket at once: one step up at most, all reasons in its note."""
        late = sorted(late, key=lambda clock: (clock.due_at or self.now, clock.measure))
        climbing = [
            (clock, do)
            for clock in late
            for do in self.profile.targets[clock.target].late
            if do.verb == "escalate" and _about(clock) not in self.known
        ]
        steps = self._climb(climbing, late) if climbing else []
        return steps + self.others(late)

    def others(self, late: Sequence[Clock]) -> list[Action]:
        """What late targets do besides climbing."""
        actions = []
        for clock in late:
            says = due_words(clock, self.profile, self.now, late=True)
            why = reason("sla_breached", clock.target, says, self.profile, clock_facts(clock))
            others = [do for do in self.profile.targets[clock.target].late if do.verb != "escalate"]
            actions += [action for do in others for action in self._done(do, clock, why, says, "late")]
        return actions

    def _climb(self, climbing: Sequence[tuple[Clock, Do]], late: Sequence[Clock]) -> list[Action]:
        """A step up with all reasons, told to management where it calls them. Keyed by what was late first."""
        clock = climbing[0][0]
        says = " ".join(due_words(one, self.profile, self.now, late=True) for one in late)
        rule = ", ".join(dict.fromkeys(clock.target for clock, _ in climbing))
        joined = dict.fromkeys(_about(one) for one, _ in climbing if _about(one) != _about(clock))
        levels = [level_of(do.argument, self.stay.tier, self.profile) for _, do in climbing]
        step = step_up(self.life, self.profile, levels, at=self.now, taken=self.stepped)
        facts = clock_facts(clock) | dict(step.facts) | ({"with": " ".join(joined)} if joined else {})
        code = "sla_breached" if step.verb == "escalate" else "sla_breached_again"
        why = reason(code, rule, f"{says} {step.says}", self.profile, facts)
        told = step.told(why)
        change = msgspec.structs.replace(told, add_tags=(BREACHED, *told.add_tags))
        action = self._action(f"late:escalate:{self.record}:{_about(clock)}", step.verb, clock, why, change)
        return calling(action, self.life, self.profile, at=self.now, link=self._link())

    def _done(self, do: Do, clock: Clock, why: Reason, says: str, when: str) -> list[Action]:
        """One verb other than `escalate`, as the actions that it comes to."""
        ticket_id = self.life.history.ticket.id
        about = About(
            ticket_id=ticket_id,
            facts=clock.dims,
            says=f"{says} Rule: {clock.target}.",
            at=self.now,
            link=self._link(),
        )
        return told(self._do(do, clock, why, when, WARNED if when == "warn" else BREACHED), do, self.profile, about)

    def _do(self, do: Do, clock: Clock, why: Reason, when: str, tag: str) -> Action:
        key = f"{when}:{do.verb}:{do.argument}:{self.record}:{_about(clock)}"
        route = self.profile.routes.get(str(do.argument))
        if do.verb == "tag":
            return self._action(key, do.verb, clock, why, TicketChange(add_tags=(tag, str(do.argument))))
        if do.verb == "page" and route is not None and route.pagerduty:
            return self._action(key, do.verb, clock, why, self._page(route.pagerduty, clock))
        if do.verb == "tell" and route is not None and (route.assignee or route.group):
            note = f"For {route.group}: {why.text}" if route.group else why.text
            return self._action(key, do.verb, clock, why, TicketChange(add_tags=(tag,), note=note))
        if do.verb == "mention" and route is not None:
            note = f"For {mentioned(route)}: {why.text}"
            return self._action(key, do.verb, clock, why, TicketChange(add_tags=(tag,), note=note))
        needs = route.needs if route is not None else do.verb
        return self._action(key, do.verb, clock, why, NotConnected(needs=needs))

    def _page(self, service: str, clock: Clock) -> PageTrigger:
        found = page(
            self.life,
            self.profile,
            service=service,
            rule=clock.target,
            facts=clock.dims,
            at=self.now,
            due_at=clock.due_at,
            link=self._link(),
        )
        if self.verified:
            return found
        doubt = {"unverified": "Zendesk cannot be reached: it was late by what was read last. Look before you act."}
        summary = f"Unverified: {found.summary}"
        return msgspec.structs.replace(found, summary=summary, details={**found.details, **doubt})

    def _link(self) -> str | None:
        return self.link(self.life.history.ticket.id) if self.link else None

    def _action(self, key: str, verb: str, clock: Clock, why: Reason, change: Change) -> Action:
        """A page holds until its ticket is done (see page_delivery); what is said to a ticket, for a working day."""
        paging = isinstance(change, PageTrigger)
        crossed = (clock.warn_at if key.startswith("warn:") else clock.due_at) or self.now
        return Action(
            key=key,
            policy=POLICY,
            rule=clock.target,
            verb=verb,
            tool="pagerduty" if paging else "zendesk",
            record=self.record,
            change=change,
            reason=why,
            lane=Lane.PAGE if paging else Lane.ESCALATION,
            cause_at=crossed,
            not_after=None if paging else self.now + _SENSE,
            expects={} if paging else {"updated_at": self.life.history.ticket.updated_at.isoformat()},
        )


def _about(clock: Clock) -> str:
    """What of a clock stands in a key: the measure and what began the episode; not the target, which is renamed."""
    return f"{clock.measure}:{clock.cause}"
