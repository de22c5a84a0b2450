"""An incident's life on simulated time: paging up the policy, acknowledgements that run out, auto-resolve."""

from collections.abc import Callable

import pytest

from .conftest import Rig


def paged(rig: Rig) -> list[str]:
    """Who was paged, in order, by first name."""
    rows = rig.sandbox.core.journal.rows(vendor="pagerduty", kind="page")
    return [row.detail["user"].split("@")[0] for row in rows]


def test_an_unanswered_page_climbs_and_repeats(rig: Rig) -> None:
    """After 15 minutes the backup is paged; the policy repeats twice and then stops asking."""
    incident = rig.page()
    first = paged(rig)[0]
    rig.wait(15 * 60)
    assert paged(rig) == [first, "wes"]
    assert rig.again(incident)["assignments"][0]["assignee"]["summary"] == "Wes Calloway"
    rig.wait(3 * 3600)
    assert paged(rig) == [first, "wes"] * 3


def test_an_acknowledgement_stops_climbing_until_it_runs_out(rig: Rig) -> None:
    """Acknowledged for 30 minutes, then triggered again: whoever acknowledged is notified first."""
    incident = rig.page()
    rig.sim.acknowledge(incident["id"], "ines@builder.example")
    now = rig.again(incident)
    assert now["status"] == "acknowledged"
    assert now["acknowledgements"][0]["acknowledger"]["summary"] == "Ines Duarte"
    assert [row["type"] for row in now["pending_actions"]] == ["unacknowledge", "resolve"]
    rig.wait(29 * 60)
    assert len(paged(rig)) == 1
    rig.wait(60)
    assert rig.again(incident)["status"] == "triggered"
    assert paged(rig)[1:] == ["ines"]


def test_acknowledging_again_renews(rig: Rig) -> None:
    """The old acknowledgement's timer no longer counts."""
    incident = rig.page()
    rig.put(incident, status="acknowledged")
    rig.wait(20 * 60)
    rig.put(incident, status="acknowledged")
    rig.wait(20 * 60)
    assert rig.again(incident)["status"] == "acknowledged"


def test_snoozing_outlasts_the_acknowledgement_timeout(rig: Rig) -> None:
    """A snooze of two hours holds for two hours, not for 30 minutes."""
    incident = rig.page()
    answer = rig.call("POST", f"/incidents/{incident['id']}/snooze", json={"duration": 7200})
    assert answer.status_code == 201
    rig.wait(7199)
    assert rig.again(incident)["status"] == "acknowledged"
    rig.wait(1)
    assert rig.again(incident)["status"] == "triggered"


@pytest.mark.parametrize(("timeout", "status"), [(14400, "resolved"), (None, "triggered")])
def test_auto_resolve(open_rig: Callable[..., Rig], timeout: int | None, status: str) -> None:
    """An incident that is left open resolves itself after the service's timeout; never where that is null."""
    rig = open_rig(pagerduty={"auto_resolve_timeout": timeout})
    incident = rig.page()
    rig.wait(14400)
    now = rig.again(incident)
    assert now["status"] == status
    if status == "resolved":
        assert (now["assignments"], now["resolved_at"]) == ([], "2026-03-03T19:00:02Z")  # stamped when it was due


def test_resolving_an_incident_resolves_its_alerts(rig: Rig) -> None:
    """And the alert's key is free again."""
    incident = rig.page()
    rig.put(incident, status="resolved", resolution="Restarted it")
    [alert] = rig.get(f"/incidents/{incident['id']}/alerts")["alerts"]
    assert (alert["status"], alert["alert_key"]) == ("resolved", "case-1")
    assert rig.get(f"/incidents/{incident['id']}/notes")["notes"][0]["content"] == "Restarted it"


def test_on_call_turns_change_on_mondays(rig: Rig) -> None:
    """/oncalls names the same person that gets paged, with the turn's start and end; the backup has none."""
    rows = rig.get("/oncalls")["oncalls"]
    assert [row["escalation_level"] for row in rows] == [1, 2]
    incident = rig.page()
    assert incident["assignments"][0]["assignee"]["id"] == rows[0]["user"]["id"]
    assert (rows[0]["start"], rows[0]["end"]) == ("2026-03-02T15:00:00Z", "2026-03-09T15:00:00Z")
    assert (rows[1]["start"], rows[1]["end"]) == (None, None)
    later = rig.get("/oncalls", since="2026-03-10T00:00:00Z", until="2026-03-10T01:00:00Z")["oncalls"]
    assert later[0]["user"]["id"] != rows[0]["user"]["id"]
