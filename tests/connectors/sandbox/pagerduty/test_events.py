"""Events v2: taken is not applied; one key, one open alert; what is wrong is said field by field."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Rig


def test_an_accepted_event_shows_only_later(rig: Rig) -> None:
    """A 202 comes at once; the incident can be read some simulated seconds afterwards."""
    assert rig.send().json() == {"status": "success", "message": "Event processed", "dedup_key": "case-1"}
    assert rig.get("/incidents")["incidents"] == []
    rig.wait(2)
    [incident] = rig.get("/incidents")["incidents"]
    assert (incident["incident_key"], incident["status"], incident["urgency"]) == ("case-1", "triggered", "high")


def test_the_same_key_opens_one_incident_while_it_is_open(rig: Rig) -> None:
    """Sent three times, one incident and one page; after it is resolved the next trigger opens another."""
    for _ in range(3):
        first = rig.page()
    assert len(rig.get("/incidents")["incidents"]) == 1
    assert len(rig.sandbox.core.journal.rows(kind="page")) == 1
    rig.send("resolve")
    rig.wait(5)
    assert rig.again(first)["status"] == "resolved"
    assert rig.page()["id"] != first["id"]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_event_for_an_unknown_key_is_dropped_in_silence(rig: Rig, action: str) -> None:
    """202, and nothing happens: also for a key that is open under another routing key."""
    incident = rig.page()
    other = rig.sim.account.services[1].routing_key
    for changes in ({"dedup_key": "nobody"}, {"dedup_key": "case-1", "routing_key": other}):
        assert rig.send(action, **changes).status_code == 202
    rig.wait(5)
    assert rig.again(incident)["status"] == "triggered"


def test_acknowledging_by_event(rig: Rig) -> None:
    """An acknowledge event takes the incident in the integration's name; no user is named."""
    incident = rig.page()
    rig.send("acknowledge")
    rig.wait(5)
    now = rig.again(incident)
    assert (now["status"], now["acknowledgements"]) == ("acknowledged", [])


PAYLOAD = {"summary": "x", "source": "y", "severity": "critical"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"routing_key": None}, "routing_key"),
        ({"routing_key": "short"}, "routing_key"),
        ({"event_action": "shout"}, "event_action"),
        ({"event_action": "resolve", "dedup_key": None}, "dedup_key"),
        ({"dedup_key": "k" * 256}, "dedup_key"),
        ({"payload": None}, "payload"),
        ({"payload": {**PAYLOAD, "summary": " "}}, "payload.summary"),
        ({"payload": {**PAYLOAD, "summary": "s" * 1025}}, "payload.summary"),
        ({"payload": {**PAYLOAD, "source": None}}, "payload.source"),
        ({"payload": {**PAYLOAD, "severity": "fatal"}}, "payload.severity"),
        ({"payload": {**PAYLOAD, "timestamp": "yesterday"}}, "payload.timestamp"),
        ({"links": [{"text": "no address"}]}, "links"),
        ({"images": [{"alt": "no source"}]}, "images"),
    ],
)
def test_a_malformed_event_is_refused_with_its_field(rig: Rig, changes: dict[str, Any], complaint: str) -> None:
    """400 `invalid event`, naming what is wrong; nothing is opened."""
    answer = rig.send(**changes)
    body = answer.json()
    assert (answer.status_code, body["status"], body["message"]) == (400, "invalid event", "Event object is invalid")
    assert any(complaint in error for error in body["errors"])
    rig.wait(10)
    assert rig.get("/incidents")["incidents"] == []


def test_a_body_that_is_no_json_is_refused(rig: Rig) -> None:
    """So is text that cannot be read at all."""
    assert rig.call("POST", "/v2/enqueue", content=b"{").status_code == 400


def test_severity_decides_urgency(rig: Rig) -> None:
    """A warning is of low urgency, and low urgency never climbs."""
    rig.send(payload={**PAYLOAD, "severity": "warning"})
    rig.wait(3600)
    [incident] = rig.get("/incidents")["incidents"]
    assert incident["urgency"] == "low"
    assert len(rig.sandbox.core.journal.rows(kind="page")) == 1


def test_too_many_events_are_not_taken(rig: Rig) -> None:
    """The 121st within a minute on one key is a 429 and opens nothing; a minute later it is taken."""
    assert [rig.send(dedup_key=f"k{n}").status_code for n in range(121)] == [202] * 120 + [429]
    rig.wait(61)
    assert rig.get("/incidents", incident_key="k120")["incidents"] == []
    assert rig.send(dedup_key="k120").status_code == 202


def test_an_unknown_routing_key_can_be_taken_or_refused(rig: Rig) -> None:
    """Which of the two PagerDuty does is not confirmed, so the sandbox can do both; it opens nothing either way."""
    assert rig.send(routing_key="0" * 32).status_code == 202
    rig.sandbox.core.switches.turn({"unknown_key_accepted": False})
    assert rig.send(routing_key="0" * 32).status_code == 400
    rig.wait(5)
    assert rig.get("/incidents")["incidents"] == []


def test_no_incident_during_maintenance(rig: Rig) -> None:
    """While a window is open, triggers are taken and open nothing."""
    service = rig.get("/services", query="support")["services"][0]
    window = {
        "type": "maintenance_window",
        "start_time": "2026-03-03T14:00:00Z",
        "end_time": "2026-03-03T16:00:00Z",
        "services": [{"id": service["id"], "type": "service_reference"}],
    }
    made = rig.call("POST", "/maintenance_windows", json={"maintenance_window": window}).json()["maintenance_window"]
    assert made["start_time"] == "2026-03-03T15:00:00Z"  # a start in the past is moved to now
    assert rig.send().status_code == 202
    rig.wait(5)
    assert rig.get("/incidents")["incidents"] == []
    assert rig.call("DELETE", f"/maintenance_windows/{made['id']}").status_code == 204
    assert rig.page()["status"] == "triggered"
    rig.wait(7200)
    assert rig.call("DELETE", f"/maintenance_windows/{made['id']}").status_code == 405


def test_a_disabled_service_drops_events(open_rig: Callable[..., Rig]) -> None:
    """Taken with 202, and never seen again."""
    rig = open_rig(pagerduty={"disabled": True})
    assert rig.send().status_code == 202
    rig.wait(60)
    assert rig.get("/incidents")["incidents"] == []
