"""Simulated time moves forward only, stands still in tests, and can be held for work that was due earlier."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock, iso, parse_time

START = datetime(2026, 3, 3, 15, tzinfo=UTC)


def test_a_clock_stands_still_between_moves() -> None:
    """It shows what it was told, in whole seconds."""
    clock = Clock(START)
    assert clock.now() == clock.now() == START
    assert clock.advance(90.7) == START + timedelta(seconds=90)
    assert clock.advance(0.3) == START + timedelta(seconds=91)


def test_a_ticking_clock_moves_by_itself_too() -> None:
    """Real time is added to what it was set to."""
    clock = Clock(START, ticking=True)
    assert clock.ticking
    assert clock.advance(60) >= START + timedelta(seconds=60)


def test_a_clock_is_set_going() -> None:
    """A clock that stood still through a story runs by itself from where it stands, and can be stopped again."""
    clock = Clock(START)
    clock.advance(60)
    assert START + timedelta(seconds=60) <= clock.tick(True) <= START + timedelta(seconds=61)
    assert clock.ticking
    stopped = clock.tick(False)
    assert clock.now() == clock.now() == stopped


@pytest.mark.parametrize("to", [START - timedelta(seconds=1), START - timedelta(days=300)])
def test_time_never_runs_back(to: datetime) -> None:
    """Setting an earlier time is refused and changes nothing."""
    clock = Clock(START)
    with pytest.raises(ValueError, match="never goes back"):
        clock.set(to)
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
    assert clock.now() == START


def test_a_held_clock_shows_another_moment_for_a_while() -> None:
    """Also when blocks are nested."""
    clock = Clock(START)
    with clock.held(START - timedelta(hours=1)):
        with clock.held(START - timedelta(hours=2)):
            assert clock.now() == START - timedelta(hours=2)
        assert clock.now() == START - timedelta(hours=1)
    assert clock.now() == START


def test_times_without_an_offset_are_refused() -> None:
    """So is a naive start."""
    with pytest.raises(ValueError, match="no offset"):
        parse_time("2026-03-03T15:00:00")
    with pytest.raises(ValueError, match="aware"):
        Clock(datetime(2026, 3, 3))  # noqa: DTZ001
    assert iso(parse_time("2026-03-03T09:00:00-06:00")) == "2026-03-03T15:00:00Z"
