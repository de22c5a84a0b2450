"""A PagerDuty of its own for each test, and a client that speaks to it as an integration would."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.server import Sandbox

WORLD = {"profile": "builder", "now": "2026-03-03T15:00:00Z", "services": ["support-on-call", "billing-on-call"]}


@dataclass
class Rig:
    """A running sandbox, its PagerDuty, and short ways to call it."""

    sandbox: Sandbox
    sim: PagerDutySim
    http: httpx.Client
    key: str
    answers: list[httpx.Response] = field(default_factory=list)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request with the account key and a valid From."""
        self.answers.append(self.http.request(method, path, **options))
        return self.answers[-1]

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """The JSON of a GET."""
        answer: dict[str, Any] = self.call("GET", path, params=params).json()
        return answer

    def send(self, action: str = "trigger", dedup_key: str = "case-1", **changes: Any) -> httpx.Response:
        """One event, well formed unless `changes` say otherwise."""
        payload = {"summary": "P1 is late", "source": "helpdesk-flows", "severity": "critical"}
        event = {"routing_key": self.key, "event_action": action, "dedup_key": dedup_key, "payload": payload}
        return self.call("POST", "/v2/enqueue", json={**event, **changes})

    def page(self, dedup_key: str = "case-1") -> dict[str, Any]:
        """Trigger, wait until it shows, and hand the incident back."""
        self.send(dedup_key=dedup_key)
        self.wait(5)
        incident: dict[str, Any] = self.get("/incidents", incident_key=dedup_key)["incidents"][-1]
        return incident

    def put(self, incident: dict[str, Any], **changes: Any) -> httpx.Response:
        """Change one incident."""
        body = {"incident": {"type": "incident_reference", **changes}}
        return self.call("PUT", f"/incidents/{incident['id']}", json=body)

    def wait(self, seconds: float) -> None:
        """Let simulated time pass, with all that it brings."""
        self.sandbox.core.advance(seconds)

    def again(self, incident: dict[str, Any]) -> dict[str, Any]:
        """The incident as it is now."""
        row: dict[str, Any] = self.get(f"/incidents/{incident['id']}")["incident"]
        return row


@pytest.fixture
def open_rig() -> Iterator[Callable[..., Rig]]:
    """Start PagerDuty over a world that a test may change; stops when the test ends."""
    opened: list[Sandbox] = []

    def start(*, record: Path | None = None, **world: Any) -> Rig:
        sandbox = Sandbox({**WORLD, **world}, only={"pagerduty"}, record=record).start()
        opened.append(sandbox)
        sim = sandbox.vendors["pagerduty"]
        assert isinstance(sim, PagerDutySim)
        env = sim.environment()
        headers = {
            "Authorization": f"Token token={env['PAGERDUTY_TOKEN']}",
            "Accept": "application/vnd.pagerduty+json;version=2",
            "Content-Type": "application/json",
            "From": env["PAGERDUTY_FROM"],
        }
        http = httpx.Client(base_url=env["PAGERDUTY_URL"], headers=headers, trust_env=False)
        return Rig(sandbox, sim, http, env["PAGERDUTY_EVENTS_KEY"])

    yield start
    for sandbox in opened:
        sandbox.stop()


@pytest.fixture
def rig(open_rig: Callable[..., Rig]) -> Rig:
    """PagerDuty over the ordinary world."""
    return open_rig()
