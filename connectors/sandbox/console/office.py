"""When the office opens next: for the console's button and its open/closed mark, nothing else rests on it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hours = Mapping[str, str | Sequence[str]]
"""Spans by day or range of days, for example {"mon-fri": "08:00-18:00", "sat": ["10:00-12:00", "13:00-15:00"]}."""


def spans(hours: Hours, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The open spans of one local day, in UTC."""
    found = []
    for days, written in hours.items():
        first, _, last = days.partition("-")
        if not DAYS.index(first) <= day.weekday() <= DAYS.index(last or first):
            continue
        for span in [written] if isinstance(written, str) else written:
            opens, closes = span.split("-")
            found.append((_at(day, opens, zone), _at(day, closes, zone)))
    return sorted(found)


def _at(day: date, text: str, zone: ZoneInfo) -> datetime:
    hour, minute = (int(part) for part in text.strip().split(":"))
    if hour == 24:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def is_open(hours: Hours, zone: ZoneInfo, now: datetime) -> bool:
    """Whether the office is open now, holidays aside."""
    return any(opens <= now < closes for opens, closes in spans(hours, now.astimezone(zone).date(), zone))


def next_opening(hours: Hours, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The next moment after now at which the office opens; null where it never does within two weeks."""
    today = now.astimezone(zone).date()
    starts = (opens for n in range(15) for opens, _ in spans(hours, today + timedelta(days=n), zone))
    return next((opens for opens in starts if opens > now), None)
