"""Request budgets: what tools tell about them, and which lane may use what is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.budget import ACCOUNT, READING, RESERVED, Budget, Window
from mappings.plan import Lane

LANES = [*Lane, READING]


@pytest.mark.parametrize(
    ("headers", "name", "window"),
    [
        ({"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "699"}, ACCOUNT, Window(700, 699, 160.0)),
        (
            {"ratelimit-limit": "960", "ratelimit-remaining": "943", "ratelimit-reset": "17"},
            ACCOUNT,
            Window(960, 943, 117.0),
        ),
        (
            {"zendesk-ratelimit-incremental-exports": "total=10; remaining=9; resets=51"},
            "incremental-exports",
            Window(10, 9, 151.0),
        ),
        (
            {"zendesk-rate-limit-tickets-update": "total=20; remaining=19; resets=59"},
            "tickets-update",
            Window(20, 19, 159.0),
        ),
        ({"ratelimit-limit": "many", "ratelimit-remaining": "1"}, ACCOUNT, None),
        ({"zendesk-ratelimit-odd": "remaining=3"}, "odd", None),
        ({}, ACCOUNT, None),
    ],
)
def test_what_tools_tell(headers: dict[str, str], name: str, window: Window | None) -> None:
    """Recorded and documented header names, in either spelling and any case (vendor-facts §1.3, §4.3)."""
    budget = Budget(lambda: 100.0)
    budget.learn(headers)
    assert budget.window(name) == window


def test_nothing_is_known_at_first() -> None:
    """Before a tool told anything, nobody waits."""
    assert all(Budget(lambda: 0.0).wait(lane, own="incremental-exports") == 0 for lane in LANES)


@given(limit=st.integers(10, 2500), left=st.integers(0, 2500))
def test_who_may_call_is_a_matter_of_rank(limit: int, left: int) -> None:
    """Whenever a lane may call, every lane above it may; and a page may as long as one call is left."""
    budget = Budget(lambda: 0.0)
    budget.learn({"x-rate-limit": str(limit), "x-rate-limit-remaining": str(min(left, limit))})
    may = [budget.wait(lane) == 0 for lane in LANES]
    assert may == sorted(may, reverse=True)
    assert may[0] == (min(left, limit) > 0)


def test_every_lane_has_its_share() -> None:
    """Each lane of the plan, and reading, has a share; none keeps more than half of the window for others."""
    assert set(RESERVED) == set(LANES)
    assert list(RESERVED.values()) == sorted(RESERVED.values())
    assert max(RESERVED.values()) < 0.5


def test_what_was_used_is_told() -> None:
    """One place says what each limit was asked for: how often, and how close it came to its end."""
    budget = Budget(lambda: 0.0)
    for left in (699, 520, 690):
        budget.learn({"x-rate-limit": "700", "x-rate-limit-remaining": str(left)})
    budget.learn({"zendesk-ratelimit-incremental-exports": "total=10; remaining=9; resets=51"})
    assert budget.report() == [
        "account: 3 calls, at least 520 of 700 left",
        "incremental-exports: 1 call, at least 9 of 10 left",
    ]


def test_a_window_opens_again() -> None:
    """When the window's time is over, everybody may call, whatever was left."""
    now = [0.0]
    budget = Budget(lambda: now[0])
    budget.learn({"x-rate-limit": "700", "x-rate-limit-remaining": "0", "ratelimit-reset": "30"})
    assert budget.wait(Lane.PAGE) == 30.0
    now[0] = 30.0
    assert budget.wait(READING) == 0.0
