"""Our mail client against the simulated server, over a real socket."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound, Unauthorized, Unavailable, Uncertain
from connectors.mail.client import Mail, Server, message_id, unreadable
from connectors.sandbox.mail import MailSim
from connectors.sandbox.server import Sandbox
from tests.connectors.mail.tls import make_certificate, serving

WORLD = {"profile": "builder", "now": "2026-03-03T15:00:00Z"}
NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)


@dataclass
class Office:
    """A mail server, and our client of it."""

    sandbox: Sandbox
    waits: list[float] = field(default_factory=list)

    @property
    def sim(self) -> MailSim:
        """Its mailbox."""
        assert self.sandbox.mail is not None
        return self.sandbox.mail

    def client(self, **changes: object) -> Mail:
        """A client of the server, which does not really wait."""
        server = Server(self.sandbox.urls["mail"], "Helpdesk <helpdesk@example.com>")
        return Mail(server._replace(**changes), sleep=self.waits.append)

    def send(self, to: str = "leads@example.com", text: str = "It is late.", ref: str = "hf-1") -> str:
        """Send one message."""
        return self.client().send(to, "P1: ticket 7", text, ref=ref, at=NOW).id

    def fault(self, **fault: object) -> None:
        """Put one line of a fault script into force."""
        self.sandbox.core.faults.add(vendor="mail", **fault)


@pytest.fixture
def office() -> Iterator[Office]:
    """A mail server that takes everything."""
    with Sandbox(WORLD, seed=7, only=("mail",)) as sandbox:
        yield Office(sandbox)


def test_arrives(office: Office) -> None:
    """A message arrives as it was written, with dots and letters of any kind, under an id made of its mark."""
    text = "Grüße\n.\n..two dots\n" + "x" * 2000
    assert office.send("a@example.com, b@example.com", text) == "<hf-1@example.com>"
    (mail,) = office.sim.mailbox
    assert (mail.sender, mail.to) == ("helpdesk@example.com", ("a@example.com", "b@example.com"))
    assert (mail.subject, mail.id) == ("P1: ticket 7", "<hf-1@example.com>")
    assert mail.text.replace("\r\n", "\n").rstrip("\n") == text


def test_long_subject_stays_whole(office: Office) -> None:
    """A subject longer than a line arrives without a break in it."""
    subject = "[builder] " + "P2 Major feature broken " * 6
    office.client().send("a@example.com", subject.strip(), "x", ref="hf-1", at=NOW)
    assert office.sim.mailbox[0].subject == subject.strip()


@pytest.mark.req("NTF-09")
def test_same_mark_same_id() -> None:
    """What is sent again has the id that it had."""
    assert message_id("hf-1", "Desk <a@b.example>") == message_id("hf-1", "a@b.example") == "<hf-1@b.example>"
    assert message_id("hf-1", "a@b.example") != message_id("hf-2", "a@b.example")


@pytest.mark.parametrize(
    ("fault", "kind", "taken"),
    [
        ({"kind": "cut_after", "method": "SEND"}, Uncertain, 1),
        ({"kind": "cut_before", "method": "SEND"}, Uncertain, 0),
        ({"kind": "away", "method": "CONNECT"}, Unavailable, 0),
        ({"kind": "status", "method": "CONNECT", "status": 421}, Unavailable, 0),
        ({"kind": "status", "method": "SEND", "status": 451}, Unavailable, 0),
        ({"kind": "status", "method": "SEND", "status": 552}, BadRequest, 0),
        ({"kind": "status", "method": "SEND", "status": 554}, Forbidden, 0),
    ],
    ids=["cut after", "cut before", "away", "busy", "later", "too big", "refused"],
)
def test_trouble(office: Office, fault: dict[str, object], kind: type[ConnectorError], taken: int) -> None:
    """What breaks off while a message is handed over is uncertain; before that, and what is said, is certain."""
    office.fault(**fault)
    with pytest.raises(kind):
        office.send()
    assert len(office.sim.mailbox) == taken


def test_unknown_mailbox(office: Office) -> None:
    """No such mailbox: NotFound, without the address."""
    office.sim.lose("gone@example.com")
    with pytest.raises(NotFound, match="550 No such user here; no such mailbox: mend the profile's routes") as raised:
        office.send("gone@example.com")
    assert "gone@" not in str(raised.value)
    assert office.sim.mailbox == []


def test_one_address_of_several(office: Office) -> None:
    """One mailbox of two is no more: the other one gets the message, and what was refused is said, without a name."""
    office.sim.lose("gone@example.com")
    sent = office.client().send("gone@example.com, b@example.com", "x", "x", ref="hf-1", at=NOW)
    assert sent.refused == ("550 No such user here",)
    (mail,) = office.sim.mailbox
    assert mail.to == ("b@example.com",)


def test_no_address_that_works(office: Office) -> None:
    """Both are refused: nothing is sent, and the refusal is the route's."""
    for name in ("a", "b"):
        office.sim.lose(f"{name}@example.com")
    with pytest.raises(NotFound, match="550"):
        office.send("a@example.com, b@example.com")
    assert office.sim.mailbox == []


def test_plain_letters_on_the_way(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server need not take eight bits (RFC 6152): what goes over the line is seven."""
    seen: list[bytes] = []
    monkeypatch.setattr(office.sim, "take", lambda sender, to, content: seen.append(content))
    office.send(text="… and 3 more. Grüße")
    assert seen[0].isascii()


def test_nobody_listens() -> None:
    """No server there: Unavailable, which names the setting; tried a few times, and nothing was sent."""
    waits: list[float] = []
    client = Mail(Server("smtp://127.0.0.1:9", "a@example.com"), sleep=waits.append)
    with pytest.raises(Unavailable, match="check SMTP_URL"):
        client.send("b@example.com", "x", "x", ref="hf-1", at=NOW)
    assert len(waits) == 3


def test_login_that_does_not_work(office: Office) -> None:
    """A server that offers no login where one is set: said with its cure."""
    with pytest.raises((Unauthorized, Forbidden), match="does not offer what the settings need"):
        office.client(user="us", password=lambda: "secret").greet()


def test_without_starttls_nothing_is_said(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere that offers no STARTTLS is not spoken to; `smtp+plain` is."""
    monkeypatch.setattr("connectors.mail.client._LOCAL", ())
    with pytest.raises(Forbidden, match=r"STARTTLS.*smtp\+plain://"):
        office.send()
    office.client(url=office.sandbox.urls["mail"].replace("smtp:", "smtp+plain:")).greet()
    assert office.sim.mailbox == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's certificate and key."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["smtp", "smtps"])
def closed(request: pytest.FixtureRequest, office: Office, certificate: Path) -> str:
    """A server that takes mail over TLS only, by either way, and from its own people; its address."""
    office.sim.tls = serving(certificate)
    office.sim.tls_at_once = request.param == "smtps"
    office.sim.users = {"helpdesk": "secret"}
    return office.sandbox.urls["mail"].replace("smtp:", f"{request.param}:")


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """We believe the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.usefixtures("trusted")
def test_a_server_that_wants_tls_and_a_login(office: Office, closed: str) -> None:
    """STARTTLS or TLS from the start, then the login: the message arrives."""
    client = office.client(url=closed, user="helpdesk", password=lambda: "secret")
    client.greet()
    client.send("a@example.com", "P1: ticket 7", "It is late.", ref="hf-1", at=NOW)
    assert [mail.subject for mail in office.sim.mailbox] == ["P1: ticket 7"]


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password(office: Office, closed: str) -> None:
    """A login that is refused names the settings, and neither user nor password; without one, so does the refusal."""
    with pytest.raises(Unauthorized, match="535 the server does not take SMTP_USER and SMTP_PASSWORD") as raised:
        office.client(url=closed, user="helpdesk", password=lambda: "wrong").greet()
    assert "wrong" not in str(raised.value)
    with pytest.raises(Forbidden, match="530 Authentication required; let SMTP_USER send as SMTP_FROM"):
        office.client(url=closed).send("a@example.com", "x", "x", ref="hf-1", at=NOW)


def test_a_certificate_that_nobody_vouches_for(office: Office, closed: str) -> None:
    """A server whose certificate we do not believe is told nothing, and the error says what is wrong with it."""
    with pytest.raises(Unavailable, match=r"certificate is not believed \(self-signed certificate\); renew it, or put"):
        office.client(url=closed, user="helpdesk", password=lambda: "secret").greet()
    assert (office.waits, office.sim.mailbox) == ([], [])


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://"])
def test_addresses(url: str) -> None:
    """What is no address of a mail server is said with the right spelling."""
    assert "write smtp://mail.example.com:587" in (unreadable(url) or "")
    assert unreadable("smtps://mail.example.com") is None
