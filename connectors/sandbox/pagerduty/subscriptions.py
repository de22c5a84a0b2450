"""Webhooks v3: who is told what, signed, in order per incident, retried for 48 hours, disabled after three drops.

Source: vendor-facts §4.9 and §0.5. How long PagerDuty waits between attempts is not published: BACKOFF is assumed.
"""

import hashlib
import hmac
from datetime import timedelta

import msgspec

from connectors.sandbox.core import Core
from connectors.sandbox.pagerduty.account import Account
from connectors.sandbox.pagerduty.records import Agent, Incident, Record, Subscription
from connectors.sandbox.pagerduty.shapes import Shapes
from connectors.sandbox.webhooks import Parcel, Receipt

BACKOFF = (60, 120, 300, 600, 1200, 2400, 3600)
GIVE_UP = timedelta(hours=48)
STRIKES = 3
DISABLED = timedelta(hours=24)
LARGEST = 256 * 1024


def sign(body: bytes, secrets: list[str]) -> str:
    """The X-PagerDuty-Signature of a raw body: one `v1=` per secret, as during a rotation."""
    return ",".join("v1=" + hmac.new(s.encode(), body, hashlib.sha256).hexdigest() for s in secrets)


class Announcements:
    """Turns every change of an incident into parcels for the subscriptions that want it."""

    def __init__(self, core: Core, account: Account, shapes: Shapes) -> None:
        self._core, self._account, self._shapes = core, account, shapes

    def tell(self, kind: str, incident: Incident, agent: Agent | None, data: Record | None) -> None:
        """Announce `incident.<kind>`; `data` stands for the incident where the event is about a part of it."""
        event_type = f"incident.{kind}"
        wanted = [s for s in self._account.subscriptions if self._wants(s, event_type, incident)]
        if not wanted:
            return
        event = {
            "id": self._account.names.uuid("event"),
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": self._core.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "agent": self._shapes.agent_ref(agent),
            "client": {"name": "PagerDuty"},
            "data": data or self._shapes.hook_incident(incident),
        }
        for subscription in wanted:
            self._send(subscription, event, incident.id)

    def ping(self, subscription: Subscription) -> None:
        """The test event of the "Send test event" button."""
        event = {
            "id": self._account.names.uuid("event"),
            "event_type": "pagey.ping",
            "resource_type": "pagey",
            "occurred_at": self._core.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "agent": None,
            "client": {"name": "PagerDuty"},
            "data": {"message": "Hello from your friend Pagey!", "type": "ping"},
        }
        self._send(subscription, event, "ping")

    def enable(self, subscription: Subscription) -> None:
        """Let a disabled subscription deliver again; what happened meanwhile is lost to it."""
        subscription.strikes, subscription.disabled_until, subscription.active = 0, None, True

    def _wants(self, subscription: Subscription, event_type: str, incident: Incident) -> bool:
        now = self._core.clock.now()
        if subscription.disabled_until and subscription.disabled_until <= now:
            self.enable(subscription)
        if not subscription.active or subscription.disabled_until:
            return False
        about = subscription.filter
        in_scope = about["type"] == "account_reference" or about.get("id") == incident.service.id
        return in_scope and event_type in subscription.events

    def _send(self, subscription: Subscription, event: Record, about: str) -> None:
        body = msgspec.json.encode({"event": event})
        if len(body) > LARGEST:
            return
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PagerDuty-Webhook/V3.0",
            "X-PagerDuty-Signature": sign(body, subscription.secrets),
            "X-Webhook-Id": self._account.names.uuid("delivery"),
            "X-Webhook-Subscription": subscription.id,
            **{row["name"]: row["value"] for row in subscription.headers},
        }
        first = self._core.clock.now()
        parcel = Parcel("pagerduty", subscription.url, body, headers, first, lane=f"{subscription.id}:{about}")

        def judge(attempted: Parcel, receipt: Receipt) -> float | None:
            if receipt.ok:
                subscription.strikes = 0
                return None
            again = receipt.status is None or receipt.status >= 500 or receipt.status == 429
            wait = BACKOFF[min(attempted.attempt, len(BACKOFF)) - 1]
            if again and attempted.at + timedelta(seconds=wait) <= first + GIVE_UP:
                return wait
            self._drop(subscription)
            return None

        self._core.courier.post(parcel, judge)

    def _drop(self, subscription: Subscription) -> None:
        subscription.strikes += 1
        if subscription.strikes >= STRIKES:
            subscription.disabled_until = self._core.clock.now() + DISABLED
            self._core.courier.forget(f"{subscription.id}:")
