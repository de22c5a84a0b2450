"""Open spans of whole years as one table with running totals: the arithmetic of a calendar is two look-ups in it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from mappings.calendar.hours import Span, merge

if TYPE_CHECKING:  # numpy is a fifth of a process's start, and only many at once need it
    import numpy as np
    from numpy.typing import NDArray

    Seconds = NDArray[np.int64]

DAY_SECONDS = 86_400
BEYOND = 2**60
"""An instant that no table reaches."""
_SLOT = 10


class Openings:
    """The merged spans of local years `first` to `last`, in epoch seconds. Immutable.

    `begin` and `end` bound the instants for which the table is complete: local years begin up to 14 hours before UTC's
    and a span of the year before may run up to two days into the first.
    """

    def __init__(self, first: int, last: int, spans: Iterable[Span]) -> None:
        merged = merge(spans)
        self.first, self.last = first, last
        self.begin = _midnight(first, 1, 3)
        self.end = _midnight(last, 12, 31)
        self.starts = [start for start, _ in merged]
        self.ends = [end for _, end in merged]
        self.totals = [0]
        """Open seconds before each span, and after the last."""
        for start, end in merged:
            self.totals.append(self.totals[-1] + end - start)

    @classmethod
    def of_years(cls, first: int, last: int, openings: Callable[[date], tuple[Span, ...]]) -> "Openings":
        """Lay out the spans of whole years, `openings` giving those of one date."""
        day, spans = date(first, 1, 1), list[Span]()
        while day.year <= last:
            spans += openings(day)
            day += timedelta(days=1)
        return cls(first, last, spans)

    def covers(self, moment: int) -> bool:
        return self.begin <= moment < self.end

    def at_or_after(self, moment: int) -> Span | None:
        """The span that is open at a moment, else the next one; null where the table ends before."""
        index = bisect_right(self.ends, moment)
        return (self.starts[index], self.ends[index]) if index < len(self.ends) else None

    def passed(self, moment: int) -> int:
        """Open seconds between the table's beginning and a moment."""
        index = bisect_right(self.ends, moment)
        total = self.totals[index]
        return total + max(0, moment - self.starts[index]) if index < len(self.starts) else total

    def due(self, moment: int, seconds: int) -> int | None:
        """The first instant by which `seconds` (1 or more) of open time have passed; null beyond the table."""
        index = bisect_right(self.ends, moment)
        if index == len(self.ends):
            return None
        start = self.starts[index]
        target = self.totals[index] + seconds + (moment - start if moment > start else 0)
        found = bisect_left(self.totals, target, index + 1)
        if found == len(self.totals):
            return None
        return self.ends[found - 1] - self.totals[found] + target

    def passed_many(self, moments: "Seconds") -> "Seconds":
        """`passed` for each moment."""
        import numpy as np

        starts, totals, by_end, _ = self._arrays
        index = by_end.count(moments)
        late = moments - starts[index]
        np.maximum(late, 0, out=late)
        late += totals[index]
        return late

    def due_many(self, moments: "Seconds", seconds: "Seconds") -> "Seconds":
        """`due` for each moment, the moment itself or the next opening for 0 seconds; huge beyond the table."""
        import numpy as np

        starts, totals, by_end, by_total = self._arrays
        index = by_end.count(moments)
        opening = starts[index]
        begun: Seconds = np.maximum(moments, opening)
        target = totals[index] + (begun - opening) + seconds
        # The totals are whole numbers, so "less than the target" is "at most one less".
        span = by_total.count(target - 1) - 1
        due = starts[span] + (target - totals[span])
        return np.where(seconds == 0, begun, due)

    @cached_property
    def _arrays(self) -> "tuple[Seconds, Seconds, _Edges, _Edges]":
        """Starts and totals for numpy with look-ups by end and by total; a last span that never ends is "beyond"."""
        import numpy as np

        totals = np.array(self.totals, dtype=np.int64)
        return np.array([*self.starts, BEYOND], dtype=np.int64), totals, _Edges(self.ends), _Edges(self.totals)


class _Edges:
    """Counts how many of some sorted numbers lie at or before each of many values, in constant time for each.

    A table of first guesses, one per slot of 2**10 (about a quarter of an hour), is at most a few steps off: four times
    as fast as a binary search over a million values.
    """

    def __init__(self, edges: list[int]) -> None:
        import numpy as np

        self._edges = np.array([*edges, 4 * BEYOND], dtype=np.int64)
        self._base = edges[0] if edges else 0
        slots = ((edges[-1] - self._base) >> _SLOT) + 2 if edges else 1
        guesses = np.searchsorted(self._edges, self._base + (np.arange(slots, dtype=np.int64) << _SLOT))
        self._guesses = guesses.astype(np.int64)
        self._steps = int(np.diff(guesses).max(initial=0))

    def count(self, values: "Seconds") -> "Seconds":
        slots = (values - self._base) >> _SLOT
        count = self._guesses.take(slots, mode="clip")
        for _ in range(self._steps):
            count += self._edges.take(count) <= values
        return count


def _midnight(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())
