"""What an agent sees: `SLA due`, `Support tier`, `Next escalation`, first response and resolution (SLA-04, ESC-18).

Fields are written only where they differ, never over a person's own value, and no longer where a rule of the tool keeps
setting them back (design §4, "A person wins").
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from mappings.model import DONE, ENDED, Clock, ClockState
from mappings.plan import ON_HOLD, Action, Lane, TicketChange
from mappings.policies.escalation import CALLED, level_of, settled
from mappings.policies.sla.lateness import POLICY
from mappings.policies.sla.measures import Life, replies
from mappings.policies.sla.ownership import moved_back, taken
from mappings.profile import Profile
from mappings.reasons import clock_face, reason
from mappings.timeline import epoch

FIELDS = "Ticket fields"
"""The rule that the upkeep of fields goes by in the journal."""

WAITED_FOR = ("first_reply", "handoff_reply", "update", "resolve")
"""The measures a customer waits for: their earliest due time is the one shown."""


def upkeep(life: Life, clocks: Sequence[Clock], profile: Profile) -> list[Action]:
    """The one action that brings a ticket's fields up to date; none where they are, or where they are not ours.

    A ticket of which something has not been read yet is left until it has: a field is not to flicker.
    """
    ticket = life.history.ticket
    read = life.history.complete or ticket.updated_at == ticket.created_at
    if ticket.status in ENDED or ON_HOLD in ticket.tags or not read or not life.line.known:
        return []
    wanted = wanted_fields(life, clocks, profile)
    shown = {**ticket.fields, "tier": None if ticket.tier is None else str(ticket.tier)}
    differing = {
        name: value for name, value in wanted.items() if shown.get(name) != value and not taken(life, name, profile)
    }
    if not differing:
        return []
    tier = differing.pop("tier", None)
    digest = hashlib.sha256(repr(sorted(wanted.items())).encode()).hexdigest()[:8]
    record = f"zendesk:{ticket.id}"
    names = ", ".join(sorted(differing) + (["tier"] if tier else []))
    return [
        Action(
            key=f"fields:set:{record}:{epoch(ticket.updated_at)}:{digest}",
            policy=POLICY,
            rule=FIELDS,
            verb="fields",
            tool="zendesk",
            record=record,
            change=TicketChange(fields=differing, tier=int(tier) if tier else None),
            reason=reason("fields_changed", FIELDS, f"Brought up to date: {names}.", profile),
            lane=Lane.UPKEEP,
            cause_at=ticket.updated_at,
            expects={"updated_at": ticket.updated_at.isoformat()},
        )
    ]


def wanted_fields(life: Life, clocks: Sequence[Clock], profile: Profile) -> dict[str, str | None]:
    """What our fields should say, by our names for them."""
    ticket = life.history.ticket
    running = [] if ticket.status in DONE else [clock for clock in clocks if clock.state is ClockState.RUNNING]
    first = min((at for at, _ in replies(life)), default=None)
    solved = life.solved[-1][0] if life.solved and life.solved[-1][1] is None else None
    return {
        "sla_due": _sla_due(running, profile),
        "tier": str(life.stays[-1].tier),
        "next_escalation": _next_escalation(life, running, profile),
        "first_response_at": None if first is None else first.astimezone(profile.zone).isoformat(),
        "resolved_at": None if solved is None else solved.astimezone(profile.zone).isoformat(),
    }


def _sla_due(running: Sequence[Clock], profile: Profile) -> str | None:
    dues = [
        clock.due_at
        for clock in running
        if clock.measure in WAITED_FOR and clock.due_at is not None and clock.detected_at is None
    ]
    return min(dues).astimezone(profile.zone).isoformat() if dues else None


def _called(life: Life) -> bool:
    """Was management called since the ticket came to its tier? Once a stay is enough: no clock calls it again."""
    return any(
        CALLED in (step.new or "").split() and CALLED not in (step.old or "").split()
        for step in life.line.of("tags")
        if step.at >= life.stays[-1].start
    )


def _next_escalation(life: Life, running: Sequence[Clock], profile: Profile) -> str | None:
    """`T2 at 14:00`: the earliest step up that a running clock will cause, as `step_up` will take it."""
    stay, top = life.stays[-1], len(profile.tiers) + 1
    stays_here, called = moved_back(life, profile) is not None, _called(life)
    steps = []
    for clock in running:
        target = profile.targets.get(clock.target)
        if target is None or clock.due_at is None or clock.detected_at is not None:
            continue
        waits = stay.start + timedelta(seconds=profile.min_stay)
        at = clock.due_at if settled(life, profile, stay, clock.due_at, clock.dims.get("severity")) else waits
        levels = [level_of(do.argument, stay.tier, profile) for do in target.late if do.verb == "escalate"]
        steps += [(at, level, clock.start_at) for level in levels if level > stay.tier]
    steps = [step for step in steps if not (called if step[1] == top else stays_here)]
    if not steps:
        return None
    at, level, start = min(steps)
    name = f"T{level}" if level < top else "Management"
    when = clock_face(at, profile.zone, start)
    return f"{name} at {when}" if ":" in when[:3] else f"{name} on {when}"
