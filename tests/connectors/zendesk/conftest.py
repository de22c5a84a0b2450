"""A simulated account over real HTTP, our client for it, and the account as our mapping reads it.

Waiting moves the simulated clock, so that no test waits and the tool's request windows open as they would.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.sandbox.server import Sandbox
from connectors.sandbox.zendesk import ZendeskSim
from connectors.zendesk.client import Zendesk
from flows.sandbox_world import build_world
from mappings.model import Ticket, TicketEvent
from mappings.plan import TicketChange
from mappings.profile import Source, ToolTable, load_tools
from mappings.zendesk import JobResults, Page, Reading, build_reading, job_results, read_page, ticket_row
from tests.profiles import CONFIG, profile

SIZE = {"companies": 4, "people": 10, "agents": 8, "tickets": 30, "weeks": 3}


def tool_table() -> ToolTable:
    """The shipped tables of config/tools."""
    return load_tools([Source(path.name, path.read_text()) for path in sorted((CONFIG / "tools").glob("*.yaml"))])


@dataclass
class Account:
    """The sandbox's account and our client of it."""

    sandbox: Sandbox
    waits: list[float] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = dict(self.sim.environment())
        self.client = self.connect()

    @property
    def sim(self) -> ZendeskSim:
        """What people do in it, and its switches."""
        sim = self.sandbox.vendors["zendesk"]
        assert isinstance(sim, ZendeskSim)
        return sim

    def connect(self) -> Zendesk:
        """A client with the credentials of `secrets`."""

        def secret(name: str) -> SecretStr | None:
            return SecretStr(self.secrets[name]) if name in self.secrets else None

        clock = self.sandbox.core.clock
        return Zendesk(
            self.sandbox.urls["zendesk"], secret=secret, sleep=self.wait, clock=lambda: clock.now().timestamp()
        )

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.waits.append(seconds)
        self.sandbox.advance(max(1, round(seconds)))

    def reading(self) -> Reading:
        """The account as our mapping knows it."""
        client = self.client
        return build_reading(
            tool_table().zendesk,
            profile("builder"),
            ticket_fields=client.ticket_fields(),
            groups=client.groups(),
            agents=client.agents(),
            me=client.me(),
        )

    def fault(self, **fault: Any) -> None:
        """Put one line of a fault script into force."""
        self.sandbox.core.faults.add(vendor="zendesk", **fault)

    def filed(self, **more: Any) -> int:
        """A new ticket from the first customer."""
        told: dict[str, Any] = {"requester": self.customer, "subject": "Help", "body": "It broke.", **more}
        return self.sim.file_ticket(**told)

    def update(self, ticket_id: int, *changes: tuple[str, TicketChange], stamp: Any = None) -> JobResults:
        """Send changes as one row, safe against what changed since the ticket was read, and follow the job."""
        reading = self.reading()
        stamp = stamp or self.ticket(ticket_id).updated_at
        job = self.client.update_many([ticket_row(changes, reading, ticket_id=ticket_id, stamp=stamp)])
        return self.finished(job)

    def finished(self, job: str) -> JobResults:
        """A job's results, once it is over."""
        while not (told := job_results(self.client.job(job))).finished:
            self.sandbox.advance(1)
        return told

    def ticket(self, ticket_id: int) -> Ticket:
        """A ticket as our mapping reads it."""
        return self.page(self.client.tickets([ticket_id])).tickets[0]

    def audited(self, ticket_id: int) -> list[TicketEvent]:
        """A ticket's events, from its audits."""
        return [event for body in self.client.audits(ticket_id) for event in self.page(body).events]

    def exported(self, ticket_id: int, start: int = 0) -> list[TicketEvent]:
        """A ticket's events, from the export of all events."""
        found: list[TicketEvent] = []
        while (body := self.client.export_events(start)) is not None:
            page = self.page(body)
            found += [event for event in page.events if event.ticket_id == ticket_id]
            if page.end or page.cursor is None:
                break
            start = int(page.cursor)
        return found

    def page(self, body: bytes) -> Page:
        """A body, read."""
        return read_page(body, self.reading_once)

    @property
    def reading_once(self) -> Reading:
        """The account's names, asked once."""
        if not hasattr(self, "_reading"):
            self._reading = self.reading()
        return self._reading

    @property
    def customer(self) -> str:
        """The first customer's address."""
        return self.sim.people()[0]

    @property
    def agent(self) -> str:
        """Somebody in Support."""
        return self.sim.agents("Support")[-1]


@pytest.fixture
def account() -> Iterator[Account]:
    """A small account of the builder profile; its clock stands still between waits."""
    world = build_world(profile("builder"), size=SIZE)
    with Sandbox(world, seed=7, only=("zendesk",)) as sandbox:
        made = Account(sandbox)
        yield made
        made.client.close()
