"""Figures of time: what a cell of a table may say, and how it is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.profile.durations import Budget, DurationError, Figure, Unit, parse_budget, parse_span, say_span

UNITS = st.sampled_from(["m", "h", "d", "bh", "bd"])
FIGURES = st.builds(lambda amount, unit: f"{amount}{unit}", st.integers(1, 500), UNITS)


@pytest.mark.parametrize(
    ("text", "late", "warn"),
    [
        ("15m", Figure(Unit.WALL, 15 * 60), None),
        ("4h", Figure(Unit.WALL, 4 * 3600), None),
        ("7d", Figure(Unit.WALL, 7 * 86400), None),
        ("4bh", Figure(Unit.OPEN, 4 * 3600), None),
        ("2bd", Figure(Unit.DAYS, 2), None),
        ("immediate", Figure(Unit.IMMEDIATE), None),
        ("best effort", Figure(Unit.NEVER), None),
        ("next sprint", Figure(Unit.SPRINT), None),
        ("2h..4h", Figure(Unit.WALL, 4 * 3600), Figure(Unit.WALL, 2 * 3600)),
        ("1bd..2bd", Figure(Unit.DAYS, 2), Figure(Unit.DAYS, 1)),
    ],
)
def test_the_unit_names_the_clock(text: str, late: Figure, warn: Figure | None) -> None:
    """m, h and d count on the wall, bh while open, bd by open days; a range warns at its lower figure."""
    assert parse_budget(text) == Budget(late, text, warn)


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("4", "no duration", "4bh (business hours)"),
        ("4 h", "no duration", "15m"),
        ("1.5h", "no duration", "15m"),
        ("-4h", "no duration", "15m"),
        ("4hb", "no duration", "15m"),
        ("", "no duration", "15m"),
        ("0h", "no time at all", "immediate"),
        ("99999d", "more than ten years", "best effort"),
        ("4000bd", "more than ten years", "best effort"),
        ("4h..", "no duration", "15m"),
        ("4h..2h", "the first figure warns", "write 2h..4h"),
        ("2h..2h", "the first figure warns", "write 2h..2h"),
        ("2h..4bh", "different units", "both in h"),
        ("immediate..4h", "a figure at both ends", "15m"),
    ],
)
def test_what_is_no_figure_is_told_with_a_fix(text: str, problem: str, fix: str) -> None:
    """A cell that cannot be read says what is wrong, and what to write."""
    with pytest.raises(DurationError, match=re.escape(problem)) as caught:
        parse_budget(text)
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("15m", "15 minutes"),
        ("1h", "1 hour"),
        ("4bh", "4 business hours"),
        ("1bd", "1 business day"),
        ("7d", "7 days"),
        ("2h..4h", "2 to 4 hours"),
        ("1h..2h", "1 to 2 hours"),
        ("30m..2h", "30 minutes to 2 hours"),
        ("immediate", "at once"),
        ("best effort", "best effort"),
        ("next sprint", "by the end of the next sprint"),
    ],
)
def test_a_figure_in_words(text: str, said: str) -> None:
    """Customers and colleagues read words, not units."""
    assert parse_budget(text).say() == said


@given(FIGURES)
def test_a_budget_is_read_back_from_its_text(text: str) -> None:
    """Clocks store the text: reading it again gives the same budget."""
    budget = parse_budget(text)
    assert parse_budget(budget.text) == budget
    assert budget.say()


@given(FIGURES, FIGURES)
def test_a_range_never_warns_after_it_is_late(low: str, high: str) -> None:
    """Whatever two figures are written, a range that is accepted warns first, on the same clock."""
    try:
        budget = parse_budget(f"{low}..{high}")
    except DurationError:
        return
    assert budget.warn is not None
    assert budget.warn.unit is budget.late.unit
    assert budget.warn.amount < budget.late.amount


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("24h", 86400), ("14d", 14 * 86400), ("7y", 7 * 365 * 86400)]
)
def test_a_plain_length_of_time(text: str, seconds: int) -> None:
    """Where no clock is meant, a length of time is just seconds."""
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["4bh", "1bd", "immediate", "2h..4h", "5", "5 m"])
def test_a_plain_length_has_no_clock(text: str) -> None:
    """Business hours mean nothing where no calendar serves."""
    with pytest.raises(DurationError, match="no length of time"):
        parse_span(text)


@pytest.mark.parametrize(
    ("text", "said"), [("7d", "7 days"), ("24h", "1 day"), ("36h", "36 hours"), ("90m", "90 minutes"), ("1h", "1 hour")]
)
def test_a_plain_length_in_words(text: str, said: str) -> None:
    """In the largest unit that it is whole in."""
    assert say_span(parse_span(text)) == said
