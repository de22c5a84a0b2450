"""When late: warn the owner, climb one tier, call management, tell whom the target names (SLA-08, SLA-09, ESC-01, 02).

`notice` looks at one ticket's clocks at `now` and says what has to be done and which have been noticed. It decides
only; whether the ticket is still as these facts say is checked just before (design §4, "Before acting on lateness").
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import msgspec

from mappings.model import Clock, ClockState
from mappings.plan import Action, Lane, NotConnected, Reason, TicketChange
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life, Stay
from mappings.policies.sla.targets import due, promises
from mappings.profile import Do, Profile
from mappings.reasons import clock_face, clock_facts, due_words, reason

POLICY = "sla"
WARNED, BREACHED, ESCALATED = "sla_warned", "sla_breached", "escalated"
ON_HOLD = "hf_hold"
"""A ticket with this tag is left alone (design §4, "A person wins")."""

_SENSE = timedelta(hours=8)


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
    stepped: AbstractSet[str] = frozenset(),
    again: AbstractSet[str] = frozenset(),
) -> Noticed:
    """Decide on one ticket's clocks.

    `stepped` holds the causes of the stays from which we moved it up, done or under way. `again` holds the keys of
    actions that were dropped because the ticket changed under them: they are decided anew.
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
    acting = _Acting(life, profile, now, stepped)
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


def late_at(clock: Clock, profile: Profile, now: datetime) -> bool:
    """Is a running clock late? At its due time, or after the grace where it was due at once."""
    if clock.due_at is None:
        return False
    grace = timedelta(seconds=profile.grace) if clock.cell == "immediate" else timedelta()
    return now >= clock.due_at + grace


def _near(clock: Clock, now: datetime) -> bool:
    return clock.warned_at is None and clock.warn_at is not None and clock.warn_at <= now


class _Acting:
    """The verbs of `warn` and `late`, for one ticket at one moment."""

    def __init__(self, life: Life, profile: Profile, now: datetime, stepped: AbstractSet[str]) -> None:
        self.life, self.profile, self.now, self.stepped = life, profile, now, stepped
        self.record = f"zendesk:{life.history.ticket.id}"
        self.stay: Stay = life.stays[-1]

    def waits(self, clock: Clock) -> bool:
        """Must a late clock's step wait because the ticket has just come here? Critical ones never (`min_stay`)."""
        climbs = any(do.verb == "escalate" for do in self.profile.targets[clock.target].late)
        severity = clock.dims.get("severity", "")
        critical = severity in self.profile.severities and self.profile.severities[severity].critical
        settled = self.stay.first or self.now >= self.stay.start + timedelta(seconds=self.profile.min_stay)
        return climbs and not critical and not settled

    def warn(self, clock: Clock) -> list[Action]:
        """Tell the owner once that a target is near."""
        says = due_words(clock, self.profile, self.now, late=False)
        why = reason("sla_due_soon", clock.target, says, self.profile, clock_facts(clock))
        return [self._do(do, clock, why, "warn", WARNED) for do in self.profile.targets[clock.target].warn_do]

    def late(self, late: Sequence[Clock]) -> list[Action]:
        """All late targets of the ticket at once: one step up at most, all reasons in its note."""
        says = " ".join(due_words(clock, self.profile, self.now, late=True) for clock in late)
        climbing = [
            (clock, do) for clock in late for do in self.profile.targets[clock.target].late if do.verb == "escalate"
        ]
        actions: list[Action] = []
        if climbing:
            actions.append(self._climb(climbing, says))
        for clock in late:
            why = reason(
                "sla_breached",
                clock.target,
                due_words(clock, self.profile, self.now, late=True),
                self.profile,
                clock_facts(clock),
            )
            others = [do for do in self.profile.targets[clock.target].late if do.verb != "escalate"]
            actions += [self._do(do, clock, why, "late", BREACHED) for do in others]
        return actions

    def _climb(self, climbing: Sequence[tuple[Clock, Do]], says: str) -> Action:
        clock = climbing[0][0]
        step = max(self._step(do) for _, do in climbing)
        rule = ", ".join(dict.fromkeys(clock.target for clock, _ in climbing))
        facts = clock_facts(clock) | {"stay": self.stay.cause, "tier": str(self.stay.tier)}
        key = f"late:escalate:{self.record}:{clock.measure}:{clock.cause}"
        if self.stay.cause in self.stepped:
            why = reason("sla_breached_again", rule, f"{says} Already moved up from this tier.", self.profile, facts)
            return self._ticket(key, "note", clock, why, TicketChange(add_tags=(BREACHED,), note=why.text))
        if step > len(self.profile.tiers):
            management = self.profile.routes.get("management")
            name = management.group if management and management.group else "management"
            why = reason("sla_breached", rule, f"{says} This is the last tier: {name} is called.", self.profile, facts)
            tags = (BREACHED, ESCALATED, "escalated_management")
            return self._ticket(key, "escalate", clock, why, TicketChange(add_tags=tags, note=why.text))
        tier = self.profile.tiers[step]
        moved = f"{says} Moved to {tier.name} (tier {step})."
        why = reason(
            "sla_breached", rule, f"{moved}{self._handed_on(step)}", self.profile, facts | {"to_tier": str(step)}
        )
        change = TicketChange(group=tier.group, tier=step, add_tags=(BREACHED, ESCALATED), note=why.text)
        return self._ticket(key, "escalate", clock, why, change)

    def _step(self, do: Do) -> int:
        """The tier that an `escalate` names; one above the last is management."""
        top = len(self.profile.tiers) + 1
        if do.argument == "management":
            return top
        return min(self.stay.tier + 1 if do.argument == "next" else int(str(do.argument)), top)

    def _handed_on(self, tier: int) -> str:
        """What a hand-off note owes: where the ticket has been, and by when the new tier replies (ESC-13, SLA-23)."""
        zone = self.profile.zone
        been = ", ".join(
            f"{self.profile.tiers[stay.tier].name} since {clock_face(stay.start, zone, self.now)}"
            for stay in self.life.stays
            if stay.tier in self.profile.tiers
        )
        dims = dimensions(self.life, self.profile, self.now) | {"tier": tier, "escalated": True}
        calendar = self.profile.serving_calendar(
            **{key: dims.get(key) for key in ("severity", "plan", "kind", "channel")}
        )
        dues = [
            due(self.profile, promise.budget, calendar, self.now).due_at
            for promise in promises(self.profile, dims)
            if promise.measure == "handoff_reply"
        ]
        first = min((at for at in dues if at is not None), default=None)
        target = f" The new target is a reply by {clock_face(first, zone, self.now)}." if first else ""
        return f" Before: {been}.{target}"

    def _do(self, do: Do, clock: Clock, why: Reason, when: str, tag: str) -> Action:
        """One verb other than `escalate`, as an action."""
        key = f"{when}:{do.verb}:{do.argument}:{self.record}:{clock.measure}:{clock.cause}"
        route = self.profile.routes.get(str(do.argument)) if do.verb == "tell" else None
        if do.verb == "tag":
            return self._ticket(key, do.verb, clock, why, TicketChange(add_tags=(tag, str(do.argument))))
        if route is not None and (route.assignee or route.group):
            group = route.group if route.group else None
            note = f"{why.text}" if not group else f"For {group}: {why.text}"
            return self._ticket(key, do.verb, clock, why, TicketChange(add_tags=(tag,), note=note))
        needs = route.needs if route is not None else do.verb
        return self._action(key, do.verb, clock, why, NotConnected(needs=needs))

    def _ticket(self, key: str, verb: str, clock: Clock, why: Reason, change: TicketChange) -> Action:
        return self._action(key, verb, clock, why, change)

    def _action(self, key: str, verb: str, clock: Clock, why: Reason, change: TicketChange | NotConnected) -> Action:
        ticket = self.life.history.ticket
        crossed = (clock.warn_at if key.startswith("warn:") else clock.due_at) or self.now
        return Action(
            key=key,
            policy=POLICY,
            rule=clock.target,
            verb=verb,
            tool="zendesk",
            record=self.record,
            change=change,
            reason=why,
            lane=Lane.ESCALATION,
            cause_at=crossed,
            not_after=self.now + _SENSE,
            expects={"updated_at": ticket.updated_at.isoformat()},
        )
