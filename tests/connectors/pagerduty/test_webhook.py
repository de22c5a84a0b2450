"""PagerDuty's webhooks: really signed deliveries, several signatures at once, what they are about."""

import msgspec
import pytest

from connectors.hints import BadSignature
from connectors.pagerduty.webhook import SIGNATURE, read, verify
from tests.connectors.pagerduty.conftest import Account
from tests.connectors.sandbox.receiver import receiving

Delivery = tuple[bytes, dict[str, str], str, str]


@pytest.fixture
def delivery(account: Account) -> Delivery:
    """A delivery as the simulated account makes it: body, headers, secret, and its incident."""
    with receiving() as receiver:
        account.sim.subscribe(receiver.url, ["incident.triggered"])
        secret = account.sim.environment()["PAGERDUTY_WEBHOOK_SECRET"]
        account.trigger()
        page = account.incident()
        account.sandbox.advance(5)
        headers, body = receiver.arrived[0]
    assert page is not None
    return body, {name.lower(): value for name, value in headers.items()}, secret, page.id


def test_a_signed_delivery(delivery: Delivery) -> None:
    """A delivery of PagerDuty's passes and says its incident."""
    body, headers, secret, incident = delivery
    verify(body, headers, secrets=[secret])
    hint = read(body, headers)
    assert (hint.about, hint.kind) == (f"pagerduty:{incident}", "incident.triggered")
    assert hint.delivery == msgspec.json.decode(body)["event"]["id"]


def test_during_a_rotation(delivery: Delivery) -> None:
    """Several signatures, several secrets: one pair that fits is enough; other versions are not looked at."""
    body, headers, secret, _ = delivery
    several = f"v0=feed, v1={'0' * 64},{headers[SIGNATURE]}"
    verify(body, {**headers, SIGNATURE: several}, secrets=["new", secret])
    with pytest.raises(BadSignature, match="does not fit"):
        verify(body, {**headers, SIGNATURE: several}, secrets=["new"])


@pytest.mark.parametrize("said", ["", "v1=", "v1=00", "v2=00", "00", "v1=\u00e9"])
def test_forged(delivery: Delivery, said: str) -> None:
    """Nothing that we could not have computed passes."""
    body, headers, secret, _ = delivery
    with pytest.raises(BadSignature):
        verify(body, {**headers, SIGNATURE: said}, secrets=[secret])


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_lets_nobody_in(delivery: Delivery, secrets: list[str]) -> None:
    """A receiver without a secret accepts nothing."""
    body, headers, _, _ = delivery
    with pytest.raises(BadSignature):
        verify(body, headers, secrets=secrets)


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (
            b'{"event":{"id":"e","event_type":"incident.annotated","data":'
            b'{"id":"P9","type":"incident_note","content":"x","incident":{"id":"P1"}}}}',
            "pagerduty:P1",
        ),
        (b'{"event":{"id":"e","event_type":"service.updated","data":{"id":"S1","type":"service"}}}', None),
        (b'{"event":{"id":"e","event_type":"pagey.ping"}}', None),
        (b'{"event":{"id":"e","event_type":"incident.x","data":{"id":"../users/P1","type":"incident"}}}', None),
        (
            b'{"event":{"id":"e","event_type":"incident.brand_new","data":{"id":"P1","type":"incident"}}}',
            "pagerduty:P1",
        ),
    ],
)
def test_what_it_is_about(body: bytes, about: str | None) -> None:
    """A note is about its incident; a service or a ping is about none; new kinds are no problem."""
    hint = read(body, {})
    assert (hint.about, hint.delivery) == (about, "e")


def test_a_replay_under_another_name(delivery: Delivery) -> None:
    """The delivery's id in the headers is not signed: what was captured is known again whatever stands there."""
    body, headers, _, _ = delivery
    assert read(body, {**headers, "x-webhook-id": "another"}).delivery == read(body, headers).delivery


@pytest.mark.parametrize("said", ["", "a b", "x" * 200, "\u00e9", "\x00"])
def test_an_id_that_cannot_be_kept(said: str) -> None:
    """An id of another shape is replaced by one made of the body, the same for the same body."""
    body = msgspec.json.encode({"event": {"id": said, "event_type": "incident.triggered"}})
    assert read(body, {}).delivery == read(body, {}).delivery != said


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event":{"id":1}}'])
def test_another_shape(body: bytes) -> None:
    """What is no event of PagerDuty's is refused as such."""
    with pytest.raises(ValueError, match=r"."):
        read(body, {})
