"""A small simulated account, served over real HTTP, with a clock that stands still."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connectors.sandbox.server import Sandbox
from connectors.sandbox.zendesk import ZendeskSim

WORLD: dict[str, Any] = {
    "profile": "builder",
    "name": "Builder platform",
    "zone": "America/Chicago",
    "now": "2026-03-03T15:00:00Z",
    "hours": {"mon-fri": "08:00-18:00"},
    "plans": [{"key": "starter", "name": "Free/Starter"}, {"key": "business", "name": "Business"}],
    "severities": [{"key": "P1", "name": "System down"}, {"key": "P2", "name": "Broken"}],
    "kinds": [{"key": "question", "group": "Support"}, {"key": "bug", "group": "Support"}],
    "modules": [{"key": "estimating", "name": "Estimating"}],
    "roles": ["owner", "field"],
    "sources": ["portal", "email"],
    "groups": ["Support", "Technical", "Management"],
    "tiers": [{"level": 1, "group": "Support"}, {"level": 2, "group": "Technical"}],
    "ticket_fields": [
        {
            "key": "severity",
            "title": "Severity",
            "type": "tagger",
            "options": [
                {"name": "P1 · System down", "value": "severity_p1"},
                {"name": "P2 · Broken", "value": "severity_p2"},
            ],
        },
        {"key": "affected_users", "title": "Affected users", "type": "integer"},
        {"key": "sla_due", "title": "SLA due", "type": "text"},
    ],
    "organization_fields": [
        {
            "key": "plan",
            "title": "Plan",
            "type": "dropdown",
            "options": [
                {"name": "Free/Starter", "value": "plan_starter"},
                {"name": "Business", "value": "plan_business"},
            ],
        },
        {"key": "vip", "title": "VIP", "type": "checkbox"},
        {"key": "warnings", "title": "Warnings", "type": "integer"},
    ],
    "user_fields": [
        {
            "key": "role",
            "title": "Role",
            "type": "dropdown",
            "options": [{"name": "Owner", "value": "role_owner"}, {"name": "Field", "value": "role_field"}],
        }
    ],
    "custom_statuses": [{"category": "open", "label": "In progress"}],
    "forms": [{"name": "Support request", "group": "Support"}],
    "addresses": ["support@platform.example"],
    "size": {"companies": 4, "people": 8, "agents": 8, "tickets": 40, "weeks": 3},
}


class Api:
    """A client of the account: answers as they come, nothing retried."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sim = sandbox.vendors["zendesk"]
        assert isinstance(sim, ZendeskSim)
        self.sim = sim
        self.http = httpx.Client(base_url=f"{sandbox.urls['zendesk']}/api/v2", trust_env=False)
        self.http.headers["authorization"] = f"Bearer {self.token()}"

    def token(self, **changes: Any) -> str:
        """A fresh access token by client credentials."""
        return str(self.grant(grant_type="client_credentials", scope="read write", **changes).json()["access_token"])

    def grant(self, **body: Any) -> httpx.Response:
        """POST /oauth/tokens with the account's client."""
        client = {"client_id": self.sim.auth.client_id, "client_secret": self.sim.auth.client_secret}
        url = f"{self.sandbox.urls['zendesk']}/oauth/tokens"
        return httpx.post(url, json={**client, **body}, trust_env=False)

    def get(self, path: str, **query: Any) -> Any:
        """A GET that must succeed, decoded."""
        answer = self.http.get(path, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, body: Any, **query: Any) -> httpx.Response:
        """A PUT."""
        return self.http.put(path, json=body, params=query)

    def update(self, ticket_id: int, **ticket: Any) -> Any:
        """PUT /tickets/{id} that must succeed, decoded."""
        answer = self.put(f"/tickets/{ticket_id}", {"ticket": ticket})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def job(self, answer: httpx.Response) -> Any:
        """The finished job that an answer queued."""
        assert answer.status_code == 200, answer.text
        id = answer.json()["job_status"]["id"]
        self.sandbox.advance(5)
        return self.get(f"/job_statuses/{id}")["job_status"]

    def filed(self, **more: Any) -> int:
        """A new ticket from the first customer."""
        told: dict[str, Any] = {"requester": self.customer, "subject": "Help", "body": "It broke.", **more}
        return self.sim.file_ticket(**told)

    @property
    def customer(self) -> str:
        """The first customer's address."""
        return self.sim.people()[0]

    @property
    def agent(self) -> str:
        """Somebody in Support."""
        return self.sim.agents("Support")[-1]

    def field(self, key: str) -> int:
        """A ticket field's id."""
        field = self.sim.account.field_named(key)
        assert field is not None
        return field.id

    def events(self, ticket_id: int) -> list[Any]:
        """The events of a ticket's newest audit."""
        return list(self.get(f"/tickets/{ticket_id}/audits")["audits"][-1]["events"])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The running sandbox."""
    with Sandbox(WORLD, seed=7, only=("zendesk",)) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    """A client with an admin's token."""
    return Api(sandbox)
