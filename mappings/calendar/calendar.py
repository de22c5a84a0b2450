"""Working time: a calendar answers when so much open time has passed, and how much lies between two moments."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mappings.calendar.config import read
from mappings.calendar.faults import CalendarError
from mappings.calendar.hours import Hours, Span, merge
from mappings.calendar.openings import DAY_SECONDS, Openings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mappings.calendar.openings import Seconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MARGIN = 3 * DAY_SECONDS
_FIRST_YEAR, _LAST_YEAR = 1, 9998
_CLOSED_YEARS = 10
"""A calendar that does not open for so long is taken as closed for good."""
_SAMPLE_YEAR = 2025
"""Any ordinary year does: it shows how long an ordinary day is open."""


class Calendar:
    """When somebody works. Made by `from_config` or `union`; never changes.

    Moments are aware datetimes (any zone) and come back in UTC, to the second: a fraction of a second is dropped. The
    rules are those of Zendesk's own schedules where these say anything (a local time that does not exist moves later by
    the gap, an ambiguous one is the first occurrence), and a span is open from its start until just before its end.
    """

    def __init__(self, members: tuple[Hours, ...], zone: ZoneInfo) -> None:
        """Use `from_config` or `union`. No members means open around the clock."""
        self._members = members
        self.zone = zone
        self.always = not members
        self._days: dict[date, tuple[Span, ...]] = {}
        self._table: Openings | None = None

    @classmethod
    def from_config(cls, mapping: Mapping[str, object] | str, holidays: object = None) -> "Calendar":
        """Read a calendar: `"24/7"`, or a zone with hours by day (`mappings/calendar/config.py` has the grammar).

        `holidays` maps dates (or ISO text) to "closed" or other hours; or names to such maps, of which the calendar's
        own `holidays:` chooses one. Anything with `get` or `[]` by date will do: it is asked for dates as needed.
        Raises `CalendarError` with every fault found.
        """
        if isinstance(mapping, str):
            if mapping.strip() != "24/7":
                fix = 'write "24/7", or a zone with hours by day'
                raise CalendarError.of("calendar", f"{mapping!r} is no calendar", fix)
            return cls((), ZoneInfo("UTC"))
        hours = read(mapping, {} if holidays is None else holidays)
        return cls((hours,), hours.zone)

    @classmethod
    def union(cls, *calendars: "Calendar") -> "Calendar":
        """A calendar that is open when any of them is; local time is that of the first. One that never closes wins."""
        if not calendars:
            raise CalendarError.of("union", "no calendars", "give at least one")
        if len(set(calendars)) == 1:
            return calendars[0]
        always = any(calendar.always for calendar in calendars)
        members = () if always else tuple(dict.fromkeys(hours for one in calendars for hours in one._members))
        return cls(members, calendars[0].zone)

    def due(self, start: datetime, seconds: int) -> datetime:
        """The instant at which `seconds` of open time have passed since `start`.

        A budget that ends at closing is due at closing. With 0 seconds: `start`, or the next opening where closed.
        """
        moment = _epoch(start)
        if seconds <= 0:
            if seconds < 0:
                raise CalendarError.of("seconds", f"{seconds} is less than none", "give 0 or more")
            return _instant(self._opening(moment)[0])
        if self.always:
            return _instant(moment + seconds)
        table = self._covering(moment, moment)
        due = table.due(moment, seconds)
        while due is None or due >= table.end:
            table = self._later(table, moment)
            due = table.due(moment, seconds)
        return _instant(due)

    def due_days(self, start: datetime, days: int) -> datetime:
        """The same local time on the `days`-th next day that opens; on a 24/7 calendar exactly `days` times 24 hours.

        From a closed moment it is counted from the next opening. On a day that is closed at that time, it is the
        closing before it, or the opening where there is none. A span past midnight belongs to the day it starts on.
        """
        if days < 0:
            raise CalendarError.of("days", f"{days} is less than none", "give 0 or more")
        moment = self._opening(_epoch(start))[0]
        if self.always or days == 0:
            return _instant(moment + days * DAY_SECONDS)
        local = datetime.fromtimestamp(moment, self.zone).replace(tzinfo=None)
        day = self._day_of(moment, local.date())
        wall = local - datetime.combine(day, time())
        for _ in range(days):
            day = self._next_open_day(day)
        due = (datetime.combine(day, time()) + wall).replace(tzinfo=self.zone)
        return _instant(_clamp(int(due.timestamp()), self._openings(day)))

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Open seconds from `start` until `end`; 0 where `end` is not after `start`."""
        since, until = _epoch(start), _epoch(end)
        if until <= since:
            return 0
        if self.always:
            return until - since
        table = self._covering(since, until)
        return table.passed(until) - table.passed(since)

    def is_open(self, at: datetime) -> bool:
        """Whether the calendar is open at a moment: it is at opening, it is not at closing."""
        moment = _epoch(at)
        return self.always or self._opening(moment)[0] == moment

    def next_opening(self, at: datetime) -> datetime:
        """The first open moment at or after `at`."""
        return _instant(self._opening(_epoch(at))[0])

    def next_closing(self, at: datetime) -> datetime | None:
        """The end of the span that `at` lies in, else of the next one; null where it does not close for years."""
        moment = _epoch(at)
        if self.always:
            return None
        end = self._opening(moment)[1]
        while (table := self._covering(moment, moment)).end <= end:
            if table.last - datetime.fromtimestamp(moment, UTC).year > _CLOSED_YEARS:
                return None
            table = self._grow(table.first, table.last + 1)
            end = self._opening(moment)[1]
        return _instant(end)

    def due_many(self, starts: "ArrayLike", seconds: "ArrayLike") -> "Seconds":
        """`due` for many at once, in whole epoch seconds; the two are broadcast together as numpy does."""
        moments, budgets = _pair(_whole("starts", starts), _whole("seconds", seconds))
        if budgets.min(initial=0) < 0:
            raise CalendarError.of("seconds", f"{budgets.min()} is less than none", "give 0 or more")
        if moments.size == 0 or self.always:
            return moments + budgets
        last = int(moments.max())
        table = self._covering(int(moments.min()), last)
        due = table.due_many(moments, budgets)
        while due.max() >= table.end:
            table = self._later(table, last)
            due = table.due_many(moments, budgets)
        return due

    def elapsed_many(self, starts: "ArrayLike", ends: "ArrayLike") -> "Seconds":
        """`elapsed` for many at once, in whole epoch seconds; the two are broadcast together as numpy does."""
        since, until = _pair(_whole("starts", starts), _whole("ends", ends))
        if since.size == 0 or self.always:
            return _at_least_none(until - since)
        table = self._covering(int(min(since.min(), until.min())), int(max(since.max(), until.max())))
        return _at_least_none(table.passed_many(until) - table.passed_many(since))

    @cached_property
    def day_seconds(self) -> int:
        """Open seconds of one ordinary office day: the length that most weekdays have (24 hours on a 24/7 calendar)."""
        if self.always:
            return DAY_SECONDS
        days = [date(_SAMPLE_YEAR, 1, 1) + timedelta(days=step) for step in range(365)]
        for kind in ([day for day in days if day.weekday() < 5], days):
            lengths = Counter(sum(end - start for start, end in self._openings(day)) for day in kind)
            del lengths[0]
            if lengths:
                return max(lengths, key=lambda length: (lengths[length], length))
        return DAY_SECONDS

    def _openings(self, day: date) -> tuple[Span, ...]:
        found = self._days.get(day)
        if found is None:
            found = merge(span for hours in self._members for span in hours.openings(day))
            self._days[day] = found
        return found

    def _opening(self, moment: int) -> Span:
        """The span open at a moment, from that moment on, else the next one."""
        if self.always:
            return moment, moment
        table = self._covering(moment, moment)
        span = table.at_or_after(moment)
        while span is None or span[0] >= table.end:
            table = self._later(table, moment)
            span = table.at_or_after(moment)
        return max(moment, span[0]), span[1]

    def _day_of(self, moment: int, local: date) -> date:
        """The date whose span an open moment belongs to: its own, else one next to it (past midnight, other zones)."""
        for step in (0, -1, 1, -2):
            day = local + timedelta(days=step)
            if any(start <= moment < end for start, end in self._openings(day)):
                return day
        return local

    def _next_open_day(self, day: date) -> date:
        for _ in range(_CLOSED_YEARS * 366):
            day += timedelta(days=1)
            if self._openings(day):
                return day
        raise _closed_for_good(day)

    def _covering(self, since: int, until: int) -> Openings:
        table = self._table
        if table is not None and table.begin <= since and until < table.end:
            return table
        first, last = _year(since - _MARGIN), _year(until + _MARGIN)
        if table is not None:
            first, last = min(first, table.first), max(last, table.last)
        return self._grow(first, last)

    def _later(self, table: Openings, moment: int) -> Openings:
        """A table that reaches further; raises where the calendar has not opened for years."""
        opened = max(table.ends[-1] if table.ends else moment, moment)
        if table.end - opened > _CLOSED_YEARS * 366 * DAY_SECONDS or table.last >= _LAST_YEAR:
            raise _closed_for_good(datetime.fromtimestamp(opened, UTC).date())
        return self._grow(table.first, 2 * table.last - table.first + 1)

    def _grow(self, first: int, last: int) -> Openings:
        # A new table replaces the old one in one assignment, so threads may share a calendar.
        table = Openings.of_years(max(first, _FIRST_YEAR), min(last, _LAST_YEAR), self._openings)
        self._table = table
        return table


def _epoch(moment: datetime) -> int:
    try:
        return (moment - _EPOCH) // _SECOND
    except TypeError:
        fix = "pass an aware datetime, for example in UTC"
        raise CalendarError.of("time", f"{moment!r} has no time zone", fix) from None


def _instant(moment: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=moment)
    except OverflowError:
        raise CalendarError.of("seconds", "falls after the year 9999", "give a smaller budget") from None


def _year(moment: int) -> int:
    return min(max(_instant(moment).year, _FIRST_YEAR), _LAST_YEAR)


def _whole(field: str, values: "ArrayLike") -> "Seconds":
    import numpy as np

    array: NDArray[Any] = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise CalendarError.of(field, f"holds {array.dtype}, not whole numbers", "give epoch seconds as int64")
    whole: Seconds = array.astype(np.int64, copy=False)
    return whole


def _pair(one: "Seconds", other: "Seconds") -> "tuple[Seconds, Seconds]":
    import numpy as np

    first, second = np.broadcast_arrays(one, other)
    return first, second


def _at_least_none(seconds: "Seconds") -> "Seconds":
    import numpy as np

    floored: Seconds = np.maximum(seconds, 0)
    return floored


def _clamp(moment: int, spans: tuple[Span, ...]) -> int:
    """A moment as it is inside a span or at its end, else the closing before it, else the first opening."""
    clamped = spans[0][0]
    for start, end in spans:
        if moment >= start:
            clamped = min(moment, end)
    return clamped


def _closed_for_good(since: date) -> CalendarError:
    problem = f"does not open within {_CLOSED_YEARS} years of {since}"
    return CalendarError.of("calendar", problem, "check its days and holidays")
