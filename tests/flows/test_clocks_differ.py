"""Our clock is not the tool's: nothing is doubled by it, little is lost, and the run says that it is wrong."""

from datetime import timedelta

import pytest

from connectors.store import OutboxState
from flows import delivery, outbox, pulse
from flows.lease import leased
from flows.report import Pulse
from mappings.plan import Lane
from tests.flows.desk import Desk, unfinished

SKEWS = [timedelta(minutes=-10), timedelta(minutes=10), timedelta(hours=-2), timedelta(hours=2)]


def off(desk: Desk, skew: timedelta) -> None:
    """This machine's clock runs ahead or behind from here on."""
    desk.ctx.now = lambda: desk.now + skew


@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_each_once_with_a_wrong_clock(desk: Desk, skew: timedelta) -> None:
    """A page and a step up come out once each, however wrong our clock is; and the run says that it is.

    So does a reply, unless we are so far ahead that it seems too late for one (half an hour).
    """
    off(desk, skew)
    desk.move("2026-03-04 01:00")
    desk.minutes(1)
    paged, answered = desk.file("P1", "enterprise"), desk.file("P2", "business")
    beats = desk.minutes(16)
    if skew < timedelta(0):
        desk.sandbox.advance(-skew.total_seconds())
    beats += desk.minutes(4)
    titles = [incident.title for incident in desk.incidents if f"ticket {paged} " in incident.title]
    assert (len(titles), len(desk.replies(answered))) == (1, int(skew < timedelta(minutes=30)))
    notes = desk.notes(paged)
    assert len([note for note in notes if "Moved to Technical" in note]) == 1
    assert len(notes) == len(set(notes))
    assert unfinished(desk.rows()) == []
    way = "behind" if skew < timedelta(0) else "ahead of"
    minutes = abs(skew) // timedelta(minutes=1)
    assert beats[-1].synced["zendesk clock"].startswith(f"failed: this machine is {minutes} min {way} Zendesk; set its")


def test_nothing_counts_as_read_before_it_is(desk: Desk) -> None:
    """How far Zendesk has been read is said by its own time: an hour ahead of it, we do not claim the hour to come."""
    off(desk, timedelta(hours=1))
    desk.minutes(2)
    for name in ("tickets", "events"):
        through = desk.ctx.store.source("zendesk", name).fresh_through
        assert through is not None
        assert through < desk.now


def test_a_clock_that_is_put_back(desk: Desk) -> None:
    """An hour back: what is asked every few minutes is asked again, and not only when the hour is over."""
    off(desk, timedelta(hours=1))
    desk.minutes(12)
    off(desk, timedelta(0))
    (beat,) = desk.minutes(1)
    assert "not due" not in (beat.synced["zendesk companies"], beat.synced["zendesk suspended"])


def test_another_machines_clock_ends_nobodys_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine five minutes ahead does not take a call for overdue while whoever makes it lives: the lease's time is
    the database's, and without the lease nothing expires."""
    desk.move("2026-03-03 18:30")
    desk.minutes(1)
    ticket = desk.file("P2", "business")
    desk.sandbox.advance(60)
    with leased(desk.ctx, Pulse(at=desk.now)) as ours:
        assert ours
        assert pulse.sync.all_tools(desk.ctx)
        pulse.decide(desk.ctx)
        rows = outbox.take(desk.ctx, "zendesk", Lane.CUSTOMER, 10)
        ahead = outbox.real_time() + timedelta(minutes=5)
        with monkeypatch.context() as there, desk.another() as other:
            there.setattr(delivery, "real_time", lambda: ahead)
            assert pulse.beat(other).skipped == "Another run is at work; nothing was done."
        states = {row.id: row.state for row in desk.rows(ticket)}
        assert rows
        assert {states[row.id] for row in rows} == {OutboxState.SENDING}
