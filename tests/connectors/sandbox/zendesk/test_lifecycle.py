"""The status machine, and what the account does by itself."""

import pytest

from connectors.sandbox.zendesk.errors import Refusal
from tests.connectors.sandbox.zendesk.conftest import Api

DAY = 86_400


def status(api: Api, ticket: int) -> str:
    return str(api.get(f"/tickets/{ticket}")["ticket"]["status"])


def test_filing_routes_by_form_and_tells_the_requester(api: Api) -> None:
    """A new ticket is routed by a trigger in the same audit, and the requester gets a mail."""
    ticket = api.filed(fields={"severity": "P1", "Affected users": "12"})
    row = api.get(f"/tickets/{ticket}")["ticket"]
    assert (row["status"], row["tags"]) == ("new", ["severity_p1"])
    events = api.events(ticket)
    assert [event["type"] for event in events][:2] == ["Comment", "Create"]
    group = next(event for event in events if event.get("field_name") == "group_id")
    assert group["value"] == str(row["group_id"])
    assert (group["via"]["channel"], group["via"]["source"]["rel"]) == ("rule", "trigger")
    mail = next(event for event in events if event["type"] == "Notification")
    assert mail["recipients"] == [row["requester_id"]]
    assert {"field_name": str(api.field("severity")), "value": "severity_p1"}.items() <= next(
        event for event in events if event.get("value") == "severity_p1"
    ).items()


def test_assigning_a_new_ticket_opens_it(api: Api) -> None:
    """An assignee on a new ticket flips it to open, and brings a group that has them."""
    ticket = api.filed()
    agent = api.sim.user(api.sim.agents("Technical")[0])
    row = api.update(ticket, assignee_id=agent.id)["ticket"]
    assert (row["status"], row["group_id"]) == ("open", agent.default_group_id)


@pytest.mark.parametrize("stays", ["pending", "hold", "solved"])
def test_a_customers_reply_reopens(api: Api, stays: str) -> None:
    """An end user's comment on a pending, held or solved ticket opens it; an agent's does not."""
    ticket = api.filed()
    api.sim.edit(ticket, author=api.agent, assignee=api.agent, status=stays)
    api.sim.reply(ticket, author=api.agent, body="Noted.", public=False)
    assert status(api, ticket) == stays
    api.sim.reply(ticket, author=api.customer, body="Still broken.")
    assert status(api, ticket) == "open"
    change = next(event for event in api.events(ticket) if event.get("field_name") == "status")
    assert (change["previous_value"], change["value"]) == (stays, "open")


def own_status(api: Api, ticket: int) -> tuple[str, str]:
    """A ticket's category, and the label of its status."""
    row = api.get(f"/tickets/{ticket}")["ticket"]
    labels = {one["id"]: one["agent_label"] for one in api.get("/custom_statuses")["custom_statuses"]}
    return row["status"], labels[row["custom_status_id"]]


def test_a_status_of_the_accounts_own(api: Api) -> None:
    """Choosing one brings its category; choosing a category brings its default; closing keeps the solved one's."""
    ticket = api.filed()
    assert own_status(api, ticket) == ("new", "New")
    mine = next(row for row in api.get("/custom_statuses")["custom_statuses"] if row["agent_label"] == "In progress")
    api.update(ticket, custom_status_id=mine["id"])
    assert own_status(api, ticket) == ("open", "In progress")
    changed = [event["field_name"] for event in api.events(ticket) if event["type"] == "Change"]
    assert changed == ["custom_status_id", "status"]
    api.sim.edit(ticket, author=api.agent, assignee=api.agent)
    assert own_status(api, ticket) == ("open", "In progress")
    api.update(ticket, status="pending")
    assert own_status(api, ticket) == ("pending", "Pending")
    api.sim.edit(ticket, author=api.agent, status="in progress")
    assert own_status(api, ticket) == ("open", "In progress")
    assert "Status: Pending → In progress" in [row["what"] for row in api.sim.console_ticket(ticket)["happenings"]]
    api.sim.edit(ticket, author=api.agent, status="solved")
    api.sim.edit(ticket, author=api.agent, status="closed")
    assert own_status(api, ticket) == ("closed", "Solved")


def test_reopening_can_be_a_rule(api: Api) -> None:
    """Under the other reading the reopening is a trigger's doing, and says so."""
    api.sim.switches.turn({"reopen_by_trigger": True})
    ticket = api.filed()
    api.sim.edit(ticket, author=api.agent, assignee=api.agent, status="pending")
    api.sim.reply(ticket, author=api.customer, body="Still broken.")
    change = next(event for event in api.events(ticket) if event.get("field_name") == "status")
    assert change["via"]["source"]["from"]["title"] == "Reopen on customer reply"


@pytest.mark.parametrize(
    ("asked", "field", "text"),
    [
        ({"status": "solved"}, "base", "is required when solving"),
        ({"status": "wrong"}, "status", "is not included"),
        ({"priority": "highest"}, "priority", "is not included"),
        ({"group_id": 1}, "group", "is not valid"),
        ({"requester_id": 1}, "requester_id", "is not valid"),
    ],
)
def test_refused_updates(api: Api, asked: dict[str, object], field: str, text: str) -> None:
    """What the tool refuses is a 422 whose details name the field, and nothing is changed."""
    ticket = api.filed()
    before = api.get(f"/tickets/{ticket}")
    answer = api.put(f"/tickets/{ticket}", {"ticket": asked})
    assert (answer.status_code, answer.json()["error"]) == (422, "RecordInvalid")
    assert text in answer.json()["details"][field][0]["description"]
    assert api.get(f"/tickets/{ticket}") == before


def test_an_assignee_must_be_in_the_group(api: Api) -> None:
    """Assignee and group are checked together; a group alone drops an assignee who is not in it."""
    ticket, agent = api.filed(), api.sim.user(api.agent)
    technical = api.sim.account.group_named("Technical")
    assert technical is not None
    answer = api.put(f"/tickets/{ticket}", {"ticket": {"assignee_id": agent.id, "group_id": technical.id}})
    assert "assignee_id" in answer.json()["details"]
    api.update(ticket, assignee_id=agent.id)
    row = api.update(ticket, group_id=technical.id)["ticket"]
    assert (row["group_id"], row["assignee_id"]) == (technical.id, None)


def test_solved_is_closed_after_four_days(api: Api) -> None:
    """The standard automation closes a solved ticket four days later, by nobody (-1), at the due second."""
    ticket = api.filed()
    api.sim.reply(ticket, author=api.agent, body="Done.", status="solved")
    api.sandbox.advance(4 * DAY - 1)
    api.http.headers["authorization"] = f"Bearer {api.token()}"
    assert status(api, ticket) == "solved"
    api.sandbox.advance(3600)
    api.http.headers["authorization"] = f"Bearer {api.token()}"
    audit = api.get(f"/tickets/{ticket}/audits")["audits"][-1]
    assert (audit["author_id"], audit["via"]["source"]["rel"]) == (-1, "automation")
    assert audit["created_at"] == "2026-03-07T15:00:00Z"
    assert status(api, ticket) == "closed"


def test_a_reopened_ticket_is_not_closed(api: Api) -> None:
    """The automation looks whether the ticket stayed solved."""
    ticket = api.filed()
    api.sim.reply(ticket, author=api.agent, body="Done.", status="solved")
    api.sandbox.advance(3 * DAY)
    api.sim.reply(ticket, author=api.customer, body="No.")
    api.sim.reply(ticket, author=api.agent, body="Done now.", status="solved")
    api.sandbox.advance(2 * DAY)
    assert api.sim.account.tickets[ticket].status == "solved"


def test_closed_is_for_good(api: Api) -> None:
    """A closed ticket takes nothing; a customer's reply to it opens a follow-up."""
    ticket = api.filed()
    api.sim.reply(ticket, author=api.agent, body="Done.", status="solved")
    api.update(ticket, status="closed")
    for asked in ({"status": "open"}, {"tags": ["a"]}, {"comment": {"body": "x", "public": False}}):
        answer = api.put(f"/tickets/{ticket}", {"ticket": asked})
        assert answer.json()["details"] == {"status": [{"description": "Status: closed prevents ticket update"}]}
    follow_up = api.sim.reply(ticket, author=api.customer, body="Again!")
    assert follow_up != ticket
    assert api.get(f"/tickets/{ticket}")["ticket"]["followup_ids"] == [follow_up]


def test_a_private_ticket_stays_private_unless_said(api: Api) -> None:
    """A comment without `public` inherits how the ticket was created."""
    made = api.http.post("/tickets", json={"ticket": {"subject": "s", "comment": {"body": "b", "public": False}}})
    ticket = made.json()["ticket"]["id"]
    api.update(ticket, comment={"body": "second"})
    assert [comment["public"] for comment in api.get(f"/tickets/{ticket}/comments")["comments"]] == [False, False]


def test_a_trigger_can_fight_us(api: Api) -> None:
    """Switched on at run time, a rule puts the form's group back in the very update that changed it."""
    ticket, technical = api.filed(), api.sim.account.group_named("Technical")
    support = api.sim.account.group_named("Support")
    assert technical is not None
    assert support is not None
    api.sim.switches.turn({"group_resetter": True})
    row = api.update(ticket, group_id=technical.id)["ticket"]
    assert row["group_id"] == support.id
    changes = [event for event in api.events(ticket) if event.get("field_name") == "group_id"]
    assert [change.get("via", {}).get("channel") for change in changes] == [None, "rule"]


def test_a_customer_cannot_solve_without_assignee_in_process_either(api: Api) -> None:
    """People go through the same doors as the API."""
    ticket = api.filed()
    with pytest.raises(Refusal):
        api.sim.edit(ticket, author=api.agent, status="solved")


def test_a_problem_solves_its_incidents(api: Api) -> None:
    """Solving a problem solves every linked incident, with the solving comment, a moment later and without checks."""
    problem, incident = api.filed(), api.filed()
    api.update(problem, type="problem")
    api.update(incident, type="incident", problem_id=problem)
    assert api.get(f"/tickets/{problem}")["ticket"]["has_incidents"] is True
    assert [row["id"] for row in api.get(f"/tickets/{problem}/incidents")["tickets"]] == [incident]
    api.sim.reply(problem, author=api.agent, body="All fixed.", status="solved")
    api.sandbox.advance(5)
    assert status(api, incident) == "solved"
    assert api.get(f"/tickets/{incident}/comments")["comments"][-1]["body"] == "All fixed."
