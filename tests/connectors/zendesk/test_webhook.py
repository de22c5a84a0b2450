"""Zendesk's webhooks: really signed deliveries, what they are about, and those that are turned away."""

from datetime import datetime, timedelta

import pytest

from connectors.hints import BadSignature
from connectors.zendesk.webhook import INVOCATION, SIGNATURE, TIMESTAMP, WINDOW, read, verify
from tests.connectors.sandbox.receiver import receiving
from tests.connectors.zendesk.conftest import Account

SECRET = "s3cret"


@pytest.fixture
def delivery(account: Account) -> tuple[bytes, dict[str, str], datetime, int]:
    """A delivery as the simulated account makes it: body, headers, when, and its ticket."""
    with receiving() as receiver:
        account.sim.webhooks.subscribe(receiver.url, ("ticket.created",), secret=SECRET)
        ticket = account.filed()
        account.sandbox.advance(0)
        headers, body = receiver.arrived[0]
    return body, {name.lower(): value for name, value in headers.items()}, account.sandbox.core.clock.now(), ticket


def test_a_signed_delivery(delivery: tuple[bytes, dict[str, str], datetime, int]) -> None:
    """A delivery of Zendesk's passes and says its ticket; during a rotation either secret will do."""
    body, headers, now, ticket = delivery
    verify(body, headers, secrets=["new", SECRET], now=now)
    hint = read(body, headers)
    assert (hint.about, hint.kind) == (f"zendesk:{ticket}", "zen:event-type:ticket.created")
    assert hint.delivery


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({SIGNATURE: ""}, "missing"),
        ({TIMESTAMP: ""}, "missing"),
        ({SIGNATURE: "AAAA"}, "does not fit"),
        ({SIGNATURE: "\u00e9"}, "does not fit"),
        ({TIMESTAMP: "2026-03-03T15:00:01Z"}, "does not fit"),
    ],
)
def test_forged(delivery: tuple[bytes, dict[str, str], datetime, int], change: dict[str, str], why: str) -> None:
    """Without a signature, with a wrong one, or with another time than was signed, nothing passes."""
    body, headers, now, _ = delivery
    with pytest.raises(BadSignature, match=why):
        verify(body, {**headers, **change}, secrets=[SECRET], now=now)


@pytest.mark.req("SEC-06")
def test_every_byte_is_signed(delivery: tuple[bytes, dict[str, str], datetime, int]) -> None:
    """A body that says the same in other bytes is another body."""
    body, headers, now, _ = delivery
    with pytest.raises(BadSignature):
        verify(body + b" ", headers, secrets=[SECRET], now=now)


@pytest.mark.parametrize("late", [WINDOW + timedelta(seconds=1), -WINDOW - timedelta(seconds=1)])
def test_replayed(delivery: tuple[bytes, dict[str, str], datetime, int], late: timedelta) -> None:
    """An old delivery, sent again by somebody, is turned away; so is one from the future."""
    body, headers, now, _ = delivery
    with pytest.raises(BadSignature, match="clock"):
        verify(body, headers, secrets=[SECRET], now=now + late)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_lets_nobody_in(secrets: list[str], delivery: tuple[bytes, dict[str, str], datetime, int]) -> None:
    """A receiver without a secret accepts nothing, also not what is signed with an empty one."""
    body, headers, now, _ = delivery
    with pytest.raises(BadSignature):
        verify(body, headers, secrets=secrets, now=now)


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (
            b'{"id":"1","type":"zen:event-type:organization.changed","subject":"zen:organization:7"}',
            "zendesk:organization:7",
        ),
        (b'{"ticket_id":"35436","title":"whatever an admin typed"}', "zendesk:35436"),
        (b'{"ticket_id":35436}', "zendesk:35436"),
        (b'{"ticket_id":"{{ticket.id}}"}', None),
        ('{"ticket_id":"\u00b2\u0663"}'.encode(), None),
        (b'{"ticket_id":"99999999999999999999"}', None),
        (b'{"subject":"zen:ticket:1; drop","id":"x"}', None),
        (b"{}", None),
    ],
)
def test_what_it_is_about(body: bytes, about: str | None) -> None:
    """Zendesk's own envelopes and those of triggers name a record, or none; each has an id to tell twins by."""
    hint = read(body, {})
    assert hint.about == about
    assert hint.delivery == read(body, {}).delivery


def test_ids_that_an_admin_wrote() -> None:
    """A trigger's body may hold the ticket's id as `id`: two of its invocations are two deliveries all the same."""
    body = b'{"id":"35436","ticket_id":"35436"}'
    first, second = (read(body, {INVOCATION: name}).delivery for name in ("one", "two"))
    assert first != second
    assert read(body, {TIMESTAMP: "10:00"}).delivery != read(body, {TIMESTAMP: "10:01"}).delivery


def test_an_envelope_sent_again(delivery: tuple[bytes, dict[str, str], datetime, int]) -> None:
    """Zendesk's own envelope is known again by its id, also as another invocation."""
    body, headers, _, _ = delivery
    assert read(body, {**headers, INVOCATION: "another"}).delivery == read(body, headers).delivery


@pytest.mark.parametrize("body", [b"", b"[]", b"<xml/>", b"null"])
def test_no_object(body: bytes) -> None:
    """What is no JSON object is refused as such."""
    with pytest.raises(ValueError, match=r"."):
        read(body, {})
