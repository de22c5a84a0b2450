"""Mail by SMTP (library `smtplib` over our own policy).

A server cannot be asked whether it took a message: after a connection that broke while it was handed over it may have
gone out. Such a message goes again with the same Message-ID, by which readers' programs know it: at least once.
"""

import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import NamedTuple
from urllib.parse import urlsplit

from connectors.base import CONNECT, Answer, Ask, Broken, NotReached, Policy
from connectors.budget import Budget
from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound, Unauthorized, Unavailable, Uncertain
from mappings.plan import Lane

SCHEMES = ("smtp", "smtps", "smtp+plain")
_UNFOLDED = SMTP.clone(max_line_length=900, cte_type="7bit")
"""Headers stay on one line, as long as RFC 5322 lets them; letters of any kind pass a server that takes seven bits."""
_PLACE = "smtp SEND /message"
_LOCAL = ("127.0.0.1", "::1", "localhost")
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class Server(NamedTuple):
    """Where mail is handed over, and as whom. `password` is asked for each time, so that a new one counts."""

    url: str
    sender: str
    user: str | None = None
    password: Callable[[], str | None] = lambda: None


class Sent(NamedTuple):
    """A message that the server took: its Message-ID, and what it said of addresses that it refused."""

    id: str
    refused: tuple[str, ...] = ()


HandOver = Callable[[Server, Sequence[str], bytes, float], Sequence[str]]
"""Hands a message over to addresses, within so many seconds; what the server said of those that it refused."""


class Mail:
    """One mail server.

    `smtps://` speaks TLS from the start, `smtp://` has to offer STARTTLS unless the server is this machine's own,
    `smtp+plain://` does without.
    """

    def __init__(
        self,
        server: Server,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        hand_over: HandOver | None = None,
    ) -> None:
        self.server = server
        self.policy = Policy("smtp", budget=Budget(clock), sleep=sleep)
        self._hand_over = hand_over or _hand_over

    def close(self) -> None:
        """Nothing is kept open: each message is a connection of its own."""

    def send(self, to: str, subject: str, text: str, *, ref: str, at: datetime) -> Sent:
        """Hand a message over to all addresses of `to` (by commas). Its Message-ID is made of `ref`.

        It goes to the addresses that the server takes, where those are not all. Raises Uncertain where it may have been
        taken, BadRequest, Forbidden or NotFound where it will never be.
        """
        message, id = EmailMessage(policy=_UNFOLDED), message_id(ref, self.server.sender)
        message["From"], message["To"], message["Subject"] = self.server.sender, to, subject
        message["Message-ID"], message["Date"] = id, format_datetime(at)
        message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers to us
        message.set_content(text)
        people = [address.strip() for address in to.split(",") if address.strip()]
        ask = Ask(method="SEND", path="/message", write=True, again=False, lane=Lane.ESCALATION)
        missed: list[str] = []

        def once(seconds: float) -> Answer:
            missed[:] = self._hand_over(self.server, people, message.as_bytes(), seconds)
            return Answer(200, {}, b"")

        try:
            self.policy.run(ask, once)
        except Uncertain as error:
            raise Uncertain(error.place, error.cause, "it goes again with the same Message-ID") from error
        return Sent(id, tuple(missed))

    def greet(self) -> None:
        """Connect and log in, and send nothing: for whoever checks the settings. Raises ConnectorError."""
        ask = Ask(method="EHLO", path="/", write=False, again=True)

        def look(seconds: float) -> Answer:
            _close(_connect(self.server, seconds))
            return Answer(200, {}, b"")

        self.policy.run(ask, look)


def message_id(ref: str, sender: str) -> str:
    """`<hf-….example.com>`: the same message has the same one, however often it is sent."""
    return f"<{ref}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"


def _hand_over(server: Server, people: Sequence[str], message: bytes, seconds: float) -> list[str]:
    """One conversation with the server; see `HandOver`. Until the message itself is begun, nothing has gone out."""
    door = _connect(server, seconds)
    begun = False
    try:
        _must(door.mail(parseaddr(server.sender)[1]))
        missed = [error for error in (_offered(door, address) for address in people) if error is not None]
        if len(missed) == len(people):
            raise next((error for error in missed if isinstance(error, Unavailable)), missed[0])
        begun = True
        _must(door.data(message))
        return [error.cause for error in missed]
    except smtplib.SMTPResponseException as error:  # an OSError, as all of the library's are
        raise refused(int(error.smtp_code), error.smtp_error) from error
    except OSError as error:
        raise (Broken if begun else NotReached)(type(error).__name__) from error
    finally:
        _close(door)


def _connect(server: Server, seconds: float) -> smtplib.SMTP:
    """A greeted connection, encrypted and logged in as the settings say. Raises NotReached, ConnectorError."""
    told = urlsplit(server.url)
    host, port = told.hostname or "", told.port or _PORTS[told.scheme]
    try:
        door = _open(told.scheme, host, port, min(CONNECT, seconds))
        if door.sock is not None:
            door.sock.settimeout(seconds)
        password = server.password()
        if server.user is not None and password is not None:
            door.login(server.user, password)
    except smtplib.SMTPAuthenticationError as error:
        cause = f"{error.smtp_code} the server does not take SMTP_USER and SMTP_PASSWORD"
        raise Unauthorized(_PLACE, cause, "check both in the environment (deploy/env.example)") from error
    except smtplib.SMTPNotSupportedError as error:
        fix = "use a port of the server that offers it, or smtp+plain:// where the way there is safe"
        raise Forbidden(_PLACE, f"the server does not offer what the settings need ({error})", fix) from error
    except smtplib.SMTPResponseException as error:
        raise refused(int(error.smtp_code), error.smtp_error) from error
    except ssl.SSLCertVerificationError as error:
        cause = f"the server's certificate is not believed ({error.verify_message})"
        fix = "renew it, or put the certificate of whoever issued it into SSL_CERT_FILE; mail waits until then"
        raise Unavailable(_PLACE, cause, fix) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotReached(type(error).__name__) from error
    return door


def _open(scheme: str, host: str, port: int, seconds: float) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=ssl.create_default_context())
    door = smtplib.SMTP(host, port, timeout=seconds)
    door.ehlo()
    if scheme == "smtp" and (host not in _LOCAL or door.has_extn("starttls")):
        door.starttls(context=ssl.create_default_context())
        door.ehlo()
    return door


def _close(door: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        if door.sock is not None:
            door.sock.settimeout(CONNECT)
        door.quit()


def _offered(door: smtplib.SMTP, address: str) -> ConnectorError | None:
    """Why the server takes no mail for an address; null where it does."""
    code, said = door.rcpt(address)
    return None if 200 <= code < 300 else refused(code, said)


def _must(answer: tuple[int, bytes]) -> None:
    code, said = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, said)


def refused(code: int, said: bytes | str) -> ConnectorError:
    """What a server says instead of taking a message: 4xx is for later, 5xx for ever (RFC 5321 §4.2.1)."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    shown = " ".join(word for word in text.split() if "@" not in word)[:200]
    cause = f"{code} {shown}".strip()
    if code < 500:
        return Unavailable(_PLACE, cause, "nothing to do: it is tried again with the next pulse", status=code)
    if code in (550, 551, 553):
        return NotFound(_PLACE, cause, "no such mailbox: mend the profile's routes", status=code)
    if code in (530, 535, 554):
        return Forbidden(_PLACE, cause, "let SMTP_USER send as SMTP_FROM, or mend the profile's routes", status=code)
    return BadRequest(_PLACE, cause, "the server's words say what helps; where they do not, report it", status=code)


def unreadable(url: str) -> str | None:
    """What is wrong with the address of a mail server; null where nothing is."""
    told = urlsplit(url)
    if told.scheme not in SCHEMES or not told.hostname:
        return f"{url!r} is no mail server: write smtp://mail.example.com:587 or smtps://mail.example.com"
    return None
