"""The account's records and the indexes by which they are found, listed and exported."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from connectors.sandbox.zendesk.records import (
    Audit,
    CustomStatus,
    Field,
    Form,
    Group,
    Membership,
    Organization,
    Suspended,
    Ticket,
    User,
)
from connectors.sandbox.zendesk.timeline import Timeline

FIRST_ID = 6_130_800_000_000
"""Ids other than those of tickets lie above 2^32, as in real accounts (vendor-facts §1.10)."""


class Account:
    """Everything stored, by id, plus indexes. Whoever changes a record calls the matching `touch_…`."""

    def __init__(self, name: str, clock: Callable[[], int]) -> None:
        self.name = name
        self.id = 18_525_119
        self.subdomain = "sandbox"
        self.founded_at = 0
        self.now = clock
        self.tickets: dict[int, Ticket] = {}
        self.ticket_ids: list[int] = []
        self.audits: dict[int, Audit] = {}
        self.users: dict[int, User] = {}
        self.organizations: dict[int, Organization] = {}
        self.groups: dict[int, Group] = {}
        self.memberships: list[Membership] = []
        self.ticket_fields: dict[int, Field] = {}
        self.organization_fields: dict[str, Field] = {}
        self.user_fields: dict[str, Field] = {}
        self.forms: dict[int, Form] = {}
        self.suspended: dict[int, Suspended] = {}
        self.statuses: dict[int, CustomStatus] = {}
        self.brand_id = 0
        self.addresses: tuple[str, ...] = ()
        self.updated = Timeline()
        self.generated = Timeline()
        self.audited = Timeline()
        self.users_changed = Timeline()
        self.organizations_changed = Timeline()
        self.emails: dict[str, int] = {}
        self.user_externals: dict[str, int] = {}
        self.names: dict[str, int] = {}
        self.domains: dict[str, int] = {}
        self.ticket_externals: dict[str, list[int]] = {}
        self.incidents: dict[int, set[int]] = {}
        self.tag_fields: dict[str, int] = {}
        self.members: dict[int, set[int]] = {}
        self._named: dict[str, Field] = {}
        self._next_id = FIRST_ID
        self._next_ticket = 1

    def new_id(self, width: int = 1) -> int:
        """A fresh id; `width` reserves room for that many events after it."""
        given = self._next_id
        self._next_id += 128 * width
        return given

    def default_status(self, category: str) -> int:
        """The status that a ticket of a category has where nobody chose one."""
        wanted = "solved" if category == "closed" else category
        return next(id for id, status in self.statuses.items() if status.default and status.category == wanted)

    def in_category(self, status_id: int, category: str) -> bool:
        """Is a custom status one that a ticket of this category may have?"""
        status = self.statuses.get(status_id)
        return status is not None and status.category == ("solved" if category == "closed" else category)

    def new_ticket_id(self) -> int:
        """Tickets count from 1."""
        given = self._next_ticket
        self._next_ticket += 1
        return given

    def add_ticket(self, ticket: Ticket) -> None:
        """File a new ticket."""
        self.tickets[ticket.id] = ticket
        self.ticket_ids.append(ticket.id)
        if ticket.external_id:
            self.ticket_externals.setdefault(ticket.external_id, []).append(ticket.id)

    def touch_ticket(self, ticket: Ticket, *, system: bool = False) -> None:
        """A ticket changed now. A change of the system's own moves only its generated_timestamp (§1.6)."""
        now = self.now()
        ticket.generated_at = now
        self.generated.move(ticket.id, now)
        if not system:
            ticket.updated_at = now
        if ticket.deleted_at is None:
            self.updated.move(ticket.id, ticket.updated_at)
        else:
            self.updated.drop(ticket.id)

    def add_audit(self, ticket: Ticket, audit: Audit) -> None:
        """Append an audit to its ticket and to the event export."""
        ticket.audits.append(audit)
        self.audits[audit.id] = audit
        self.audited.move(audit.id, audit.at)

    def touch_user(self, user: User) -> None:
        """A user is new or changed now."""
        self.users[user.id] = user
        user.updated_at = self.now()
        self.users_changed.move(user.id, user.updated_at)
        if user.email:
            self.emails[user.email.lower()] = user.id
        if user.external_id:
            self.user_externals[user.external_id] = user.id

    def touch_organization(self, organization: Organization) -> None:
        """An organisation is new or changed now."""
        self.organizations[organization.id] = organization
        organization.updated_at = self.now()
        self.organizations_changed.move(organization.id, organization.updated_at)
        self.names[organization.name.lower()] = organization.id
        for domain in organization.domain_names:
            self.domains[domain] = organization.id

    def add_membership(self, user: User, group_id: int) -> None:
        """Put an agent into a group; the first one is their default."""
        first = user.default_group_id is None
        self.memberships.append(Membership(self.new_id(), user.id, group_id, self.now(), first))
        self.members.setdefault(group_id, set()).add(user.id)
        if first:
            user.default_group_id = group_id

    def live(self, id: int) -> Ticket | None:
        """A ticket that is not deleted, or null."""
        ticket = self.tickets.get(id)
        return ticket if ticket is not None and ticket.deleted_at is None else None

    def live_after(self, id: int) -> Iterator[Ticket]:
        """Tickets that are not deleted, by id, after the given one."""
        for place in range(bisect_right(self.ticket_ids, id), len(self.ticket_ids)):
            ticket = self.tickets[self.ticket_ids[place]]
            if ticket.deleted_at is None:
                yield ticket

    def live_before(self, id: int | None) -> Iterator[Ticket]:
        """As `live_after`, downwards: before the given one, or from the newest."""
        end = len(self.ticket_ids) if id is None else bisect_left(self.ticket_ids, id)
        for place in range(end - 1, -1, -1):
            ticket = self.tickets[self.ticket_ids[place]]
            if ticket.deleted_at is None:
                yield ticket

    def user_by_email(self, email: str) -> User | None:
        """Who writes from an address, whatever its case."""
        id = self.emails.get(email.lower())
        return None if id is None else self.users[id]

    def group_named(self, name: str) -> Group | None:
        """The group of this name, or null."""
        return next((group for group in self.groups.values() if group.name == name), None)

    def field_named(self, name: str) -> Field | None:
        """A ticket field by its title or key, or null."""
        if not self._named:
            for field in reversed(self.ticket_fields.values()):
                self._named |= {field.key: field, field.title: field}
        return self._named.get(name)
