"""Satisfaction ratings and followers: who may give them, and where they show."""

import base64
from typing import Any

import pytest

from tests.connectors.sandbox.zendesk.conftest import Api


def solved(api: Api) -> int:
    """A ticket that an agent has solved."""
    ticket = api.filed()
    api.sim.reply(ticket, author=api.agent, body="Done.", status="solved")
    return ticket


def as_customer(api: Api, ticket: int, body: dict[str, Any]) -> Any:
    """The requester rates over the API."""
    requester = api.sim.account.users[api.sim.account.tickets[ticket].requester_id]
    pair = f"{requester.email}/token:{api.sim.auth.api_token}"
    headers = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    path = f"/tickets/{ticket}/satisfaction_rating.json"
    return api.http.post(path, json={"satisfaction_rating": body}, headers=headers)


def test_the_requester_rates(api: Api) -> None:
    """A rating stands on the ticket, in its audits, in the list of ratings and in the journal."""
    ticket = solved(api)
    answer = as_customer(api, ticket, {"score": "bad", "comment": "Too slow."})
    assert answer.status_code == 200
    made = answer.json()["satisfaction_rating"]
    assert (made["score"], made["comment"], made["ticket_id"]) == ("bad", "Too slow.", ticket)
    shown = api.get(f"/tickets/{ticket}")["ticket"]["satisfaction_rating"]
    assert shown == {"id": made["id"], "score": "bad", "comment": "Too slow."}
    (event,) = api.get(f"/tickets/{ticket}/audits")["audits"][-1]["events"]
    assert (event["type"], event["score"], event["body"]) == ("SatisfactionRating", "bad", "Too slow.")
    assert api.get("/satisfaction_ratings", score="bad")["satisfaction_ratings"] == [made]
    assert api.get("/satisfaction_ratings", score="good")["satisfaction_ratings"] == []
    assert api.get(f"/satisfaction_ratings/{made['id']}")["satisfaction_rating"] == made
    (row,) = [row for row in api.sandbox.core.journal.rows(vendor="zendesk") if row.kind == "rating"]
    assert (row.record, row.detail["score"]) == (f"zendesk:{ticket}", "bad")


def test_a_second_word_takes_the_place_of_the_first(api: Api) -> None:
    """Rated bad, then good: one rating, the last word."""
    ticket = solved(api)
    api.sim.rate(ticket, score="bad")
    api.sim.rate(ticket, score="good")
    assert [row["score"] for row in api.get("/satisfaction_ratings")["satisfaction_ratings"]] == ["good"]


@pytest.mark.parametrize(
    ("score", "is_solved", "status"), [("offered", True, 422), ("great", True, 422), ("good", False, 422)]
)
def test_what_is_no_rating_is_refused(api: Api, score: str, is_solved: bool, status: int) -> None:
    """Good or bad, on a ticket that is solved or was; anything else is refused."""
    ticket = solved(api) if is_solved else api.filed()
    assert as_customer(api, ticket, {"score": score}).status_code == status


def test_only_the_requester_rates(api: Api) -> None:
    """An agent may not rate in a customer's place."""
    answer = api.http.post(
        f"/tickets/{solved(api)}/satisfaction_rating", json={"satisfaction_rating": {"score": "good"}}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(("listed", "count"), [(True, 1), (False, 0)])
def test_ratings_in_the_export(api: Api, listed: bool, count: int) -> None:
    """Whether the events' export lists ratings is not known: both can be had."""
    api.sim.switches.turn({"export_ratings": listed})
    began = api.sim.account.now()
    ticket = solved(api)
    api.sim.rate(ticket, score="bad")
    api.sandbox.advance(120)
    page = api.get("/incremental/ticket_events", start_time=began - 60)
    kinds = [child["event_type"] for row in page["ticket_events"] for child in row["child_events"]]
    assert kinds.count("SatisfactionRating") == count


def test_followers_are_agents(api: Api) -> None:
    """Followers are added and taken off by e-mail; who is no agent is left out, or refused."""
    ticket = api.filed()
    api.update(ticket, followers=[{"user_email": api.agent, "action": "put"}])
    followers = api.get(f"/tickets/{ticket}")["ticket"]["follower_ids"]
    assert followers == [api.sim.user(api.agent).id]
    customer = api.sim.people()[0]
    api.update(ticket, followers=[{"user_email": customer, "action": "put"}])
    assert api.get(f"/tickets/{ticket}")["ticket"]["follower_ids"] == followers
    api.sim.switches.turn({"other_follower_refused": True})
    row = {"ticket": {"followers": [{"user_email": customer, "action": "put"}]}}
    assert api.http.put(f"/tickets/{ticket}", json=row).status_code == 422
    api.update(ticket, followers=[{"user_email": api.agent, "action": "delete"}])
    assert api.get(f"/tickets/{ticket}")["ticket"]["follower_ids"] == []
