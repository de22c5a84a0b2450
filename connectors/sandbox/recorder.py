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

    def line(self, secrets: Iterable[bytes] = ()) -> bytes:
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
            _one_line(self.request),
            _one_line(self.response),
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
    """Keeps the latest exchanges in memory and, where a file is named, appends each to it."""

    def __init__(self, path: Path | None = None, *, keep: int = 300) -> None:
        self._file = path.open("ab") if path else None
        self._latest: deque[Exchange] = deque(maxlen=keep)
        self._secrets: set[bytes] = set()
        self.count = 0

    def hide(self, *secrets: str) -> None:
        """Mask these values wherever they turn up: tokens and keys, as soon as they are issued."""
        self._secrets.update(secret.encode() for secret in secrets if secret)

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange."""
        self.count += 1
        self._latest.append(exchange)
        if self._file:
            self._file.write(exchange.line(self._secrets) + b"\n")
            self._file.flush()

    def latest(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest exchanges first, masked, as plain data with `seq`, `at`, `fault` and `seconds` added."""
        rows = []
        for exchange in list(reversed(self._latest))[:limit]:
            row: dict[str, Any] = json.loads(exchange.line(self._secrets))
            rows.append({"seq": exchange.seq, "seconds": round(exchange.seconds, 4), **row})
        return rows

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()
            self._file = None
