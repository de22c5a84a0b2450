"""Opening hours in one time zone: for each local date, the spans that open on it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Span = tuple[int, int]
"""From and until, half open: minutes after local midnight in config, epoch seconds once dated."""

Exceptions = Callable[[date], tuple[Span, ...] | None]
"""The spans of a date that replace the weekly ones; null on an ordinary date."""

DAY = 24 * 60
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Weekly opening hours of one zone, with the dates on which other hours hold."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    """Spans in minutes after local midnight, for Monday to Sunday."""
    exceptions: Exceptions

    def openings(self, day: date) -> tuple[Span, ...]:
        """The spans that start on a local date, in epoch seconds, merged and in order.

        A local time that does not exist moves later by the gap, an ambiguous one is the first (fold 0 does both).
        """
        special = self.exceptions(day)
        spans = self.week[day.weekday()] if special is None else special
        return merge((self._instant(day, start), self._instant(day, end)) for start, end in spans)

    def _instant(self, day: date, minutes: int) -> int:
        days, minutes = divmod(minutes, DAY)
        if days:
            day += timedelta(days=days)
        local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=self.zone)
        return int(local.timestamp())


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, touching and overlapping ones joined, empty ones dropped."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


@lru_cache(maxsize=1024)
def parse(text: str) -> tuple[Span, ...]:
    """`"08:00-12:00, 22:00-06:00"` → `((480, 720), (1320, 1800))`; `"closed"` → `()`. ValueError says what is wrong."""
    if text.strip().casefold() == "closed":
        return ()
    return tuple(sorted(_span(part.strip()) for part in text.split(",")))


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a span of hours")
    hour, minute, until_hour, until_minute = (int(part) for part in match.groups())
    start, end = hour * 60 + minute, until_hour * 60 + until_minute
    if minute > 59 or until_minute > 59 or start >= DAY or end > DAY:
        raise ValueError(f"{text!r} names a time that no day has")
    if start == end:
        raise ValueError(f"{text!r} ends as it starts")
    return (start, end) if end > start else (start, end + DAY)
