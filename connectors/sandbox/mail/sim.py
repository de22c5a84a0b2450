"""The simulated mailbox, and the small SMTP server before it (RFC 5321: what a client needs to hand a message over).

With `tls` it speaks STARTTLS and takes no mail without it (RFC 3207), or TLS from the start (RFC 8314); with `users` it
wants a login, which it takes over TLS only (RFC 4954).

Faults of the sandbox strike at the connection (`method` CONNECT) or at the message (SEND): `status` is answered as
the SMTP code, `cut_after` takes the message and cuts before saying so, `away` cuts every connection.
"""

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

from connectors.sandbox.clock import iso
from connectors.sandbox.core import Core
from connectors.sandbox.exchange import Cut
from connectors.sandbox.faults import Fault

_LONGEST = 65_536
_GREETING = "220 mail.sandbox ESMTP"
_FOR_LATER, _NEVER = 421, 550


@dataclass(frozen=True)
class Mail:
    """One message that was taken."""

    at: datetime
    sender: str
    to: tuple[str, ...]
    """The addresses of the envelope."""
    subject: str
    id: str
    """Its Message-ID."""
    text: str


class MailSim:
    """One server and its mailbox. It takes mail for any address but those in `unknown`."""

    name = "mail"

    def __init__(self, core: Core, world: Mapping[str, Any]) -> None:
        self._core = core
        self.mailbox: list[Mail] = []
        self.unknown: set[str] = set()
        self.tls: ssl.SSLContext | None = None
        self.tls_at_once = False
        """Whether TLS begins with the connection (smtps), and not with STARTTLS."""
        self.users: dict[str, str] = {}
        """Who may send, and their passwords; none: everybody."""

    def environment(self) -> dict[str, str]:
        """Address and sender, as NAME: value."""
        return {"SMTP_URL": self._core.urls[self.name], "SMTP_FROM": "helpdesk@sandbox.example"}

    def to(self, address: str) -> list[Mail]:
        """What somebody was sent, oldest first."""
        return [one for one in self.mailbox if address in one.to]

    def lose(self, address: str) -> None:
        """A mailbox is closed: mail to it is refused."""
        with self._core.lock:
            self.unknown.add(address)

    def console_view(self) -> list[dict[str, Any]]:
        """The messages for the console, newest first."""
        return [
            {"at": iso(one.at), "by": one.sender, "to": ", ".join(one.to), "subject": one.subject, "text": one.text}
            for one in reversed(self.mailbox)
        ]

    # the server

    def fault(self, what: str) -> Fault | None:
        """What strikes a connection or a message."""
        return self._core.faults.strike(self.name, what, "/", self._core.clock.now())

    def take(self, sender: str, to: tuple[str, ...], content: bytes) -> Mail:
        """Keep a message."""
        parsed = message_from_bytes(content, policy=default)
        body = parsed.get_body(preferencelist=("plain",))
        text = str(body.get_content()) if body is not None else ""
        subject, id = str(parsed["Subject"] or ""), str(parsed["Message-ID"] or "")
        with self._core.lock:
            made = Mail(self._core.clock.now(), sender, to, subject, id, text)
            self.mailbox.append(made)
            told = {"to": list(to), "subject": subject, "text": text, "id": id}
            self._core.journal.add(self.name, "mail", f"mail:{len(self.mailbox)}", at=made.at, actor=sender, **told)
        return made

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its greeting to its end."""
        self._core.settle()
        try:
            await Conversation(self, self._core, reader, writer).hold()
        except (Cut, OSError, asyncio.IncompleteReadError):  # a handshake that fails is an OSError, too
            writer.transport.abort()
        else:
            writer.close()


class Conversation:
    """What client and server say to each other on one connection."""

    def __init__(self, sim: MailSim, core: Core, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sim, self._core, self._reader, self._writer = sim, core, reader, writer
        self._sender: str | None = None
        self._to: list[str] = []
        self._encrypted = self._logged_in = False
        self._words: dict[str, Callable[[str], str]] = {
            "EHLO": lambda _: self._greeted(),
            "AUTH": self._auth,
            "HELO": lambda _: "250 mail.sandbox",
            "NOOP": lambda _: "250 OK",
            "RSET": lambda _: self._reset("250 OK"),
            "MAIL": self._mail,
            "RCPT": self._rcpt,
        }

    async def hold(self) -> None:
        """Answer line by line until the client leaves. Raises Cut where a fault says so."""
        if self._sim.tls_at_once:
            await self._encrypt()
        struck = await self._strike("CONNECT")
        await self._say(struck or _GREETING)
        while struck is None and (line := (await self._reader.readline())[:_LONGEST].decode("utf-8", "replace")):
            word, _, rest = line.strip().partition(" ")
            if word.upper() == "QUIT":
                await self._say("221 Bye")
                return
            if word.upper() == "DATA":
                await self._data()
                continue
            if word.upper() == "STARTTLS" and self._sim.tls is not None and not self._encrypted:
                await self._say("220 Ready to start TLS")
                await self._encrypt()
                continue
            known = self._words.get(word.upper())
            await self._say(known(rest) if known else "502 Command not implemented")

    async def _encrypt(self) -> None:
        assert self._sim.tls is not None
        await self._writer.start_tls(self._sim.tls)
        self._encrypted = True
        self._reset("")

    def _greeted(self) -> str:
        offers = ["mail.sandbox", "8BITMIME"]
        offers += ["STARTTLS"] if self._sim.tls is not None and not self._encrypted else []
        offers += ["AUTH PLAIN"] if self._sim.users and self._encrypted else []
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    def _auth(self, rest: str) -> str:
        """`PLAIN` and, in base64, nobody, user and password (RFC 4616)."""
        if not self._encrypted:
            return "538 Encryption required"
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        self._logged_in = self._sim.users.get(user) == password
        return "235 Welcome" if self._logged_in else "535 Authentication credentials invalid"

    def _mail(self, rest: str) -> str:
        if self._sim.tls is not None and not self._encrypted:
            return "530 Must issue a STARTTLS command first"
        if self._sim.users and not self._logged_in:
            return "530 Authentication required"
        self._reset("")
        self._sender = _address(rest)
        return "250 OK"

    def _rcpt(self, rest: str) -> str:
        if self._sender is None:
            return "503 Say MAIL first"
        address = _address(rest)
        if address in self._sim.unknown:
            return f"{_NEVER} No such user here"
        self._to.append(address)
        return "250 OK"

    def _reset(self, answer: str) -> str:
        self._sender, self._to = None, []
        return answer

    async def _data(self) -> None:
        if not self._to or self._sender is None:
            await self._say("503 Say RCPT first")
            return
        await self._say("354 End with a dot on a line by itself")
        content = await self._reader.readuntil(b"\r\n.\r\n")
        fault = self._sim.fault("SEND")
        if fault is not None and fault.kind in ("cut_before", "away"):
            raise Cut
        if fault is not None and fault.kind == "slow":
            await self._core.sleep(fault.seconds)
        if fault is None or fault.after or fault.kind not in ("status", "token_expired"):
            self._sim.take(self._sender, tuple(self._to), content[:-5].replace(b"\r\n..", b"\r\n.") + b"\r\n")
        if fault is not None and fault.kind in ("cut_after", "truncate"):
            raise Cut
        self._reset("")
        await self._say(_instead(fault) or "250 OK: taken")

    async def _strike(self, what: str) -> str | None:
        fault = self._sim.fault(what)
        if fault is None:
            return None
        if fault.kind in ("away", "cut_before", "cut_after", "truncate"):
            raise Cut
        if fault.kind == "slow":
            await self._core.sleep(fault.seconds)
        return _instead(fault)

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


def _instead(fault: Fault | None) -> str | None:
    """The code that a fault has the server answer with, where it does."""
    if fault is None or fault.kind not in ("status", "token_expired"):
        return None
    code = fault.status or _FOR_LATER
    return f"{code} {fault.body or 'Refused by the fault script'}"


def _address(text: str) -> str:
    """`FROM:<a@example.com> SIZE=12` → `a@example.com`."""
    return text.partition("<")[2].partition(">")[0]
