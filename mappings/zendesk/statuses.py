"""A ticket's status as one of our five (INT-05): open, in_progress, waiting_on_customer, resolved, closed.

The profile's `statuses` says where each is found. A status of the account's own that it does not name counts as its
category does.
"""

from collections.abc import Iterable

import msgspec

from mappings.model import Ticket
from mappings.profile import Profile

OWN_STATUS = "own_status"
"""The ticket's field, and its events', that holds which of our five a status of the account's own is."""
_FURTHER = {"new": "open", "deleted": "closed", "merged": "closed", "spam": "closed"}
"""What the profile need not name."""


class CustomStatus(msgspec.Struct):
    """A row of GET /custom_statuses."""

    id: int
    status_category: str
    agent_label: str
    active: bool = True


def named_status(ticket: Ticket, profile: Profile) -> str:
    """Which of our five statuses a ticket has. On hold somebody else is waited for, the customer where that pauses."""
    hold = "waiting_on_customer" if profile.pauses.on_hold else "in_progress"
    plain = {place.category: name for name, place in profile.named_statuses.items() if place.label is None}
    return ticket.fields.get(OWN_STATUS) or (_FURTHER | {"hold": hold} | plain).get(ticket.status, "open")


def names_by_id(profile: Profile, statuses: Iterable[CustomStatus]) -> dict[int, str]:
    """The account's statuses that the profile names, by id."""
    wanted = {
        (place.category, place.label.casefold()): name
        for name, place in profile.named_statuses.items()
        if place.label is not None
    }
    found = {status.id: wanted.get((status.status_category, status.agent_label.casefold())) for status in statuses}
    return {id: name for id, name in found.items() if name is not None}
