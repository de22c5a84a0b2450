"""How far a long read has come."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flows.progress import Progress

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=100)


def a_progress() -> Progress:
    """A read of two streams up to now."""
    return Progress(NOW, ("tickets", "events"))


def test_progress_is_the_way_to_now() -> None:
    """Half the time of the first of two streams is a quarter; its end is a half."""
    progress = a_progress()
    progress.reached("tickets", [START, START + timedelta(days=50)])
    assert (progress.percent, progress.words) == (25.0, "tickets read up to 2026-02-20 00:00 UTC")
    progress.reached("tickets", [NOW])
    assert progress.percent == 50.0
    progress.reached("events", [NOW - timedelta(days=1), NOW])
    assert progress.percent == 100.0


def test_an_empty_page_is_no_progress() -> None:
    """A page without records says nothing."""
    progress = a_progress()
    progress.reached("tickets", [])
    assert (progress.percent, progress.words) == (0.0, "")


@given(st.lists(st.tuples(st.sampled_from(["tickets", "events"]), st.integers(-5, 120))))
def test_progress_never_goes_back(pages: list[tuple[str, int]]) -> None:
    """Whatever order records come in, what is shown rises and ends at a hundred at most."""
    progress, seen = a_progress(), [0.0]
    for part, day in pages:
        progress.reached(part, [START + timedelta(days=day)])
        seen.append(progress.percent)
    assert seen == sorted(seen)
    assert seen[-1] <= 100
