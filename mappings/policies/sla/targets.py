"""Targets: which promises hold for a ticket, and by when each falls due.

A target of the profile is a table over dimensions; a ticket's dimensions choose its cell (profiles.md §2, §6). The unit
of a figure names its clock: wall time, open time of the serving calendar, business days, or a word.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from mappings.calendar import Calendar
from mappings.profile import Profile, Target
from mappings.profile.durations import Budget, Figure, Unit
from mappings.profile.rules import Rows

Dims = Mapping[str, object]
"""A ticket's dimensions: severity, plan, kind, family, ladder, channel, tier, role, vip, tag (a set), escalated, brand.

One that is not known is left out (or None): a row that needs it does not apply, `*` does.
"""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """One target that holds for a ticket, with the figure that its table gives."""

    target: str
    measure: str
    budget: Budget
    published: bool
    attain: float | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The instants of a promise; null where it is never due. `late_at` is `due_at`, plus the grace of `immediate`."""

    due_at: datetime | None = None
    warn_at: datetime | None = None
    late_at: datetime | None = None


def grace(cell: str, profile: Profile) -> timedelta:
    """What may pass after the due time and counts as met: the profile's grace where it is due at once, else nothing."""
    return timedelta(seconds=profile.grace if cell == "immediate" else 0)


def promises(profile: Profile, dims: Dims) -> tuple[Promise, ...]:
    """Every target that holds, in the profile's order. Several may share a measure: the earliest due binds (SLA-29)."""
    found = []
    for name, target in profile.targets.items():
        if not all(_meets(dims.get(fact), wanted) for fact, wanted in target.where.items()):
            continue
        budget = _cell(target, dims)
        if budget is not None:
            found.append(
                Promise(
                    target=name,
                    measure=target.measure,
                    budget=budget,
                    published=target.published,
                    attain=target.attain,
                )
            )
    return tuple(found)


def due(profile: Profile, promise: Promise | Budget, calendar: Calendar, start: datetime) -> Due:
    """When a clock that starts now is warned, due and late.

    A single figure warns at the profile's share of it (75 %) in its own unit, a business day counting as an ordinary
    day's open time; a range warns at its lower figure; `immediate` and `best effort` never warn. `start` is aware; the
    instants come back in UTC.
    """
    if start.utcoffset() is None:
        raise ValueError(f"start: {start!r} has no time zone; pass an aware datetime")
    start = start.astimezone(UTC)  # between two times of one zone Python counts wall clock hours, not seconds
    budget = promise.budget if isinstance(promise, Promise) else promise
    ends = _ends(profile, budget.late, calendar, start)
    if ends is None:
        return Due()
    if budget.late.unit is Unit.IMMEDIATE:
        return Due(due_at=ends, late_at=ends + timedelta(seconds=profile.grace))
    warned = (
        _ends(profile, budget.warn, calendar, start)
        if budget.warn is not None
        else _early(profile, budget.late, calendar, start, ends)
    )
    return Due(due_at=ends, warn_at=warned and min(warned, ends), late_at=ends)


def _meets(value: object, wanted: object) -> bool:
    """Whether a dimension's value is (or, for a set, holds) one of those wanted; an unknown one is none of them."""
    return not _spellings(value).isdisjoint(_spellings(wanted))


def _cell(target: Target, dims: Dims) -> Budget | None:
    """Walk down the table; at each step the value's own row, else the row `*` of the same parent."""
    found: Rows | Budget | None = target.rows
    for dimension in target.by:
        if not isinstance(found, Mapping):
            return None
        found = _row(found, dims.get(dimension))
    return found if isinstance(found, Budget) else None


def _row(rows: Rows, value: object) -> Rows | Budget | None:
    """The row of a value, of a set the first that is in it, else the row `*`."""
    if isinstance(value, frozenset | set | tuple | list):
        spelled = _spellings(value)
        own = next((rows[key] for key in rows if key in spelled), None)
    else:
        own = None if value is None else rows.get(_spelled(value))
    return rows.get("*") if own is None else own


def _spellings(value: object) -> set[str]:
    if value is None:
        return set()
    return {_spelled(one) for one in value} if isinstance(value, frozenset | set | tuple | list) else {_spelled(value)}


def _spelled(value: object) -> str:
    """A value as the profile's tables write it: tier 2 is "2", a flag is "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ends(profile: Profile, figure: Figure, calendar: Calendar, start: datetime) -> datetime | None:
    match figure.unit:
        case Unit.WALL:
            return start + timedelta(seconds=figure.amount)
        case Unit.OPEN:
            return calendar.due(start, figure.amount)
        case Unit.DAYS:
            return calendar.due_days(start, figure.amount)
        case Unit.IMMEDIATE:
            return start
        case Unit.SPRINT:
            return _sprint_end(profile, start)
        case Unit.NEVER:
            return None


def _early(profile: Profile, figure: Figure, calendar: Calendar, start: datetime, ends: datetime) -> datetime:
    """The moment at which the profile's share of a figure is used up."""
    if figure.unit is Unit.OPEN:
        return calendar.due(start, round(figure.amount * profile.warn_at))
    if figure.unit is Unit.DAYS:
        warned = calendar.due(start, round(figure.amount * calendar.day_seconds * profile.warn_at))
        # Shortened days can hold less open time than that; a warning is of use only before the end.
        return warned if warned < ends else calendar.due(start, round(calendar.elapsed(start, ends) * profile.warn_at))
    return start + timedelta(seconds=round((ends - start).total_seconds() * profile.warn_at))


def _sprint_end(profile: Profile, start: datetime) -> datetime:
    """Midnight in the office at the end of the sprint after the current one (SLA-18)."""
    sprint = profile.sprint
    days = sprint.days
    current = (start.astimezone(profile.zone).date() - sprint.starts).days // days
    return _midnight(sprint.starts + timedelta(days=days * (current + 2)), profile)


def _midnight(day: date, profile: Profile) -> datetime:
    return datetime.combine(day, time(), profile.zone).astimezone(UTC)
