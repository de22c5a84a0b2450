"""Requests to simulated tools without sockets: the same doors, faults and connectors, a fifth of the time.

Nothing here runs in a thread, so that a process which holds a whole deployment can be forked.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import httpx
import httpx2
from starlette.types import Message

from connectors.sandbox.exchange import Door
from connectors.sandbox.server import Sandbox

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
    """The way to one tool. Where an answer took longer than the caller waits, it is lost, as its effect is not."""

    def __init__(self, sandbox: Sandbox, vendor: str, loop: asyncio.AbstractEventLoop) -> None:
        self.core, self.loop = sandbox.core, loop
        self.door = Door(sandbox.core, sandbox.vendors[vendor])

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
        self.loop.run_until_complete(self.door(scope, exchange.receive, exchange.send))
        took = (self.core.clock.now() - began).total_seconds()
        if exchange.cut or (patience is not None and took > patience):
            raise Lost("cut" if exchange.cut else f"no answer within {patience} s")
        start, *parts = exchange.messages
        return Answer(start["status"], list(start["headers"]), b"".join(part.get("body", b"") for part in parts))


class ZendeskWire(httpx.BaseTransport):
    """A line as our own connectors' transport."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        patience: Mapping[str, float | None] = request.extensions.get("timeout", {})
        try:
            answer = self.line.ask(
                request.method, request.url.raw_path, request.headers.raw, request.read(), patience.get("read")
            )
        except Lost as lost:
            raise httpx.ReadError(str(lost), request=request) from lost
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)


class PagerDutyWire(httpx2.BaseTransport):
    """A line as the transport of PagerDuty's library."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        patience: Mapping[str, float | None] = request.extensions.get("timeout", {})
        try:
            answer = self.line.ask(
                request.method, request.url.raw_path, request.headers.raw, request.read(), patience.get("read")
            )
        except Lost as lost:
            raise httpx2.ReadError(str(lost), request=request) from lost
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer.body), request=request)


class _Body(httpx2.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self.content
