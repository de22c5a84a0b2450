"""The receiver: takes the tools' webhooks, keeps each as a hint for the next pulse, and answers at once.

A process of its own beside the pulse, without Prefect: all it needs is the store and the signing secrets. Nothing is
kept of a delivery but its id and the id of the record it is about. What is answered follows from what the tools make of
it (vendor-facts §1.19, §4.9): both come again after 503 with a short Retry-After; any other refusal is final, and
several of them make the tool stop sending.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.hints import BadSignature, Hint, several
from connectors.pagerduty import webhook as pagerduty
from connectors.store import Delivery, Store, StoreError
from connectors.zendesk import webhook as zendesk
from flows.settings import secret

log = logging.getLogger("helpdesk")

ANSWER = 4.0
"""Real seconds until we answer, whatever the store does: PagerDuty waits five."""
LATER = {"retry-after": "20"}
"""Below a minute, or Zendesk does not come again."""
LARGEST = 1024 * 1024
"""Bytes of a body; PagerDuty's are at most 256 KB, Zendesk's hold one ticket."""


class Inlet(msgspec.Struct, frozen=True):
    """One tool's way in: where its secrets are, how a delivery is checked, and how it is read."""

    tool: str
    secrets: str
    verify: Callable[[bytes, Mapping[str, str], Sequence[str], datetime], None]
    read: Callable[[bytes, Mapping[str, str]], Hint]


INLETS = (
    Inlet(
        "zendesk",
        "ZENDESK_WEBHOOK_SECRET",
        lambda body, headers, secrets, now: zendesk.verify(body, headers, secrets=secrets, now=now),
        zendesk.read,
    ),
    Inlet(
        "pagerduty",
        "PAGERDUTY_WEBHOOK_SECRET",
        lambda body, headers, secrets, _: pagerduty.verify(body, headers, secrets=secrets),
        pagerduty.read,
    ),
)


def secrets_of(inlet: Inlet) -> list[str]:
    """The secrets in force, read anew at each delivery: a file may change while we run. Empty where none is set."""
    found = secret(inlet.secrets)
    return [] if found is None else several(found.get_secret_value())


def receiver(store: Store, now: Callable[[], datetime], *, answer: float = ANSWER) -> Starlette:
    """The application: `POST /webhooks/<tool>` for each tool, and `GET /healthz`, which says only that it runs.

    `now` tells the time by which signatures age; `answer` is how long a delivery may take (seconds).
    """
    inlets = [
        Route(f"/webhooks/{inlet.tool}", _endpoint(inlet, store, now, answer), methods=["POST"]) for inlet in INLETS
    ]
    return Starlette(routes=[Route("/healthz", _healthy), *inlets])


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


def _endpoint(inlet: Inlet, store: Store, now: Callable[[], datetime], answer: float) -> Callable[..., object]:
    async def take(request: Request) -> Response:
        try:
            async with asyncio.timeout(answer):
                body = await _body(request)
                if body is None:
                    log.warning("%s webhook refused: its body is larger than %d bytes", inlet.tool, LARGEST)
                    return PlainTextResponse("too large", 413)
                return await asyncio.to_thread(_keep, inlet, store, now, body, dict(request.headers))
        except ClientDisconnect:
            return PlainTextResponse("gone", 400)
        except TimeoutError:
            log.warning("%s webhook put off: the store took longer than %g seconds", inlet.tool, answer)
        return _later()

    return take


async def _body(request: Request) -> bytes | None:
    """The raw body; null where it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _keep(inlet: Inlet, store: Store, now: Callable[[], datetime], body: bytes, headers: Mapping[str, str]) -> Response:
    """Check one delivery and keep what it is about. No word of its body reaches the log."""
    try:
        secrets = secrets_of(inlet)
        if not secrets:
            log.warning("%s webhook put off: %s is not set; set it, or end the webhook", inlet.tool, inlet.secrets)
            return _later()
        at = now()
        inlet.verify(body, headers, secrets, at)
        return _stored(inlet, store, at, inlet.read(body, headers))
    except BadSignature as bad:
        log.warning("%s webhook refused: %s", inlet.tool, bad)
        return PlainTextResponse("bad signature", 401)
    except ValueError as strange:  # signed, so it comes from the tool: to have it sent again would not make it better
        log.warning("%s webhook not understood (%s): nothing is kept of it", inlet.tool, type(strange).__name__)
        return PlainTextResponse("not understood")
    except StoreError as error:
        log.warning("%s webhook put off: %s", inlet.tool, error)
    except Exception:  # a 500 would be final for Zendesk
        log.exception("%s webhook put off", inlet.tool)
    return _later()


def _stored(inlet: Inlet, store: Store, at: datetime, hint: Hint) -> Response:
    if hint.about is None:
        return PlainTextResponse("nothing to follow")
    new = store.receive(Delivery(id=hint.delivery, tool=inlet.tool, about=hint.about, received_at=at))
    return PlainTextResponse("kept" if new else "known")


def _later() -> Response:
    return PlainTextResponse("later", 503, LATER)
