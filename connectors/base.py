"""One policy for talking to every tool: deadlines, bounded retries, waiting as told, budgets, one kind of error.

What may be sent twice (reads, and writes that their caller says are harmless to repeat) is tried again on 408, 429,
5xx and broken connections. Any other write is tried again only where the tool certainly did nothing (429, 503 with
Retry-After, no connection); without an answer it is `Uncertain`.
"""

import logging
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from connectors.budget import READING, Budget
from connectors.errors import (
    LATER,
    BadRequest,
    Conflict,
    ConnectorError,
    Forbidden,
    Gone,
    NotFound,
    TooMany,
    Unauthorized,
    Unavailable,
    Uncertain,
    advice,
)
from connectors.trust import certificates

log = logging.getLogger("helpdesk.connectors")

CONNECT = 5.0
SILENCE = 30.0
"""Seconds without a byte after which a connection counts as broken."""
DEADLINE = 90.0
"""Seconds that one call may take with all its tries and waits: less than an outbox row may be in flight."""
ATTEMPTS = 4
LONGEST_WAIT = 30.0
"""Seconds that we wait within one call; a longer Retry-After goes to the caller as `TooMany`."""
DEFAULT_WAIT = 5.0
"""Seconds to wait where a 429 does not say how long, or not readably."""

_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_KINDS: dict[int, type[ConnectorError]] = {
    401: Unauthorized,
    402: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
}
_LOOK = "its outcome is looked up in the tool before anything is sent again"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `own` is the limit that its endpoint has besides the account's."""

    method: str
    path: str
    write: bool
    """It changes something: without an answer it is `Uncertain`."""
    again: bool
    """Sending it twice does no harm."""
    lane: str = READING
    own: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What came back, its header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """The tool's name for this call; its support asks for it."""
        return self.headers.get("x-request-id") or self.headers.get("x-zendesk-request-id")


class NotReached(Exception):
    """No connection came about: nothing was sent."""


class Broken(Exception):
    """The connection broke, or the answer is no answer: something may have been done."""


Send = Callable[[float], Answer]
"""Sends once, within so many seconds. Raises NotReached, Broken."""


class Policy:
    """What one tool's calls have in common. `sleep`, `chance` and `clock` are passed in by tests, so that none waits.

    `budget` brings its own clock: the tool's, where that is a simulated one.
    """

    def __init__(
        self,
        vendor: str,
        *,
        renew: Callable[[], bool] = lambda: False,
        budget: Budget | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.vendor, self._renew = vendor, renew
        self._sleep, self._chance, self._clock = sleep, chance, clock
        self.budget = budget or Budget(clock)
        self.calls = 0
        self._told: tuple[datetime, float] | None = None
        self.locked_out = False
        """The last call ended with credentials that do not work: until somebody sees to it, neither will the next."""

    @property
    def tools_time(self) -> datetime | None:
        """The tool's own time, reckoned from its last answer: ours may be wrong. None before it told any."""
        if self._told is None:
            return None
        at, since = self._told
        return at + timedelta(seconds=self.budget.now() - since)

    def rest(self, seconds: float) -> None:
        """Wait for longer than a call may: for whoever has the time."""
        self._sleep(seconds)

    def run(self, ask: Ask, send: Send) -> Answer:
        """Send until there is an answer that is a success; otherwise raise a ConnectorError within `DEADLINE`."""
        try:
            answer = self._run(ask, send)
        except ConnectorError as error:
            self.locked_out = isinstance(error, Unauthorized)
            raise
        self.locked_out = False
        return answer

    def _run(self, ask: Ask, send: Send) -> Answer:
        place = f"{self.vendor} {ask.method} {ask.path}"
        ends = self._clock() + DEADLINE
        self._await_budget(place, ask)
        doubt: Uncertain | None = None
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._once(ask, send, ends, attempt)
            except NotReached as error:
                fix = f"{LATER}; where it stays so, check {self.vendor.upper()}_URL"
                problem: ConnectorError = Unavailable(place, f"not reached ({error})", fix)
                wait: float | None = self._backoff(attempt)
            except Broken as error:
                kind, fix = (Uncertain, _LOOK) if ask.write else (Unavailable, LATER)
                problem, wait = kind(place, f"no answer ({error})", fix), self._backoff(attempt) if ask.again else None
            else:
                if 200 <= answer.status < 300:
                    return answer
                if answer.status == 401 and not renewed and self._renew():
                    renewed = True
                    continue
                problem, wait = failure(place, answer, write=ask.write), self._wait(answer, attempt, again=ask.again)
            doubt = problem if isinstance(problem, Uncertain) else doubt
            if wait is None or attempt == ATTEMPTS or self._clock() + wait >= ends:
                break
            self._sleep(wait)
        raise doubt or problem  # one try of a write that may have been done makes the whole call uncertain

    def _once(self, ask: Ask, send: Send, ends: float, attempt: int) -> Answer:
        """One try, counted and noted. The log gets no query, no body: nothing personal."""
        started = self._clock()
        self.calls += 1
        try:
            answer = send(max(1.0, min(SILENCE, ends - started)))
        except (NotReached, Broken) as error:
            log.info("%s %s %s: try %d: %s", self.vendor, ask.method, ask.path, attempt, error)
            raise
        self.budget.learn(answer.headers)
        date = _date(answer.headers.get("date"))
        self._told = self._told if date is None else (date, self.budget.now())
        log.debug(
            "%s %s %s: %d, try %d, %.3f s, request %s",
            self.vendor,
            ask.method,
            ask.path,
            answer.status,
            attempt,
            self._clock() - started,
            answer.request_id,
        )
        return answer

    def _await_budget(self, place: str, ask: Ask) -> None:
        """Wait for a share of the tool's budget. Raises TooMany where that takes too long."""
        wait = self.budget.wait(ask.lane, own=ask.own)
        if wait > LONGEST_WAIT:
            cause = f"the {ask.lane} lane's share of the request budget is used up for {wait:.0f} s"
            raise TooMany(place, cause, LATER, retry_after=wait, status=None)
        if wait > 0:
            self._sleep(wait)

    def _wait(self, answer: Answer, attempt: int, *, again: bool) -> float | None:
        """Seconds until the next try; null where there is none."""
        status, told = answer.status, retry_after(answer.headers)
        untouched = status == 429 or (status == 503 and told is not None)
        if status not in _AGAIN or not (again or untouched):
            return None
        wait = told if told is not None else DEFAULT_WAIT if status == 429 else self._backoff(attempt)
        return None if wait > LONGEST_WAIT else wait

    def _backoff(self, attempt: int) -> float:
        return float(2 ** (attempt - 1) * 0.25 * (0.5 + self._chance()))


class Session:
    """A tool's plain HTTP session under the policy. `headers` is asked before each try, so that renewed ones count."""

    def __init__(
        self,
        policy: Policy,
        base_url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.policy, self._headers = policy, headers
        # the machine's proxies are for the real tools: the sandbox is next door, and speaks http
        proxied = base_url.startswith("https://")
        url = base_url.rstrip("/")
        self._client = httpx.Client(base_url=url, transport=transport, trust_env=proxied, verify=certificates())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(self, path: str, params: Mapping[str, Any] | None = None, *, own: str | None = None) -> bytes:
        """GET; the JSON body. Raises ConnectorError."""
        ask = Ask(method="GET", path=path, write=False, again=True, own=own)
        return self.policy.run(ask, lambda seconds: self._send(ask, seconds, {"params": params})).body

    def write(
        self, method: str, path: str, body: Any, *, again: bool = False, harmless: bool = False, lane: str = READING
    ) -> bytes:
        """POST, PUT or DELETE; the JSON body. Raises ConnectorError, `Uncertain` where it may have been done.

        `again`: sending it twice does no harm; `harmless`: nor does not knowing whether it was done.
        """
        ask = Ask(method=method, path=path, write=not harmless, again=again or harmless, lane=lane)
        return self.policy.run(ask, lambda seconds: self._send(ask, seconds, {"json": body})).body

    def _send(self, ask: Ask, seconds: float, request: dict[str, Any]) -> Answer:
        headers = {**self._headers(), "Accept": "application/json", "X-Request-Id": uuid.uuid4().hex}
        timeout = httpx.Timeout(seconds, connect=min(CONNECT, seconds))
        try:
            answer = self._client.request(ask.method, ask.path, headers=headers, timeout=timeout, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotReached(type(error).__name__) from error
        except httpx.RequestError as error:
            raise Broken(type(error).__name__) from error
        if answer.is_success and answer.status_code != 204:
            _check_json(answer.content)
        if "x-zendesk-api-warn" in answer.headers:
            log.warning("%s %s %s: the tool ignored parameters", self.policy.vendor, ask.method, ask.path)
        return Answer(answer.status_code, dict(answer.headers.items()), answer.content)


def _check_json(body: bytes) -> None:
    """A success whose body is no JSON object (a proxy's page, half an answer) is no answer."""
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise Broken(f"a body that is no JSON object: {error}") from error


def failure(place: str, answer: Answer, *, write: bool) -> ConnectorError:
    """An answer that is no success, as the error it is. Bodies are never assumed to be JSON (vendor-facts §0.2)."""
    status, (code, said) = answer.status, _told(answer.body)
    about: dict[str, Any] = {"status": status, "code": code, "request_id": answer.request_id}
    cause = f"{status} {said}".strip()
    wait = retry_after(answer.headers)
    if status == 429:
        return TooMany(place, cause, LATER, retry_after=DEFAULT_WAIT if wait is None else wait, **about)
    if status >= 500 or status == 408:
        done = write and not (status == 503 and wait is not None)
        return Uncertain(place, cause, _LOOK, **about) if done else Unavailable(place, cause, LATER, **about)
    if 300 <= status < 400:
        return BadRequest(place, cause, "the tool's address redirects: check that it is the account's own", **about)
    kind = _KINDS.get(status, BadRequest)
    return kind(place, cause, advice(kind, place.partition(" ")[0], status, code, said), **about)


_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def _told(body: bytes) -> tuple[str | None, str]:
    """The tool's name for an error, and its words: one short line, without e-mail addresses or HTML."""
    text = body.decode("utf-8", "replace").strip()
    code = None
    try:
        code = _code(msgspec.json.decode(body))
    except msgspec.DecodeError:
        if text.startswith("<"):
            text = "an HTML page"
    return code, _ADDRESS.sub("<address>", " ".join(text.split()))[:300]


def _code(body: Any) -> str | None:
    """An error's name in the shapes that are about (vendor-facts §1.2, §4.2)."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        error = error.get("code") or error.get("title")
    elif error is None and isinstance(body, dict):
        rows = body.get("errors")
        error = rows[0].get("code") if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None
    return None if error is None else str(error)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that a tool asks us to wait: `Retry-After` as a number or a date, else PagerDuty's `ratelimit-reset`.

    `headers` have lower-case names. A date counts from the answer's own, since our clock may be wrong; without one from
    `now`. None where nothing readable is said (vendor-facts §0.2).
    """
    said = headers.get("retry-after") or headers.get("ratelimit-reset")
    if not said:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", said.strip()):
        return float(said)
    if (at := _date(said)) is None:
        return None
    return max(0.0, (at - (_date(headers.get("date")) or now or datetime.now(UTC))).total_seconds())


def _date(said: str | None) -> datetime | None:
    """A date as HTTP writes it, in UTC; null where it is none."""
    try:
        at = parsedate_to_datetime(said or "")
    except (TypeError, ValueError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
