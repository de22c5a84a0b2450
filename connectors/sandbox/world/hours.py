"""When the office is open, well enough for a simulated past: agents work then, customers write mostly then."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class OfficeHours:
    """Open intervals between two moments (epoch seconds), from hours such as `{"mon-fri": "08:00-18:00"}`.

    This knows no holidays and is no calendar for promises: those are somebody else's business.
    """

    def __init__(self, hours: Mapping[str, Any], zone: str, start: int, end: int) -> None:
        self._zone = ZoneInfo(zone)
        week = _week(hours)
        first = datetime.fromtimestamp(start, self._zone).date() - timedelta(days=1)
        days = (end - start) // 86_400 + 30
        spans = [span for n in range(days) for span in self._spans(first + timedelta(days=n), week)]
        self._starts = [begin for begin, _ in spans]
        self._ends = [finish for _, finish in spans]
        self._used = list(accumulate((finish - begin for begin, finish in spans), initial=0))

    def later(self, at: int, seconds: int) -> int:
        """The moment when `seconds` of open time have passed since `at`."""
        place = max(0, bisect_right(self._starts, at) - 1)
        into = min(max(0, at - self._starts[place]), self._ends[place] - self._starts[place])
        wanted = self._used[place] + into + seconds
        at_place = min(bisect_right(self._used, wanted) - 1, len(self._starts) - 1)
        return self._starts[at_place] + wanted - self._used[at_place]

    def is_open(self, at: int) -> bool:
        """Whether the office is open at a moment."""
        place = bisect_right(self._starts, at) - 1
        return place >= 0 and at < self._ends[place]

    def _spans(self, day: date, week: Mapping[int, list[tuple[time, time]]]) -> Iterator[tuple[int, int]]:
        for opens, closes in week.get(day.weekday(), []):
            begin = int(datetime.combine(day, opens, self._zone).timestamp())
            until = day + timedelta(days=1) if closes == time(0) else day
            yield begin, int(datetime.combine(until, closes, self._zone).timestamp())


def _week(hours: Mapping[str, Any]) -> dict[int, list[tuple[time, time]]]:
    """Weekday → open spans; what cannot be read counts as Monday to Friday, nine to five."""
    week: dict[int, list[tuple[time, time]]] = {}
    try:
        for name, spans in hours.items():
            for span in [spans] if isinstance(spans, str) else spans:
                opens, closes = (time.fromisoformat(part.strip().replace("24:00", "00:00")) for part in span.split("-"))
                for day in _days(name):
                    week.setdefault(day, []).append((opens, closes))
    except (ValueError, AttributeError, TypeError):
        week = {}
    return week or {day: [(time(9), time(17))] for day in range(5)}


def _days(name: str) -> Iterator[int]:
    for part in name.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        start = DAYS.index(first[:3])
        end = DAYS.index(last[:3]) if last else start
        yield from (day % 7 for day in range(start, end + 1 if end >= start else end + 8))
