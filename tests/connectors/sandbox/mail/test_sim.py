"""The simulated mail server: an SMTP conversation line by line, its mailbox, its faults."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from connectors.sandbox.mail import MailSim
from connectors.sandbox.server import Sandbox

WORLD = {"profile": "builder", "now": "2026-03-03T15:00:00Z"}
LETTER = "Subject: Hi\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n..dot\r\n.\r\n"


class Line:
    """A connection to the server, by hand."""

    def __init__(self, sandbox: Sandbox) -> None:
        port = int(sandbox.urls["mail"].rpartition(":")[2])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rwb")

    def hear(self) -> str:
        """The next line, empty where the connection has ended."""
        try:
            return self.file.readline().decode().strip()
        except ConnectionResetError:
            return ""

    def say(self, text: str) -> str:
        """Say something, and hear what comes of it."""
        self.file.write(text.encode() + (b"" if text.endswith("\r\n") else b"\r\n"))
        self.file.flush()
        return self.hear()

    def letter(self) -> str:
        """Say all that a message takes; the last answer."""
        self.hear()
        for text in ("HELO me", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>", "DATA"):
            self.say(text)
        return self.say(LETTER)

    def close(self) -> None:
        """Hang up."""
        self.file.close()
        self.socket.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with a mail server."""
    with Sandbox(WORLD, seed=7, only=("mail",)) as made:
        yield made


@pytest.fixture
def line(sandbox: Sandbox) -> Iterator[Line]:
    """A connection."""
    made = Line(sandbox)
    yield made
    made.close()


def box(sandbox: Sandbox) -> MailSim:
    """The mailbox."""
    assert sandbox.mail is not None
    return sandbox.mail


def test_a_conversation(sandbox: Sandbox, line: Line) -> None:
    """In its order it takes a message, dots undoubled, at the simulated time; the journal knows of it."""
    assert line.hear().startswith("220 ")
    assert line.say("DATA") == "503 Say RCPT first"
    assert line.say("RCPT TO:<b@x.example>") == "503 Say MAIL first"
    assert line.say("VRFY me") == "502 Command not implemented"
    assert line.say("MAIL FROM:<a@x.example> SIZE=9") == "250 OK"
    assert line.say("rcpt to:<b@x.example>") == "250 OK"
    assert line.say("DATA").startswith("354 ")
    assert line.say(LETTER) == "250 OK: taken"
    assert line.say("QUIT") == "221 Bye"
    (mail,) = box(sandbox).to("b@x.example")
    assert (mail.sender, mail.subject, mail.id, mail.text) == ("a@x.example", "Hi", "<1@x>", "Hello\r\n.dot\r\n")
    assert mail.at == sandbox.core.clock.now()
    assert [row.detail["subject"] for row in sandbox.core.journal.rows(vendor="mail")] == ["Hi"]


@pytest.mark.parametrize(
    ("fault", "answer", "taken"),
    [
        ({"kind": "cut_after", "method": "SEND"}, "", 1),
        ({"kind": "cut_before", "method": "SEND"}, "", 0),
        ({"kind": "status", "method": "SEND", "status": 451}, "451 Refused by the fault script", 0),
        ({"kind": "status", "method": "SEND", "status": 451, "after": True}, "451 Refused by the fault script", 1),
        ({"kind": "slow", "method": "SEND", "seconds": 0.01}, "250 OK: taken", 1),
    ],
)
def test_faults(sandbox: Sandbox, line: Line, fault: dict[str, object], answer: str, taken: int) -> None:
    """A message is cut off or refused, on either side of its effect."""
    sandbox.core.faults.add(vendor="mail", **fault)
    assert line.letter() == answer
    assert len(box(sandbox).mailbox) == taken


def test_away(sandbox: Sandbox) -> None:
    """A server that is away greets nobody."""
    sandbox.core.faults.add(vendor="mail", kind="away")
    line = Line(sandbox)
    assert line.hear() == ""
    line.close()


def test_the_environment_and_the_console(sandbox: Sandbox, line: Line) -> None:
    """Its address is printed, and its messages stand on the console's page."""
    assert sandbox.environment()["SMTP_URL"] == sandbox.urls["mail"]
    line.letter()
    html = httpx.get(f"{sandbox.urls['console']}/part/messages", trust_env=False).text
    assert "to <b>b@x.example</b>" in html
