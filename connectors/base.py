"""One policy for talking to every tool: deadlines, bounded retries, waiting as told, and one kind of error.

Reads are tried again on 429, 502, 503, 504 and broken connections. A write is tried again only where the tool certainly
did nothing (429, 503 with Retry-After, no connection); a write without an answer is `Uncertain`.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connectors.errors import (
    BadRequest,
    Conflict,
    ConnectorError,
    Forbidden,
    NotFound,
    TooMany,
    Unauthorized,
    Unavailable,
    Uncertain,
)

log = logging.getLogger("helpdesk.connectors")

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
ATTEMPTS = 4
LONGEST_WAIT = 30.0
"""Seconds that we wait within one call; a longer Retry-After goes to the caller as `TooMany`."""
DEFAULT_WAIT = 5.0

_AGAIN = frozenset({429, 502, 503, 504})
_KINDS: dict[int, type[ConnectorError]] = {
    401: Unauthorized,
    402: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
}
_FIXES: dict[type[ConnectorError], str] = {
    Unauthorized: "check the credentials in the environment (deploy/env.example) and that they were not revoked",
    Forbidden: "give the service user the role or scope that this needs",
    NotFound: "check the address and the record's number",
    Conflict: "it is read and decided again by itself",
    BadRequest: "this is a fault of ours, or of the profile: report it with the request id",
    Unavailable: "nothing to do: it is tried again with the next pulse",
}


class Session:
    """One tool's HTTP session. `headers` is asked before each call, so that renewed credentials are used at once.

    `sleep` and `chance` are passed in by tests, so that no test waits.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        headers: Callable[[], Mapping[str, str]],
        renew: Callable[[], bool] = lambda: False,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.vendor, self._headers, self._renew = vendor, headers, renew
        self._sleep, self._chance = sleep, chance
        self._client = httpx.Client(base_url=base_url.rstrip("/"), timeout=TIMEOUT, transport=transport)
        self.budgets: dict[str, str] = {}
        """The tool's last word on each of its rate limits: header → value."""
        self.calls = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """GET; the body. Raises ConnectorError."""
        return self._call("GET", path, params=params, write=False).content

    def write(self, method: str, path: str, body: Any, params: Mapping[str, Any] | None = None) -> bytes:
        """POST, PUT or DELETE; the body. Raises ConnectorError, `Uncertain` where it may have been done."""
        return self._call(method, path, params=params, json=body, write=True).content

    def _call(self, method: str, path: str, *, write: bool, **request: Any) -> httpx.Response:
        place = f"{self.vendor} {method} {path}"
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self._send(method, path, request)
            except httpx.TransportError as broken:
                self._broken(place, broken, write=write, last=last)
                self._sleep(self._backoff(attempt))
                continue
            if answer.status_code == 401 and not renewed and self._renew():
                renewed = True
                continue
            if answer.is_success:
                return answer
            wait = self._wait(answer, attempt, write=write, last=last)
            if wait is None:
                raise failure(place, answer, write=write)
            self._sleep(wait)
        raise Unavailable(place, "no answer after several tries", _FIXES[Unavailable])

    def _send(self, method: str, path: str, request: dict[str, Any]) -> httpx.Response:
        self.calls += 1
        headers = {**self._headers(), "Accept": "application/json", "X-Request-Id": uuid.uuid4().hex}
        answer = self._client.request(method, path, headers=headers, **request)
        for name, value in answer.headers.items():
            if "ratelimit" in name or "rate-limit" in name:
                self.budgets[name] = value
        warned = answer.headers.get("x-zendesk-api-warn")
        if warned:
            log.warning("%s %s %s: ignored parameters: %s", self.vendor, method, path, warned)
        return answer

    def _broken(self, place: str, broken: httpx.TransportError, *, write: bool, last: bool) -> None:
        """Raise where a broken connection may not, or no longer, be tried again."""
        reached = not isinstance(broken, httpx.ConnectError | httpx.ConnectTimeout)
        if write and reached:
            fix = "its outcome is looked up in the tool before anything is sent again"
            raise Uncertain(place, f"no answer ({type(broken).__name__})", fix) from broken
        if last:
            raise Unavailable(place, f"not reached ({type(broken).__name__})", _FIXES[Unavailable]) from broken

    def _wait(self, answer: httpx.Response, attempt: int, *, write: bool, last: bool) -> float | None:
        """Seconds until the next try; None where there is none."""
        status = answer.status_code
        told = retry_after(answer.headers)
        if last or status not in _AGAIN or (write and status != 429 and not (status == 503 and told is not None)):
            return None
        wait = told if told is not None else DEFAULT_WAIT if status == 429 else self._backoff(attempt)
        return None if wait > LONGEST_WAIT else wait

    def _backoff(self, attempt: int) -> float:
        return float(2 ** (attempt - 1) * 0.25 * (0.5 + self._chance()))


def failure(place: str, answer: httpx.Response, *, write: bool) -> ConnectorError:
    """An answer that is no success, as the error it is. Bodies are told in short, and never assumed to be JSON."""
    status, said = answer.status_code, answer.text.strip().replace("\n", " ")[:300]
    cause = f"{status} {said}" if said else str(status)
    if status == 429:
        wait = retry_after(answer.headers)
        return TooMany(place, cause, "it is tried again later", retry_after=DEFAULT_WAIT if wait is None else wait)
    if status >= 500:
        if write and status != 503:
            return Uncertain(place, cause, "its outcome is looked up before anything is sent again", status=status)
        return Unavailable(place, cause, _FIXES[Unavailable], status=status)
    kind = _KINDS.get(status, BadRequest)
    return kind(place, cause, _FIXES[kind], status=status)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that a tool asks us to wait: `Retry-After` as a number or a date, PagerDuty's `ratelimit-reset`.

    None where nothing readable is said (vendor-facts §0.2).
    """
    said = headers.get("retry-after") or headers.get("Retry-After") or headers.get("ratelimit-reset")
    if not said:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
