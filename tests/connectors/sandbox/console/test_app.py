"""The console's JSON: the clock, faults, switches, the journal, and people at work."""

from typing import Any

import httpx
import pytest

from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.server import Sandbox

from .conftest import SmallDesk


def page_somebody(sandbox: Sandbox) -> str:
    """Trigger an event and hand back its incident's id."""
    sim = sandbox.vendors["pagerduty"]
    assert isinstance(sim, PagerDutySim)
    payload = {"summary": "P1 is late", "source": "us", "severity": "critical", "custom_details": {"ticket": 1}}
    event = {"routing_key": sim.account.services[0].routing_key, "event_action": "trigger", "dedup_key": "k"}
    httpx.post(sandbox.urls["pagerduty"] + "/v2/enqueue", json={**event, "payload": payload})
    sandbox.advance(5)
    return next(iter(sim.account.incidents))


@pytest.mark.parametrize(
    ("move", "now"),
    [
        ({"advance": 60}, "2026-03-03T15:01:00Z"),
        ({"set": "2026-03-03T16:00:00Z"}, "2026-03-03T16:00:00Z"),
        ({"set": "2026-03-03T12:00:00-06:00"}, "2026-03-03T18:00:00Z"),
        ({"to": "opening"}, "2026-03-04T14:00:00Z"),
    ],
)
def test_moving_the_clock(console: httpx.Client, move: dict[str, Any], now: str) -> None:
    """By seconds, to a time, or to the next opening of the office."""
    assert console.post("/clock", json=move).json() == {"now": now}
    assert console.get("/clock").json()["now"] == now


@pytest.mark.parametrize(
    "move", [{}, {"advance": -5}, {"set": "2026-03-03T16:00:00"}, {"set": "2020-01-01T00:00:00Z"}, []]
)
def test_a_move_that_makes_no_sense_is_explained(console: httpx.Client, move: Any) -> None:
    """400 with a sentence, and the clock stays."""
    answer = console.post("/clock", json=move)
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 20
    assert console.get("/clock").json()["now"] == "2026-03-03T15:00:00Z"


def test_faults_are_loaded_shown_and_ended(console: httpx.Client, sandbox: Sandbox) -> None:
    """A script strikes the tools, never the console itself."""
    console.post("/faults", json=[{"vendor": "*", "kind": "status", "status": 503}])
    assert httpx.get(sandbox.urls["pagerduty"] + "/abilities").status_code == 503
    assert console.get("/faults").json()["faults"][0]["used"] == 1
    assert console.post("/faults", json=[{"vendor": "*", "kind": "nap"}]).status_code == 400
    console.post("/faults", json=[])
    assert httpx.get(sandbox.urls["pagerduty"] + "/abilities").status_code == 401


def test_switches_are_turned_by_name(console: httpx.Client) -> None:
    """And refused when they do not exist."""
    assert console.post("/switches", json={"search_lag": 5}).json()["search_lag"] == 5.0
    assert "no such switch" in console.post("/switches", json={"speed": 1}).json()["error"]


def test_people_act_in_the_tools(console: httpx.Client, sandbox: Sandbox, desk: SmallDesk) -> None:
    """Acknowledge and resolve in PagerDuty, reply in the desk, each by name of its arguments."""
    incident = page_somebody(sandbox)
    assert console.post("/people/acknowledge", json={"incident": incident}).status_code == 201
    assert console.post("/people/resolve", json={"incident": incident}).status_code == 201
    again = console.post("/people/acknowledge", json={"incident": incident})
    assert (again.status_code, "already resolved" in again.json()["error"]) == (400, True)
    rows = console.get("/journal", params={"vendor": "pagerduty", "kind": "status"}).json()["journal"]
    assert [row["detail"]["new"] for row in rows] == ["acknowledged", "resolved"]
    console.post("/people/reply", json={"ticket_id": 1, "author": "ana@ruiz.example", "body": "Any news?"})
    assert desk.done == [(1, "ana@ruiz.example", "Any news?", True)]


@pytest.mark.parametrize(
    ("action", "given", "status", "says"),
    [
        ("dance", {}, 404, "known are file, reply"),
        ("merge", {}, 404, "no zendesk that can merge"),
        ("reply", {"ticket_id": 1}, 400, "author"),
        ("acknowledge", {"incident": "PNONE"}, 404, "no incident PNONE"),
    ],
)
def test_an_action_that_cannot_be_done_is_explained(
    console: httpx.Client, action: str, given: dict[str, Any], status: int, says: str
) -> None:
    """What is missing or unknown is named."""
    answer = console.post(f"/people/{action}", json=given)
    assert answer.status_code == status
    assert says in answer.json()["error"]


def test_the_latest_requests_can_be_read(console: httpx.Client, sandbox: Sandbox) -> None:
    """Newest first, with fields masked; the console's own are not among them."""
    page_somebody(sandbox)
    rows = console.get("/requests").json()["requests"]
    assert [(row["vendor"], row["path"], row["status"]) for row in rows] == [("pagerduty_events", "/v2/enqueue", 202)]
    assert set(rows[0]["request_json"]["routing_key"]) == {"*"}
