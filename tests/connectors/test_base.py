"""The one policy for talking to tools: what is tried again, what never is, how long it waits, what it says."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.base import (
    ATTEMPTS,
    DEADLINE,
    DEFAULT_WAIT,
    LONGEST_WAIT,
    Answer,
    Ask,
    Broken,
    NotReached,
    Policy,
    Session,
    failure,
    retry_after,
)
from connectors.budget import READING
from connectors.errors import (
    BadRequest,
    Conflict,
    ConnectorError,
    Forbidden,
    Gone,
    NotFound,
    Ours,
    Theirs,
    TooMany,
    Unauthorized,
    Unavailable,
    Uncertain,
)
from mappings.plan import Lane

READ = Ask(method="GET", path="/tickets", write=False, again=True)
WRITE = Ask(method="PUT", path="/tickets", write=True, again=False)
SAFE_WRITE = Ask(method="POST", path="/enqueue", write=True, again=True)
OK = Answer(200, {}, b"{}")

Step = Answer | Exception


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer; `retry_after="5"` becomes the header `retry-after`."""
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class Tool:
    """A tool that answers by a script, and a clock that only moves when somebody sleeps or a call takes its time."""

    def __init__(self, *script: Step, takes: float = 0.0, renew: Callable[[], bool] = lambda: False) -> None:
        self.script, self.takes = list(script), takes
        self.time = 1000.0
        self.slept: list[float] = []
        self.timeouts: list[float] = []
        self.policy = Policy("zendesk", renew=renew, sleep=self._sleep, chance=lambda: 0.5, clock=lambda: self.time)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def _send(self, seconds: float) -> Answer:
        self.timeouts.append(seconds)
        self.time += self.takes
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step

    def run(self, ask: Ask) -> Answer:
        """One call under the policy."""
        return self.policy.run(ask, self._send)


@pytest.mark.parametrize(
    ("first", "read", "write", "safe_write"),
    [
        (NotReached("ConnectError"), "again", "again", "again"),
        (Broken("ReadTimeout"), "again", Uncertain, "again"),
        (answer(429, retry_after="2"), "again", "again", "again"),
        (answer(429), "again", "again", "again"),
        (answer(503, retry_after="2"), "again", "again", "again"),
        (answer(503), "again", Uncertain, "again"),
        (answer(500), "again", Uncertain, "again"),
        (answer(502, b"<html>"), "again", Uncertain, "again"),
        (answer(504), "again", Uncertain, "again"),
        (answer(408), "again", Uncertain, "again"),
        (answer(400), BadRequest, BadRequest, BadRequest),
        (answer(401), Unauthorized, Unauthorized, Unauthorized),
        (answer(402), Forbidden, Forbidden, Forbidden),
        (answer(403), Forbidden, Forbidden, Forbidden),
        (answer(404), NotFound, NotFound, NotFound),
        (answer(409), Conflict, Conflict, Conflict),
        (answer(410), Gone, Gone, Gone),
        (answer(413), BadRequest, BadRequest, BadRequest),
        (answer(422), BadRequest, BadRequest, BadRequest),
        (answer(302), BadRequest, BadRequest, BadRequest),
    ],
    ids=str,
)
def test_what_is_tried_again(first: Step, read: object, write: object, safe_write: object) -> None:
    """A write is repeated only where nothing was done, or where repeating does no harm."""
    for ask, expected in ((READ, read), (WRITE, write), (SAFE_WRITE, safe_write)):
        tool = Tool(first, OK)
        if expected == "again":
            assert tool.run(ask) == OK
            assert tool.policy.calls == 2
        else:
            assert isinstance(expected, type)
            with pytest.raises(expected) as told:
                tool.run(ask)
            assert type(told.value) is expected
            assert tool.policy.calls == 1


@pytest.mark.parametrize(("ask", "kind"), [(READ, Unavailable), (SAFE_WRITE, Uncertain)])
def test_tries_are_bounded(ask: Ask, kind: type[ConnectorError]) -> None:
    """A tool that stays down is asked four times; a write to it is then uncertain, a read simply not there."""
    tool = Tool(Broken("ReadTimeout"))
    with pytest.raises(kind):
        tool.run(ask)
    assert tool.policy.calls == ATTEMPTS
    assert len(tool.slept) == ATTEMPTS - 1
    assert tool.slept == sorted(tool.slept)


@pytest.mark.parametrize("last", [NotReached("ConnectError"), answer(429, retry_after="3600"), answer(404)])
def test_doubt_stays(last: Step) -> None:
    """Once a try of a write may have been done, whatever comes after it leaves the call uncertain."""
    with pytest.raises(Uncertain):
        Tool(Broken("ReadError"), last).run(SAFE_WRITE)


def test_a_call_ends_before_its_deadline() -> None:
    """Tries, waits and slow answers together stay below the time that an outbox row may be in flight."""
    tool = Tool(answer(503, retry_after=str(LONGEST_WAIT)), takes=29.0)
    with pytest.raises(Unavailable):
        tool.run(READ)
    assert tool.time - 1000.0 <= DEADLINE
    assert all(1.0 <= seconds <= 30.0 for seconds in tool.timeouts)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after": "soon"}, DEFAULT_WAIT),
        ({"retry_after": "-4"}, DEFAULT_WAIT),
        ({"retry_after": "inf"}, DEFAULT_WAIT),
        ({"ratelimit_reset": "17"}, 17.0),
        ({}, DEFAULT_WAIT),
    ],
)
def test_a_429_is_waited_for_as_told(headers: dict[str, str], seconds: float) -> None:
    """Retry-After as a number, whole or not; PagerDuty's reset; a fixed wait where nothing readable is said."""
    tool = Tool(answer(429, **headers), OK)
    tool.run(WRITE)
    assert tool.slept == [seconds]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Tue, 03 Mar 2026 16:00:37 GMT", 37.0),
        ("Tue, 03 Mar 2026 15:00:00 GMT", 0.0),
        ("Tue, 03 Mar 2026 16:00:37 -0000", 37.0),
        ("Tue, 99 Mar 2026 16:00:37 GMT", None),
    ],
)
def test_retry_after_may_be_a_date(said: str, seconds: float | None) -> None:
    """A date counts from now; one that has passed means now, one that is none means nothing."""
    assert retry_after({"retry-after": said}, now=datetime(2026, 3, 3, 16, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("off", [-36000, -600, 0, 600, 36000])
def test_a_date_counts_from_the_answers_own(off: int) -> None:
    """Our clock is minutes or hours ahead or behind: the wait is what the tool meant."""
    ours = datetime(2026, 3, 3, 16, tzinfo=UTC) + timedelta(seconds=off)
    said = {"retry-after": "Tue, 03 Mar 2026 16:00:37 GMT", "date": "Tue, 03 Mar 2026 16:00:00 GMT"}
    assert retry_after(said, now=ours) == 37.0


def test_a_connector_knows_that_it_is_locked_out() -> None:
    """A 401 that stays is remembered until a call succeeds; any other failure says nothing of credentials."""
    tool = Tool(answer(401), answer(404), answer(401), OK)
    for locked_out in (True, False, True):
        with pytest.raises((Unauthorized, NotFound)):
            tool.run(READ)
        assert tool.policy.locked_out is locked_out
    tool.run(READ)
    assert tool.policy.locked_out is False


def test_a_long_wait_is_the_callers() -> None:
    """More than half a minute is not slept away: it goes up as TooMany, with the seconds."""
    tool = Tool(answer(429, retry_after="600"))
    with pytest.raises(TooMany) as told:
        tool.run(WRITE)
    assert (told.value.retry_after, tool.slept) == (600.0, [])


def test_a_401_renews_once() -> None:
    """Credentials are renewed once; a second 401 stops the connector."""
    renewed: list[int] = []

    def renew() -> bool:
        renewed.append(1)
        return True

    assert Tool(answer(401), OK, renew=renew).run(WRITE) == OK
    with pytest.raises(Unauthorized):
        Tool(answer(401), renew=renew).run(WRITE)
    assert len(renewed) == 2


def test_lanes_keep_their_share() -> None:
    """While a first load uses the account up, reading waits for the window and a page goes out at once."""
    told = {"x_rate_limit": "700", "x_rate_limit_remaining": "100", "ratelimit_reset": "20"}
    tool = Tool(answer(200, b"{}", **told))
    tool.run(READ)
    assert tool.slept == []
    tool.run(READ)
    assert tool.slept == [20.0]
    tool.run(Ask(method="PUT", path="/", write=True, again=False, lane=Lane.PAGE))
    tool.run(Ask(method="PUT", path="/", write=True, again=False, lane=Lane.CUSTOMER))
    assert tool.slept == [20.0]


def test_a_used_up_budget_is_no_call() -> None:
    """Where the window opens too late, nothing is sent, and the message says whose share is used up."""
    tool = Tool(answer(200, b"{}", zendesk_ratelimit_incremental_exports="total=10; remaining=0; resets=51"))
    export = Ask(method="GET", path="/incremental", write=False, again=True, own="incremental-exports")
    tool.run(export)
    with pytest.raises(TooMany, match=f"the {READING} lane's share .* used up for 51 s") as told:
        tool.run(export)
    assert (told.value.retry_after, told.value.status, tool.policy.calls) == (51.0, None, 1)
    assert tool.run(READ).status == 200


BODIES = [
    (b'{"error":"RecordNotFound","description":"Not found"}', "RecordNotFound"),
    (b'{"error":{"title":"Forbidden","message":"You do not have access"}}', "Forbidden"),
    (b'{"errors":[{"code":"InvalidPaginationDepth","title":"t","detail":"d"}]}', "InvalidPaginationDepth"),
    (
        b'{"error":"RecordInvalid","details":{"status":[{"description":"closed prevents ticket update"}]}}',
        "RecordInvalid",
    ),
    (b'{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Title cannot be empty"]}}', "2001"),
    (b"Number of allowed API requests per minute exceeded", None),
    (b"<html><body>Bad gateway</body></html>", None),
    (b"", None),
    (b"[]", None),
    (b'{"errors":["odd"]}', None),
    (b"\xff\xfe", None),
]


@pytest.mark.parametrize(("body", "code"), BODIES)
def test_error_bodies_of_every_shape(body: bytes, code: str | None) -> None:
    """All shapes of error bodies give a short message and, where there is one, the tool's own name for it."""
    told = failure("zendesk GET /tickets", answer(400, body, x_request_id="r-1"), write=False)
    assert told.code == code
    assert str(told).startswith("zendesk GET /tickets: 400")
    assert "(request r-1); " in str(told)
    assert "<html" not in str(told)


def test_errors_tell_no_addresses() -> None:
    """An e-mail address in a tool's answer does not get into messages and logs (design §4, "Privacy")."""
    body = b'{"error":"RecordInvalid","description":"Email: ann@customer.example is already being used"}'
    told = str(failure("zendesk POST /users", answer(422, body), write=True))
    assert "ann" not in told
    assert "<address> is already being used" in told


def test_the_tree() -> None:
    """Every error is ours or theirs, and only those of theirs are worth another try."""
    ours = {BadRequest, Unauthorized, Forbidden, NotFound, Gone}
    theirs = {TooMany, Conflict, Unavailable, Uncertain}
    assert all(issubclass(kind, Ours) and not issubclass(kind, Theirs) for kind in ours)
    assert all(issubclass(kind, Theirs) and not issubclass(kind, Ours) for kind in theirs)


def session(*bodies: httpx.Response | Exception) -> Session:
    """A session whose wire gives these answers, then the last one for ever."""
    script = list(bodies)

    def wire(request: httpx.Request) -> httpx.Response:
        step = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(step, Exception):
            raise step
        return step

    policy = Policy("zendesk", sleep=lambda seconds: None)
    return Session(policy, "http://127.0.0.1", transport=httpx.MockTransport(wire))


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"tickets":[{"id":1', b"[]", b'"text"'])
def test_a_success_that_is_no_answer(body: bytes) -> None:
    """Half a body, a proxy's page, nothing at all: a read is repeated, a write is uncertain."""
    broken = httpx.Response(200, content=body)
    assert session(broken, httpx.Response(200, json={"fine": 1})).read("/tickets") == b'{"fine":1}'
    with pytest.raises(Unavailable):
        session(broken).read("/tickets")
    with pytest.raises(Uncertain):
        session(broken).write("PUT", "/tickets", {})
    with pytest.raises(Unavailable):
        session(broken).write("POST", "/token", {}, harmless=True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ConnectTimeout("slow"), Unavailable),
        (httpx.PoolTimeout("busy"), Unavailable),
        (httpx.ReadTimeout("slow"), Uncertain),
        (httpx.WriteError("reset"), Uncertain),
        (httpx.RemoteProtocolError("cut"), Uncertain),
        (httpx.DecodingError("gzip"), Uncertain),
    ],
)
def test_broken_connections(error: Exception, kind: type[ConnectorError]) -> None:
    """Before the connection stands nothing was done; after that, nobody knows."""
    with pytest.raises(kind) as told:
        session(error).write("PUT", "/tickets", {})
    assert type(told.value) is kind


def test_the_log_is_not_personal(caplog: pytest.LogCaptureFixture) -> None:
    """A call is logged with method, path, status and request id; its query and its bodies are not."""
    caplog.set_level(logging.DEBUG, logger="helpdesk.connectors")
    spoke = session(httpx.Response(200, json={"users": ["ann@customer.example"]}, headers={"x-request-id": "r-7"}))
    spoke.read("/users", {"query": "bob@customer.example"})
    line = next(record.getMessage() for record in caplog.records if record.name == "helpdesk.connectors")
    assert "zendesk GET /users: 200" in line
    assert "r-7" in line
    assert "customer.example" not in line
