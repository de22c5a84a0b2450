"""What surrounds every request to a simulated tool: settle, faults, the tool's own answer, the record."""

import time
import traceback
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Protocol, cast
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from connectors.sandbox.core import Core
from connectors.sandbox.faults import Fault
from connectors.sandbox.recorder import Exchange


class Vendor(Protocol):
    """One simulated tool. Endpoints must be `async def` and must not really wait: a request runs under one lock."""

    name: str
    app: Starlette

    def label(self, path: str) -> str:
        """Under which vendor name an exchange is recorded (a tool may speak several APIs)."""
        ...

    def refuse(self, status: int) -> tuple[Mapping[str, str], bytes]:
        """Headers and body with which this tool answers a status it gives on its own account: 401, 429, 5xx."""
        ...

    def environment(self) -> dict[str, str]:
        """This tool's address and credentials, as NAME: value."""
        ...


class Cut(Exception):
    """The connection is to be cut without (the rest of) an answer."""


class Door:
    """The ASGI application that stands before a tool's own: every request passes it once."""

    def __init__(self, core: Core, vendor: Vendor) -> None:
        self._core, self._vendor = core, vendor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        body = await _read(receive)
        path, method = scope["path"], scope["method"]
        self._core.settle()
        fault = self._core.faults.strike(self._vendor.name, method, path, self._core.clock.now())
        status, headers, content, cut = 0, list[tuple[bytes, bytes]](), b"", False
        try:
            status, headers, content = await self._answer(fault, scope, body)
        except Cut:
            cut = True
        half = fault is not None and fault.kind == "truncate"
        # Written down before the answer is out: whoever has an answer finds it in the record.
        self._record(scope, body, 0 if cut or half else status, content, fault, time.perf_counter() - began)
        self._core.settle()
        if cut:
            _hang_up(send)
            return
        headers.append((b"date", format_datetime(self._core.clock.now(), usegmt=True).encode()))
        try:
            await _reply(send, status, headers, content, half=half)
        except Cut:
            _hang_up(send)

    async def _answer(
        self, fault: Fault | None, scope: Scope, body: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if fault is None:
            return await self._serve(scope, body)
        if fault.kind in ("cut_before", "away"):
            raise Cut
        if fault.kind == "slow" and not fault.after:
            await self._core.sleep(fault.seconds)
        if fault.kind in ("status", "token_expired", "html") and not fault.after:
            return self._instead(fault)
        given = await self._serve(scope, body)
        if fault.kind == "cut_after":
            raise Cut
        if fault.kind == "slow" and fault.after:
            await self._core.sleep(fault.seconds)
        if fault.kind in ("status", "html") and fault.after:
            return self._instead(fault)
        return _drifted(*given) if fault.kind == "drift" else given

    async def _serve(self, scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        with self._core.lock:
            try:
                await self._vendor.app(scope, receive, send)
            except Exception:  # Starlette has answered 500 by now; a fault of the sandbox's own must not pass quietly
                traceback.print_exc()
        start = next(m for m in messages if m["type"] == "http.response.start")
        content = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
        return start["status"], list(start["headers"]), content

    def _instead(self, fault: Fault) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if fault.kind == "html":
            content = b"<!DOCTYPE html><title>Bad gateway</title><h1>Bad gateway</h1>"
            return fault.status or 502, _raw({"content-type": "text/html", **fault.headers}, content), content
        status = 401 if fault.kind == "token_expired" else cast(int, fault.status)
        usual, content = self._vendor.refuse(status)
        if fault.body is not None:
            content = fault.body.encode() if isinstance(fault.body, str) else msgspec.json.encode(fault.body)
        return status, _raw({**usual, **fault.headers}, content), content

    def _record(self, scope: Scope, body: bytes, status: int, content: bytes, fault: Fault | None, took: float) -> None:
        path = scope["path"]
        self._core.recorder.add(
            Exchange(
                seq=self._core.recorder.count + 1,
                at=self._core.clock.now(),
                vendor=self._vendor.label(path),
                method=scope["method"],
                path=path,
                query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
                headers={name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
                request=body,
                status=status,
                response=content,
                fault=fault.kind if fault else None,
                seconds=took,
            )
        )


def _drifted(
    status: int, headers: list[tuple[bytes, bytes]], content: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    try:
        content = msgspec.json.encode(_with_news(msgspec.json.decode(content)))
    except msgspec.DecodeError:
        return status, headers, content
    return status, [(n, str(len(content)).encode() if n == b"content-length" else v) for n, v in headers], content


def _with_news(value: object) -> object:
    if isinstance(value, dict):
        return {**{key: _with_news(inner) for key, inner in value.items()}, "x_new_field": {"since": "tomorrow"}}
    return [_with_news(inner) for inner in value] if isinstance(value, list) else value


def _raw(headers: Mapping[str, str], content: bytes) -> list[tuple[bytes, bytes]]:
    rows = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return [*rows, (b"content-length", str(len(content)).encode())]


async def _read(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _reply(send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes, *, half: bool) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if half:
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        raise Cut
    await send({"type": "http.response.body", "body": content})


def _hang_up(send: Send) -> None:
    """Cut the connection: uvicorn offers no call for it, but its `send` belongs to a cycle that knows the transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("cannot cut: not served by uvicorn")
    transport.abort()
