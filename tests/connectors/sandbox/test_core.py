"""Scheduled work happens in the order it is due, stamped with the time it was due; switches refuse nonsense."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.core import Core

START = datetime(2026, 3, 3, 15, tzinfo=UTC)


@pytest.fixture
def core() -> Core:
    """A core whose clock stands still."""
    return Core(Clock(START))


def test_work_is_done_when_time_passes_it(core: Core) -> None:
    """In order of time, whatever order it was planned in, and not a second early."""
    done: list[tuple[str, datetime]] = []
    for name, minutes in (("late", 30), ("early", 10), ("twin", 10)):
        core.at(START + timedelta(minutes=minutes), lambda name=name: done.append((name, core.clock.now())))
    core.advance(599)
    assert done == []
    core.advance(7200)
    ten, thirty = START + timedelta(minutes=10), START + timedelta(minutes=30)
    assert done == [("early", ten), ("twin", ten), ("late", thirty)]
    assert core.next_due() is None


def test_work_may_plan_more_work_that_is_already_due(core: Core) -> None:
    """A chain of timers runs through in one move, each link at its own time."""
    seen: list[datetime] = []

    def ring() -> None:
        seen.append(core.clock.now())
        if len(seen) < 4:
            core.at(core.clock.now() + timedelta(minutes=5), ring)

    core.at(START, ring)
    core.advance(3600)
    assert seen == [START + timedelta(minutes=5 * n) for n in range(4)]


def test_switches_are_all_or_nothing(core: Core) -> None:
    """A misspelt or mistyped switch is named, and none of the others is turned."""
    with pytest.raises(ValueError, match=r"serch_lag: no such switch.*job_seconds: needs a float"):
        core.switches.turn({"serch_lag": 1, "triggers": False, "job_seconds": "long"})
    assert core.switches.triggers is True
    core.switches.turn({"triggers": False, "job_seconds": 5, "missing_abilities": ["priorities"]})
    assert (core.switches.triggers, core.switches.job_seconds) == (False, 5.0)
    assert core.switches.missing_abilities == ("priorities",)


def test_the_journal_finds_by_all_that_is_given(core: Core) -> None:
    """Rows are numbered from 1 and never change."""
    for kind, record in (("note", "zendesk:1"), ("page", "pagerduty:P1"), ("note", "zendesk:2")):
        vendor = record.split(":")[0]
        core.journal.add(vendor, kind, record, at=START, actor="a@x.example", text="hello")
    assert [row.seq for row in core.journal.rows(kind="note")] == [1, 3]
    assert [row.record for row in core.journal.rows(vendor="zendesk", after=1)] == ["zendesk:2"]
    assert core.journal.rows()[0].as_json()["detail"] == {"text": "hello"}
