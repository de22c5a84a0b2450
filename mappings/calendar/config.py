"""A calendar as config says it: text in, opening hours or every fault out.

It reads `{"zone": "America/Chicago", "mon-fri": "08:00-18:00", "holidays": "us"}`. A day key is `mon` to `sun`, a
range (`mon-fri`, `sat-mon`) or `daily`; a single day beats a range, a range beats `daily`. A value is one span, several
(comma or list) or `closed`; a span whose end is not after its start runs past midnight and belongs to the day it starts
on. A holiday replaces the spans of its date.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mappings.calendar.faults import CalendarError, Fault
from mappings.calendar.hours import DAY, Exceptions, Hours, Span, parse

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN_FIX = 'write for example "09:00-17:00", "09:00-12:00, 13:00-17:00", "22:00-06:00", "00:00-24:00" or "closed"'
_SEASONAL = {
    "ET": "America/New_York", "EST": "America/New_York", "EDT": "America/New_York",
    "CT": "America/Chicago", "CST": "America/Chicago", "CDT": "America/Chicago",
    "MT": "America/Denver", "MST": "America/Denver", "MDT": "America/Denver",
    "PT": "America/Los_Angeles", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles",
}  # fmt: skip
"""Abbreviations name half a year: "EST" all year round would be an hour off in summer."""


def read(mapping: Mapping[str, object], holidays: object) -> Hours:
    """Type a calendar's config; raises `CalendarError` with every fault found."""
    faults: list[Fault] = []
    zone = _zone(mapping.get("zone"), faults)
    week = _week(mapping, faults)
    exceptions = _exceptions(mapping.get("holidays"), holidays, faults)
    if faults or zone is None:
        raise CalendarError(faults)
    return Hours(zone, week, exceptions)


def _zone(name: object, faults: list[Fault]) -> ZoneInfo | None:
    if name is None:
        faults.append(Fault("zone", "missing", "write an IANA zone, for example America/Chicago"))
        return None
    text = str(name)
    if text.upper() in _SEASONAL:
        problem = f"{text!r} names a zone in half of the year only"
        faults.append(Fault("zone", problem, f"write {_SEASONAL[text.upper()]}"))
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(Fault("zone", f"unknown zone {text!r}", _similar_zone(text)))
        return None


def _similar_zone(name: str) -> str:
    zones = sorted(available_timezones())
    wanted = name.strip().replace(" ", "_").casefold()
    similar = [zone for zone in zones if "/" in zone and zone.rsplit("/", 1)[-1].casefold() == wanted]
    similar = similar or difflib.get_close_matches(name, zones, n=1)
    return f"did you mean {similar[0]!r}?" if similar else "write an IANA zone, for example America/Chicago"


def _week(mapping: Mapping[str, object], faults: list[Fault]) -> tuple[tuple[Span, ...], ...]:
    chosen: dict[int, tuple[int, str]] = {}
    spans: dict[str, tuple[Span, ...]] = {}
    found = len(faults)
    for key, value in mapping.items():
        if key in ("zone", "holidays"):
            continue
        days = _days(str(key))
        if not days:
            faults.append(Fault(str(key), "unknown day", _similar_day(str(key))))
            continue
        spans[key] = _spans(str(key), value, faults)
        rank = 2 if key in DAYS else 0 if key == "daily" else 1
        for day in days:
            other = chosen.get(day)
            if other is not None and other[0] == rank:
                problem = f"{DAYS[day]} is given here and in {other[1]!r}"
                faults.append(Fault(key, problem, "keep the day in one of the two"))
            if other is None or other[0] < rank:
                chosen[day] = (rank, key)
    keys = {day: key for day, (_, key) in chosen.items()}
    week = tuple(spans[keys[day]] if day in keys else () for day in range(7))
    if len(faults) == found:
        _check_overlaps(week, keys, faults)
    return week


def _days(key: str) -> list[int]:
    """The weekdays that a key names, Monday 0; empty where it names none."""
    if key == "daily":
        return list(range(7))
    first, dash, last = key.partition("-")
    last = last if dash else first
    if first not in DAYS or last not in DAYS:
        return []
    start = DAYS.index(first)
    return [(start + step) % 7 for step in range((DAYS.index(last) - start) % 7 + 1)]


def _similar_day(key: str) -> str:
    start = key.casefold().replace(" ", "")
    if re.fullmatch(r"[a-z]{3,}(-[a-z]{3,})?", start):
        short = "-".join(part[:3] for part in start.split("-"))
        if _days(short):
            return f"did you mean {short!r}?"
    return "write mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, or daily"


def _check_overlaps(week: tuple[tuple[Span, ...], ...], keys: dict[int, str], faults: list[Fault]) -> None:
    """Spans must not overlap, not even into the next day or from Sunday into Monday."""
    dated = sorted((day * DAY + start, day * DAY + end, day) for day in range(7) for start, end in week[day])
    if not dated:
        faults.append(Fault("days", "never open", 'give a day some hours, for example mon-fri: "09:00-17:00"'))
        return
    around = [*dated[1:], (dated[0][0] + 7 * DAY, dated[0][1] + 7 * DAY, dated[0][2])]
    told: set[tuple[str, str]] = set()
    for (_, end, day), (start, _, after) in zip(dated, around, strict=True):
        pair = (keys[day], keys[after])
        if start < end and pair not in told:
            told.add(pair)
            where = "of one day" if day == after else f"of {DAYS[day]} and {DAYS[after]}"
            faults.append(Fault(keys[day], f"spans {where} overlap", "let one end where the next begins"))


def _spans(field: str, value: object, faults: list[Fault]) -> tuple[Span, ...]:
    texts = value if isinstance(value, list | tuple) else [value]
    spans: list[Span] = []
    for text in texts:
        if not isinstance(text, str):
            faults.append(Fault(field, f"{text!r} is not text", f"{_SPAN_FIX}, in quotes"))
            continue
        try:
            spans += parse(text)
        except ValueError as wrong:
            faults.append(Fault(field, str(wrong), _SPAN_FIX))
    return tuple(sorted(spans))


def _exceptions(name: object, holidays: object, faults: list[Fault]) -> Exceptions:
    chosen = _holiday_set(name, holidays, faults)
    if isinstance(chosen, MappingProxyType) or type(chosen) is dict:
        return _eager(chosen, faults)
    return _Lazy(chosen)


def _holiday_set(name: object, holidays: object, faults: list[Fault]) -> object:
    """The dates that `holidays:` of the calendar means: the mapping itself, or the set of that name in it."""
    if not (isinstance(holidays, MappingProxyType) or type(holidays) is dict):
        return holidays
    if not any(isinstance(value, Mapping) or hasattr(value, "get") for value in holidays.values()):
        return holidays
    if name is None:
        return {}
    if name not in holidays:
        known = ", ".join(str(key) for key in holidays)
        faults.append(Fault("holidays", f"unknown set {name!r}", f"write one of: {known}"))
        return {}
    return holidays[name]


def _eager(holidays: Mapping[object, object], faults: list[Fault]) -> Exceptions:
    dates: dict[date, tuple[Span, ...]] = {}
    for key, value in holidays.items():
        field = f"holidays.{key}"
        try:
            day = key if isinstance(key, date) else date.fromisoformat(str(key))
            day = day.date() if isinstance(day, datetime) else day
        except ValueError:
            faults.append(Fault(field, "not a date", "write it as 2026-12-24"))
            continue
        dates[day] = _spans(field, value, faults)
    return dates.get


@dataclass(frozen=True, slots=True, eq=False)
class _Lazy:
    """Holidays that are asked for date by date, so that no year need be listed ahead."""

    dates: object

    def __call__(self, day: date) -> tuple[Span, ...] | None:
        getter = getattr(self.dates, "get", None)
        if getter is not None:
            value = getter(day)
        else:
            try:
                value = self.dates[day]  # type: ignore[index]
            except KeyError:
                return None
        if value is None:
            return None
        faults: list[Fault] = []
        spans = _spans(f"holidays.{day}", value, faults)
        if faults:
            raise CalendarError(faults)
        return spans
