"""Remembers every exchange: as JSON lines in a file for a referee, and the latest ones for the console page."""

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

MASK = "*"
_HIDDEN_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "api-key"})
_HIDDEN_FIELDS = re.compile(
    rb'("(?:client_secret|access_token|refresh_token|api_token|password|secret|signing_secret|full_token'
    rb'|routing_key|integration_key)"\s*:\s*")([^"]*)"'
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `status` 0 means that the connection was cut before an answer went out."""

    seq: int
    at: datetime
    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    request: bytes
    status: int
    response: bytes
    fault: str | None = None
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of both bodies."""
        return len(self.request) + len(self.response)

    def line(self, secrets: Iterable[bytes] = (), *, bodies: bool = True) -> bytes:
        """The exchange as one JSON line with everything secret masked by as many stars."""
        head = {
            "vendor": self.vendor,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": {k: _masked(v) if k in _HIDDEN_HEADERS else v for k, v in self.headers.items()},
        }
        tail = {"status": self.status, "at": self.at.isoformat(), "fault": self.fault}
        text = b'%s,"request_json":%s,"response_json":%s,%s' % (
            json.dumps(head).encode()[:-1],
            _one_line(self.request if bodies else b""),
            _one_line(self.response if bodies else b""),
            json.dumps(tail).encode()[1:],
        )
        text = _HIDDEN_FIELDS.sub(lambda m: m[1] + b"*" * len(m[2]) + b'"', text)
        for secret in secrets:
            text = text.replace(secret, b"*" * len(secret))
        return text


def _masked(value: str) -> str:
    scheme, _, secret = value.rpartition(" ")
    return f"{scheme} {MASK * 8}" if scheme and secret else MASK * 8


def _one_line(body: bytes) -> bytes:
    if not body:
        return b"null"
    try:
        value: Any = json.loads(body)
    except ValueError:
        return b"null"
    return json.dumps(value).encode()


class Recorder:
    """Keeps the latest exchanges in memory (`keep` of them, 16 MB of bodies) and appends each to a file, if given one.

    The newest one is kept however big it is.
    """

    def __init__(self, path: Path | None = None, *, keep: int = 300, keep_bytes: int = 16 * 2**20) -> None:
        self._file = path.open("ab") if path else None
        self._latest: deque[Exchange] = deque()
        self._keep, self._keep_bytes, self._held = keep, keep_bytes, 0
        self._secrets: set[bytes] = set()
        self.count = 0

    def hide(self, *secrets: str) -> None:
        """Mask these values wherever they turn up: tokens and keys, as soon as they are issued."""
        self._secrets.update(secret.encode() for secret in secrets if secret)

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange."""
        self.count += 1
        self._latest.append(exchange)
        self._held += exchange.size
        while len(self._latest) > 1 and (len(self._latest) > self._keep or self._held > self._keep_bytes):
            self._held -= self._latest.popleft().size
        if self._file:
            self._file.write(exchange.line(self._secrets) + b"\n")
            self._file.flush()

    def latest(self, limit: int = 50, *, bodies: bool = True) -> list[dict[str, Any]]:
        """The newest exchanges first, masked, as plain data with `seq`, `at`, `fault` and `seconds` added."""
        return [self._row(exchange, bodies) for exchange in list(reversed(self._latest))[:limit]]

    def find(self, seq: int) -> dict[str, Any]:
        """One exchange as in `latest`; LookupError where it is no longer kept."""
        for exchange in self._latest:
            if exchange.seq == seq:
                return self._row(exchange, bodies=True)
        raise LookupError(f"exchange {seq} is not kept any more; the record file has them all")

    def _row(self, exchange: Exchange, bodies: bool) -> dict[str, Any]:
        row: dict[str, Any] = json.loads(exchange.line(self._secrets, bodies=bodies))
        return {"seq": exchange.seq, "seconds": round(exchange.seconds, 4), **row}

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None
