"""What an operator released, a held batch or an earlier cause, is looked at again before it goes (design §4).

The SLA policy decides by its clocks, which know whether something is still late. A rule's cause stays true for ever, so
here is asked whether doing it still makes sense.
"""

import msgspec

from mappings.model import DONE, ENDED
from mappings.plan import Action, Lane
from mappings.policies.sla.measures import Life


def fit(action: Action, life: Life) -> Action | None:
    """A released action as it may go now; null where its ticket was finished since.

    It goes only while the ticket is as it is now. An operator's word stands over `not_after`, but for texts to
    customers: they were written for their hour.
    """
    ticket = life.history.ticket
    since = any(start > action.cause_at for start, _, _ in life.solved)
    if ticket.status in ENDED or (ticket.status in DONE and since):
        return None
    expects = {"updated_at": ticket.updated_at.isoformat()} if action.tool == "zendesk" else action.expects
    until = action.not_after if action.lane is Lane.CUSTOMER else None
    return msgspec.structs.replace(action, expects=expects, not_after=until)
