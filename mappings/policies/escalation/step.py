"""A step up: to which tier, whether management is called, or why the ticket stays where it is (ESC-01, ESC-02, ESC-13).

One move per stay in a tier and one call of management per stay; what asks once more joins as a note. Above the last
tier stands the management: the ticket stays, and management is called.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from mappings.model import DONE
from mappings.plan import Action, Reason, TicketChange
from mappings.policies.escalation.message import escalation_message
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life, Stay
from mappings.policies.sla.ownership import fought, moved_back
from mappings.policies.sla.targets import due, promises
from mappings.profile import Profile
from mappings.reasons import clock_face
from mappings.timeline import plan_at

ESCALATED, CALLED = "escalated", "escalated_management"


class Taken(msgspec.Struct, frozen=True):
    """Steps that were taken or are under way: by the stay's cause, the tier it led to; and from where management was
    called."""

    tiers: Mapping[str, int] = {}
    called: frozenset[str] = frozenset()


NONE = Taken()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step as decided. `verb` is `escalate`, or `note` where the ticket stays and only the reason is told."""

    verb: str
    says: str
    """What happens, to be told behind the reason."""
    facts: Mapping[str, str]
    change: TicketChange
    message: str | None = None
    """The escalation message of a step that is one."""

    def told(self, why: Reason) -> TicketChange:
        """The change with its note: the reason, and below it the message."""
        return msgspec.structs.replace(self.change, note="\n\n".join(filter(None, (why.text, self.message))))


def level_of(argument: object, tier: int, profile: Profile) -> int:
    """The tier that an `escalate` names, seen from a tier; one above the last is management."""
    top = len(profile.tiers) + 1
    if argument == "management":
        return top
    return min(tier + 1 if argument == "next" else int(str(argument)), top)


def taken_by(actions: Iterable[Action]) -> Taken:
    """What steps, done or under way, have come to. Of actions that are no step nothing is taken."""
    tiers: dict[str, int] = {}
    called: set[str] = set()
    for action in actions:
        stay, change = action.reason.facts.get("stay"), action.change
        if action.verb != "escalate" or stay is None or not isinstance(change, TicketChange):
            continue
        if change.tier is not None:
            tiers[stay] = max(change.tier, tiers.get(stay, 0))
        if CALLED in change.add_tags:
            called.add(stay)
    return Taken(tiers, frozenset(called))


def settled(life: Life, profile: Profile, stay: Stay, at: datetime, severity: str | None) -> bool:
    """May a ticket climb on from a stay, having been there for `min_stay`? Critical ones never wait."""
    known = profile.severities.get(severity or "")
    critical = known is not None and known.critical
    return critical or stay.first or at >= stay.start + timedelta(seconds=profile.min_stay)


def step_up(
    life: Life,
    profile: Profile,
    levels: Sequence[int],
    *,
    at: datetime,
    stay: Stay | None = None,
    taken: Taken = NONE,
    by_agent: bool = False,
) -> Step:
    """What wishes for `levels` (see `level_of`), from one stay, come to at a time; by default from the present stay.

    The highest tier wanted is moved to, and management is called where that is wanted too: both may be one step. What
    an agent took back stays where it is, unless an agent asks (`by_agent`).
    """
    stay = stay or life.stays[-1]
    top = len(profile.tiers) + 1
    move = max((level for level in levels if level < top), default=None)
    call = any(level >= top for level in levels)
    refused = None if move is None else _refused(life, profile, stay, move, taken, by_agent=by_agent)
    going = move if refused is None else None
    calling = call and stay.cause not in taken.called
    facts = {"stay": stay.cause, "tier": str(stay.tier)} | ({"to_tier": str(going)} if going else {})
    said = [refused] if refused else []
    if call and not calling:
        said.append("Management was called from this tier already.")
    if going is not None:
        said.append(_moved(life, profile, going, at))
    if calling:
        last = "This is the last tier: " if stay.tier == top - 1 and going is None else ""
        said.append(f"{last}{_management(profile)} is called.")
    if going is None and not calling:
        return Step(verb="note", says=" ".join(said), facts=facts, change=TicketChange())
    owed = reply_due(life, profile, going, at) if going is not None else None
    return Step(
        verb="escalate",
        says=" ".join(said),
        facts=facts,
        change=_change(life, profile, going, at, call=calling),
        message=escalation_message(life, profile, at=at, due_at=owed),
    )


def reply_due(life: Life, profile: Profile, tier: int, at: datetime) -> datetime | None:
    """By when a tier that takes a ticket over at a time owes its reply; null where none is promised (SLA-23).

    Of one that is done, none is.
    """
    if life.line.value("status", at) in DONE:
        return None
    dims = dimensions(life, profile, at) | {"tier": tier, "escalated": True}
    calendar = profile.serving_calendar(**{key: dims.get(key) for key in ("severity", "plan", "kind", "channel")})
    dues = [
        due(profile, promise.budget, calendar, at).due_at
        for promise in promises(profile, dims)
        if promise.measure == "handoff_reply"
    ]
    return min((when for when in dues if when is not None), default=None)


def _refused(life: Life, profile: Profile, stay: Stay, move: int, taken: Taken, *, by_agent: bool) -> str | None:
    """Why a ticket is not moved; null where it is."""
    if move <= taken.tiers.get(stay.cause, 0):
        return "Already moved up from this tier."
    if move <= life.stays[-1].tier:
        return f"It is with {_name(profile, life.stays[-1].tier)} already."
    if not by_agent and moved_back(life, profile) is not None:
        return f"An agent took it back to {_name(profile, life.stays[-1].tier)}: there it stays."
    return None


def _change(life: Life, profile: Profile, tier: int | None, at: datetime, *, call: bool) -> TicketChange:
    """Tier, group and tags; the group is left alone where a rule of the tool keeps setting it back."""
    tags = (ESCALATED, CALLED) if call else (ESCALATED,)
    if tier is None:
        return TicketChange(add_tags=tags)
    group = _kept(life, profile, at) or profile.tiers[tier].group
    left = fought(life, "group_id", profile) is not None
    return TicketChange(group=None if left else group, tier=tier, add_tags=tags)


def _kept(life: Life, profile: Profile, at: datetime) -> str | None:
    """The group that a ticket of a private kind stays with; null for any other (SEC-01)."""
    kind = profile.kinds.get(life.line.value("kind", at) or "")
    return kind.group if kind is not None and kind.private else None


def _moved(life: Life, profile: Profile, tier: int, at: datetime) -> str:
    """What a hand-off note owes: where to, where the ticket has been, and by when the new tier replies (ESC-13)."""
    zone = profile.zone
    been = ", ".join(
        f"{profile.tiers[stay.tier].name} since {clock_face(stay.start, zone, at)}"
        for stay in life.stays
        if stay.tier in profile.tiers
    )
    said = [f"Moved to {profile.tiers[tier].name} (tier {tier}).", f"Before: {been}."]
    if (group := _kept(life, profile, at)) is not None:
        said.append(f"It stays with {group}: nobody else may look into it.")
    first = reply_due(life, profile, tier, at)
    if first is not None:
        said.append(f"The new target is a reply by {clock_face(first, zone, at)}.")
    if not _included(life, profile, tier, at):
        said.append(f"The plan {_plan_name(life, profile, at)} does not include this tier.")
    return " ".join(said)


def _included(life: Life, profile: Profile, tier: int, at: datetime) -> bool:
    """Is a tier the customer's by plan? One at which higher plans enter is not that of the plans below (ESC-16)."""
    plan = profile.plans.get(plan_at(life.history, life.line, at) or "")
    enters = plan.enters_tier if plan is not None else 1
    return not any(enters < tier <= other.enters_tier for other in profile.plans.values())


def _plan_name(life: Life, profile: Profile, at: datetime) -> str:
    plan = profile.plans.get(plan_at(life.history, life.line, at) or "") or next(iter(profile.plans.values()))
    return plan.name


def _management(profile: Profile) -> str:
    route = profile.routes.get("management")
    return route.group if route is not None and route.group else "Management"


def _name(profile: Profile, tier: int) -> str:
    return profile.tiers[tier].name if tier in profile.tiers else f"tier {tier}"
