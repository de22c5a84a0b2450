"""A console over a small sandbox: PagerDuty for real, and a desk with two tickets in place of Zendesk."""

from collections.abc import Iterator

import httpx
import pytest

from connectors.sandbox.console.desk import TicketPage, TicketRow
from connectors.sandbox.server import Sandbox

WORLD = {
    "profile": "builder",
    "name": "Builder platform",
    "now": "2026-03-03T15:00:00Z",
    "zone": "America/Chicago",
    "hours": {"mon-fri": "08:00-18:00"},
}


def row(id: int, **changes: object) -> TicketRow:
    """A ticket as the desk lists it."""
    base = {
        "id": id,
        "subject": "Cannot open <estimates>",
        "status": "open",
        "priority": "high",
        "requester": "Ana Ruiz",
        "company": "Ruiz Build",
        "plan": "Business",
        "severity": "P2 · Major feature broken",
        "group": "Support",
        "assignee": None,
        "tags": ["severity_p2"],
        "fields": {"SLA due": "2026-03-03T14:30:00Z", "Support tier": "1 · Help and chat", "Module": "Estimating"},
        "created_at": "2026-03-03T10:00:00Z",
        "updated_at": "2026-03-03T14:00:00Z",
    }
    return {**base, **changes}  # type: ignore[typeddict-item, return-value]


class SmallDesk:
    """Two tickets, and a note of what people did."""

    name = "zendesk"

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []

    def console_tickets(self) -> list[TicketRow]:
        """Both tickets."""
        return [row(1), row(2, subject="How do I export?", status="solved", plan="Enterprise", tags=["severity_p4"])]

    def console_ticket(self, ticket_id: int) -> TicketPage:
        """The first ticket with a conversation."""
        if ticket_id != 1:
            raise LookupError(f"no ticket {ticket_id}")
        ana = {
            "at": "2026-03-03T10:00:00Z",
            "update": 0,
            "author": "Ana Ruiz",
            "email": "ana@ruiz.example",
            "role": "customer",
        }
        us = {
            "at": "2026-03-03T14:30:00Z",
            "update": 1,
            "author": "Helpdesk Flows",
            "email": "flows@x.example",
            "role": "us",
        }
        moved = {
            "at": "2026-03-03T14:30:00Z",
            "update": 1,
            "author": "Helpdesk Flows",
            "role": "us",
            "what": "Group: Support → Technical",
        }
        comments = [{**ana, "public": True, "body": "It is blank."}, {**us, "public": False, "body": "Was due 08:30."}]
        return {**row(1), "comments": comments, "happenings": [moved]}  # type: ignore[typeddict-item]

    def people(self) -> list[str]:
        """One customer."""
        return ["ana@ruiz.example"]

    def agents(self) -> list[str]:
        """One agent."""
        return ["dana@x.example"]

    def reply(self, ticket_id: int, *, author: str, body: str, public: bool = True) -> None:
        """Somebody writes."""
        self.done.append((ticket_id, author, body, public))


@pytest.fixture
def desk() -> SmallDesk:
    """The desk behind the console."""
    return SmallDesk()


@pytest.fixture
def sandbox(desk: SmallDesk) -> Iterator[Sandbox]:
    """A running sandbox whose console also sees the desk."""
    with Sandbox(WORLD, only={"pagerduty"}, beside={"zendesk": desk}) as made:
        yield made


@pytest.fixture
def console(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client of the console."""
    with httpx.Client(base_url=sandbox.urls["console"], trust_env=False) as client:
        yield client
