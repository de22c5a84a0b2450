"""Request budgets: never more than the limit, and free again when they say so."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.limits import FixedWindow, SlidingWindow

START = datetime(2026, 3, 3, 15, tzinfo=UTC)


@given(gaps=st.lists(st.integers(0, 40), min_size=1, max_size=60), limit=st.integers(1, 5))
def test_a_sliding_budget_is_never_overdrawn(gaps: list[int], limit: int) -> None:
    """However calls are spread, no minute holds more allowed ones than the limit."""
    window, now, allowed = SlidingWindow(limit, 60), START, list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        if window.take("key", now).allowed:
            allowed.append(now)
    for at in allowed:
        assert sum(1 for other in allowed if at <= other < at + timedelta(seconds=60)) <= limit


@pytest.mark.parametrize("kind", [FixedWindow, SlidingWindow])
def test_a_refusal_says_when_to_come_back(kind: type[FixedWindow] | type[SlidingWindow]) -> None:
    """After `reset` seconds the next call is allowed; another key was free all along."""
    window, now = kind(2, 60), START + timedelta(seconds=13)
    assert [window.take("a", now).remaining for _ in range(2)] == [1, 0]
    refused = window.take("a", now)
    assert not refused.allowed
    assert window.take("b", now).allowed
    assert window.take("a", now + timedelta(seconds=refused.reset)).allowed
