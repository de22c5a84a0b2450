"""What people do in the tool, called from tests, the demo and the console page: nothing here goes through the API."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.sandbox.zendesk import endings
from connectors.sandbox.zendesk.fields import read_tags, read_value
from connectors.sandbox.zendesk.lifecycle import Wish, may_see
from connectors.sandbox.zendesk.records import (
    API,
    MAIL,
    VIAS,
    WEB,
    Attachment,
    Comment,
    Field,
    Organization,
    Suspended,
    Ticket,
    User,
    Via,
)

if TYPE_CHECKING:
    from connectors.sandbox.core import Core
    from connectors.sandbox.zendesk.account import Account
    from connectors.sandbox.zendesk.desk import Desk
    from connectors.sandbox.zendesk.switches import ZendeskSwitches

FOLLOW_UP = Via("email", "Closed ticket", "follow_up")


class People:
    """Actions of customers and agents. LookupError names an unknown ticket, person, group, field or option."""

    core: "Core"
    account: "Account"
    switches: "ZendeskSwitches"
    desk: "Desk"
    default_form: int

    def file_ticket(
        self,
        *,
        requester: str,
        subject: str,
        body: str,
        channel: str = "web",
        fields: dict[str, str] | None = None,
        form: str | None = None,
        recipient: str | None = None,
    ) -> int:
        """A customer asks for help; the new ticket's id, or 0 where a suspended sender's mail was held back.

        `fields` are by title or key; an option is given by its name, its tag or the end of its tag (`P1`).
        """
        with self.core.lock:
            writer = self.writer(requester)
            if writer.suspended and channel == "email":
                self._hold_back(writer, subject, body, recipient)
                return 0
            wish: Wish = {"requester_id": writer.id, "subject": subject, "form_id": self._form(form)}
            wish["custom"] = self._values(fields or {})
            wish["recipient"] = recipient or (self._address() if channel == "email" else None)
            via = VIAS.get(channel, API)
            ticket, _ = self.desk.create(writer, wish, Comment(writer.id, body, True), via=via)
            return ticket.id

    def import_ticket(
        self, *, requester: str, subject: str, body: str, at: datetime, fields: dict[str, str] | None = None
    ) -> int:
        """Bring a ticket over from another tool with its own old times, as `POST /imports/tickets` does; its id.

        No trigger runs. The export orders it by when it came, as everything (memory: no recorded answer shows one).
        """
        with self.core.lock:
            clock, triggers = self.account.now, self.desk.triggers_on
            self.account.now, self.desk.triggers_on = (lambda: int(at.timestamp())), (lambda: False)
            try:
                id = self.file_ticket(requester=requester, subject=subject, body=body, channel="api", fields=fields)
            finally:
                self.account.now, self.desk.triggers_on = clock, triggers
            self.account.touch_ticket(self.account.tickets[id], system=True)
            return id

    def reply(
        self,
        ticket_id: int,
        *,
        author: str,
        body: str,
        public: bool = True,
        status: str | None = None,
        files: dict[str, int] | None = None,
    ) -> int:
        """Somebody writes; the id of the ticket that got it (a customer's mail to a closed one opens a follow-up).

        `files` are attachments: name and size.
        """
        with self.core.lock:
            ticket, writer = self._live(ticket_id), self.writer(author)
            self._admit(writer, ticket)
            attached = tuple(Attachment(self.account.new_id(), name, size) for name, size in (files or {}).items())
            comment = Comment(writer.id, body, public, attached)
            if ticket.status == "closed" and not writer.staff:
                wish: Wish = {"requester_id": writer.id, "subject": f"Re: {ticket.subject}", "form_id": ticket.form_id}
                made, _ = self.desk.create(writer, wish, comment, via=FOLLOW_UP, followup_of=ticket.id)
                return made.id
            wish = {} if status is None else self._status(status)
            if status == "solved" and ticket.assignee_id is None:
                wish["assignee_id"] = writer.id
            self.desk.update(writer, ticket, wish, comment, via=WEB if writer.staff else MAIL)
            return ticket_id

    def edit(self, ticket_id: int, *, author: str, **changes: Any) -> None:
        """An agent changes a ticket: status (a category, or a label of the account's own), priority, type, subject,
        assignee (e-mail or None), group (name or None), fields ({title or key: value}), tags_add, tags_remove, problem
        (ticket id). TypeError for anything else.
        """
        with self.core.lock:
            ticket, wish = self._live(ticket_id), dict[str, Any]()
            self._admit(self.user(author), ticket)
            add, remove = read_tags(changes.pop("tags_add", ())), read_tags(changes.pop("tags_remove", ()))
            for name in ("status", "priority", "type", "subject"):
                if name in changes:
                    wish[name] = changes.pop(name)
            if wish.get("status") is not None:
                wish = {**self._status(wish.pop("status")), **wish}
            if "assignee" in changes:
                email = changes.pop("assignee")
                wish["assignee_id"] = None if email is None else self.user(email).id
            if "group" in changes:
                name = changes.pop("group")
                wish["group_id"] = None if name is None else self._group(name)
            if "problem" in changes:
                wish["problem_id"] = changes.pop("problem")
            wish["custom"] = self._values(changes.pop("fields", {}))
            if changes:
                raise TypeError(f"edit() does not know {', '.join(changes)}")
            self.desk.update(self.user(author), ticket, wish, add_tags=add, remove_tags=remove)

    def rate(self, ticket_id: int, *, score: str, comment: str | None = None) -> None:
        """The requester says good or bad of a ticket that was solved, perhaps with a word why."""
        with self.core.lock:
            ticket = self._live(ticket_id)
            self.desk.rate(self.account.users[ticket.requester_id], ticket, score, comment)

    def redact(self, ticket_id: int, text: str) -> None:
        """Somebody blacks out a text in all comments of a ticket, for good (vendor-facts §1.7, memory)."""
        with self.core.lock:
            endings.redact(self.desk, self._live(ticket_id), text)

    def sees(self, email: str, ticket_id: int) -> bool:
        """Can an agent open a ticket? Not one of a private group that they are no member of."""
        with self.core.lock:
            return may_see(self.account, self.switches, self.user(email), self._filed(ticket_id))

    def merge(self, target_id: int, source_ids: list[int], *, author: str, comment: str | None = None) -> None:
        """An agent closes tickets into another one."""
        with self.core.lock:
            sources = [self._live(id) for id in source_ids]
            endings.merge(self.desk, self.user(author), self._live(target_id), sources, target_comment=comment)

    def delete(self, ticket_id: int, *, author: str) -> None:
        """An agent deletes a ticket."""
        with self.core.lock:
            endings.delete(self.desk, self.user(author), self._live(ticket_id))

    def restore(self, ticket_id: int, *, author: str) -> None:
        """An agent takes a ticket out of the bin."""
        with self.core.lock:
            endings.restore(self.desk, self.user(author), self._filed(ticket_id))

    def mark_spam(self, ticket_id: int, *, author: str) -> None:
        """An agent marks a ticket as spam: it is deleted and its requester suspended."""
        with self.core.lock:
            endings.mark_spam(self.desk, self.user(author), self._live(ticket_id))

    def companies(self) -> list[str]:
        """The customers' names."""
        return sorted(one.name for one in self.account.organizations.values() if one.deleted_at is None)

    def company(self, name: str) -> Organization:
        """A customer by name."""
        id = self.account.names.get(name.lower())
        if id is None:
            raise LookupError(f"no company {name!r}; known are {', '.join(self.companies()[:5])}, …")
        return self.account.organizations[id]

    def change_plan(self, company: str, plan_key: str) -> None:
        """A customer changes to another plan: as billing would, on the organisation."""
        self.change_company(company, plan=plan_key)

    def change_company(self, company: str, **fields: Any) -> None:
        """Set fields of an organisation by key; options as in `file_ticket`."""
        with self.core.lock:
            one = self.company(company)
            for key, value in fields.items():
                field = self.account.organization_fields.get(key)
                if field is None:
                    raise LookupError(f"no organisation field {key!r}")
                one.fields = {**one.fields, key: keyed_option(field, value)}
            self.account.touch_organization(one)
            at = datetime.fromtimestamp(self.account.now(), UTC)
            record = f"zendesk:organization:{one.id}"
            self.core.journal.add("zendesk", "organization", record, at=at, actor="billing", name=one.name, **fields)

    def change_person(self, email: str, **fields: Any) -> None:
        """Set fields of somebody by key, as an admin does or a calendar that says who is away."""
        with self.core.lock:
            user = self.user(email)
            for key, value in fields.items():
                field = self.account.user_fields.get(key)
                if field is None:
                    raise LookupError(f"no user field {key!r}")
                user.fields = {**user.fields, key: keyed_option(field, value)}
            self.account.touch_user(user)

    def people(self, company: str | None = None) -> list[str]:
        """Customers' addresses, all or of one company."""
        id = None if company is None else self.company(company).id
        users = (user for user in self.account.users.values() if not user.staff and user.email)
        return [user.email for user in users if user.email and (id is None or user.organization_id == id)]

    def agents(self, group: str | None = None) -> list[str]:
        """Agents' addresses, all or of one group."""
        ids = None if group is None else self.account.members.get(self._group(group), set())
        return [user.email for user in self.account.users.values() if user.staff and user.email and _in(user, ids)]

    def user(self, email: str) -> User:
        """Somebody by address."""
        user = self.account.user_by_email(email)
        if user is None:
            raise LookupError(f"nobody has the address {email!r}")
        return user

    def writer(self, email: str, *, name: str | None = None) -> User:
        """Who writes from an address; a stranger becomes an end user, of the organisation that owns their domain."""
        known = self.account.user_by_email(email)
        if known is not None:
            return known
        now = self.account.now()
        called = name or email.partition("@")[0].replace(".", " ").title()
        stranger = User(self.account.new_id(), called, email.lower(), "end-user", now, now)
        stranger.organization_id = self.account.domains.get(email.lower().partition("@")[2])
        self.account.touch_user(stranger)
        return stranger

    def recover(self, held: Suspended) -> int:
        """A mail that was held back becomes a ticket after all; its id."""
        writer = self.writer(held.author_email, name=held.author_name)
        wish: Wish = {"requester_id": writer.id, "subject": held.subject, "form_id": self.default_form}
        ticket, _ = self.desk.create(writer, wish, Comment(writer.id, held.content, True), via=MAIL)
        del self.account.suspended[held.id]
        return ticket.id

    def _hold_back(self, writer: User, subject: str, body: str, recipient: str | None) -> None:
        held = Suspended(
            id=self.account.new_id(),
            author_name=writer.name,
            author_email=writer.email or "",
            subject=subject,
            content=body,
            cause="Sender is suspended",
            cause_id=8,
            recipient=recipient or self._address() or "",
            created_at=self.account.now(),
        )
        self.account.suspended[held.id] = held

    def _admit(self, writer: User, ticket: Ticket) -> None:
        if not may_see(self.account, self.switches, writer, ticket):
            raise LookupError(f"{writer.email} cannot see ticket {ticket.id}: it is in a private group")

    def _live(self, id: int) -> Ticket:
        ticket = self.account.live(id)
        if ticket is None:
            raise LookupError(f"there is no ticket {id}, or it is deleted")
        return ticket

    def _filed(self, id: int) -> Ticket:
        """A ticket, deleted or not."""
        if id not in self.account.tickets:
            raise LookupError(f"there is no ticket {id}")
        return self.account.tickets[id]

    def _group(self, name: str) -> int:
        group = self.account.group_named(name)
        if group is None:
            known = ", ".join(group.name for group in self.account.groups.values())
            raise LookupError(f"no group {name!r}; known are {known}")
        return group.id

    def _status(self, name: str) -> Wish:
        """What choosing a status by its name changes; a label of the account's own stands for its category, too."""
        known = self.account.statuses.values()
        chosen = next((one for one in known if one.label.casefold() == name.casefold() and not one.default), None)
        return {"status": name} if chosen is None else {"custom_status_id": chosen.id, "status": chosen.category}

    def _form(self, name: str | None) -> int:
        if name is None:
            return self.default_form
        form = next((form for form in self.account.forms.values() if form.name == name), None)
        if form is None:
            raise LookupError(f"no form {name!r}")
        return form.id

    def _values(self, fields: dict[str, Any]) -> dict[int, Any]:
        values = {}
        for name, value in fields.items():
            field = self.account.field_named(name)
            if field is None:
                raise LookupError(f"no ticket field {name!r}")
            values[field.id] = option(field, value)
        return values

    def _address(self) -> str | None:
        return self.account.addresses[0] if self.account.addresses else None


def option(field: Field, value: Any) -> Any:
    """A field's value from what a person would say: an option's name, tag or key (`P1` for `severity_p1`)."""
    if not field.options or value is None:
        kept, problem = read_value(field, value)
        if problem:
            raise LookupError(problem)
        return kept
    said = str(value).lower()
    for _, name, tag in field.options:
        if said in (name.lower(), tag, tag.removeprefix(f"{field.key}_")):
            return tag
    known = ", ".join(tag for _, _, tag in field.options)
    raise LookupError(f"{field.title}: no option {value!r}; known are {known}")


def keyed_option(field: Field, value: Any) -> Any:
    """As `option`, for the fields of organisations and users, whose numbers are numbers."""
    kept = option(field, value)
    return int(kept) if field.type == "integer" and kept is not None else kept


def _in(user: User, ids: set[int] | None) -> bool:
    return ids is None or user.id in ids
