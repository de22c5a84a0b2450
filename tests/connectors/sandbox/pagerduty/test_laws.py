"""What holds in PagerDuty whatever anybody does in whatever order."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.server import Sandbox

from .conftest import WORLD

EVENTS = st.tuples(st.sampled_from(["trigger", "acknowledge", "resolve"]), st.sampled_from(["a", "b"]))
PEOPLE = st.tuples(st.sampled_from(["take", "end", "reopen"]), st.integers(1, 3))
WAITS = st.tuples(st.just("wait"), st.sampled_from([1, 5, 900, 1800, 20_000]))
DEEDS = st.lists(st.one_of(EVENTS, PEOPLE, WAITS), min_size=1, max_size=14)


def do(sandbox: Sandbox, sim: PagerDutySim, http: TestClient, deed: tuple[str, object]) -> None:
    """One deed: an event, a status set over REST, or time passing."""
    verb, what = deed
    if verb == "wait":
        assert isinstance(what, int)
        sandbox.advance(what)
    elif isinstance(what, str):
        payload = {"summary": "Down", "source": "test", "severity": "critical"}
        key = sim.account.services[0].routing_key
        event = {"routing_key": key, "event_action": verb, "dedup_key": what, "payload": payload}
        assert http.post("/v2/enqueue", json=event).status_code == 202
    else:
        status = {"take": "acknowledged", "end": "resolved", "reopen": "triggered"}[verb]
        env = sim.account
        headers = {"Authorization": f"Token token={env.token}", "From": env.requester.email}
        body = {"incident": {"type": "incident_reference", "status": status}}
        assert http.put(f"/incidents/{what}", json=body, headers=headers).status_code in (200, 400, 404)


@settings(max_examples=60)
@given(deeds=DEEDS)
def test_what_always_holds(deeds: list[tuple[str, object]]) -> None:
    """Open incidents are held by somebody and have timers, resolved ones by nobody and have none.

    A resolved incident has no open alert, an acknowledged one is not waiting to climb, logs run forward in time,
    and whoever is paged is on the policy.
    """
    sandbox = Sandbox(WORLD, only={"pagerduty"})
    sim = sandbox.vendors["pagerduty"]
    assert isinstance(sim, PagerDutySim)
    http = TestClient(sim.app)
    for deed in deeds:
        do(sandbox, sim, http, deed)
        for incident in sim.account.incidents.values():
            assert bool(incident.assignees) is incident.open
            assert ("resolve" in incident.pending) is incident.open
            assert (incident.resolved_at is None) is incident.open
            assert incident.open or all(alert.status == "resolved" for alert in incident.alerts)
            assert not (incident.status == "acknowledged" and "escalate" in incident.pending)
            assert [entry.at for entry in incident.log] == sorted(entry.at for entry in incident.log)
    emails = {user.email for user in sim.account.users}
    assert {row.detail["user"] for row in sandbox.core.journal.rows(kind="page")} <= emails


@settings(max_examples=40)
@given(deeds=st.lists(st.one_of(EVENTS, WAITS), min_size=1, max_size=14))
def test_one_open_incident_for_a_key(deeds: list[tuple[str, object]]) -> None:
    """However events are mixed, a key never has two open incidents."""
    sandbox = Sandbox(WORLD, only={"pagerduty"})
    sim = sandbox.vendors["pagerduty"]
    assert isinstance(sim, PagerDutySim)
    http = TestClient(sim.app)
    for deed in deeds:
        do(sandbox, sim, http, deed)
        open_keys = Counter(incident.key for incident in sim.account.incidents.values() if incident.open)
        assert all(count == 1 for count in open_keys.values())
