"""When the office opens next, for the button that jumps there."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.sandbox.console.office import Hours, is_open, next_opening

CHICAGO = ZoneInfo("America/Chicago")
WEEK: Hours = {"mon-fri": "08:00-18:00", "sat": ["10:00-12:00", "13:00-15:00"]}


def there(text: str) -> datetime:
    """A local time in the office."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-03-03T07:00", "2026-03-03T08:00"),
        ("2026-03-03T08:00", "2026-03-04T08:00"),
        ("2026-03-06T19:00", "2026-03-07T10:00"),
        ("2026-03-07T12:30", "2026-03-07T13:00"),
        ("2026-03-07T16:00", "2026-03-09T08:00"),  # over the spring change of clocks
    ],
)
def test_next_opening(now: str, opening: str) -> None:
    """The first opening after now, over weekends and clock changes."""
    assert next_opening(WEEK, CHICAGO, there(now)) == there(opening)


@pytest.mark.parametrize(
    ("now", "open_"), [("2026-03-03T08:00", True), ("2026-03-03T18:00", False), ("2026-03-08T12:00", False)]
)
def test_open_or_closed(now: str, open_: bool) -> None:
    """The opening minute is open, the closing minute is closed."""
    assert is_open(WEEK, CHICAGO, there(now)) is open_


def test_an_office_without_hours_never_opens() -> None:
    """Then there is no button."""
    assert next_opening({}, CHICAGO, there("2026-03-03T08:00")) is None
