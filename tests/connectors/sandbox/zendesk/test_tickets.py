"""Tickets over the API: lists, pages, updates, tags, custom fields, comments, idempotency."""

from typing import Any

import pytest

from tests.connectors.sandbox.zendesk.conftest import Api


def pages(api: Api, path: str, name: str, **query: Any) -> list[Any]:
    """All rows of a cursor list, followed by its links."""
    rows: list[Any] = []
    page = api.get(path, **query)
    while True:
        rows += page[name]
        if not page["meta"]["has_more"]:
            return rows
        page = api.get(page["links"]["next"])


@pytest.mark.parametrize("sort", ["id", "-id", "updated_at", "-updated_at", "status", "-status"])
def test_cursor_lists_hold_every_ticket_once(api: Api, sort: str) -> None:
    """Following `links.next` yields every live ticket exactly once, in order."""
    rows = pages(api, "/tickets.json", "tickets", **{"page[size]": 7, "sort": sort})
    assert sorted(row["id"] for row in rows) == [ticket.id for ticket in api.sim.account.live_after(0)]
    if sort != "status" and sort != "-status":
        key = sort.removeprefix("-")
        assert rows == sorted(rows, key=lambda row: (row[key], row["id"]), reverse=sort.startswith("-"))


def test_cursors_go_back(api: Api) -> None:
    """`links.prev` of the second page is the first page."""
    first = api.get("/tickets", **{"page[size]": 5})
    second = api.get(first["links"]["next"])
    assert api.get(second["links"]["prev"])["tickets"] == first["tickets"]
    assert first["links"]["prev"] is None


def test_offset_lists_repeat_what_moved(api: Api) -> None:
    """Between two offset pages a new ticket moves all rows down by one, and the seam's row comes twice."""
    query = {"per_page": 5, "sort_by": "updated_at", "sort_order": "desc"}
    first = api.get("/tickets", **query)
    api.filed()
    second = api.get(first["next_page"])
    assert second["previous_page"]
    assert second["tickets"][0] == first["tickets"][-1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"page": 101, "per_page": 100}, "InvalidPaginationDepth"),
        ({"page[size]": 5, "sort": "created_at"}, "InvalidPaginationParameter"),
        ({"page[size]": 101}, "InvalidPaginationParameter"),
        ({"page[after]": "nonsense"}, "InvalidPaginationParameter"),
    ],
)
def test_bad_paging(api: Api, query: dict[str, Any], code: str) -> None:
    """Pages too deep and parameters that are none are 400, in the list-of-errors shape."""
    answer = api.http.get("/tickets", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_sort_by_is_ignored_with_cursors(api: Api) -> None:
    """Mixing the two worlds answers 200 with the wrong order, without a word."""
    rows = api.get("/tickets", **{"page[size]": 5, "sort_by": "created_at", "sort_order": "desc"})["tickets"]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


def test_show_many_leaves_out_what_is_unknown(api: Api) -> None:
    """At most 100 ids; unknown and deleted ones are missing without a word."""
    mine = api.filed()
    page = api.get("/tickets/show_many", ids=f"{mine},999999", include="users,organizations,groups")
    assert [row["id"] for row in page["tickets"]] == [mine]
    assert page["users"]
    assert page["organizations"]
    assert page["groups"]
    too_many = api.http.get("/tickets/show_many", params={"ids": ",".join(map(str, range(101)))})
    assert (too_many.status_code, too_many.json()["max_count"]) == (400, 100)


def test_unknown_keys_are_ignored_with_a_warning(api: Api) -> None:
    """A key that no ticket has changes nothing and is named in a header."""
    answer = api.put(f"/tickets/{api.filed()}", {"ticket": {"statsu": "open", "priority": "high"}})
    assert answer.json()["ticket"]["priority"] == "high"
    assert "statsu" in answer.headers["x-zendesk-api-warn"]


def test_dropdowns_and_tags_mirror_each_other(api: Api) -> None:
    """Setting a dropdown sets its tag; replacing all tags empties a dropdown whose tag was forgotten."""
    ticket, severity = api.filed(fields={"severity": "P2"}), api.field("severity")
    row = api.update(ticket, custom_fields=[{"id": severity, "value": "severity_p1"}])["ticket"]
    assert row["tags"] == ["severity_p1"]
    row = api.update(ticket, tags=["urgent"])["ticket"]
    assert (row["tags"], {"id": severity, "value": None} in row["custom_fields"]) == (["urgent"], True)
    row = api.update(ticket, additional_tags=["severity_p2"])["ticket"]
    assert {"id": severity, "value": "severity_p2"} in row["custom_fields"]


def test_custom_fields_are_checked(api: Api) -> None:
    """Unknown field ids are ignored, unknown options and texts in a number field refused."""
    ticket = api.filed()
    assert api.update(ticket, custom_fields=[{"id": 1, "value": "x"}])["audit"]["events"] == []
    for key, value in (("severity", "severity_p9"), ("affected_users", "many")):
        answer = api.put(f"/tickets/{ticket}", {"ticket": {"custom_fields": [{"id": api.field(key), "value": value}]}})
        assert (answer.status_code, "base" in answer.json()["details"]) == (422, True)


def test_tags_endpoints(api: Api) -> None:
    """POST sets, PUT adds, DELETE removes; a safe update with an old stamp is a 409."""
    ticket = api.filed()
    assert api.http.post(f"/tickets/{ticket}/tags", json={"tags": ["B", "a"]}).json() == {"tags": ["a", "b"]}
    assert api.put(f"/tickets/{ticket}/tags", {"tags": ["c"]}).json() == {"tags": ["a", "b", "c"]}
    gone = api.http.request("DELETE", f"/tickets/{ticket}/tags", json={"tags": ["a"]})
    assert gone.json() == {"tags": ["b", "c"]}
    stale = {"tags": ["d"], "updated_stamp": "2020-01-01T00:00:00Z", "safe_update": "true"}
    assert api.put(f"/tickets/{ticket}/tags", stale).status_code == 409


@pytest.mark.parametrize("flag", [True, False])
def test_safe_updates(api: Api, flag: object) -> None:
    """`safe_update` with the current stamp passes, with an older one is a 409; even `false` counts as safe."""
    ticket = api.filed()
    stamp = api.get(f"/tickets/{ticket}")["ticket"]["updated_at"]
    api.sandbox.advance(1)
    safe = {"safe_update": flag, "updated_stamp": stamp}
    api.update(ticket, priority="low", **safe)
    answer = api.put(f"/tickets/{ticket}", {"ticket": {"priority": "high", **safe}})
    assert (answer.status_code, answer.json()["error"]) == (409, "UpdateConflict")
    assert api.get(f"/tickets/{ticket}")["ticket"]["priority"] == "low"


def test_an_update_that_changes_nothing_leaves_no_trace(api: Api) -> None:
    """Setting what is set already stores no audit and moves no time; the other reading moves updated_at."""
    ticket = api.filed()
    before = api.get(f"/tickets/{ticket}")["ticket"]
    api.sandbox.advance(10)
    assert api.update(ticket, subject=before["subject"])["ticket"] == before
    assert len(api.get(f"/tickets/{ticket}/audits")["audits"]) == 1
    api.sim.switches.turn({"noop_touches": True})
    assert api.update(ticket, subject=before["subject"])["ticket"]["updated_at"] > before["updated_at"]


def test_metadata_lands_in_the_audit(api: Api) -> None:
    """An update's metadata comes back as the audit's custom metadata."""
    ticket = api.filed()
    api.update(ticket, comment={"body": "n", "public": False}, metadata={"hf": "key-1"})
    assert api.get(f"/tickets/{ticket}/audits")["audits"][-1]["metadata"]["custom"] == {"hf": "key-1"}


def test_idempotency_keys_last_two_hours(api: Api) -> None:
    """The same key replays the first answer, with another body it is refused, and two hours later it is forgotten."""
    body = {"ticket": {"subject": "s", "comment": {"body": "b"}}}

    def post(what: Any) -> Any:
        return api.http.post("/tickets", json=what, headers={"Idempotency-Key": "k1"})

    first, again = post(body), post(body)
    assert (first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert first.json() == again.json()
    other = post({"ticket": {"subject": "t", "comment": {"body": "b"}}})
    assert (other.status_code, other.json()["error"]) == (400, "IdempotentRequestError")
    api.sandbox.advance(7200)
    api.http.headers["authorization"] = f"Bearer {api.token()}"
    assert post(body).json()["ticket"]["id"] != first.json()["ticket"]["id"]


def test_external_ids_are_not_unique(api: Api) -> None:
    """Two tickets may carry the same external id, and the list says so."""
    for _ in range(2):
        api.http.post("/tickets", json={"ticket": {"subject": "s", "external_id": "x-1", "comment": {"body": "b"}}})
    assert api.get("/tickets", external_id="x-1")["count"] == 2


def test_a_requester_by_address(api: Api) -> None:
    """Creating for an unknown address makes the person, in the organisation that owns the domain."""
    domain = api.customer.partition("@")[2]
    row = {"subject": "s", "comment": {"body": "b"}, "requester": {"name": "New One", "email": f"new@{domain}"}}
    made = api.http.post("/tickets", json={"ticket": row}).json()["ticket"]
    person = api.get(f"/users/{made['requester_id']}")["user"]
    assert (person["name"], person["organization_id"]) == ("New One", made["organization_id"])
    assert made["organization_id"] is not None


def test_comments_newest_first(api: Api) -> None:
    """`sort=-created_at` turns the conversation round."""
    ticket = api.filed()
    api.sandbox.advance(5)
    api.sim.reply(ticket, author=api.agent, body="Second.")
    bodies = [row["body"] for row in pages(api, f"/tickets/{ticket}/comments", "comments", **{"page[size]": 1})]
    assert bodies == ["It broke.", "Second."]
    query = {"page[size]": 1, "sort": "-created_at"}
    assert [row["body"] for row in pages(api, f"/tickets/{ticket}/comments", "comments", **query)] == bodies[::-1]


def test_missing_records_and_endpoints(api: Api) -> None:
    """A missing record and a missing endpoint are both 404, with different words."""
    assert api.http.get("/tickets/999999").json() == {"error": "RecordNotFound", "description": "Not found"}
    assert api.http.get("/nothing_here").json()["error"] == "InvalidEndpoint"
    assert api.http.post("/tickets", content=b"{").status_code == 400
