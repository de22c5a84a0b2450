"""When a schedule of the profile comes round next: `daily 09:25`, `Fri 13:30`, `first Mon of quarter 09:00`."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mappings.profile.terms import Schedule

_QUARTERS = (1, 4, 7, 10)
_LONGEST = 100
"""Days within which every schedule comes round: a quarter and a week."""


def next_time(schedule: Schedule, zone: ZoneInfo, at: datetime) -> datetime:
    """The schedule's first time at `at` or later, in UTC; its hours are those of `zone`.

    A local time that does not exist moves later by the gap, one that comes twice is the first.
    """
    local = at.astimezone(zone)
    if schedule.every == "hour":
        full = at.replace(minute=0, second=0, microsecond=0)
        return (full if full == at else full + timedelta(hours=1)).astimezone(UTC)
    for days in range(_LONGEST):
        day = local.date() + timedelta(days=days)
        found = datetime.combine(day, time(schedule.hour, schedule.minute), zone).astimezone(UTC)
        first = schedule.every not in ("month", "quarter") or day.day <= 7
        quarterly = schedule.every != "quarter" or day.month in _QUARTERS
        if day.weekday() in schedule.days and first and quarterly and found >= at:
            return found
    raise ValueError(f"{schedule}: never comes round; report this")
