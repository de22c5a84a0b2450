"""Incidents over REST: who may write, what is refused with which code, and what a list leaves out."""

from typing import Any

import pytest

from .conftest import Rig


def new(rig: Rig, **changes: Any) -> dict[str, Any]:
    """The body of a POST /incidents."""
    service = rig.sim.account.services[0]
    incident = {"type": "incident", "title": "By hand", "service": {"id": service.id, "type": "service_reference"}}
    return {"incident": {**incident, **changes}}


@pytest.mark.parametrize(
    ("headers", "method", "path", "status", "code"),
    [
        ({"Authorization": "Token token=wrong"}, "GET", "/incidents", 401, 2006),
        ({"Authorization": ""}, "GET", "/abilities", 401, 2006),
        ({"From": ""}, "PUT", "/incidents", 400, 1008),
        ({"From": "stranger@elsewhere.example"}, "POST", "/incidents", 400, 1008),
        ({}, "GET", "/incidents/PNOBODY", 404, 2100),
        ({}, "GET", "/users/me", 400, 2001),
        ({}, "GET", "/incidents?offset=9990", 400, 2001),
        ({}, "GET", "/incidents?since=2025-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", 400, 2005),
        ({}, "GET", "/no/such/path", 404, 2100),
    ],
)
def test_refusals(rig: Rig, headers: dict[str, str], method: str, path: str, status: int, code: int) -> None:
    """Every refusal has PagerDuty's status, code and shape."""
    answer = rig.call(method, path, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_read_only_key_cannot_write(rig: Rig) -> None:
    """403 with code 2010."""
    headers = {"Authorization": f"Token token={rig.sim.account.read_only_token}"}
    assert rig.call("GET", "/incidents", headers=headers).status_code == 200
    answer = rig.call("POST", "/incidents", headers=headers, json=new(rig))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 2010)


def test_a_user_key_needs_no_from(rig: Rig) -> None:
    """It acts as its user, whom /users/me names."""
    headers = {"Authorization": f"Token token={rig.sim.account.user_token}", "From": ""}
    assert rig.call("GET", "/users/me", headers=headers).json()["user"]["email"] == rig.sim.account.users[0].email
    assert rig.call("POST", "/incidents", headers=headers, json=new(rig)).status_code == 201


def test_an_open_twin_is_refused(rig: Rig) -> None:
    """The same incident_key twice: 400 with code 2002, however the first one came to be; free again when resolved."""
    incident = rig.page("case-9")
    answer = rig.call("POST", "/incidents", json=new(rig, incident_key="case-9"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2002)
    assert "matching dedup key" in answer.json()["error"]["errors"][0]
    rig.put(incident, status="resolved")
    assert rig.call("POST", "/incidents", json=new(rig, incident_key="case-9")).status_code == 201


def test_creating_says_all_that_is_wrong(rig: Rig) -> None:
    """One answer lists every error."""
    body = new(rig, title=" ", service={"id": "PNOTHING"}, urgency="extreme", priority={"id": "PNOTHING"})
    errors = rig.call("POST", "/incidents", json=body).json()["error"]["errors"]
    assert errors == [
        "Title cannot be empty",
        "Service must exist",
        "Urgency must be high or low",
        "Priority not found",
    ]


def test_only_the_last_month_is_listed(rig: Rig) -> None:
    """A list leaves out what was created more than a month ago, even if it changed today; `date_range=all` has it."""
    old = rig.page("old")
    rig.wait(40 * 86400)
    fresh = rig.page("fresh")
    rig.put(fresh, status="resolved")

    def keys(**params: Any) -> list[str]:
        return [row["incident_key"] for row in rig.get("/incidents", **params)["incidents"]]

    assert keys() == ["fresh"]
    assert keys(date_range="all") == ["old", "fresh"]
    assert keys(since="2026-03-01T00:00:00Z", until="2026-03-10T00:00:00Z") == ["old"]
    assert keys(date_range="all", **{"statuses[]": "resolved"}) == ["old", "fresh"]  # by the auto-resolve timeout
    assert rig.again(old)["status"] == "resolved"


def test_old_incidents_show_their_changes_in_the_log(rig: Rig) -> None:
    """There is no `updated_since`: only /log_entries tells that an old incident was touched now; newest first."""
    old = rig.page("old")
    rig.wait(40 * 86400)
    since = rig.sandbox.core.clock.now().isoformat()
    rig.put(old, status="triggered")
    entries = rig.get("/log_entries", since=since)["log_entries"]
    assert {entry["incident"]["id"] for entry in entries} == {old["id"]}
    assert [entry["type"] for entry in entries] == ["notify_log_entry", "assign_log_entry", "trigger_log_entry"]


def test_pages(rig: Rig) -> None:
    """Lists go by limit, offset and `more`; `total` is null unless asked for; 100 rows at most."""
    for number in range(5):
        rig.call("POST", "/incidents", json=new(rig, incident_key=f"k{number}"))
    first = rig.get("/incidents", limit=2)
    assert (len(first["incidents"]), first["more"], first["total"]) == (2, True, None)
    last = rig.get("/incidents", limit=2, offset=4, total="true")
    assert (len(last["incidents"]), last["more"], last["total"]) == (1, False, 5)
    assert rig.get("/incidents", limit=1000)["limit"] == 100


def test_sorting(rig: Rig) -> None:
    """`sort_by` takes two fields, each with a direction."""
    for number in range(3):
        rig.call("POST", "/incidents", json=new(rig, urgency="low" if number == 1 else "high"))
    rows = rig.get("/incidents", sort_by="urgency:asc,incident_number:desc")["incidents"]
    assert [row["incident_number"] for row in rows] == [2, 3, 1]


def test_changing_many_is_all_or_nothing(rig: Rig) -> None:
    """One impossible change refuses the whole request; more than 250 are too many."""
    first, second = rig.page("a"), rig.page("b")
    rig.put(second, status="resolved")
    rows = [{"id": i["id"], "type": "incident_reference", "status": "acknowledged"} for i in (first, second)]
    answer = rig.call("PUT", "/incidents", json={"incidents": rows})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1001)
    assert rig.again(first)["status"] == "triggered"
    assert (
        rig.call("PUT", "/incidents", json={"incidents": rows[:1]}).json()["incidents"][0]["status"] == "acknowledged"
    )
    assert rig.call("PUT", "/incidents", json={"incidents": rows[:1] * 251}).status_code == 413


def test_acknowledging_what_is_resolved_errs_or_reopens(rig: Rig) -> None:
    """Both readings are documented; a switch chooses. `triggered` reopens in any case."""
    incident = rig.page()
    rig.put(incident, status="resolved")
    assert rig.put(incident, status="acknowledged").json()["error"]["code"] == 1001
    rig.sandbox.core.switches.turn({"repeat_status_reopens": True})
    assert rig.put(incident, status="acknowledged").json()["incident"]["status"] == "acknowledged"
    rig.put(incident, status="resolved")
    assert rig.put(incident, status="triggered").json()["incident"]["status"] == "triggered"


def test_notes_are_kept_in_the_requesters_name(rig: Rig) -> None:
    """A note shows who wrote it, is logged, and may not be empty."""
    incident = rig.page()
    path = f"/incidents/{incident['id']}/notes"
    assert rig.call("POST", path, json={"note": {"content": " "}}).status_code == 400
    note = rig.call("POST", path, json={"note": {"content": "Working on it"}}).json()["note"]
    assert note["user"]["summary"] == "Helpdesk Flows"
    assert [row["content"] for row in rig.get(path)["notes"]] == ["Working on it"]
    assert rig.get(f"/incidents/{incident['id']}/log_entries")["log_entries"][0]["type"] == "annotate_log_entry"


def test_embedded_objects_are_references_unless_included(rig: Rig) -> None:
    """`include[]` turns a reference into the whole object."""
    incident = rig.page()
    assert incident["service"]["type"] == "service_reference"
    row = rig.get(f"/incidents/{incident['id']}", **{"include[]": ["services", "assignees"]})["incident"]
    assert row["service"]["type"] == "service"
    assert "@" in row["assignments"][0]["assignee"]["email"]
    service = rig.get("/services", **{"include[]": "integrations"})["services"][-1]
    assert service["integrations"][0]["integration_key"] == rig.key


def test_merging_moves_alerts_and_resolves_the_source(rig: Rig) -> None:
    """The source says which incident it went into."""
    target, source = rig.page("a"), rig.page("b")
    body = {"source_incidents": [{"id": source["id"], "type": "incident_reference"}]}
    rig.call("PUT", f"/incidents/{target['id']}/merge", json=body)
    assert rig.again(target)["alert_counts"]["all"] == 2
    assert rig.again(source)["resolve_reason"]["incident"]["id"] == target["id"]


def test_a_missing_ability_is_a_402(rig: Rig) -> None:
    """An account without priorities answers 402 with code 2014 and does not list the ability."""
    rig.sandbox.core.switches.turn({"missing_abilities": ["priorities"]})
    answer = rig.call("GET", "/priorities")
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, 2014)
    assert "priorities" not in rig.get("/abilities")["abilities"]


def test_the_budget_is_announced_and_kept(rig: Rig) -> None:
    """960 calls a minute, counted in headers; then 429 with code 2020 and no Retry-After."""
    rig.sim.gate.limit.limit = 3
    answers = [rig.call("GET", "/abilities") for _ in range(4)]
    assert [a.headers["ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert (answers[3].status_code, answers[3].json()["error"]["code"]) == (429, 2020)
    assert "retry-after" not in answers[3].headers
    rig.wait(int(answers[3].headers["ratelimit-reset"]))
    assert rig.call("GET", "/abilities").status_code == 200
