"""The lease: a slow holder keeps it, a dead one loses it within a minute, a sleeper that wakes up doubles nothing."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from flows import lease, pulse
from flows.lease import LEASE, LEASE_SECONDS, PATIENCE, RENEW_SECONDS, Keeper, keep, leased
from flows.report import Pulse
from tests.faults import points
from tests.flows.desk import Desk, unfinished


class Watch:
    """Seconds that a test moves by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def held(desk: Desk) -> tuple[Keeper, Watch]:
    """A lease that was just taken, and the watch by which its holder lives."""
    fence, watch = desk.ctx.store.lease(LEASE, "holder", LEASE_SECONDS), Watch()
    assert fence is not None
    return Keeper(desk.ctx, fence, watch), watch


def test_slow_call_keeps_the_lease(desk: Desk, held: tuple[Keeper, Watch]) -> None:
    """A call may take its ninety seconds, and several such calls their minutes: each that ends is a sign of life."""
    keeper, watch = held
    assert desk.ctx.zendesk is not None
    for _ in range(10):
        for _ in range(6):
            watch.now += RENEW_SECONDS
            assert keeper.renew()
        desk.ctx.zendesk.policy.calls += 1
    assert desk.ctx.store.lease(LEASE, "another", LEASE_SECONDS) is None


def test_stuck_step_gives_the_lease_up(held: tuple[Keeper, Watch]) -> None:
    """A step that shows no life for five minutes is not waited for any longer; a sign just before keeps it."""
    keeper, watch = held
    watch.now = PATIENCE - 1
    assert keeper.renew()
    keeper.alive()
    watch.now += PATIENCE - 1
    assert keeper.renew()
    watch.now += 1
    assert not keeper.renew()


def test_overtaken_holder_stops_renewing(desk: Desk, held: tuple[Keeper, Watch]) -> None:
    """Once another run holds the lease, the old holder's renewals come to an end and do not touch it."""
    keeper, _ = held
    end(desk)
    assert desk.ctx.store.lease(LEASE, "another", LEASE_SECONDS) is not None
    assert not keeper.renew()


def test_holder_renews_beside_its_work(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread renews by itself, goes on after a failure of the store, and ends with the block."""
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.001)
    renewed, tries = threading.Event(), 0

    def renew(name: str, fence: int, ttl: int) -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("the database is away")
        renewed.set()
        return True

    monkeypatch.setattr(desk.ctx.store, "renew", renew)
    with leased(desk.ctx, Pulse(at=desk.now)):
        assert renewed.wait(60)
    assert [thread for thread in threading.enumerate() if thread.name == "lease"] == []


def test_killed_holder_is_replaced_within_a_minute(either_desk: Desk) -> None:
    """Nobody renews for a killed process: until its lease ends runs are skipped, then the next one takes over."""
    desk = either_desk
    assert LEASE_SECONDS <= 60
    assert desk.ctx.store.lease(LEASE, "killed", LEASE_SECONDS) is not None
    assert desk.beat().skipped == "Another run is at work; nothing was done."
    end(desk)
    assert desk.beat().skipped is None


def end(desk: Desk) -> None:
    """Let the lease run out, whoever holds it."""
    with desk.ctx.store.writing() as conn:
        conn.exec_driver_sql("UPDATE lease SET expires_at = 0")


STALLS = (
    "store.decide:before",
    "store.take:after",
    "zendesk.update_many:before",
    "zendesk.update_many:after",
    "zendesk.jobs:before",
    "store.finish:before",
    "pagerduty.send:before",
    "pagerduty.send:after",
)


def a_busy_minute(desk: Desk) -> tuple[int, int]:
    """A ticket that is late with the next minute, and a new one that is to be paged for."""
    late = desk.file("P2", "business")
    desk.minutes(1)
    desk.move("2026-03-03 14:00")
    desk.minutes(2)
    desk.move("2026-03-03 22:00")
    paged = desk.file("P1", "enterprise")
    desk.sandbox.advance(60)
    return late, paged


def overtake(desk: Desk) -> Callable[[str], None]:
    """Another process takes over at once, finds what was in flight, and works until nothing is left."""

    def run(_: str) -> None:
        end(desk)
        desk.ctx.store.expire(desk.now + timedelta(days=36500))
        desk.minutes(5)
        assert unfinished(desk.rows()) == []

    return run


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("where", STALLS)
def test_sleeper_doubles_nothing(desk: Desk, where: str) -> None:
    """A holder sleeps at any point, is overtaken, and wakes up: its call goes out late, and nothing is done twice."""
    late, paged = a_busy_minute(desk)
    slept: list[str] = []

    def reached(point: str) -> None:
        if point == where and not slept:
            slept.append(point)
            overtake(desk)(point)

    with desk.another() as sleeper:
        points.watch(sleeper, reached)
        found = pulse.beat(sleeper)
    assert slept
    desk.minutes(5)
    assert unfinished(desk.rows()) == []
    bare = [text.partition("\n\nref ")[0] for text in [*desk.notes(late), *desk.notes(paged), *desk.replies(paged)]]
    assert len(bare) == len(set(bare))
    assert [incident.status for incident in desk.incidents] == ["triggered"]
    assert found.skipped is not None
    assert "Another run took over" in found.skipped


def test_late_word_of_a_sleeper_is_not_taken(either_desk: Desk) -> None:
    """Who was overtaken cannot say what became of a row: whoever took over may have it in flight."""
    desk = either_desk
    a_busy_minute(desk)
    with desk.another() as sleeper:
        found = Pulse(at=desk.now)
        with leased(sleeper, found):
            keep(sleeper)
            end(desk)
            assert desk.beat().skipped is None
            sleeper.store.finish([], desk.now, sleeper.fence)
    assert found.skipped is not None
