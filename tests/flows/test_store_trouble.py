"""The store is locked or gone at the worst moment: the pulse ends and says why, and the next one makes it good."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import sqlalchemy as sa

from connectors.store import Locked, StoreError, Unreachable, database
from tests.faults import points
from tests.faults.test_killed import time_passes
from tests.flows.desk import Desk, unfinished

POINTS = {
    "store.lease:before": 0,
    "store.decide:before": 0,
    "store.take:before": 0,
    "pagerduty.send:after": 1,
    "zendesk.update_many:after": 2,
    "store.finish:before": 1,
}
"""Where the store goes, and how many calls that change something were made by then."""


@contextmanager
def outage(url: str) -> Iterator[None]:
    """Nobody can write: another process holds SQLite's lock, PostgreSQL takes no connections."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                other.execute("ROLLBACK")
        other.close()
        return
    name = sa.make_url(url).database
    elsewhere = sa.make_url(url).set(database="template1")
    with sa.create_engine(elsewhere, isolation_level="AUTOCOMMIT").connect() as admin:
        admin.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            admin.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    admin.engine.dispose()


def at(point: str, begin: Callable[[], object]) -> Callable[[str], None]:
    """For `points.watch`: begins something when a process first comes to a point."""
    waiting = [begin]

    def reached(name: str) -> None:
        if name == point and waiting:
            waiting.pop()()

    return reached


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("point", POINTS)
def test_the_store_goes_and_returns(either_desk: Desk, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes out that is not written down first; a call that could not be noted is looked for, not repeated."""
    desk = either_desk
    monkeypatch.setattr(database, "_BUSY_MS", 100)
    desk.restart()
    desk.move("2026-03-03 18:30")
    desk.minutes(1)
    paged, answered = desk.file("P1", "enterprise"), desk.file("P2", "business")
    desk.sandbox.advance(60)
    before = desk.core.recorder.count
    with ExitStack() as outages:
        points.watch(desk.ctx, at(point, lambda: outages.enter_context(outage(desk.database_url))))
        with pytest.raises(StoreError) as told:
            desk.beat()
        sent = [*desk.calls("POST", "enqueue", after=before), *desk.calls("PUT", "update_many", after=before)]
        assert len(sent) == POINTS[point]
    assert isinstance(told.value, Locked | Unreachable)
    assert "the next pulse goes on" in str(told.value) or "see HELPDESK_DATABASE_URL" in str(told.value)
    desk.restart()
    time_passes(desk)
    desk.minutes(3)
    assert unfinished(desk.rows()) == []
    assert (len(incidents(desk, paged)), len(desk.replies(answered))) == (1, 1)


def incidents(desk: Desk, ticket: int) -> list[str]:
    """The incidents of a ticket's page."""
    return [incident.title for incident in desk.incidents if f"ticket {ticket} " in incident.title]
