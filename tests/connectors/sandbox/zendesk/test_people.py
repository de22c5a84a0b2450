"""What people do by hand, what the journal keeps of it, and what the console shows."""

import pytest

from connectors.sandbox.zendesk.switches import ZendeskSwitches
from tests.connectors.sandbox.zendesk.conftest import Api


def test_the_journal_counts_what_customers_saw(api: Api) -> None:
    """Public comments, notes, field changes and mails are rows of their own, with who did it; the past is not in it."""
    journal = api.sandbox.core.journal
    assert len(journal) == 0
    ticket = api.filed(fields={"Severity": "P2 · Broken"})
    api.sim.reply(ticket, author=api.agent, body="Hello")
    api.update(ticket, comment={"body": "note", "public": False}, priority="high", metadata={"hf": "k"})
    record = f"zendesk:{ticket}"
    said = [(row.kind, row.actor) for row in journal.rows(record=record) if "co" in row.kind or row.kind == "note"]
    assert said == [
        ("public_comment", api.customer),
        ("public_comment", api.agent),
        ("note", api.sim.service_email),
    ]
    (change,) = (row for row in journal.rows(record=record, kind="field") if row.detail["field"] == "priority")
    assert (change.detail["new"], change.detail["metadata"]) == ("high", {"hf": "k"})
    mails = journal.rows(record=record, kind="notification")
    assert [row.actor for row in mails] == [
        "rule:Notify requester of received request",
        "rule:Notify requester of comment update",
    ]


def test_edit_speaks_in_names(api: Api) -> None:
    """Group, assignee, fields and tags by the names people use."""
    ticket = api.filed()
    technical = api.sim.agents("Technical")[0]
    api.sim.edit(
        ticket,
        author=api.agent,
        group="Technical",
        assignee=technical,
        fields={"severity": "P1", "SLA due": "soon"},
        tags_add="vip",
        priority="urgent",
    )
    page = api.sim.console_ticket(ticket)
    assert (page["group"], page["status"], page["priority"]) == ("Technical", "open", "urgent")
    assert page["fields"] == {"Severity": "P1 · System down", "SLA due": "soon"}
    assert page["tags"] == ["severity_p1", "vip"]
    assert page["severity"] == "P1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"group": "Nobody"},
        {"assignee": "nobody@nowhere.example"},
        {"fields": {"Severity": "P9"}},
        {"fields": {"Colour": "red"}},
    ],
)
def test_names_that_do_not_exist(api: Api, wrong: dict[str, object]) -> None:
    """Are said to be unknown."""
    with pytest.raises(LookupError):
        api.sim.edit(api.filed(), author=api.agent, **wrong)


def test_the_console_tells_the_story(api: Api) -> None:
    """Comments say who wrote them and whether customers see them; changes are in words; rules count as rules."""
    ticket = api.filed(fields={"severity": "P2"})
    api.sim.edit(ticket, author=api.agent, fields={"severity": "P1"})
    api.update(ticket, comment={"body": "Moved.", "public": False})
    page = api.sim.console_ticket(ticket)
    assert [(row["role"], row["public"]) for row in page["comments"]] == [("customer", True), ("us", False)]
    told = {row["what"]: row["role"] for row in page["happenings"]}
    assert told["Severity: P2 · Broken → P1 · System down"] == "agent"
    assert told["Group: – → Support"] == "rule"
    assert page["company"] in api.sim.companies()
    assert api.sim.console_tickets()[0]["id"] == ticket


def test_what_is_not_there_is_said_in_words(api: Api) -> None:
    """An unknown ticket is a LookupError, a refused change a ValueError with the tool's reason; people see both."""
    with pytest.raises(LookupError, match="there is no ticket 999999"):
        api.sim.console_ticket(999999)
    with pytest.raises(ValueError, match="422: Assignee: is required when solving a ticket"):
        api.sim.edit(api.filed(), author=api.agent, status="solved")


def test_a_plan_change_touches_the_company_only(api: Api) -> None:
    """As billing would do it."""
    name = api.sim.companies()[0]
    before = api.sim.account.tickets[1].updated_at
    api.sim.change_plan(name, "starter")
    api.sim.change_company(name, vip=True, warnings=2)
    assert api.sim.company(name).fields | {"csm": None} == {
        "plan": "plan_starter",
        "vip": True,
        "warnings": 2,
        "csm": None,
    }
    assert api.sim.account.tickets[1].updated_at == before


def test_switches_say_what_is_wrong() -> None:
    """An unknown switch or a wrong type sets nothing and names itself."""
    switches = ZendeskSwitches()
    with pytest.raises(ValueError, match="no_such: no such switch"):
        switches.turn({"no_such": True, "queued_jobs": 3})
    with pytest.raises(ValueError, match="queued_jobs: needs a int"):
        switches.turn({"queued_jobs": "many"})
    assert switches.queued_jobs == 30
    switches.turn({"close_after_days": 2, "group_resetter": True})
    assert switches.close_after_days == 2.0


def test_search_lags(api: Api) -> None:
    """A new ticket, and a changed status, are found a minute later only; beyond 1000 results it is a 422."""
    ticket = api.filed(subject="Zeppelin")
    assert api.get("/search", query="type:ticket zeppelin")["count"] == 0
    api.sandbox.advance(61)
    assert [row["id"] for row in api.get("/search", query="type:ticket zeppelin status:new")["results"]] == [ticket]
    api.sim.edit(ticket, author=api.agent, assignee=api.agent)
    assert api.get("/search", query="zeppelin status:new")["count"] == 1
    api.sandbox.advance(61)
    assert api.get("/search", query="zeppelin status>new -tags:vip")["count"] == 1
    assert api.http.get("/search", params={"query": "x", "page": 11}).status_code == 422
    assert api.http.get("/search", params={"query": "x", "page[size]": 11}).status_code == 400


def test_users_over_the_api(api: Api) -> None:
    """Roles filter the list; external ids and addresses are unique; create_or_update finds either."""
    agents = api.get("/users", **{"role[]": ["agent", "admin"]})["users"]
    assert {row["email"] for row in agents} == set(api.sim.agents())
    customer = api.sim.user(api.customer)
    taken = api.http.post("/users", json={"user": {"name": "x", "email": api.customer}})
    assert (taken.status_code, "email" in taken.json()["details"]) == (422, True)
    body = {"user": {"external_id": customer.external_id, "user_fields": {"role": "role_field"}}}
    found = api.http.post("/users/create_or_update", json=body)
    assert (found.status_code, found.json()["user"]["id"]) == (200, customer.id)
    assert found.json()["user"]["user_fields"] == {"role": "role_field"}
    new = api.http.post("/users/create_or_update", json={"user": {"name": "N", "email": "n@new.example"}})
    assert new.status_code == 201


def test_organizations_over_the_api(api: Api) -> None:
    """Names are unique; fields are keyed by name and typed."""
    first, second = api.get("/organizations")["organizations"][:2]
    taken = api.put(f"/organizations/{first['id']}", {"organization": {"name": second["name"]}})
    assert "has already been taken" in taken.json()["details"]["name"][0]["description"]
    body = {"organization": {"organization_fields": {"vip": True, "warnings": 3}}}
    fields = api.put(f"/organizations/{first['id']}", body).json()["organization"]["organization_fields"]
    assert (fields["vip"], fields["warnings"]) == (True, 3)


def test_settings_over_the_api(api: Api) -> None:
    """Fields by title with their options, forms, groups, brands, statuses and triggers can be read."""
    fields = {row["title"]: row for row in api.get("/ticket_fields")["ticket_fields"]}
    assert [row["value"] for row in fields["Severity"]["custom_field_options"]] == ["severity_p1", "severity_p2"]
    assert fields["Subject"]["removable"] is False
    assert api.get("/ticket_forms")["ticket_forms"][0]["name"] == "Support request"
    assert [row["name"] for row in api.get("/groups")["groups"]] == ["Support", "Technical", "Management"]
    assert api.get("/brands")["brands"][0]["default"] is True
    statuses = api.get("/custom_statuses")["custom_statuses"]
    assert [(row["status_category"], row["agent_label"]) for row in statuses if not row["default"]] == [
        ("open", "In progress")
    ]
    assert api.get("/triggers")["triggers"][0]["title"] == "Route Support request to Support"
    for name in ("organization_fields", "user_fields", "group_memberships", "organizations", "users"):
        assert api.get(f"/{name}")[name] == api.get(f"/{name}", **{"page[size]": 100})[name]
