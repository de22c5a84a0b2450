"""Times and lengths of time in words, as the office would say them."""

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.sandbox.clock import parse_time

ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)")


class Words:
    """Words for times in one zone; `now` says the simulated time."""

    def __init__(self, zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        self._zone, self._now = zone, now

    def local(self, text: str | datetime | None) -> str:
        """A time in the office's zone: `Tue 3 Mar 09:00`."""
        at = _time(text)
        if at is None:
            return ""
        there = at.astimezone(self._zone)
        return f"{there:%a} {there.day} {there:%b %H:%M}"

    def local_seconds(self, text: str) -> str:
        """The time of day in the office's zone, to the second."""
        at = _time(text)
        return f"{at.astimezone(self._zone):%H:%M:%S}" if at else ""

    def ago(self, text: str | datetime | None) -> str:
        """How long ago, or how soon: `4 min ago`, `in 2 h`."""
        at = _time(text)
        if at is None:
            return ""
        seconds = (at - self._now()).total_seconds()
        words = span(abs(seconds))
        return f"in {words}" if seconds > 0 else "now" if seconds > -1 else f"{words} ago"

    def words(self, text: str) -> str:
        """A text with the times in it as the office would say them."""
        return ISO_TIME.sub(lambda found: self.local(found[0]), text)

    def due(self, text: str | None) -> dict[str, str] | None:
        """An SLA due time: its words and whether it is `late`, `soon` (an hour) or `fine`."""
        at = _time(text)
        if at is None:
            return {"tone": "fine", "words": text} if text else None
        seconds = (at - self._now()).total_seconds()
        if seconds < 0:
            return {"tone": "late", "words": f"{span(-seconds)} late"}
        return {"tone": "soon" if seconds < 3600 else "fine", "words": f"in {span(seconds)}"}


def span(seconds: float) -> str:
    """A length of time in its two largest units at most: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def _time(value: str | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        return parse_time(value)
    except ValueError:
        return None
