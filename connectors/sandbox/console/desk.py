"""What the console needs of the simulated tools, and nothing more: rows to show, and what people do by hand."""

from collections.abc import Sequence
from typing import Any, Protocol, TypedDict


class TicketRow(TypedDict):
    """One line of the ticket list. Names and titles instead of ids; times are ISO 8601 UTC texts."""

    id: int
    subject: str
    status: str
    priority: str | None
    requester: str
    company: str | None
    plan: str | None
    severity: str | None
    group: str | None
    assignee: str | None
    tags: list[str]
    fields: dict[str, str]
    """Title → text of every ticket field with a value; a dropdown shows its option's name."""
    created_at: str
    updated_at: str


class Remark(TypedDict):
    """One comment. `role` is customer, agent, rule or us (our service user); `update`: the place of its update."""

    at: str
    update: int
    author: str
    email: str | None
    role: str
    public: bool
    body: str


class Happening(TypedDict):
    """One change that was no comment, in words: `Severity: P2 → P1`."""

    at: str
    update: int
    author: str
    role: str
    what: str


class TicketPage(TicketRow):
    """A ticket with all that was said and done, oldest first."""

    comments: list[Remark]
    happenings: list[Happening]


class Desk(Protocol):
    """The Zendesk part as the console sees it."""

    def console_tickets(self) -> Sequence[TicketRow]:
        """All tickets, the newest change first."""
        ...

    def console_ticket(self, ticket_id: int) -> TicketPage:
        """One ticket; LookupError where there is none."""
        ...

    def people(self) -> Sequence[str]:
        """E-mail addresses of customers' people, who may file tickets."""
        ...

    def agents(self) -> Sequence[str]:
        """E-mail addresses of agents, who may reply."""
        ...


class Pager(Protocol):
    """The PagerDuty part as the console sees it."""

    def console_view(self) -> list[dict[str, Any]]:
        """All incidents, newest first."""
        ...

    def on_duty_now(self) -> list[dict[str, Any]]:
        """Who is on call at each level: level from 1, name, until (null: always)."""
        ...

    def acknowledge(self, incident: str, user: str | None = None) -> None:
        """Somebody takes an incident."""
        ...

    def resolve(self, incident: str, user: str | None = None) -> None:
        """Somebody ends an incident."""
        ...

    def note(self, incident: str, user: str | None, content: str) -> None:
        """Somebody writes a note on an incident."""
        ...


class Post(Protocol):
    """Slack or the mailbox as the console sees it."""

    def console_view(self) -> list[dict[str, Any]]:
        """Conversations with their messages, or mails: the newest first."""
        ...
