"""How one clock counts: its figure, and the calendar that it runs by.

A meter's own time is wall seconds for `15m`, `4h`, `7d` and open seconds for `4bh`, `1bd`. What is left of a budget can
be put aside (a pause) and taken up again later without losing or gaining a second.
"""

from datetime import datetime, timedelta

import msgspec

from mappings.calendar import Calendar
from mappings.policies.sla.targets import due
from mappings.profile import Profile
from mappings.profile.durations import Budget, Unit

_BY_CALENDAR = (Unit.OPEN, Unit.DAYS)


class Marks(msgspec.Struct, frozen=True):
    """The two instants of a running clock; None is never."""

    warn: datetime | None
    due: datetime | None


class Left(msgspec.Struct, frozen=True):
    """What is left until the two marks, in the meter's own seconds, and where they stood when it was put aside."""

    warn: int | None
    due: int | None
    stood: Marks


class Meter(msgspec.Struct, frozen=True):
    """A figure on a calendar."""

    profile: Profile
    budget: Budget
    calendar: Calendar

    @property
    def cell(self) -> str:
        """The figure in the profile's words."""
        return self.budget.text

    def marks(self, start: datetime) -> Marks:
        """When a clock that starts now is warned and due."""
        found = due(self.profile, self.budget, self.calendar, start)
        return Marks(found.warn_at, found.due_at)

    def spent(self, start: datetime, end: datetime) -> int:
        """Seconds of the meter's own time in [start, end)."""
        if end <= start:
            return 0
        if self.budget.late.unit in _BY_CALENDAR:
            return self.calendar.elapsed(start, end)
        return int((end - start).total_seconds())

    def put_aside(self, at: datetime, marks: Marks) -> Left:
        """Stop counting at `at`."""
        left = [None if mark is None else self.spent(at, mark) for mark in (marks.warn, marks.due)]
        return Left(left[0], left[1], marks)

    def take_up(self, at: datetime, left: Left) -> Marks:
        """Count on from `at`. A pause never makes a mark earlier than it stood (anchors §4.4)."""
        return Marks(self._after(at, left.warn, left.stood.warn), self._after(at, left.due, left.stood.due))

    def _after(self, at: datetime, seconds: int | None, stood: datetime | None) -> datetime | None:
        if seconds is None or stood is None:
            return stood
        if stood < at and seconds == 0:
            return stood
        if self.budget.late.unit in _BY_CALENDAR:
            return max(stood, self.calendar.due(at, seconds))
        return max(stood, at + timedelta(seconds=seconds))

    def resumed(self, at: datetime, used: int) -> Marks:
        """Where a clock stands at `at` that has used `used` of its own seconds: its budget less what is used."""
        start = self.marks(at)
        left = self.put_aside(at, start)
        return Marks(self._less(at, left.warn, used, start.warn), self._less(at, left.due, used, start.due))

    def _less(self, at: datetime, seconds: int | None, used: int, stood: datetime | None) -> datetime | None:
        if seconds is None or stood is None:
            return stood
        remaining = max(0, seconds - used)
        if self.budget.late.unit in _BY_CALENDAR:
            return self.calendar.due(at, remaining)
        return at + timedelta(seconds=remaining)
