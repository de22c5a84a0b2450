"""A store that was put back from yesterday's backup: nothing goes out twice, and new causes are served at once."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import operations, restore
from tests.flows.desk import Desk


def file_of(desk: Desk) -> Path:
    return Path(desk.database_url.removeprefix("sqlite:///"))


def back_up(desk: Desk) -> Callable[[], None]:
    """Back the store up as it is; what is given puts it back."""
    kept = file_of(desk).with_suffix(".backup")
    with sqlite3.connect(file_of(desk)) as store, sqlite3.connect(kept) as copy:
        store.backup(copy)

    def put_back() -> None:
        desk.restart()
        for path in file_of(desk).parent.glob(f"{file_of(desk).name}-*"):
            path.unlink()
        file_of(desk).write_bytes(kept.read_bytes())

    return put_back


def a_day(desk: Desk) -> tuple[list[int], Callable[[], None]]:
    """A backup in the morning, and then an ordinary day and night: escalated, answered after hours, paged, closed."""
    waiting = desk.file("P2", "business")
    desk.minutes(2)
    put_back = back_up(desk)
    desk.move("2026-03-03 14:01")
    desk.minutes(4)
    desk.move("2026-03-03 19:00")
    desk.minutes(1)
    asked = desk.file("P3", "business")
    down = desk.file("P1", "enterprise")
    desk.minutes(3)
    assert desk.notes(waiting)
    assert desk.replies(asked)
    (incident,) = desk.incidents
    desk.phone.acknowledge(incident.id)
    desk.minutes(2)
    desk.phone.resolve(incident.id)
    desk.minutes(2)
    desk.move("2026-03-04 09:00")
    return [waiting, asked, down], put_back


def test_nothing_goes_out_twice(desk: Desk) -> None:
    """The keys of a day are gone: no note, no message, no page again; not for what was done, nor for what fell due."""
    _, put_back = a_day(desk)
    put_back()
    before = len(desk.core.journal)
    beats = desk.minutes(5)
    assert desk.done(after=before) == []
    assert len(desk.incidents) == 1
    news = [line for beat in beats for line in beat.news]
    assert len(news) == 1
    assert "the store was put back: Zendesk shows changes of ours up to 2026-03-04 01:" in news[0]
    assert "all rules act on causes from now on" in news[0]


def test_new_causes_are_served(desk: Desk) -> None:
    """What happens after it was put back is acted on as ever."""
    _, put_back = a_day(desk)
    put_back()
    desk.minutes(2)
    ticket = desk.file("P1", "enterprise")
    desk.minutes(1)
    desk.move("2026-03-04 09:17")
    desk.minutes(4)
    assert len([note for note in desk.notes(ticket) if "Moved to" in note]) == 1


def test_a_rest_is_no_restore(desk: Desk) -> None:
    """The worker stood still for half a day, and its store knows all it did: what fell due meanwhile is done."""
    waiting = desk.file("P2", "business")
    desk.minutes(6)
    desk.move("2026-03-03 16:00")
    (beat,) = desk.minutes(1)
    assert beat.news == []
    assert len([note for note in desk.notes(waiting) if "Moved to" in note]) == 1


def test_it_reads_before_it_acts(desk: Desk) -> None:
    """After a gap, and while the events do not answer, nothing is decided; once they are read, all of it is."""
    waiting = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 16:00")
    desk.fail(kind="status", status=500, path="ticket_events")
    beats = desk.minutes(3)
    assert all("what happened meanwhile is read first" in beat.news[-1] for beat in beats)
    assert desk.notes(waiting) == []
    assert restore.kept_from(desk.ctx) is not None
    desk.well()
    desk.minutes(3)
    assert len([note for note in desk.notes(waiting) if "Moved to" in note]) == 1
    assert restore.kept_from(desk.ctx) is None


def test_the_operator_may_say_it(desk: Desk) -> None:
    """Put back so soon that no gap shows: the operator says so, and what was on its way is put aside, a batch too."""
    ticket = desk.file("P2", "business")
    desk.minutes(1)
    desk.ctx.store.pause("all", desk.now)
    desk.move("2026-03-03 14:04")
    desk.minutes(1)
    assert desk.states(ticket, "escalate") == [("escalate", "planned")]
    told = restore.start_anew(desk.ctx.store, desk.now)
    assert "on the way put aside; `helpdesk adopt` lists" in told.text
    desk.ctx.store.resume("all", desk.now)
    desk.minutes(3)
    assert desk.states(ticket, "escalate") == [("escalate", "baseline")]
    assert desk.notes(ticket) == []


@pytest.mark.parametrize("answered", [False, True])
def test_adopting_afterwards(desk: Desk, answered: bool) -> None:
    """What was put aside may be adopted: what is still late climbs, once; what was answered meanwhile is left alone."""
    ticket = desk.file("P2", "business")
    desk.minutes(1)
    desk.move("2026-03-03 14:04")
    desk.ctx.store.pause("all", desk.now)
    desk.minutes(1)
    restore.start_anew(desk.ctx.store, desk.now)
    desk.ctx.store.resume("all", desk.now)
    desk.minutes(2)
    if answered:
        desk.sim.reply(ticket, author=desk.agent, body="Here is how.")
    operations.adopt(desk.ctx.store, desk.now, verb="escalate", record=f"zendesk:{ticket}")
    desk.minutes(3)
    assert desk.states(ticket, "escalate") == [("escalate", "dropped" if answered else "done")]
    assert len([note for note in desk.notes(ticket) if "Moved to" in note]) == (0 if answered else 1)
