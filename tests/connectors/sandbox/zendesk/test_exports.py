"""Incremental exports: the hidden minute, keyset cursors, repeated boundaries, and the shape of ticket_events."""

from typing import Any

import pytest

from tests.connectors.sandbox.zendesk.conftest import Api


def stream(api: Api, path: str, name: str, **query: Any) -> tuple[list[Any], str]:
    """All rows of a cursor export, and the cursor it ends with."""
    rows: list[Any] = []
    page = api.get(path, **query)
    while not page["end_of_stream"]:
        rows += page[name]
        page = api.get(page["after_url"])
    return rows + page[name], page["after_cursor"]


@pytest.fixture(autouse=True)
def _unlimited(api: Api) -> None:
    api.sandbox.core.switches.rate_limits = False


def test_every_ticket_once_in_order(api: Api) -> None:
    """The cursor export yields every ticket, deleted ones too, by (generated_timestamp, id)."""
    rows, _ = stream(api, "/incremental/tickets/cursor.json", "tickets", start_time=0, per_page=6)
    keys = [(row["generated_timestamp"], row["id"]) for row in rows]
    assert keys == sorted(keys)
    assert {row["id"] for row in rows} == set(api.sim.account.tickets)


def test_the_newest_minute_is_hidden(api: Api) -> None:
    """A change shows up a minute later, through the cursor saved at the end of the stream."""
    _, cursor = stream(api, "/incremental/tickets/cursor", "tickets", start_time=0)
    ticket = api.filed()
    assert api.get("/incremental/tickets/cursor", cursor=cursor)["tickets"] == []
    api.sandbox.advance(59)
    assert api.get("/incremental/tickets/cursor", cursor=cursor)["tickets"] == []
    api.sandbox.advance(1)
    page = api.get("/incremental/tickets/cursor", cursor=cursor)
    assert [row["id"] for row in page["tickets"]] == [ticket]
    assert api.get("/incremental/tickets/cursor", cursor=page["after_cursor"])["tickets"] == []


def test_too_recent_a_start(api: Api) -> None:
    """A start within the minute is refused, in either of two ways."""
    start = int(api.sandbox.core.clock.now().timestamp()) - 59
    answer = api.http.get("/incremental/tickets/cursor", params={"start_time": start})
    assert (answer.status_code, answer.json()["error"]) == (400, "StartTimeTooRecent")
    api.sim.switches.turn({"start_time_error": "invalid_value"})
    answer = api.http.get("/incremental/tickets/cursor", params={"start_time": start})
    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidValue")


def test_time_pages_hold_whole_seconds(api: Api) -> None:
    """A time-based page takes every row of its last second, however small it was asked for."""
    for _ in range(4):
        api.filed()
    now = int(api.sandbox.core.clock.now().timestamp())
    api.sandbox.advance(1)
    api.filed()
    api.sandbox.advance(120)
    page = api.get("/incremental/tickets", start_time=now, per_page=1)
    assert (page["count"], page["end_time"], page["end_of_stream"]) == (4, now + 1, False)
    last = api.get(page["next_page"])
    assert (last["count"], last["end_time"], last["end_of_stream"]) == (1, now + 1, True)
    assert api.get(last["next_page"])["tickets"] == last["tickets"], "the boundary row comes again"


def test_deleted_tickets_are_in_the_export_only(api: Api) -> None:
    """A deleted ticket has status `deleted` there; its own endpoints are 404; it can be left out."""
    ticket = api.filed()
    now = int(api.sandbox.core.clock.now().timestamp())
    api.sim.delete(ticket, author=api.agent)
    api.sandbox.advance(61)
    page = api.get("/incremental/tickets/cursor", start_time=now)
    assert [(row["id"], row["status"]) for row in page["tickets"]] == [(ticket, "deleted")]
    assert api.get("/incremental/tickets/cursor", start_time=now, exclude_deleted="true")["tickets"] == []
    for path in ("", "/audits", "/comments"):
        assert api.http.get(f"/tickets/{ticket}{path}").status_code == 404


def test_ticket_events_are_audits_flattened(api: Api) -> None:
    """Child events are keyed by the field and have the audit's ids; a comment is two booleans and has no author."""
    ticket = api.filed(fields={"severity": "P2"})
    api.sandbox.advance(2)
    now = int(api.sandbox.core.clock.now().timestamp())
    api.update(
        ticket,
        comment={"body": "secret text", "public": False},
        custom_fields=[{"id": api.field("severity"), "value": "severity_p1"}],
        priority="high",
    )
    api.sandbox.advance(61)
    (row,) = api.get("/incremental/ticket_events", start_time=now)["ticket_events"]
    audit = api.get(f"/tickets/{ticket}/audits")["audits"][-1]
    assert (row["id"], row["ticket_id"], row["timestamp"]) == (audit["id"], ticket, now)
    assert (row["updater_id"], row["event_type"], row["via"]) == (audit["author_id"], "Audit", "Web service")
    assert [child["id"] for child in row["child_events"]] == [event["id"] for event in audit["events"]]
    comment, priority, tags, severity = row["child_events"]
    assert (comment["event_type"], comment["comment_present"], comment["comment_public"]) == ("Comment", True, False)
    assert "secret text" not in str(row)
    assert (priority["priority"], priority["previous_value"], priority["event_type"]) == ("high", None, "Change")
    assert (tags["added_tags"], tags["removed_tags"]) == (["severity_p1"], ["severity_p2"])
    assert severity["custom_ticket_fields"] == {str(api.field("severity")): "severity_p1"}
    assert severity["previous_value"] == "severity_p2"


def test_comment_events_carry_the_text_when_asked(api: Api) -> None:
    """The side-load turns the booleans into the comment."""
    ticket = api.filed()
    now = int(api.sandbox.core.clock.now().timestamp())
    api.sandbox.advance(61)
    rows = api.get("/incremental/ticket_events", start_time=now, include="comment_events")["ticket_events"]
    comment = next(child for child in rows[-1]["child_events"] if child["event_type"] == "Comment")
    assert (rows[-1]["ticket_id"], comment["body"], comment["author_id"]) == (
        ticket,
        "It broke.",
        api.sim.user(api.customer).id,
    )


def test_rules_are_named_in_the_events(api: Api) -> None:
    """A trigger's change says so, with the rule's id, though the updater is the person."""
    api.filed()
    now = int(api.sandbox.core.clock.now().timestamp())
    api.sandbox.advance(61)
    children = api.get("/incremental/ticket_events", start_time=now)["ticket_events"][-1]["child_events"]
    routed = next(child for child in children if "group_id" in child)
    assert (routed["via"], routed["via_reference_id"]) == ("Rule", api.sim.desk.triggers[0].id)
    assert not [child for child in children if child["event_type"] == "Notification"]


def test_organizations_and_users(api: Api) -> None:
    """A plan change touches the organisation and no ticket; users come by cursor."""
    now = int(api.sandbox.core.clock.now().timestamp())
    name = api.sim.companies()[0]
    api.sim.change_plan(name, "business")
    api.sandbox.advance(61)
    (row,) = api.get("/incremental/organizations", start_time=now)["organizations"]
    assert (row["name"], row["organization_fields"]["plan"]) == (name, "plan_business")
    assert api.get("/incremental/tickets/cursor", start_time=now)["tickets"] == []
    rows, _ = stream(api, "/incremental/users/cursor", "users", start_time=0, per_page=3)
    assert {row["id"] for row in rows} == set(api.sim.account.users)


def test_a_reindexed_ticket_comes_again(api: Api) -> None:
    """A change of the tool's own moves generated_timestamp only: an old row comes again with its old updated_at."""
    _, cursor = stream(api, "/incremental/tickets/cursor", "tickets", start_time=0)
    before = api.sim.account.tickets[1].updated_at
    api.sandbox.advance(10)
    api.sim.reindex([1])
    api.sandbox.advance(61)
    (row,) = api.get("/incremental/tickets/cursor", cursor=cursor)["tickets"]
    assert row["id"] == 1
    assert (row["generated_timestamp"] > before, api.sim.account.tickets[1].updated_at) == (True, before)


def test_side_loads(api: Api) -> None:
    """Users and organisations come with the tickets, each once."""
    page = api.get("/incremental/tickets/cursor", start_time=0, include="users,organizations")
    assert len({row["id"] for row in page["users"]}) == len(page["users"])
    assert {row["requester_id"] for row in page["tickets"]} <= {row["id"] for row in page["users"]}
    assert {row["organization_id"] for row in page["tickets"]} - {None} <= {row["id"] for row in page["organizations"]}


def test_empty_pages_two_ways(api: Api) -> None:
    """A time-based page without rows repeats its start, or says null."""
    start = int(api.sandbox.core.clock.now().timestamp()) - 60
    assert api.get("/incremental/organizations", start_time=start)["end_time"] == start
    api.sim.switches.turn({"empty_export_is_null": True})
    assert api.get("/incremental/organizations", start_time=start)["next_page"] is None
