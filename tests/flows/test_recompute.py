"""The nightly check of the clocks: what differs from the past is told and put right, and nothing else happens."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from connectors.store import Mode
from flows import sync
from flows.recompute import Recomputed, check, table
from mappings.model import Clock, ClockState
from mappings.policies.sla.lateness import POLICY
from tests.flows.desk import Desk


def never(_: float) -> None:
    """Nobody holds the lease: nothing is waited for."""
    raise AssertionError("waited")


def checked(desk: Desk, **more: Any) -> Recomputed:
    """The check, as the night runs it."""
    return check(desk.ctx, **{"wait": never} | more)


def spoil(desk: Desk, clock: Clock, **fields: Any) -> None:
    """Somebody's mistake in a stored row."""
    wrong = msgspec.structs.replace(clock, **fields)
    desk.ctx.store.decide(policy=POLICY, decided_seq=None, now=desk.now, mode=Mode.APPLY, clocks=[wrong])


def rows(desk: Desk) -> dict[Any, Clock]:
    """All stored clocks."""
    ids = desk.ctx.store.known(range(1, 1000))
    every = desk.ctx.store.clocks(f"zendesk:{id}" for id in ids)
    return {clock.key: clock for clocks in every.values() for clock in clocks}


def test_stored_clocks_agree_with_the_past(either_desk: Desk) -> None:
    """After weeks of tickets, and a day at work, every stored clock is what its events say."""
    filed = either_desk.file("P2", "business")
    either_desk.minutes(5)
    either_desk.sim.reply(filed, author=either_desk.agent, body="Here is how.")
    either_desk.minutes(3)
    found = checked(either_desk)
    assert found.clocks > 20
    assert (found.differing, found.shown) == (0, [])
    assert checked(either_desk, everything=True).tickets > found.tickets


def test_a_spoilt_clock_is_told_and_put_right(either_desk: Desk) -> None:
    """A due time that does not follow from the past: told with ticket and field, mended, and nothing else changes."""
    desk = either_desk
    filed = desk.file("P2", "business")
    desk.minutes(2)
    before, done = rows(desk), desk.effects()
    good = desk.clocks(filed)["First response"]
    assert good.due_at is not None
    spoil(desk, good, due_at=good.due_at + timedelta(hours=9))
    plan = checked_as_a_plan(desk)
    assert rows(desk) != before
    found = checked(desk)
    assert [(each.record, each.target, each.field) for each in found.shown] == [
        (f"zendesk:{filed}", "First response", "due_at")
    ]
    assert found.shown == plan.shown
    assert f"zendesk:{filed}" in table(desk.ctx, found)
    assert found.mended == 1
    assert rows(desk) == before
    assert desk.effects() == done
    assert checked(desk).differing == 0


def checked_as_a_plan(desk: Desk) -> Recomputed:
    """The check, when it may only tell."""
    desk.ctx.plan_only = True
    try:
        return checked(desk)
    finally:
        desk.ctx.plan_only = False


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(lambda now: {"due_at": now + timedelta(days=9), "warn_at": None}, id="due much later"),
        pytest.param(lambda now: {"state": ClockState.MET, "stopped_at": now, "fulfilled_by": "reply"}, id="met"),
    ],
)
def test_nothing_becomes_late_by_it(desk: Desk, mistake: Callable[[Any], dict[str, Any]]) -> None:
    """A row that hid a lateness is put right hours after: nobody is warned, moved or paged for it."""
    filed = desk.file("P2", "business")
    desk.minutes(6)
    spoil(desk, desk.clocks(filed)["First response"], **mistake(desk.now))
    desk.move("2026-03-03 16:00")
    desk.minutes(1)
    done = said(desk, filed)
    assert checked(desk).mended == 1
    clock = desk.clocks(filed)["First response"]
    assert clock.state is ClockState.RUNNING
    assert clock.detected_at == desk.now
    desk.minutes(3)
    assert said(desk, filed) == done


def said(desk: Desk, ticket: int) -> list[str]:
    """What anybody notices of what we did to a ticket: all but its SLA fields."""
    return [effect.kind for effect in desk.effects(ticket) if effect.kind != "field"]


def test_a_row_too_few_and_one_too_much(desk: Desk) -> None:
    """A clock that is missing comes back; one of an episode that never was is void from now on."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    good = desk.clocks(filed)["First response"]
    with desk.ctx.store.writing() as conn:
        conn.exec_driver_sql(f"DELETE FROM clock WHERE record = 'zendesk:{filed}'")
    spoil(desk, good, cause="777", state=ClockState.MISSED, stopped_at=desk.now)
    found = checked(desk)
    assert {("row", "missing"), ("state", "missed")} <= {(each.field, each.stored) for each in found.shown}
    stored = {clock.cause: clock for clock in desk.ctx.store.clocks([f"zendesk:{filed}"])[f"zendesk:{filed}"]}
    assert stored[good.cause] == good
    assert stored["777"].state is ClockState.VOID


def test_what_is_not_decided_yet_is_left_alone(desk: Desk) -> None:
    """A ticket that changed since the last pulse: the next one counts it, and until then there is nothing to say."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    good = desk.clocks(filed)["First response"]
    spoil(desk, good, used=99)
    desk.sandbox.advance(30)
    desk.sim.reply(filed, author=desk.agent, body="Here is how.")
    sync.all_tools(desk.ctx)
    assert checked(desk).differing == 0


def test_a_repair_waits_for_the_pulse(desk: Desk) -> None:
    """While a pulse is at work the repair waits, and where that takes too long it is left to the next night."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    spoil(desk, desk.clocks(filed)["First response"], used=99)
    held = desk.ctx.store.lease("pulse", "somebody else", 300)
    waited: list[float] = []
    found = checked(desk, wait=waited.append)
    assert (found.differing, found.mended) == (1, 0)
    assert len(waited) > 10
    assert held is not None
    desk.ctx.store.release("pulse", held)
    assert checked(desk).mended == 1
