"""Webhooks v3: signed, in order per incident, tried again for 48 hours, silent after three drops."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..receiver import Receiver, receiving
from .conftest import Rig


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    with receiving() as inlet:
        yield inlet


def told(receiver: Receiver) -> list[tuple[str, int]]:
    """What arrived: event type and incident number."""
    events = [json.loads(body)["event"] for _, body in receiver.arrived]
    return [(e["event_type"].removeprefix("incident."), e["data"].get("number", 0)) for e in events]


def subscribe(rig: Rig, receiver: Receiver, **changes: Any) -> dict[str, Any]:
    """Subscribe over REST to two kinds of event."""
    body = {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": receiver.url},
        "events": ["incident.triggered", "incident.acknowledged", "incident.resolved", "incident.annotated"],
        "filter": {"type": "account_reference"},
        **changes,
    }
    answer = rig.call("POST", "/webhook_subscriptions", json={"webhook_subscription": body}).json()
    row: dict[str, Any] = answer["webhook_subscription"]
    return row


def test_a_delivery_is_signed_and_named(rig: Rig, receiver: Receiver) -> None:
    """The signature covers the raw body with the secret that only the create call shows."""
    subscription = subscribe(rig, receiver)
    rig.page()
    [(headers, body)] = receiver.arrived
    secret = subscription["delivery_method"]["secret"]
    assert headers["X-PagerDuty-Signature"] == "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Subscription"] == subscription["id"]
    assert (
        rig.get(f"/webhook_subscriptions/{subscription['id']}")["webhook_subscription"]["delivery_method"]["secret"]
        is None
    )
    data = json.loads(body)["event"]["data"]
    assert {"number", "assignees"} <= set(data)
    assert not {"incident_number", "assignments", "updated_at"} & set(data)


def test_a_rotation_signs_with_every_secret(rig: Rig, receiver: Receiver) -> None:
    """During a rotation the header holds one `v1=` for each secret."""
    subscribe(rig, receiver)
    rig.sim.account.subscriptions[0].secrets.append("the-next-one")
    rig.page()
    [(headers, body)] = receiver.arrived
    wanted = "v1=" + hmac.new(b"the-next-one", body, hashlib.sha256).hexdigest()
    assert wanted in headers["X-PagerDuty-Signature"].split(",")


def test_later_events_of_an_incident_wait_behind_a_failing_one(rig: Rig, receiver: Receiver) -> None:
    """Order holds per incident: the next event goes out once the failing one got through; others do not wait."""
    subscribe(rig, receiver)
    receiver.answers = [503, 503, 200]
    first = rig.page("a")
    rig.sim.acknowledge(first["id"])
    rig.wait(1)
    assert told(receiver) == [("triggered", 1)]
    rig.wait(60)
    assert told(receiver) == [("triggered", 1)] * 2
    rig.wait(120)
    assert told(receiver) == [("triggered", 1)] * 3 + [("acknowledged", 1)]
    ids = [headers["X-Webhook-Id"] for headers, _ in receiver.arrived]
    assert len(set(ids[:3])) == 1
    assert ids[3] not in ids[:3]


def test_three_drops_in_a_row_disable_for_a_day(rig: Rig, receiver: Receiver) -> None:
    """A 4xx drops an event at once; after three in a row nothing is even queued, until somebody enables it again."""
    subscription = subscribe(rig, receiver)
    path = f"/webhook_subscriptions/{subscription['id']}"
    receiver.answers = [400]
    for number in range(4):
        rig.page(f"k{number}")
    assert len(receiver.arrived) == 3
    assert rig.get(path)["webhook_subscription"]["delivery_method"]["temporarily_disabled"] is True
    receiver.answers = [200]
    rig.call("POST", f"{path}/enable")
    rig.page("later")
    assert told(receiver)[3:] == [("triggered", 5)]


def test_a_delivery_that_arrives_wipes_earlier_drops(rig: Rig, receiver: Receiver) -> None:
    """Only drops in a row count: two, a success, and two more disable nothing."""
    subscribe(rig, receiver, events=["incident.triggered"])
    receiver.answers = [400, 400, 200, 400, 400, 200]
    for number in range(6):
        rig.page(f"k{number}")
    assert told(receiver) == [("triggered", n) for n in range(1, 7)]


def test_a_disabled_subscription_comes_back_after_a_day(rig: Rig, receiver: Receiver) -> None:
    """What happened meanwhile is not made up for."""
    subscribe(rig, receiver, events=["incident.triggered"])
    receiver.answers = [400, 400, 400, 200]
    for number in range(4):
        rig.page(f"k{number}")
    rig.wait(24 * 3600)
    rig.page("next day")
    assert told(receiver) == [("triggered", n) for n in (1, 2, 3, 5)]


def test_a_receiver_that_stays_away_loses_the_event_after_48_hours(rig: Rig, receiver: Receiver) -> None:
    """Attempts end within 48 hours of the first one, and count as one drop."""
    subscribe(rig, receiver, events=["incident.triggered"])
    receiver.answers = [503]
    rig.page()
    rig.wait(60 * 3600)
    attempts = [parcel.at for parcel, _ in rig.sandbox.core.courier.sent]
    assert (attempts[-1] - attempts[0]).total_seconds() <= 48 * 3600
    assert rig.sim.account.subscriptions[0].strikes == 1
    before = len(receiver.arrived)
    rig.wait(24 * 3600)
    assert len(receiver.arrived) == before


@pytest.mark.parametrize(("switch", "copies"), [("webhook_double", 2), ("webhook_lose", 0)])
def test_a_switch_doubles_or_loses_deliveries(rig: Rig, receiver: Receiver, switch: str, copies: int) -> None:
    """At least once means twice at times, and never at others; the incident itself is untouched by that."""
    rig.sandbox.core.switches.turn({switch: 1.0})
    subscribe(rig, receiver)
    assert rig.page()["status"] == "triggered"
    assert told(receiver) == [("triggered", 1)] * copies


def test_a_switch_delays_deliveries(rig: Rig, receiver: Receiver) -> None:
    """A webhook can be minutes late."""
    rig.sandbox.core.switches.turn({"webhook_delay": 300})
    subscribe(rig, receiver)
    rig.page()
    rig.wait(290)
    assert told(receiver) == []
    rig.wait(10)
    assert told(receiver) == [("triggered", 1)]


def test_a_filter_keeps_other_services_out(rig: Rig, receiver: Receiver) -> None:
    """A subscription of one service hears nothing of another."""
    other = rig.sim.account.services[1]
    subscribe(rig, receiver, filter={"id": other.id, "type": "service_reference"})
    rig.page()
    rig.send(routing_key=other.routing_key, dedup_key="theirs")
    rig.wait(5)
    assert told(receiver) == [("triggered", 2)]


def test_a_note_is_announced_as_a_part_of_its_incident(rig: Rig, receiver: Receiver) -> None:
    """`incident.annotated` carries the note and a reference to the incident."""
    subscribe(rig, receiver, events=["incident.annotated"])
    incident = rig.page()
    rig.sim.note(incident["id"], None, "On it")
    rig.wait(1)
    data = json.loads(receiver.arrived[0][1])["event"]["data"]
    assert (data["content"], data["incident"]["id"]) == ("On it", incident["id"])
