"""The small words of a profile: actions, comparisons, goals, schedules, shares."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from mappings.profile.terms import (
    VERBS,
    Comparison,
    Do,
    Goal,
    Schedule,
    read_comparison,
    read_do,
    read_goal,
    read_schedule,
    read_share,
)


@pytest.mark.parametrize(
    ("text", "do"),
    [
        ("escalate next", Do("escalate", "next")),
        ("escalate management", Do("escalate", "management")),
        ("escalate 3", Do("escalate", 3)),
        ("tell owner", Do("tell", "owner")),
        ("page on_call", Do("page", "on_call")),
        ("tag next_business_day", Do("tag", "next_business_day")),
        ("status_page open", Do("status_page", "open")),
        ("follow_up", Do("follow_up")),
    ],
)
def test_an_action_is_a_verb_and_what_it_takes(text: str, do: Do) -> None:
    """Actions read as people write them, and print as they were written."""
    assert read_do(text) == do
    assert str(do) == text


def test_every_verb_can_be_written() -> None:
    """The closed list of actions: each verb has at least one form that is accepted."""
    examples = {"tier": "next", "route": "leads", "template": "escalated", "word": "security", "nothing": ""}
    for verb, (takes, words) in VERBS.items():
        argument = examples.get(takes, next(iter(sorted(words)), ""))
        assert read_do(f"{verb} {argument}".strip()).verb == verb


@pytest.mark.parametrize(
    ("value", "holding", "failing"),
    [(">=3", 3, 2), ("<=2", 2, 3), (">10", 11, 10), ("< 5", 4, 5), ("=1", 1, 2)],
)
def test_a_comparison_holds_or_not(value: str, holding: int, failing: int) -> None:
    """A comparison is judged at its bound."""
    comparison = read_comparison(value)
    assert comparison.holds(holding)
    assert not comparison.holds(failing)
    assert read_comparison(str(comparison)) == comparison


@pytest.mark.parametrize(
    ("value", "goal"),
    [
        (">= 95%", Goal(">=", 95, "%")),
        ("< 4h", Goal("<", 4, "h")),
        ("> 4.5", Goal(">", 4.5)),
        ("> 50000 USD", Goal(">", 50000, "USD")),
        ("< 3 months", Goal("<", 3, "months")),
        ("24h", Goal("<=", 24, "h")),
        ("track", None),
    ],
)
def test_a_kpi_has_a_goal_or_is_tracked(value: str, goal: Goal | None) -> None:
    """A figure alone is at most that."""
    assert read_goal(value) == goal


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("hourly", Schedule("hour")),
        ("daily 09:25", Schedule("day", (0, 1, 2, 3, 4, 5, 6), 9, 25)),
        ("Mon-Fri 17:45", Schedule("week", (0, 1, 2, 3, 4), 17, 45)),
        ("Sat-Mon 08:00", Schedule("week", (5, 6, 0), 8, 0)),
        ("Fri 14:00", Schedule("week", (4,), 14, 0)),
        ("first Mon 09:00", Schedule("month", (0,), 9, 0)),
        ("first Mon of quarter 09:00", Schedule("quarter", (0,), 9, 0)),
    ],
)
def test_when_a_report_is_due(text: str, schedule: Schedule) -> None:
    """Schedules are read as they are said."""
    assert read_schedule(text) == schedule


@pytest.mark.parametrize(
    ("read", "value", "problem"),
    [
        (read_do, "tel leads", "unknown action"),
        (read_do, "tell", "needs a route"),
        (read_do, "tell the leads", "more than one word"),
        (read_do, "follow_up now", "takes nothing"),
        (read_do, "escalate up", "cannot take"),
        (read_do, "banner maybe", "cannot take"),
        (read_do, ["tell", "leads"], "is no action"),
        (read_comparison, 3, "is no comparison"),
        (read_comparison, "three", "is no comparison"),
        (read_goal, "high", "is no target"),
        (read_schedule, "Mon-Fri", "is no schedule"),
        (read_schedule, "first Mon-Fri 09:00", "is no schedule"),
        (read_schedule, "Mon of quarter 09:00", "is no schedule"),
        (read_schedule, "Fri 24:00", "is no schedule"),
        (read_share, 75, "is no share"),
        (read_share, 0.75, "is no share"),
        (read_share, "0%", "is no share"),
        (read_share, "101%", "is no share"),
    ],
)
def test_what_cannot_be_read_says_so_with_a_fix(read: Callable[[Any], object], value: object, problem: str) -> None:
    """Each small word has its own message, and each message a fix."""
    with pytest.raises(PydanticCustomError, match=problem) as caught:
        read(value)
    assert caught.value.context is not None
    assert caught.value.context["fix"]


def test_a_share_is_a_part_of_one() -> None:
    """75 % is 0.75, exactly."""
    assert read_share("75%") == 0.75
    assert read_share("99.9 %") == 0.999


def test_comparisons_are_values() -> None:
    """Two that say the same are the same."""
    assert read_comparison(">= 3") == Comparison(">=", 3) == read_comparison(">=3")
