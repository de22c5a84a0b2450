"""Clocks: a minute is given those that have something to notice, and no others."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.store import Store
from connectors.store.clocks import next_at
from mappings.model import ClockState
from tests.connectors.store.make import NOW, at, clock, plan


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        pytest.param({}, at(180), id="warning comes first"),
        pytest.param({"warned_at": at(181)}, at(240), id="warned, then due"),
        pytest.param({"warn_at": None}, at(240), id="no warning for this target"),
        pytest.param({"warn_at": None, "due_at": None}, None, id="never due"),
        pytest.param({"warned_at": at(181), "detected_at": at(241)}, None, id="noticed"),
        pytest.param({"detected_at": at(241)}, None, id="noticed before it was warned"),
        pytest.param({"state": ClockState.PAUSED, "due_at": None}, None, id="paused"),
        pytest.param({"state": ClockState.MET}, None, id="met"),
        pytest.param({"state": ClockState.MISSED}, None, id="missed"),
        pytest.param({"state": ClockState.VOID}, None, id="void"),
    ],
)
def test_the_next_instant_to_notice(store: Store, given: dict[str, Any], instant: datetime | None) -> None:
    """The warning until it was given, then the due time until it was noticed; only of running clocks."""
    one = clock(**given)
    assert next_at(one) == instant
    plan(store, clocks=[one])
    assert store.due_clocks(at(100_000)) == ([one] if instant else [])
    if instant:
        assert store.due_clocks(instant) == [one], "on the second itself"
        assert store.due_clocks(instant - timedelta(seconds=1)) == []


def test_a_clock_comes_back_as_it_went_in(store: Store) -> None:
    """All of a clock survives; stored again it is replaced, and another episode stands beside it."""
    full = clock(
        remaining=90, used=30, paused=60, stopped_at=at(9), fulfilled_by="77", missed_by=5, warned_at=at(7),
        detected_at=at(8), state=ClockState.MISSED,
    )  # fmt: skip
    later = clock(cause="901", start_at=at(1))
    plan(store, clocks=[clock(), clock("zendesk:2"), later])
    plan(store, clocks=[clock(used=1), full])
    assert store.clocks(["zendesk:1", "zendesk:3"]) == {"zendesk:1": [full, later], "zendesk:3": []}


def test_longest_due_first_and_no_more_than_asked(store: Store) -> None:
    """After an outage of ours the longest overdue are given first."""
    plan(store, clocks=[clock(f"zendesk:{m}", due_at=at(m), warn_at=None) for m in (5, 1, 4, 2, 3)])
    assert [c.record for c in store.due_clocks(at(4), limit=3)] == ["zendesk:1", "zendesk:2", "zendesk:3"]


def test_a_clock_is_given_until_it_was_noticed(store: Store) -> None:
    """Reading a due clock does not use it up: a run that dies leaves it to the next."""
    plan(store, clocks=[clock()])
    assert store.due_clocks(at(200)) == store.due_clocks(at(200)) == [clock()]
    plan(store, clocks=[clock(warned_at=at(200))])
    assert store.due_clocks(at(201)) == []


def test_a_minute_is_an_index_scan(store: Store) -> None:
    """The query for due clocks uses its partial index on both databases."""
    plan(store, clocks=[clock(f"zendesk:{i}", state=ClockState.MET) for i in range(3000)])
    with store.writing() as conn:
        conn.exec_driver_sql("ANALYZE")
    explain = "EXPLAIN QUERY PLAN" if store.engine.dialect.name == "sqlite" else "EXPLAIN"
    query = f"{explain} SELECT * FROM clock WHERE next_at <= {int(NOW.timestamp())} ORDER BY next_at LIMIT 1000"
    with store.reading() as conn:
        assert "clock_next_at" in str(conn.execute(sa.text(query)).all())


def test_when_there_is_something_next(store: Store) -> None:
    """The demo jumps from one interesting instant to the next; after the last there is none."""
    plan(store, clocks=[clock("zendesk:1"), clock("zendesk:2", due_at=at(60), warn_at=None)])
    ours = ["zendesk:1", "zendesk:2"]
    assert [store.next_instant(after, ours) for after in (NOW, at(60), at(180))] == [at(60), at(180), None]
    assert store.next_instant(NOW, ["zendesk:3"]) is None
