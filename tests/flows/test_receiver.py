"""The receiver: who may leave a hint, what is kept of it, and what the tools are told so that they come again."""

import base64
import hashlib
import hmac
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from connectors.store import Delivery, Store, StoreError
from flows.receiver import LARGEST
from tests.flows.desk import Desk
from tests.flows.inlet import hooked, listening
from tests.stories import at

ROOT = Path(__file__).parents[2]
NOW = at("2026-03-03 10:00")
STAMP = "2026-03-03T16:00:00Z"
ENVELOPE = b'{"id":"e1","type":"zen:event-type:ticket.created","subject":"zen:ticket:7","detail":{"subject":"Ann"}}'
EVENT = b'{"event":{"id":"e1","event_type":"incident.triggered","data":{"id":"P1","type":"incident","title":"Ann"}}}'


def zendesk(body: bytes, secret: str = "one", stamp: str = STAMP, signed: bytes | None = None) -> dict[str, str]:
    """The headers of a delivery, by Zendesk's rule."""
    said = hmac.digest(secret.encode(), stamp.encode() + (body if signed is None else signed), hashlib.sha256)
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(said).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        "X-Zendesk-Webhook-Invocation-Id": "i1",
    }


def pagerduty(body: bytes, *secrets: str) -> dict[str, str]:
    """The headers of a delivery, by PagerDuty's rule."""
    said = ["v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    return {"X-PagerDuty-Signature": ",".join(said), "X-Webhook-Id": "w1"}


class Inbox(NamedTuple):
    """A receiver that listens, and the store behind it."""

    http: httpx.Client
    store: Store
    path: Path

    def kept(self, tool: str) -> list[tuple[str, str]]:
        """(id, about) of what waits."""
        return [(delivery.id, delivery.about) for delivery in self.store.deliveries(tool)]


@pytest.fixture
def inbox(migrated_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A receiver with two secrets for each tool; what it may take is short, so that no test waits."""
    monkeypatch.setenv("ZENDESK_WEBHOOK_SECRET", "one, two")
    monkeypatch.setenv("PAGERDUTY_WEBHOOK_SECRET", "one\ntwo")
    path = tmp_path / "store.db"
    path.write_bytes(migrated_store.read_bytes())
    store = Store.open(f"sqlite:///{path}")
    with listening(store, lambda: NOW, answer=0.5) as url, httpx.Client(base_url=url, trust_env=False) as http:
        yield Inbox(http, store, path)
    store.close()


def sent(inbox: Inbox, tool: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return inbox.http.post(f"/webhooks/{tool}", content=body, headers=headers)


# who may


@pytest.mark.req("SEC-06")
@pytest.mark.parametrize(
    ("tool", "body", "headers", "status"),
    [
        ("zendesk", ENVELOPE, zendesk(ENVELOPE), 200),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, "two"), 200),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, "three"), 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, ""), 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, "one, two"), 401),
        ("zendesk", ENVELOPE, {}, 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, signed=EVENT), 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, stamp="2026-03-03T15:50:01Z"), 200),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, stamp="2026-03-03T15:49:59Z"), 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, stamp="2026-03-03T16:10:01Z"), 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, stamp="2026-03-03T16:00:00"), 401),
        ("zendesk", ENVELOPE, zendesk(ENVELOPE, stamp="lately"), 401),
        ("zendesk", ENVELOPE, pagerduty(ENVELOPE, "one"), 401),
        ("pagerduty", EVENT, pagerduty(EVENT, "one"), 200),
        ("pagerduty", EVENT, pagerduty(EVENT, "three", "two"), 200),
        ("pagerduty", EVENT, pagerduty(EVENT, "three", "four"), 401),
        ("pagerduty", EVENT, pagerduty(EVENT, ""), 401),
        ("pagerduty", EVENT, {}, 401),
        ("pagerduty", EVENT, pagerduty(ENVELOPE, "one"), 401),
    ],
)
def test_who_may(inbox: Inbox, tool: str, body: bytes, headers: dict[str, str], status: int) -> None:
    """Only what is signed with one of our secrets over these very bytes, and lately where the tool says when."""
    about = {"zendesk": "zendesk:7", "pagerduty": "pagerduty:P1"}[tool]
    assert sent(inbox, tool, body, headers).status_code == status
    assert inbox.kept(tool) == ([("e1", about)] if status == 200 else [])


@pytest.mark.req("SEC-06")
def test_refusals_are_logged_without_content(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    """A bad signature is told with what to check, and with nothing of what was sent."""
    sent(inbox, "zendesk", ENVELOPE, zendesk(ENVELOPE, "three"))
    sent(inbox, "pagerduty", EVENT, pagerduty(EVENT, "three"))
    assert caplog.messages == [
        "zendesk webhook refused: the signature does not fit: check ZENDESK_WEBHOOK_SECRET",
        "pagerduty webhook refused: the signature does not fit: check PAGERDUTY_WEBHOOK_SECRET",
    ]


def test_a_secret_file_is_read_anew(inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that changes in its file counts from the next delivery on, without a new start."""
    file = tmp_path / "secret"
    file.write_text("old\n")
    monkeypatch.setenv("ZENDESK_WEBHOOK_SECRET_FILE", str(file))
    assert sent(inbox, "zendesk", ENVELOPE, zendesk(ENVELOPE, "new")).status_code == 401
    file.write_text("old\nnew\n")
    assert sent(inbox, "zendesk", ENVELOPE, zendesk(ENVELOPE, "new")).status_code == 200


# what is kept


def test_twins_are_kept_once(inbox: Inbox) -> None:
    """Sent again, also signed anew or under another header: the same event is one hint, and the tool hears success."""
    again = {**zendesk(ENVELOPE, "two", "2026-03-03T16:01:00Z"), "X-Zendesk-Webhook-Invocation-Id": "i2"}
    assert [sent(inbox, "zendesk", ENVELOPE, one).text for one in (zendesk(ENVELOPE), again)] == ["kept", "known"]
    other = {**pagerduty(EVENT, "one"), "X-Webhook-Id": "w2"}
    assert [sent(inbox, "pagerduty", EVENT, one).text for one in (pagerduty(EVENT, "one"), other)] == ["kept", "known"]
    inbox.store.follow("zendesk", ["e1"], NOW)
    assert sent(inbox, "zendesk", ENVELOPE, again).text == "known"
    assert (inbox.kept("zendesk"), inbox.kept("pagerduty")) == ([], [("e1", "pagerduty:P1")])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<xml/>",
        b"{",
        b'{"id":"x"}',
        b'{"ticket_id":"{{ticket.id}}"}',
        b"\xff\xfe",
        b'{"event":{}}',
    ],
)
def test_what_cannot_be_read(inbox: Inbox, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A signed body that names no record is taken, so that the tool does not send it for ever, and nothing is kept."""
    assert sent(inbox, "zendesk", body, zendesk(body)).status_code == 200
    assert sent(inbox, "pagerduty", body, pagerduty(body, "one")).status_code == 200
    assert (inbox.kept("zendesk"), inbox.kept("pagerduty")) == ([], [])
    assert not [text for text in caplog.messages if "xml" in text or "ticket" in text]


def test_only_ids_are_kept(inbox: Inbox) -> None:
    """No name, subject or text of a delivery is in the database afterwards."""
    sent(inbox, "zendesk", ENVELOPE, zendesk(ENVELOPE))
    sent(inbox, "pagerduty", EVENT, pagerduty(EVENT, "one"))
    inbox.store.close()
    held = b"".join(file.read_bytes() for file in inbox.path.parent.glob("store.db*"))
    assert b"zendesk:7" in held
    assert b"Ann" not in held


def test_too_large(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    """A body beyond any that a tool sends is not read to its end."""
    body = b" " * (LARGEST + 1)
    assert sent(inbox, "zendesk", body, zendesk(body)).status_code == 413
    assert caplog.messages == [f"zendesk webhook refused: its body is larger than {LARGEST} bytes"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/webhooks/zendesk", 405),
        ("POST", "/webhooks/jira", 404),
        ("POST", "/webhooks/", 404),
        ("GET", "/", 404),
    ],
)
def test_doors(inbox: Inbox, method: str, path: str, status: int) -> None:
    """There is a door for each tool and one for whoever asks whether we run, and no other."""
    assert inbox.http.request(method, path).status_code == status


# come again


def later(answer: httpx.Response) -> bool:
    """Will both tools come again? Zendesk does for 503 with a Retry-After below a minute only."""
    return answer.status_code == 503 and 0 < int(answer.headers["retry-after"]) < 60


@pytest.mark.parametrize("trouble", ["unset", "no file", "no table", "a fault"])
def test_our_own_trouble(
    trouble: str, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No secret, its file gone, no table to write to, a fault in our code: ours to mend, so the tool is asked again."""
    match trouble:
        case "unset":
            monkeypatch.delenv("ZENDESK_WEBHOOK_SECRET")
        case "no file":
            monkeypatch.setenv("ZENDESK_WEBHOOK_SECRET_FILE", str(tmp_path / "none"))
        case "no table":
            with closing(sqlite3.connect(inbox.path)) as conn:
                conn.execute("ALTER TABLE inbox RENAME TO elsewhere")
        case "a fault":
            monkeypatch.setattr("connectors.zendesk.webhook.matches", None)
    assert later(sent(inbox, "zendesk", ENVELOPE, zendesk(ENVELOPE)))
    assert len(caplog.messages) == 1
    assert "put off" in caplog.messages[0]
    assert "Ann" not in caplog.text


def test_the_store_is_locked(inbox: Inbox) -> None:
    """Somebody holds the database for longer than the tool waits: answered in time, and kept once when sent again."""
    with closing(sqlite3.connect(inbox.path)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        assert later(sent(inbox, "pagerduty", EVENT, pagerduty(EVENT, "one")))
        assert inbox.http.get("/healthz").status_code == 200
        conn.rollback()
    assert sent(inbox, "pagerduty", EVENT, pagerduty(EVENT, "one")).status_code == 200
    assert inbox.kept("pagerduty") == [("e1", "pagerduty:P1")]


def test_the_tools_do_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store takes nothing at first: both tools send again what we put off, and each hint is kept."""
    taken, refused = Store.receive, set()

    def receive(store: Store, delivery: Delivery) -> bool:
        if delivery.id not in refused:
            refused.add(delivery.id)
            raise StoreError("the store: away; start it")
        return taken(store, delivery)

    desk.move("2026-03-04 02:00")
    desk.minutes(2)
    monkeypatch.setattr(Store, "receive", receive)
    with hooked(desk):
        desk.file("P1", "business")
        desk.sandbox.advance(1)
        desk.beat()
        for _ in range(10):
            desk.sandbox.advance(20)
    store = desk.ctx.store
    kept = {delivery.id for tool in ("zendesk", "pagerduty") for delivery in store.deliveries(tool)}
    assert kept == refused
    assert {delivery.about for delivery in store.deliveries("pagerduty")} == {f"pagerduty:{desk.incidents[-1].id}"}


# a process of its own


def test_it_stands_alone() -> None:
    """The receiver starts without Prefect and without the tools' clients: it is small, and up when they are not."""
    code = "import sys, flows.receiver, flows.commands.receiver; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "starlette" in loaded
    assert not loaded & {"prefect", "httpx2", "pagerduty", "connectors.zendesk.client", "connectors.sandbox"}
