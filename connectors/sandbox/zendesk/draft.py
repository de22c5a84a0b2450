"""An update in the making: the ticket changes as it is written, and every change becomes an event of one audit."""

from functools import lru_cache
from typing import Any

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.records import (
    STATUSES,
    SYSTEM,
    Change,
    Comment,
    Create,
    Event,
    Json,
    Notification,
    Ticket,
    User,
    Via,
)

PLAIN = {
    "subject": "subject",
    "requester_id": "requester_id",
    "priority": "priority",
    "type": "type",
    "status": "status",
    "custom_status_id": "custom_status_id",
    "organization_id": "organization_id",
    "brand_id": "brand_id",
    "form_id": "ticket_form_id",
    "group_id": "group_id",
    "assignee_id": "assignee_id",
    "external_id": "external_id",
    "problem_id": "problem_id",
    "due_at": "due_at",
    "is_public": "is_public",
    "recipient": "recipient",
    "collaborators": "collaborator_ids",
    "followers": "follower_ids",
    "email_ccs": "email_cc_ids",
    "tags": "tags",
}
"""A ticket's attribute → its name in audits and in REST, in the order of a recorded create answer."""

_ALWAYS = ("subject", "requester_id", "priority", "type", "status", "organization_id", "brand_id", "form_id")
_WHERE_SET = ("custom_status_id", "group_id", "assignee_id", "external_id", "problem_id", "tags")


@lru_cache(maxsize=1 << 16)
def digits(id: int) -> str:
    """An id as text; the same text each time, as audits hold it over and over."""
    return str(id)


def as_text(name: str, value: Any) -> Any:
    """A value as audits print it: ids are strings (§1.16), lists stay lists."""
    if value is None or isinstance(value, str | list):
        return value
    if isinstance(value, tuple):
        return [digits(one) if isinstance(one, int) else one for one in value]
    if isinstance(value, bool):
        return ("1" if value else "0") if name.isdigit() else value
    return digits(value)


class Draft:
    """One update of one ticket by one author. Who changes the ticket does so through `set`, and only there."""

    def __init__(
        self,
        account: Account,
        ticket: Ticket,
        author: User | None,
        via: Via,
        *,
        creating: bool = False,
        comment: Comment | None = None,
        metadata: Json | None = None,
    ) -> None:
        self.account, self.ticket, self.author, self.via = account, ticket, author, via
        self.creating, self.comment, self.metadata = creating, comment, metadata
        self.started_as = ticket.status
        self.events: list[Event] = [] if comment is None else [comment]
        self.changes = 0
        self._changed: set[str] = set()

    @property
    def author_id(self) -> int:
        """The updater; -1 where the account does it by itself."""
        return SYSTEM if self.author is None else self.author.id

    def set(self, name: str, value: Any, rule: Via | None = None) -> None:
        """Give one of the ticket's plain attributes a value; nothing happens where it has it already."""
        previous = getattr(self.ticket, name)
        if previous == value:
            return
        setattr(self.ticket, name, value)
        self._note(PLAIN[name], value, previous, rule)
        if name == "status" and value in STATUSES and not self.account.in_category(self.ticket.custom_status_id, value):
            self.set("custom_status_id", self.account.default_status(value), rule)

    def set_custom(self, field_id: int, value: Any, rule: Via | None = None) -> None:
        """Give a custom field a value."""
        previous = self.ticket.custom.get(field_id)
        if previous == value:
            return
        if value is None:
            self.ticket.custom.pop(field_id, None)
        else:
            self.ticket.custom[field_id] = value
        self._note(digits(field_id), value, previous, rule)

    def first_values(self) -> None:
        """Write down what a new ticket starts with, as a recorded create answer does."""
        ticket = self.ticket
        first = [(PLAIN[name], getattr(ticket, name)) for name in _ALWAYS]
        first += [(PLAIN[name], value) for name in _WHERE_SET if (value := getattr(ticket, name))]
        first += [(digits(id), value) for id, value in ticket.custom.items()]
        self.events += [Create(name, as_text(name, value)) for name, value in first]
        self._changed.update(name for name, _ in first)

    def notify(self, subject: str, body: str, recipients: tuple[int, ...], rule: Via) -> None:
        """Record that a rule sent a mail."""
        self.events.append(Notification(subject, body, recipients, rule))

    def changed(self, field: str) -> bool:
        """Whether a field (by its name in audits) got a value in this update."""
        return field in self._changed

    def changed_to(self, field: str, value: str | None) -> bool:
        """Whether a field's newest value was set in this update, and is this one."""
        for event in reversed(self.events):
            if isinstance(event, Create | Change) and event.field == field:
                return bool(event.value == value)
        return False

    def _note(self, field: str, value: Any, previous: Any, rule: Via | None) -> None:
        self.changes += 1
        self._changed.add(field)
        self.events.append(Change(field, as_text(field, value), as_text(field, previous), rule))
