"""Whose a field is: ours, a person's who set it back, or a rule's of the tool that keeps doing so (design §4).

What a person set back is theirs until severity gets worse. A rule that sets a field of ours back twice is not fought:
the field is left to it, and the journal names the rule once.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from mappings.model import ENDED, Actor
from mappings.plan import ON_HOLD, Action, Lane, NotConnected
from mappings.policies.sla.measures import Life, Stay
from mappings.profile import Profile
from mappings.reasons import reason
from mappings.timeline import Step

LEFT = "Fields set back"
"""The rule by which a field that a rule of the tool keeps is left to it."""
OURS = ("group_id", "tier", "sla_due", "next_escalation", "first_response_at", "resolved_at")
"""The fields that we set, by our names."""
RESETS = 2


class Fight(msgspec.Struct, frozen=True):
    """A rule of the tool that has set one of our fields back too often. `rule_id` is the vendor's; null: not told."""

    field: str
    rule_id: int | None
    at: datetime


def worsened(life: Life, profile: Profile) -> datetime:
    """When severity last got worse; the ticket's creation where it never did."""
    known = profile.severities
    worse = [
        step.at
        for step in life.line.of("severity")
        if step.old in known
        and step.new in known
        and profile.severity_rank(str(step.new)) < profile.severity_rank(str(step.old))
    ]
    return max(worse, default=life.line.created_at)


def taken(life: Life, name: str, profile: Profile) -> bool:
    """Is a field not ours now? A person's until severity gets worse; a rule's that has set it back twice.

    A person may have been there before us: what an agent set on a ticket that we had not written to yet is theirs too.
    """
    if fought(life, name, profile) is not None:
        return True
    since = worsened(life, profile)
    ours_or_theirs = [step for step in life.line.of(name) if step.actor in (Actor.US, Actor.AGENT)]
    last = ours_or_theirs[-1] if ours_or_theirs else None
    return last is not None and last.actor is Actor.AGENT and since <= last.at != life.line.created_at


def fought(life: Life, name: str, profile: Profile) -> Fight | None:
    """The rule that has set a field of ours back twice, if there is one."""
    resets = [step for step in _after_us(life, name, profile) if step.actor is Actor.RULE]
    if len(resets) < RESETS:
        return None
    return Fight(name, resets[-1].by, resets[RESETS - 1].at)


def fights(life: Life, profile: Profile) -> list[Fight]:
    """All our fields of a ticket that a rule keeps setting back; none on a ticket that is over or not ours."""
    ticket = life.history.ticket
    if ticket.status in ENDED or ON_HOLD in ticket.tags or not life.line.known:
        return []
    return [fight for name in OURS if (fight := fought(life, name, profile)) is not None]


def left(life: Life, fight: Fight, titles: Mapping[int, str], profile: Profile) -> Action:
    """The entry of the journal that says which rule a field is left to. Nothing is done to the ticket."""
    record = f"zendesk:{life.history.ticket.id}"
    title = titles.get(fight.rule_id or 0)
    name = f"“{title}” ({fight.rule_id})" if title else f"{fight.rule_id or 'of an unknown number'}"
    field = fight.field.removesuffix("_id").replace("_", " ")
    says = (
        f"The account's own rule {name} has set the field {field} back {RESETS} times: it is left to that rule. "
        "Change the rule's conditions, or leave the field to it."
    )
    return Action(
        key=f"fields:left:{fight.field}:{record}:{fight.rule_id or 'unknown'}",
        policy="sla",
        rule=LEFT,
        verb="leave",
        tool="zendesk",
        record=record,
        change=NotConnected(needs=f"the rule {name} to let the field {field} be"),
        reason=reason("rule_resets", LEFT, says, profile, {"field": fight.field, "rule_id": str(fight.rule_id)}),
        lane=Lane.ESCALATION,
        cause_at=fight.at,
    )


def moved_back(life: Life, profile: Profile) -> Stay | None:
    """The present stay, where an agent took the ticket back to it from a tier that we had moved it to.

    It is the agent's word until severity gets worse: no step is taken from it.
    """
    stay = life.stays[-1]
    if _mover(life, stay) is not Actor.AGENT or stay.start < worsened(life, profile):
        return None
    above = [other for other in life.stays[:-1] if other.tier > stay.tier and _mover(life, other) is Actor.US]
    return stay if above else None


def _mover(life: Life, stay: Stay) -> Actor | None:
    """Who began a stay; null for the one at creation."""
    steps = [step for step in life.line.steps if step.field in ("tier", "group_id")]
    return None if stay.first else next((s.actor for s in steps if s.cause == stay.cause and s.at == stay.start), None)


def _after_us(life: Life, name: str, profile: Profile) -> list[Step]:
    """A field's changes since we first set it, and since severity last got worse."""
    steps, since = life.line.of(name), worsened(life, profile)
    ours = [index for index, step in enumerate(steps) if step.actor is Actor.US]
    return [step for step in steps[ours[0] + 1 :] if step.at >= since] if ours else []
