"""The watchdog: hears finished pulses over HTTP, pages once when none comes, and closes the page when all is well."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import httpx
import pytest

from connectors.errors import ConnectorError
from connectors.sandbox.pagerduty.records import Incident
from connectors.watchdog import Door, Pager, look
from flows import pulse
from flows.lease import LEASE
from flows.watchdog import HUNG, Watchdog
from mappings.policies.watchdog import Limits
from tests.flows.desk import Desk
from tests.flows.processes import Program

ROOT = Path(__file__).parents[2]
TOKEN = "a-shared-secret"


class Kennel:
    """A watchdog at its door beside a desk; real seconds move by hand."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.seconds = desk, 0.0
        key = desk.phone.account.services[0].routing_key
        self.pager = Pager(desk.sandbox.urls["pagerduty"], lambda: key, sleep=desk.slept.append)
        self.dog = self.new()
        self.door = Door("127.0.0.1", 0, token=lambda: TOKEN, heard=self._heard, status=lambda: self.dog.status())
        self.door.open()

    def _heard(self, body: bytes) -> None:
        self.dog.heard(body)

    def new(self) -> Watchdog:
        """A watchdog that was just started."""
        self.dog = Watchdog("builder", self.pager, Limits(), clock=lambda: self.seconds)
        return self.dog

    def after(self, seconds: float) -> list[tuple[str, str]]:
        """Some real seconds later the watchdog looks; its incidents then, by key and status."""
        self.seconds += seconds
        self.dog.look()
        self.desk.sandbox.advance(5)
        return self.pages

    @property
    def pages(self) -> list[tuple[str, str]]:
        """The watchdog's incidents, by key and status."""
        return [(_key(row).removeprefix("helpdesk-watchdog:builder:"), row.status) for row in self.desk.incidents]

    def close(self) -> None:
        self.door.close()
        self.pager.close()


def _key(incident: Incident) -> str:
    return incident.key or ""


@pytest.fixture
def kennel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kennel]:
    """A watchdog that the desk's pulses tell that they finished."""
    kennel = Kennel(desk)
    monkeypatch.setenv("HELPDESK_WATCHDOG_URL", kennel.door.url)
    monkeypatch.setenv("HELPDESK_WATCHDOG_TOKEN", TOKEN)
    yield kennel
    kennel.close()


def test_pulses_keep_it_quiet(desk: Desk, kennel: Kennel) -> None:
    """Each finished pulse is heard, with every source that it read; nobody is paged."""
    for _ in range(10):
        desk.minutes(1)
        assert kennel.after(60) == []
    status = look(kennel.door.url)
    assert (status["profile"], status["state"], status["heard"]) == ("builder", "well", "1 minute ago")
    assert {"zendesk tickets", "zendesk events", "zendesk newest"} <= status["sources"].keys()
    assert set(status["sources"].values()) == {"up to date"}


def test_silence_pages_once_and_ends(desk: Desk, kennel: Kennel) -> None:
    """Five minutes without a pulse: one page, however long it lasts. The next pulse closes it; again, and it pages."""
    desk.beat()
    assert kennel.after(299) == []
    assert kennel.after(1) == [("silent", "triggered")]
    assert kennel.after(3600) == [("silent", "triggered")]
    desk.beat()
    assert kennel.after(1) == [("silent", "resolved")]
    assert kennel.after(300) == [("silent", "resolved"), ("silent", "triggered")]


def test_no_pulse_ever(kennel: Kennel) -> None:
    """Just started it waits; when no pulse comes within the grace it pages."""
    assert kennel.after(299) == []
    assert look(kennel.door.url)["state"] == "waiting for a first pulse"
    assert kennel.after(1) == [("silent", "triggered")]


def test_stuck_lease_pages(desk: Desk, kennel: Kennel) -> None:
    """Runs that are skipped since another one is at work have not finished: a lease that nobody gives back pages."""
    desk.beat()
    kennel.after(1)
    assert desk.ctx.store.lease(LEASE, "stuck", 10_000) is not None
    for _ in range(5):
        assert desk.beat().skipped
        kennel.after(60)
    assert kennel.pages == [("silent", "triggered")]


def test_plan_is_no_pulse(desk: Desk, kennel: Kennel) -> None:
    """A plan delivers nothing, so it does not count as one that finished."""
    with desk.another(plan_only=True) as planning:
        pulse.beat(planning)
    assert look(kennel.door.url)["heard"] is None


def test_stale_tool_pages(desk: Desk, kennel: Kennel) -> None:
    """Zendesk away for ten minutes while pulses go on: one page that names it, closed when it is read again."""
    desk.fail(kind="away")
    for _ in range(8):
        desk.minutes(1)
        assert kennel.after(60) == []
    for _ in range(5):
        desk.minutes(1)
        kennel.after(60)
    assert kennel.pages == [("stale:zendesk", "triggered")]
    assert "zendesk is 10 minutes behind" in desk.incidents[0].title
    desk.well()
    desk.minutes(2)
    assert kennel.after(60) == [("stale:zendesk", "resolved")]


def test_pages_that_do_not_get_out(desk: Desk, kennel: Kennel) -> None:
    """PagerDuty refuses our key while a page waits: ten minutes later the watchdog pages by its own."""
    desk.move("2026-03-03 22:00")
    desk.minutes(2)
    desk.restart()
    desk.file("P1", "enterprise")
    desk.fail(vendor="pagerduty", kind="status", status=401, path="^/services")
    for _ in range(13):
        desk.minutes(1)
        kennel.after(60)
    assert kennel.pages == [("stale:pagerduty", "triggered")]
    desk.well()
    desk.minutes(2)
    kennel.after(60)
    assert kennel.pages[0] == ("stale:pagerduty", "resolved")
    assert [status for _, status in kennel.pages[1:]] == ["triggered"]


@pytest.mark.parametrize("kind", ["away", "cut_after", "status"])
def test_pagerduty_does_not_answer(desk: Desk, kennel: Kennel, kind: str) -> None:
    """A page that does not get out, or only perhaps, is sent again until it is out, and is one page."""
    desk.beat()
    desk.fail(vendor="pagerduty", kind=kind, path="enqueue", **({"status": 503} if kind == "status" else {}))
    kennel.after(300)
    kennel.after(10)
    assert look(kennel.door.url)["problem"].startswith("cannot page: pagerduty POST /v2/enqueue: ")
    desk.well()
    assert kennel.after(10) == [("silent", "triggered")]
    assert look(kennel.door.url)["problem"] is None


def test_wrong_routing_key(desk: Desk) -> None:
    """A key that PagerDuty does not take is said with its cure."""
    pager = Pager(desk.sandbox.urls["pagerduty"], lambda: "short")
    dog = Watchdog("builder", pager, Limits(grace=0))
    dog.look()
    pager.close()
    assert "; check PAGERDUTY_EVENTS_KEY" in dog.status()["problem"]


def test_restart_remembers_nothing_and_doubles_nothing(desk: Desk, kennel: Kennel) -> None:
    """Started anew while it is silent: the page stays one. Started anew when all is well: the page is closed."""
    desk.beat()
    kennel.after(300)
    kennel.new()
    assert kennel.after(300) == [("silent", "triggered")]
    kennel.new()
    desk.beat()
    assert kennel.after(1) == [("silent", "resolved")]


def test_watchdog_that_is_away_hurts_no_pulse(desk: Desk, kennel: Kennel, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens, or the token's file is gone: the pulse does its work and says so."""
    kennel.door.close()
    ticket = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(2)
    assert "security" in desk.tags(ticket)
    assert "watchdog POST /beat: not reached (ConnectError); start `helpdesk watchdog`" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 204),
        ({"headers": {}}, 401),
        ({"headers": {"Authorization": "Bearer another"}}, 401),
        ({"json": {"profile": "roofing", "at": "2026-03-03T16:00:00Z"}}, 409),
        ({"json": {"profile": "builder"}}, 400),
        ({"json": {"profile": "builder", "at": "2026-03-03T16:00:00"}}, 400),
        ({"json": {"filler": "x" * 70_000}}, 413),
        ({"path": "/elsewhere"}, 404),
    ],
)
def test_only_its_own_pulses_are_heard(kennel: Kennel, change: dict[str, object], status: int) -> None:
    """A beat needs the shared secret, the right deployment and the right form."""
    beat = {"profile": "builder", "at": "2026-03-03T16:00:00Z"}
    given = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "json": beat, **change}
    answer = httpx.post(f"{kennel.door.url}{given.pop('path', '/beat')}", **given)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert (look(kennel.door.url)["heard"] is not None) == (status == 204)


def test_status_page(kennel: Kennel) -> None:
    """Browsers get a page, programs JSON; health turns bad when the looks stop."""
    page = httpx.get(kennel.door.url, headers={"Accept": "text/html"})
    assert "waiting for a first pulse" in page.text
    assert httpx.get(f"{kennel.door.url}/health").status_code == 200
    kennel.seconds += HUNG
    assert httpx.get(f"{kennel.door.url}/health").status_code == 503


def test_it_is_small() -> None:
    """The process loads neither Prefect nor anything of SQL: what it watches may be what is broken."""
    code = (
        "import sys, flows.cli, flows.watchdog, connectors.watchdog, flows.settings, mappings.policies.watchdog;"
        "print([m for m in ('prefect', 'sqlalchemy', 'psycopg', 'alembic', 'starlette') if m in sys.modules])"
    )
    found = run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_as_a_process(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`helpdesk watchdog` listens, hears a pulse, pages through PagerDuty, and ends when asked to."""
    env = {
        "PYTHONPATH": str(ROOT),
        "HELPDESK_PROFILE": "builder",
        "HELPDESK_WATCHDOG_TOKEN": TOKEN,
        "PAGERDUTY_EVENTS_URL": desk.sandbox.urls["pagerduty"],
        "PAGERDUTY_EVENTS_KEY": desk.phone.account.services[0].routing_key,
    }
    words = ["-u", "-m", "flows.cli", "watchdog", "--port", "0", "--grace", "1", "--silence", "1"]
    program = Program(words, env=env, log=tmp_path / "watchdog.log", cwd=ROOT)
    try:
        program.wait_for("listening", lambda: "until interrupted" in program.tail() or None)
        url = program.tail().split(" at ")[1].split(",")[0]
        monkeypatch.setenv("HELPDESK_WATCHDOG_URL", url)
        monkeypatch.setenv("HELPDESK_WATCHDOG_TOKEN", TOKEN)
        desk.beat()
        assert look(url)["heard"] is not None

        def paged() -> bool | None:
            desk.sandbox.advance(5)
            return bool(desk.incidents) or None

        program.wait_for("paging", paged)
        assert desk.incidents[0].key == "helpdesk-watchdog:builder:silent"
        program.process.terminate()
        assert program.ended() == 0
    finally:
        program.stop()


def test_beat_is_small_and_says_no_names(desk: Desk) -> None:
    """A beat carries times and the names of sources, and nothing of tickets or people."""
    from flows.heartbeat import beat

    told = json.loads(json.dumps(beat(desk.ctx), default=lambda value: value.__struct_fields__))
    assert set(told) == {"profile", "at", "sources"}


def test_look_at_something_else(desk: Desk) -> None:
    """An address that is no watchdog's is told apart."""
    with pytest.raises(ConnectorError, match="see whether HELPDESK_WATCHDOG_URL"):
        look(desk.sandbox.urls["zendesk"])
