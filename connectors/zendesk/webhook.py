"""Zendesk's webhooks: the signature over timestamp and raw body, and which record they are about (vendor-facts §1.19).

Two kinds arrive: event-subscribed ones with Zendesk's own envelope, and trigger-connected ones whose body an admin
wrote; of those only a `ticket_id` is read.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.hints import BadSignature, Hint, digest, matches, named

SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
INVOCATION = "x-zendesk-webhook-invocation-id"
WINDOW = timedelta(minutes=10)
"""How old a delivery may be; what comes later is found by the sweep."""

_SUBJECT = re.compile(r"zen:(?P<what>[a-z_]+):(?P<id>[0-9]{1,18})")
_TICKET = re.compile(r"[0-9]{1,18}")


def verify(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], now: datetime) -> None:
    """Check a delivery over its raw bytes; `headers` in lower case, `secrets` all that are in force. BadSignature."""
    said, stamp = headers.get(SIGNATURE), headers.get(TIMESTAMP)
    if not said or not stamp:
        raise BadSignature(f"{SIGNATURE} or {TIMESTAMP} is missing: set the webhook's signing secret in Zendesk")
    signed = [base64.b64encode(digest(secret, stamp.encode(), body)).decode() for secret in secrets if secret]
    if not any(matches(said, one) for one in signed):
        raise BadSignature("the signature does not fit: check ZENDESK_WEBHOOK_SECRET")
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise BadSignature("its timestamp is no time") from error
    if at.tzinfo is None or abs(now - at) > WINDOW:
        raise BadSignature(f"it was signed more than {WINDOW} from now: check this machine's clock")


def read(body: bytes, headers: Mapping[str, str]) -> Hint:
    """What a verified delivery is about. Raises ValueError where it is no JSON object.

    Zendesk's own envelope has an id that stays when it is sent again. In a body that an admin wrote, `id` may be
    anything, the ticket's for instance: such a delivery is known by its invocation.
    """
    told = msgspec.json.decode(body, type=dict[str, Any])
    stamp = headers.get(TIMESTAMP, "").encode()
    subject = _SUBJECT.fullmatch(str(told.get("subject", "")))
    if subject is not None:
        name = "zendesk" if subject["what"] == "ticket" else f"zendesk:{subject['what']}"
        delivery = named(str(told.get("id", "")), stamp, body)
        return Hint(delivery=delivery, kind=str(told.get("type", "")), about=f"{name}:{subject['id']}")
    ticket_id = str(told.get("ticket_id", ""))
    about = f"zendesk:{ticket_id}" if _TICKET.fullmatch(ticket_id) else None
    return Hint(delivery=named(headers.get(INVOCATION), stamp, body), kind="trigger", about=about)
