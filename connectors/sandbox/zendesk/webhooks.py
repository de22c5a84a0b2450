"""Event-subscribed webhooks: the fixed envelope, its signature, what a failed delivery leads to (§1.19)."""

import base64
import hashlib
import hmac
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from connectors.sandbox.webhooks import Courier, Parcel, Receipt, Verdict
from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.draft import Draft
from connectors.sandbox.zendesk.records import Audit, Change, Comment, Json, Notification, Ticket
from connectors.sandbox.zendesk.switches import ZendeskSwitches
from connectors.sandbox.zendesk.texts import iso

PREFIX = "zen:event-type:"
_CHANGED = {
    "status": "status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "assignee_id": "agent_assignment_changed",
    "group_id": "group_assignment_changed",
    "organization_id": "organization_changed",
    "requester_id": "requester_changed",
    "problem_id": "problem_link_changed",
    "external_id": "external_id_changed",
    "ticket_form_id": "form_changed",
    "brand_id": "brand_changed",
}
_SHOUTED = frozenset({"status", "priority", "type"})
_CHANNELS = {"api": "web_service", "email": "mail"}


@dataclass
class Webhook:
    """A subscription. `subscriptions` holds event types with their prefix."""

    id: str
    name: str
    endpoint: str
    secret: str
    subscriptions: tuple[str, ...]
    created_at: int
    created_by: int
    active: bool = True
    description: str | None = None
    authentication: Json | None = None
    recent: list[tuple[int, bool]] = field(default_factory=list)
    """Attempts of the last five minutes: (time, failed)."""
    broken_until: int = 0


@dataclass
class Webhooks:
    """The account's webhooks and what goes out through them."""

    account: Account
    switches: ZendeskSwitches
    courier: Courier
    chance: random.Random
    hide: Callable[..., None]
    hooks: dict[str, Webhook] = field(default_factory=dict)

    def subscribe(
        self, endpoint: str, subscriptions: tuple[str, ...], *, name: str = "", secret: str | None = None, by: int = 0
    ) -> Webhook:
        """Register an event-subscribed webhook; types may be written with or without `zen:event-type:`."""
        types = tuple(t if t.startswith(PREFIX) else f"{PREFIX}{t}" for t in subscriptions)
        id = f"01{self.chance.getrandbits(96):024X}"
        secret = secret or base64.b64encode(self.chance.randbytes(32)).decode()
        self.hide(secret)
        hook = Webhook(id, name or endpoint, endpoint, secret, types, self.account.now(), by)
        self.hooks[id] = hook
        return hook

    def observe(self, draft: Draft, audit: Audit) -> None:
        """Send what a saved update means to those who want to hear of it."""
        if not any(hook.active for hook in self.hooks.values()):
            return
        sequence = f"{self.chance.getrandbits(96):024X}"
        for place, (kind, told) in enumerate(_happenings(draft, audit), 1):
            told["meta"] = {"sequence": {"id": sequence, "position": place}}
            self._send(f"{PREFIX}ticket.{kind}", draft.ticket, audit, told)

    def _send(self, kind: str, ticket: Ticket, audit: Audit, told: Json) -> None:
        now = self.account.now()
        envelope = {
            "type": kind,
            "account_id": self.account.id,
            "id": self._uuid(),
            "time": iso(now),
            "zendesk_event_version": "2022-11-06",
            "subject": f"zen:ticket:{ticket.id}",
            "detail": _detail(ticket, audit, self.account),
            "event": told,
        }
        body = msgspec.json.encode(envelope)
        for hook in self.hooks.values():
            if hook.active and kind in hook.subscriptions and hook.broken_until <= now:
                self.courier.post(self._parcel(hook, body, now), partial(self._judge, hook))

    def _parcel(self, hook: Webhook, body: bytes, now: int) -> Parcel:
        stamp = iso(now)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zendesk Webhook",
            "x-zendesk-account-id": str(self.account.id),
            "x-zendesk-webhook-id": hook.id,
            "x-zendesk-webhook-invocation-id": self._uuid(),
            "x-zendesk-webhook-signature": sign(hook.secret, stamp, body),
            "x-zendesk-webhook-signature-timestamp": stamp,
        }
        return Parcel("zendesk", hook.endpoint, body, headers, datetime.fromtimestamp(now, UTC))

    def _judge(self, hook: Webhook, parcel: Parcel, receipt: Receipt) -> Verdict:
        """409 thrice, 429 and 503 only with a short Retry-After, no answer five times; any other failure is final."""
        now = self.account.now()
        hook.recent = [(at, failed) for at, failed in hook.recent if at > now - 300] + [(now, not receipt.ok)]
        failures = sum(failed for _, failed in hook.recent)
        if failures > 1000 or (len(hook.recent) >= 100 and failures >= 0.7 * len(hook.recent)):
            hook.broken_until = now + 300
        if receipt.ok:
            return None
        if receipt.status is None:
            return 10.0 if parcel.attempt <= self.switches.webhook_timeouts_retried else None
        if receipt.status == 409:
            return 5.0 if parcel.attempt <= self.switches.webhook_conflicts_retried else None
        wait = receipt.headers.get("retry-after", "")
        if receipt.status in (429, 503) and wait.isdigit() and int(wait) < 60:
            return float(wait) if parcel.attempt <= 3 else None
        return None

    def _uuid(self) -> str:
        text = f"{self.chance.getrandbits(128):032x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """base64(HMAC-SHA256(secret, timestamp + body))."""
    return base64.b64encode(hmac.digest(secret.encode(), timestamp.encode() + body, hashlib.sha256)).decode()


def _happenings(draft: Draft, audit: Audit) -> Iterator[tuple[str, Json]]:
    """(event type, its own part) of everything in an update; one update can yield several."""
    if draft.creating:
        yield "created", {}
    if audit.via.rel == "merge" and draft.ticket.status == "closed":
        target = dict(audit.via.origin).get("ticket_id")
        yield "merged", {"target_ticket_id": str(target)}
    for place, event in enumerate(audit.events):
        if isinstance(event, Comment):
            author = {"id": str(event.author_id), "is_staff": _staff(draft.account, event.author_id)}
            said = {"id": str(audit.event_id(place)), "body": event.body, "is_public": event.public, "author": author}
            yield "comment_added", {"comment": said}
        elif isinstance(event, Change) and not isinstance(event, Notification):
            yield from _changed(event)


def _changed(event: Change) -> Iterator[tuple[str, Json]]:
    if event.field == "status" and "deleted" in (event.value, event.previous):
        yield ("soft_deleted" if event.value == "deleted" else "undeleted"), {}
    elif event.field == "tags":
        now, then = set(event.value or ()), set(event.previous or ())
        yield "tags_changed", {"tags_added": sorted(now - then), "tags_removed": sorted(then - now)}
    elif event.field.isdigit():
        yield "custom_field_changed", {"field": {"id": event.field}, **_pair(event, shout=False)}
    elif event.field in _CHANGED:
        yield _CHANGED[event.field], _pair(event, shout=event.field in _SHOUTED)


def _pair(event: Change, *, shout: bool) -> Json:
    pair: tuple[Any, Any] = (event.value, event.previous)
    current, previous = (value.upper() if shout and isinstance(value, str) else value for value in pair)
    return {"current": current, "previous": previous}


def _detail(ticket: Ticket, audit: Audit, account: Account) -> Json:
    """The ticket as webhooks show it: ids as text, enums in capitals, unlike REST."""

    def text(value: Any) -> str | None:
        return None if value is None else str(value)

    def shout(value: str | None) -> str | None:
        return None if value is None else value.upper()

    return {
        "id": str(ticket.id),
        "actor_id": str(audit.author_id),
        "assignee_id": text(ticket.assignee_id),
        "requester_id": text(ticket.requester_id),
        "submitter_id": text(ticket.submitter_id),
        "organization_id": text(ticket.organization_id),
        "group_id": text(ticket.group_id),
        "brand_id": str(ticket.brand_id),
        "form_id": str(ticket.form_id),
        "custom_status": text(ticket.custom_status_id),
        "external_id": ticket.external_id,
        "status": shout(ticket.status),
        "priority": shout(ticket.priority),
        "type": shout(ticket.type),
        "subject": ticket.subject,
        "description": ticket.description,
        "is_public": ticket.is_public,
        "tags": ticket.tags,
        "via": {"channel": _CHANNELS.get(ticket.via.channel, ticket.via.channel)},
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.updated_at),
    }


def _staff(account: Account, user_id: int) -> bool:
    user = account.users.get(user_id)
    return user is not None and user.staff
