"""Requests to simulated tools without sockets: the same doors, faults and connectors, a fifth of the time.

Nothing here runs in a thread, so that a process which holds a whole deployment can be forked.
"""

import asyncio
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import RemoteDisconnected, parse_headers
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, Request
from urllib.response import addinfourl

import httpx
import httpx2
from starlette.types import ASGIApp, Message

from connectors.base import Broken, NotReached
from connectors.mail.client import HandOver, Server, refused
from connectors.sandbox.core import Core
from connectors.sandbox.mail import MailSim
from connectors.sandbox.webhooks import Parcel, Receipt, Verdict

Bytes = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What came back over a line."""

    status: int
    headers: Bytes
    body: bytes


class Lost(Exception):
    """The connection was cut, or nothing came in time."""


class _Exchange:
    """One request on its way: what a server's protocol would be, down to the transport that a door can abort."""

    def __init__(self, body: bytes) -> None:
        self.body, self.transport, self.cut = body, self, False
        self.messages: list[Message] = []

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    def abort(self) -> None:
        self.cut = True


class Line:
    """The way to one tool. Where an answer took longer than the caller waits, it is lost, as its effect is not.

    `after` is called once an answer is on its way: what the request set off may now happen.
    """

    def __init__(
        self, core: Core, app: ASGIApp, loop: asyncio.AbstractEventLoop, after: Callable[[], None] = lambda: None
    ) -> None:
        self.core, self.app, self.loop, self.after = core, app, loop, after

    def ask(self, method: str, target: bytes, headers: Bytes, body: bytes, patience: float | None) -> Answer:
        """Send a request and give the answer. Raises Lost."""
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path.decode(), "raw_path": path, "query_string": query, "root_path": "",
            "headers": [(name.lower(), value) for name, value in headers], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }  # fmt: skip
        began, exchange = self.core.clock.now(), _Exchange(body)
        self.loop.run_until_complete(self.app(scope, exchange.receive, exchange.send))
        took = (self.core.clock.now() - began).total_seconds()
        self.after()
        if exchange.cut or (patience is not None and took > patience):
            raise Lost("cut" if exchange.cut else f"no answer within {patience} s")
        start, *parts = exchange.messages
        return Answer(start["status"], list(start["headers"]), b"".join(part.get("body", b"") for part in parts))

    def carry(self, request: httpx.Request | httpx2.Request) -> Answer:
        """Send a client's request with that client's patience. Raises Lost."""
        patience: Mapping[str, float | None] = request.extensions.get("timeout", {})
        return self.ask(request.method, request.url.raw_path, request.headers.raw, request.read(), patience.get("read"))


class ZendeskWire(httpx.BaseTransport):
    """A line as our own connectors' transport."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        try:
            answer = self.line.carry(request)
        except Lost as lost:
            raise httpx.ReadError(str(lost), request=request) from lost
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)


class PagerDutyWire(httpx2.BaseTransport):
    """A line as the transport of PagerDuty's library."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        try:
            answer = self.line.carry(request)
        except Lost as lost:
            raise httpx2.ReadError(str(lost), request=request) from lost
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer.body), request=request)


class SlackWire(HTTPHandler):
    """A line for Slack's library, which opens addresses as `urllib` does."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def http_open(self, req: Request) -> addinfourl:  # type: ignore[override]
        """Send one request."""
        headers = [(name.encode(), value.encode()) for name, value in req.header_items()]
        body = req.data if isinstance(req.data, bytes) else b""
        try:
            answer = self.line.ask(req.get_method(), req.selector.encode(), headers, body, req.timeout)
        except Lost as lost:
            raise RemoteDisconnected(str(lost)) from lost
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in answer.headers)
        told = addinfourl(
            io.BytesIO(answer.body), parse_headers(io.BytesIO(lines + b"\r\n")), req.full_url, answer.status
        )
        told.msg = ""  # type: ignore[attr-defined]
        return told


class _Body(httpx2.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content


def mail_wire(sim: MailSim) -> HandOver:
    """The way to the mail server as our mail client's: the conversation without its lines, the same faults."""

    def hand_over(server: Server, people: Sequence[str], message: bytes, seconds: float) -> Sequence[str]:
        fault = sim.fault("SEND")
        kind = fault.kind if fault is not None else ""
        if kind == "away":
            raise NotReached("away")
        if kind == "cut_before":
            raise Broken("cut")
        if fault is not None and kind in ("status", "token_expired") and not fault.after:
            raise refused(fault.status if fault.status and fault.status in range(400, 600) else 421, "refused")
        sim.take(server.sender, tuple(people), message)
        if kind in ("cut_after", "truncate") or (fault is not None and fault.after):
            raise Broken("cut")
        return ()

    return hand_over


class Post:
    """The webhooks' courier without its thread: parcels wait until nobody is in the middle of a request."""

    def __init__(self, core: Core, receiver: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self.core, self.line = core, Line(core, receiver, loop)
        self.waiting: list[tuple[Parcel, Callable[[Parcel, Receipt], Verdict]]] = []
        self.carried = 0
        core.courier._hand_over = lambda parcel, judge: self.waiting.append((parcel, judge))  # type: ignore[method-assign]

    def carry(self) -> None:
        """Deliver what is due, and what comes of that."""
        self.core.settle()
        while self.waiting:
            parcel, judge = self.waiting.pop(0)
            headers = [(name.encode(), value.encode()) for name, value in parcel.headers.items()]
            target = urlsplit(parcel.url).path.encode()
            answer = self.line.ask("POST", target, headers, parcel.body, None)
            receipt = Receipt(answer.status, {name.decode(): value.decode() for name, value in answer.headers})
            self.carried += 1
            with self.core.lock, self.core.clock.held(parcel.at):
                self.core.courier._close(parcel, judge, judge(parcel, receipt))
            self.core.settle()
