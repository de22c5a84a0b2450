"""PagerDuty's webhooks (v3): the signature over the raw body, and which incident they are about (vendor-facts §4.9).

Nothing in the signature says when it was made, and PagerDuty sends again for two days: a replay is told by its
event's id, which is signed (the delivery's id stands in a header and is not), never by its age.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.hints import BadSignature, Hint, digest, matches, named

SIGNATURE = "x-pagerduty-signature"
_INCIDENT = re.compile(r"[A-Za-z0-9]{1,64}")


def verify(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str]) -> None:
    """Check a delivery over its raw bytes; `headers` in lower case, `secrets` all that are in force. BadSignature."""
    said = [part.strip() for part in headers.get(SIGNATURE, "").split(",") if part.strip().startswith("v1=")]
    if not said:
        raise BadSignature(f"{SIGNATURE} is missing, or has no v1= part")
    signed = [f"v1={digest(secret, body).hex()}" for secret in secrets if secret]
    if not any(matches(one, other) for one in said for other in signed):
        raise BadSignature("the signature does not fit: check PAGERDUTY_WEBHOOK_SECRET")


class _Reference(msgspec.Struct):
    id: str


class _Data(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    incident: _Reference | None = None


class _Event(msgspec.Struct):
    id: str
    event_type: str
    data: _Data | None = None


class _Body(msgspec.Struct):
    event: _Event


def read(body: bytes, headers: Mapping[str, str]) -> Hint:
    """What a verified delivery is about: its incident, also for a note on one. Raises ValueError on another shape."""
    event = msgspec.json.decode(body, type=_Body).event
    data: Any = event.data or _Data()
    incident = data.incident.id if data.incident else data.id if data.type == "incident" else None
    about = f"pagerduty:{incident}" if incident is not None and _INCIDENT.fullmatch(incident) else None
    return Hint(delivery=named(event.id, body), kind=event.event_type, about=about)
