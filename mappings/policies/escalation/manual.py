"""An agent asks for the next tier: the tag `hf_escalate` (a macro sets it) or the field `Escalation reason` (ESC-06).

A reason is mandatory. Without one the ticket stays and a note asks for it, once a request; with one it is handed on,
and tag and reason are taken off, so that the next request is one of its own. The reason stays in the note.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from mappings.model import DONE, ESCALATION_REASONS, Actor
from mappings.plan import ON_HOLD, Action, Lane, TicketChange
from mappings.policies.escalation.calling import calling
from mappings.policies.escalation.step import level_of, step_up
from mappings.policies.sla.measures import Life, Stay
from mappings.profile import Profile
from mappings.reasons import reason
from mappings.timeline import UNREAD

MANUAL = "Escalation by hand"
"""The rule that it goes by in the journal."""
TAG, FIELD = "hf_escalate", "escalation_reason"
_SENSE = timedelta(hours=8)
_UNNAMED = "An agent asked for it; the reason stands in the ticket."
"""What goes out of the ticket of a reason in the agent's own words."""


def asked(life: Life, profile: Profile, *, policy: str, link: Callable[[int], str]) -> list[Action]:
    """What agents' requests for the next tier come to, over a ticket's whole past; each under its own key.

    `link` gives a ticket's address for agents.
    """
    if ON_HOLD in life.history.ticket.tags or not life.line.known:
        return []
    found: list[Action] = []
    for at, cause in _requests(life):
        answer, address = _answer(life, profile, at, cause, policy), link(life.history.ticket.id)
        known = life.line.value(FIELD, at) in ESCALATION_REASONS
        found += calling(answer, life, profile, at=at, link=address, says=None if known else _UNNAMED)
    return found


def _requests(life: Life) -> Iterator[tuple[datetime, str]]:
    """When an agent asked, and the update that did it: it set the tag or gave a reason. One update is one request."""
    seen: set[datetime] = set()
    for step in life.line.steps:
        tagged = step.field == "tags" and TAG in _tags(step.new) - _tags(step.old)
        given = step.field == FIELD and step.new is not None
        if not (tagged or given) or step.actor in (Actor.US, Actor.CUSTOMER) or step.cause == UNREAD or step.at in seen:
            continue
        seen.add(step.at)
        if life.line.value("status", step.at) not in DONE and ON_HOLD not in _tags(life.line.value("tags", step.at)):
            yield step.at, step.cause


def _answer(life: Life, profile: Profile, at: datetime, cause: str, policy: str) -> Action:
    given = life.line.value(FIELD, at)
    record = f"zendesk:{life.history.ticket.id}"
    if given is None:
        says = (
            "An escalation was asked for without a reason: the ticket stays here until the field “Escalation reason” "
            "says why. “Impact”, “Attempted” and “Needed” help the next team."
        )
        why = reason("escalation_unexplained", MANUAL, says, profile)
        change, verb, key = TicketChange(note=why.text), "note", f"manual:ask:{record}:{cause}"
    else:
        stay = _stay(life, at)
        step = step_up(life, profile, [level_of("next", stay.tier, profile)], at=at, stay=stay, by_agent=True)
        because = f"An agent asked for it: {ESCALATION_REASONS.get(given, given)}."
        facts = {**step.facts, "because": because, "given": given}
        why = reason("escalation_asked", MANUAL, f"{because} {step.says}", profile, facts)
        told = step.told(why)
        change = TicketChange(
            group=told.group,
            tier=told.tier,
            add_tags=told.add_tags,
            remove_tags=(TAG,),
            fields={FIELD: None},
            note=told.note,
        )
        verb, key = step.verb, f"manual:escalate:{record}:{cause}"
    return Action(
        key=key,
        policy=policy,
        rule=MANUAL,
        verb=verb,
        tool="zendesk",
        record=record,
        change=change,
        reason=why,
        lane=Lane.ESCALATION,
        cause_at=at,
        not_after=at + _SENSE,
        expects={"updated_at": life.history.ticket.updated_at.isoformat()} if change.tier is not None else {},
    )


def _stay(life: Life, at: datetime) -> Stay:
    return next((stay for stay in reversed(life.stays) if stay.start <= at), life.stays[0])


def _tags(text: str | None) -> set[str]:
    return set((text or "").split())
