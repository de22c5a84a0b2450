"""Calling management: a step that ends there is told to them outside the ticket as well (ESC-02, ESC-07)."""

from datetime import datetime

from mappings.notices import About, told
from mappings.plan import Action, TicketChange
from mappings.policies.escalation.message import escalation_message
from mappings.policies.escalation.step import CALLED
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life
from mappings.profile import Do, Profile

_MANAGEMENT = Do("tell", "management")


def calling(
    step: Action, life: Life, profile: Profile, *, at: datetime, link: str | None = None, says: str | None = None
) -> list[Action]:
    """A step and, where it calls management, the messages to them, by the ways of their route; else the step alone.

    A message has the step's reason (or `says`, where that has words that people wrote) and its eight lines as they go
    out of the ticket (SEC-07).
    """
    change = step.change
    if step.verb != "escalate" or not isinstance(change, TicketChange) or CALLED not in change.add_tags:
        return [step]
    lines = escalation_message(life, profile, at=at, inside=False)
    about = About(
        ticket_id=life.history.ticket.id,
        facts=dimensions(life, profile, at),
        says=f"{says or step.reason.text}\n{lines}",
        at=at,
        link=link,
    )
    return told(step, _MANAGEMENT, profile, about)
