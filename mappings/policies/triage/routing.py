"""Where a ticket goes: the group of its kind, else of the tier that it enters at, and an agent in it (TRI-05, TRI-16).

Never away from a person: a group or an agent that somebody chose stays.
"""

import msgspec

from mappings.model import Actor
from mappings.policies.sla.measures import Life
from mappings.policies.triage.finding import address
from mappings.policies.triage.owning import at_the_entrance, setter
from mappings.policies.triage.staffing import NO_AGENT_FREE, Staff
from mappings.profile import Profile


class Routed(msgspec.Struct, frozen=True):
    """A group to go to (null: stay), an agent (null: nobody), a tag, and why the group."""

    group: str | None = None
    agent: int | None = None
    tag: str | None = None
    by: str = ""


def group_for(life: Life, profile: Profile, kind: str | None) -> tuple[str, str]:
    """The group of a ticket of a kind, and why that one: the address's, the kind's, or the entry tier's."""
    written = address(life.history.ticket, profile)
    route = profile.routes.get(written[1].route or "") if written is not None else None
    if written is not None and route is not None and route.group is not None:
        return route.group, f"it was written to {written[0]}"
    known = profile.kinds.get(kind or "")
    if known is not None and known.group is not None:
        return known.group, f"its kind is {known.name}"
    tier = profile.tiers.get(life.stays[0].tier) or profile.tiers[len(profile.tiers)]
    return tier.group, f"it enters at tier {tier.level}"


def route(life: Life, profile: Profile, staff: Staff, kind: str | None) -> Routed | None:
    """Where a ticket goes and who takes it, as far as that is ours to say; null where nothing is to be done."""
    ticket = life.history.ticket
    now = staff.groups.get(ticket.group_id or 0)
    movable = at_the_entrance(life, profile, now) or _followed(life, profile, now)
    wanted, by = group_for(life, profile, kind) if movable else (now, "")
    if staff.groups and wanted not in staff.groups.values():  # the account lacks it: nothing is tried that must fail
        wanted = now
    if wanted is None or _persons(life) or not (movable or setter(life, "group_id") is Actor.US):
        return None
    moves = wanted != now
    taken = ticket.assignee_id is not None and not moves
    if taken or "tier" not in profile.agents.match or staff.members is None:
        return Routed(wanted, by=by) if moves else None
    agent = staff.choose(wanted, _about(life, profile, kind), profile)
    tag = NO_AGENT_FREE if agent is None and NO_AGENT_FREE not in ticket.tags else None
    if not moves and agent is None and tag is None:
        return None
    return Routed(wanted if moves else None, agent, tag, by)


def _about(life: Life, profile: Profile, kind: str | None) -> set[str]:
    """The words that an agent's field of work may have in common with a ticket."""
    known = profile.kinds.get(kind or "")
    words = (kind, known.family if known is not None else None, life.history.ticket.module)
    return {word for word in words if word}


def _persons(life: Life) -> bool:
    """Has a person, or a rule of the account, said who has the ticket?"""
    return setter(life, "assignee_id") not in (None, Actor.US)


def _followed(life: Life, profile: Profile, now: str | None) -> bool:
    """Is the ticket still where an earlier kind led it, and not above the tier that it entered at?"""
    if now is None or len(life.stays) > 1 or setter(life, "group_id") is Actor.AGENT:
        return False
    return any(group_for(life, profile, step.old)[0] == now for step in life.line.of("kind"))
