"""A million due times: our calendar beside the least that numpy could do, and beside workclock, in one run.

`python -m tests.benchmarks.bench_calendar` prints seconds and ratios; all three must give the same answers first.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from mappings.calendar import Calendar
from tests.benchmarks import Row

Seconds = NDArray[np.int64]
ZONE, YEAR, MANY, FEW = "America/New_York", 2025, 1_000_000, 20_000
HOLIDAYS = [date(YEAR, month, day) for month, day in ((1, 1), (1, 20), (5, 26), (7, 4), (9, 1), (11, 27), (12, 25))]


def bound() -> Callable[[Seconds, Seconds], Seconds]:
    """The least that anybody could do: a table of running totals made beforehand, and two binary searches."""
    zone = ZoneInfo(ZONE)
    days = [date(YEAR, 1, 1) + timedelta(days=step) for step in range(3 * 365)]
    days = [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]
    starts = np.array([int(datetime.combine(day, time(8), zone).timestamp()) for day in days])
    ends = np.array([int(datetime.combine(day, time(20), zone).timestamp()) for day in days])
    totals = np.concatenate([[0], np.cumsum(ends - starts)])

    def due(moments: Seconds, seconds: Seconds) -> Seconds:
        index = np.searchsorted(ends, moments, side="right")
        target = totals[index] + np.maximum(moments - starts[index], 0) + seconds
        span = np.searchsorted(totals, target, side="left") - 1
        return starts[span] + target - totals[span]

    return due


def peer() -> Callable[[Seconds, Seconds], Seconds]:
    """workclock, the only library found that gets every hand-worked case right."""
    from workclock import Holidays, Schedule, WorkDay

    schedule = Schedule([WorkDay(time(8), time(20)), Holidays(HOLIDAYS)], time_zone=ZONE)

    def due(moments: Seconds, seconds: Seconds) -> Seconds:
        many = schedule.add_many(moments.astype("datetime64[s]"), seconds.astype("timedelta64[s]"))
        return np.asarray(many).astype("datetime64[s]").astype(np.int64)

    return due


def best(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest of a few runs: what the machine can do when nobody else wants it."""
    found = []
    for _ in range(times):
        start = perf_counter()
        work()
        found.append(perf_counter() - start)
    return min(found)


def run() -> list[Row]:
    """Measure; raises AssertionError where the three do not agree."""
    chance = np.random.default_rng(1)
    first = int(datetime(YEAR, 1, 5, tzinfo=UTC).timestamp())
    starts = chance.integers(first, first + 350 * 86_400, MANY)
    seconds = chance.integers(1, 40 * 3600, MANY)
    config = {"zone": ZONE, "mon-fri": "08:00-20:00"}
    holidays = dict.fromkeys(HOLIDAYS, "closed")
    ours = Calendar.from_config(config, holidays)
    least, workclock = bound(), peer()
    assert (ours.due_many(starts, seconds) == least(starts, seconds)).all()
    assert (ours.due_many(starts[:FEW], seconds[:FEW]) == workclock(starts[:FEW], seconds[:FEW])).all()

    many = best(lambda: ours.due_many(starts, seconds))
    least_time = best(lambda: least(starts, seconds))
    peer_time = best(lambda: workclock(starts, seconds), times=1)
    elapsed = best(lambda: ours.elapsed_many(starts, starts + seconds))
    moments = [datetime.fromtimestamp(int(start), UTC) for start in starts[:FEW]]
    budgets = [int(budget) for budget in seconds[:FEW]]
    single = best(lambda: [ours.due(*asked) for asked in zip(moments, budgets, strict=True)])
    days = best(lambda: [ours.due_days(moment, 2) for moment in moments])
    fresh = best(lambda: Calendar.from_config(config, holidays).due(moments[0], 1))
    return [
        Row("1 M due times at once, ours", many, "s", "the numpy bound", many / least_time, figure="due-many"),
        Row("1 M due times at once, numpy bound", least_time, "s"),
        Row("1 M due times at once, workclock", peer_time, "s", "ours", peer_time / many),
        Row("1 M elapsed times at once, ours", elapsed, "s"),
        Row("due times one at a time, ours", FEW / single, "/s"),
        Row("business days one at a time, ours", FEW / days, "/s"),
        Row("a new calendar and its first answer", fresh * 1000, "ms"),
    ]


if __name__ == "__main__":
    print(*run(), sep="\n")
