"""Bulk work: jobs that take time, rows that fail inside a job that succeeds, results in no order."""

from typing import Any

import pytest

from tests.connectors.sandbox.zendesk.conftest import Api


def test_a_job_is_queued_working_and_completed(api: Api) -> None:
    """Nothing is changed while the job is queued; `working` is seen before `completed`."""
    first, second = api.filed(), api.filed()
    rows = [{"id": id, "priority": "high"} for id in (first, second)]
    queued = api.put("/tickets/update_many", {"tickets": rows}).json()["job_status"]
    assert (queued["status"], queued["total"], queued["results"]) == ("queued", 2, None)
    assert api.get(f"/tickets/{first}")["ticket"]["priority"] is None
    path = f"/job_statuses/{queued['id']}"
    working = api.get(path)["job_status"]
    assert (working["status"], working["progress"], working["message"]) == ("working", 1, "Updating ticket #1")
    done = api.get(path)["job_status"]
    assert (done["status"], done["message"]) == ("completed", "Completed at 2026-03-03 15:00:00 +0000")
    assert api.get("/job_statuses/show_many", ids=queued["id"])["job_statuses"] == [done]


def test_a_job_goes_on_without_being_looked_at(api: Api) -> None:
    """The clock alone finishes a job; a day later nobody can ask for it any more."""
    ticket = api.filed()
    job = api.put("/tickets/update_many", {"tickets": [{"id": ticket, "priority": "high"}]}).json()["job_status"]
    api.sandbox.advance(2)
    assert api.get(f"/tickets/{ticket}")["ticket"]["priority"] == "high"
    api.sandbox.advance(86_400)
    api.http.headers["authorization"] = f"Bearer {api.token()}"
    assert api.http.get(f"/job_statuses/{job['id']}").status_code == 404


def test_rows_fail_one_by_one(api: Api) -> None:
    """A closed ticket, a lost race and an unknown id fail; the rest is done; the job says `completed`."""
    good, closed, raced = api.filed(), api.filed(), api.filed()
    api.sim.reply(closed, author=api.agent, body="Done.", status="solved")
    api.update(closed, status="closed")
    stamp = api.get(f"/tickets/{raced}")["ticket"]["updated_at"]
    api.sandbox.advance(5)
    api.sim.edit(raced, author=api.agent, priority="low")
    safe = {"safe_update": True, "updated_stamp": stamp}
    rows = [
        {"id": good, "additional_tags": ["done"], **safe},
        {"id": closed, "additional_tags": ["done"]},
        {"id": raced, "additional_tags": ["done"], **safe},
        {"id": 999999, "additional_tags": ["done"]},
    ]
    job = api.job(api.put("/tickets/update_many", {"tickets": rows}))
    found = {row["id"]: row for row in job["results"]}
    assert job["status"] == "completed"
    assert found[good] == {"action": "update", "id": good, "status": "Updated", "success": True}
    assert found[closed]["error"] == "TicketUpdateFailed"
    assert found[closed]["details"] == "Status: closed prevents ticket update"
    assert found[raced]["error"] == "UpdateConflict"
    assert "success" not in found[raced]
    assert found[999999]["error"] == "TicketNotFound"
    assert api.get(f"/tickets/{good}/tags")["tags"] == ["done"]
    assert api.get(f"/tickets/{raced}/tags")["tags"] == []


def test_failed_rows_two_ways(api: Api) -> None:
    """Recorded rows have no `success` when they fail; the vendor describes one that is false."""
    api.sim.switches.turn({"failed_rows_as_described": True})
    job = api.job(api.put("/tickets/update_many", {"tickets": [{"id": 999999, "priority": "low"}]}))
    assert (job["results"][0]["success"], job["results"][0]["error"]) == (False, "TicketNotFound")


def test_a_job_can_break_down(api: Api) -> None:
    """A failed job has no results: the rows it had done stay done, and nobody says which."""
    api.sim.switches.turn({"job_breaks_at": 2})
    first, second = api.filed(), api.filed()
    rows = [{"id": id, "priority": "high"} for id in (first, second)]
    job = api.job(api.put("/tickets/update_many", {"tickets": rows}))
    assert (job["status"], job["results"], job["message"]) == ("failed", None, None)
    assert [api.get(f"/tickets/{id}")["ticket"]["priority"] for id in (first, second)] == ["high", None]


def test_results_have_no_order(api: Api) -> None:
    """With enough rows the results come in another order than was asked."""
    ids = [api.filed() for _ in range(12)]
    job = api.job(api.put("/tickets/update_many", {"tickets": [{"id": id, "priority": "low"} for id in ids]}))
    assert sorted(row["id"] for row in job["results"]) == ids
    assert [row["id"] for row in job["results"]] != ids


def test_the_ids_form_is_always_safe(api: Api) -> None:
    """One change for many ids; a ticket that changed while the job was queued is left alone."""
    first, second = api.filed(), api.filed()
    answer = api.put("/tickets/update_many", {"ticket": {"additional_tags": ["x"]}}, ids=f"{first},{second}")
    api.sandbox.advance(1)
    api.sim.edit(second, author=api.agent, priority="low")
    found = {row["id"]: row for row in api.job(answer)["results"]}
    assert found[first]["success"] is True
    assert found[second]["error"] == "UpdateConflict"


@pytest.mark.parametrize("kept", [True, False])
def test_bulk_metadata_both_ways(api: Api, kept: bool) -> None:
    """Whether bulk updates keep `metadata` is not confirmed: a switch says."""
    api.sandbox.core.switches.bulk_keeps_metadata = kept
    ticket = api.filed()
    row = {"id": ticket, "comment": {"body": "n\nref hf-1", "public": False}, "metadata": {"hf": "1"}}
    api.job(api.put("/tickets/update_many", {"tickets": [row]}))
    audit = api.get(f"/tickets/{ticket}/audits")["audits"][-1]
    assert audit["metadata"]["custom"] == ({"hf": "1"} if kept else {})
    assert audit["events"][0]["body"].endswith("ref hf-1")


def test_too_many(api: Api) -> None:
    """101 rows are refused at once; a 31st job on the way is a 429 that names the others."""
    rows = [{"id": 1, "priority": "low"}] * 101
    refused = api.put("/tickets/update_many", {"tickets": rows})
    assert (refused.status_code, refused.json()["error"], refused.json()["max_count"]) == (400, "TooManyValues", 100)
    for _ in range(30):
        assert api.put("/tickets/update_many", {"tickets": rows[:1]}).status_code == 200
    refused = api.put("/tickets/update_many", {"tickets": rows[:1]})
    assert (refused.status_code, refused.json()["error"]) == (429, "TooManyJobs")
    assert len(refused.json()["current_job_ids"]) == 30


def test_create_many(api: Api) -> None:
    """Creating fails row by row too, and tells the index."""
    rows: list[Any] = [{"subject": "a", "comment": {"body": "a"}}, {"subject": "empty"}]
    found = api.job(api.http.post("/tickets/create_many", json={"tickets": rows}))["results"]
    by_index = {row["index"]: row for row in found}
    assert by_index[0]["account_id"] == api.sim.account.id
    assert by_index[1]["error"] == "TicketCreateFailed"


def test_bulk_deletion(api: Api) -> None:
    """`destroy_many` puts tickets into the bin, `mark_many_as_spam` suspends their requesters as well."""
    first, second = api.filed(), api.filed(requester=api.sim.people()[1])
    api.job(api.http.delete("/tickets/destroy_many", params={"ids": first}))
    api.job(api.put("/tickets/mark_many_as_spam", {}, ids=second))
    assert {first, second} <= {row["id"] for row in api.get("/deleted_tickets")["deleted_tickets"]}
    assert api.sim.user(api.sim.people()[1]).suspended
