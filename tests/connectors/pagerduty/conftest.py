"""A simulated PagerDuty over real HTTP and our client for it; waiting moves the simulated clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.pagerduty.client import PagerDuty
from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.server import Sandbox
from mappings.model import Incident
from mappings.pagerduty import event, incident
from mappings.plan import PageResolve, PageTrigger

WORLD = {"profile": "builder", "now": "2026-03-03T15:00:00Z", "services": ["support-on-call", "billing-on-call"]}
SERVICE = "support-on-call"
KEY = "hf-zendesk:123-1772550000"


@dataclass
class Account:
    """The sandbox's account and our client of it."""

    sandbox: Sandbox
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets = dict(self.sim.environment())
        self.client = self.connect()

    @property
    def sim(self) -> PagerDutySim:
        """What people do in it."""
        sim = self.sandbox.vendors["pagerduty"]
        assert isinstance(sim, PagerDutySim)
        return sim

    def connect(self, **changes: Any) -> PagerDuty:
        """A client with the credentials of `secrets`."""
        clock = self.sandbox.core.clock
        told: dict[str, Any] = {"sender": self.secrets["PAGERDUTY_FROM"], **changes}
        return PagerDuty(
            self.secrets["PAGERDUTY_URL"],
            events_url=self.secrets["PAGERDUTY_EVENTS_URL"],
            token=lambda: self.secrets["PAGERDUTY_TOKEN"],
            sleep=self.wait,
            clock=lambda: clock.now().timestamp(),
            **told,
        )

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.waits.append(seconds)
        self.sandbox.advance(max(1, round(seconds)))

    def fault(self, **fault: Any) -> None:
        """Put one line of a fault script into force."""
        self.sandbox.core.faults.add(vendor="pagerduty", **fault)

    def trigger(self, key: str = KEY, **more: Any) -> str:
        """Page whoever is on call for support."""
        change = PageTrigger(dedup_key=key, service=SERVICE, summary="P1 is late", **more)
        return self.client.send(event(change, self.client.services()[SERVICE]))

    def resolve(self, key: str = KEY) -> str:
        """Close a page."""
        return self.client.send(event(PageResolve(dedup_key=key, service=SERVICE), self.client.services()[SERVICE]))

    def incident(self, key: str = KEY) -> Incident | None:
        """What became of a page, once it shows."""
        self.sandbox.advance(5)
        body = self.client.incident_by_key(key)
        return None if body is None else incident(body, key)


@pytest.fixture
def account() -> Iterator[Account]:
    """An account with two services and somebody on call."""
    with Sandbox(WORLD, seed=7, only=("pagerduty",)) as sandbox:
        made = Account(sandbox)
        yield made
        made.client.close()
