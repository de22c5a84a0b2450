"""Webhooks: the envelope, the signature over time and raw body, and what is tried again."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.sandbox.receiver import Receiver, receiving
from tests.connectors.sandbox.zendesk.conftest import Api


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks."""
    with receiving() as running:
        yield running


def kinds(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"].removeprefix("zen:event-type:") for _, body in receiver.arrived]


def test_a_signed_envelope(api: Api, receiver: Receiver) -> None:
    """The signature covers timestamp and raw body; ids are text and enums shout, unlike REST."""
    secret = api.sim.environment()["ZENDESK_WEBHOOK_SECRET"]
    api.sim.subscribe(receiver.url, ["ticket.status_changed"])
    ticket = api.filed()
    api.sim.edit(ticket, author=api.agent, assignee=api.agent)
    api.sandbox.advance(0)
    ((headers, body),) = receiver.arrived
    found = {name.lower(): value for name, value in headers.items()}
    signed = found["x-zendesk-webhook-signature-timestamp"].encode() + body
    expected = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    assert found["x-zendesk-webhook-signature"] == expected
    told = json.loads(body)
    assert told["subject"] == f"zen:ticket:{ticket}"
    assert (told["detail"]["id"], told["detail"]["status"]) == (str(ticket), "OPEN")
    assert (told["event"]["previous"], told["event"]["current"]) == ("NEW", "OPEN")


def test_one_update_can_be_several_events(api: Api, receiver: Receiver) -> None:
    """A reply that solves is a comment and a status change, numbered in one sequence."""
    wanted = ("ticket.created", "ticket.comment_added", "ticket.status_changed", "ticket.soft_deleted", "ticket.merged")
    api.sim.webhooks.subscribe(receiver.url, wanted)
    first, second = api.filed(), api.filed()
    api.sim.reply(first, author=api.agent, body="Done.", status="solved")
    api.sim.delete(first, author=api.agent)
    api.sim.merge(api.filed(), [second], author=api.agent)
    api.sandbox.advance(0)
    assert kinds(receiver)[:2] == ["ticket.created", "ticket.comment_added"]
    assert {"ticket.status_changed", "ticket.soft_deleted", "ticket.merged"} <= set(kinds(receiver))
    solved = [json.loads(body)["event"]["meta"]["sequence"] for _, body in receiver.arrived[4:6]]
    assert len({one["id"] for one in solved}) == 1


@pytest.mark.parametrize(("status", "attempts"), [(200, 1), (409, 4), (500, 1), (503, 1)])
def test_what_is_tried_again(api: Api, receiver: Receiver, status: int, attempts: int) -> None:
    """409 is tried three more times; a 500, and a 503 without a short Retry-After, never again."""
    receiver.answers = [status]
    api.sim.webhooks.subscribe(receiver.url, ("ticket.created",))
    api.filed()
    for _ in range(6):
        api.sandbox.advance(30)
    assert len(receiver.arrived) == attempts


def test_webhooks_over_the_api(api: Api, receiver: Receiver) -> None:
    """An admin registers one, reads its secret and removes it."""
    row: dict[str, Any] = {"name": "hint", "endpoint": receiver.url, "subscriptions": ["zen:event-type:ticket.created"]}
    row["description"] = "Tells us that there is something to fetch"
    row["authentication"] = {
        "type": "basic_auth",
        "data": {"username": "u", "password": "hidden"},
        "add_position": "header",
    }
    made = api.http.post("/webhooks", json={"webhook": row})
    id = made.json()["webhook"]["id"]
    assert made.status_code == 201
    assert "hidden" not in made.text
    signing = api.get(f"/webhooks/{id}/signing_secret")["signing_secret"]
    assert signing == {"algorithm": "SHA256", "secret": api.sim.environment()["ZENDESK_WEBHOOK_SECRET"]}
    assert [hook["id"] for hook in api.get("/webhooks")["webhooks"]] == [id]
    assert api.http.delete(f"/webhooks/{id}").status_code == 204
    api.filed()
    api.sandbox.advance(0)
    assert receiver.arrived == []
