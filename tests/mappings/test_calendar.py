"""Working time: hand-worked moments, the laws that other engines broke (dbt, ERPNext, Zammad), and its errors."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.calendar import Calendar, CalendarError

HOLIDAYS = {"2026-11-26": "closed", "2026-12-24": "09:00-12:00", "2026-12-25": "closed", "2027-01-01": "closed"}
CALENDARS: Mapping[str, Calendar] = {
    name: Calendar.from_config(*config)
    for name, config in {
        "office": ({"zone": "America/Chicago", "mon-fri": "08:00-18:00", "holidays": "us"}, {"us": HOLIDAYS}),
        "new york": ({"zone": "America/New_York", "mon-fri": "09:00-17:00"},),
        "lunch": ({"zone": "Europe/London", "mon-fri": "08:00-12:00, 13:00-17:00"},),
        "nights": ({"zone": "America/New_York", "mon-fri": "22:00-06:00"}, {"2026-03-04": "closed"}),
        "every night": ({"zone": "America/New_York", "daily": "22:00-06:00"},),
        "small hours": ({"zone": "America/New_York", "daily": "01:00-04:00"},),
        "opens in the gap": ({"zone": "America/New_York", "daily": "02:30-05:00"},),
        "opens twice": ({"zone": "America/New_York", "daily": "01:30-05:00"},),
        "lies in the gap": ({"zone": "America/New_York", "daily": "02:30-03:15"},),
        "minutes": ({"zone": "UTC", "daily": "09:00-09:05, 09:06-09:11, 09:12-09:17, 09:18-09:19"},),
        "closes twice": ({"zone": "America/New_York", "daily": "00:00-01:30"},),
        "weekdays": ({"zone": "America/New_York", "mon-fri": "00:00-24:00"},),
        "weekend": ({"zone": "UTC", "sat-mon": "10:00-12:00"},),
        "half-hour clocks": ({"zone": "Australia/Lord_Howe", "daily": "01:00-03:00"},),
        "all day": ({"zone": "America/Santiago", "daily": "00:00-24:00"},),
        "samoa": ({"zone": "Pacific/Apia", "daily": "09:00-17:00"},),
        "24/7": ("24/7",),
    }.items()
}


def at(text: str, calendar: Calendar) -> datetime:
    """`2026-03-06 17:30` in the calendar's zone, or `2026-03-06 23:30Z` in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=calendar.zone)


def hours(text: str) -> int:
    """`4h`, `1h30m`, `60s` or `1h1s` in seconds."""
    total, number = 0, ""
    for sign in text:
        if sign.isdigit():
            number += sign
        else:
            total, number = total + int(number) * {"h": 3600, "m": 60, "s": 1}[sign], ""
    return total


DUE = [
    # 6 March 2026 is a Friday; clocks change in the United States on Sunday 8 March and Sunday 1 November.
    ("inside one day", "office", "2026-03-03 10:00", "4h", "2026-03-03 14:00"),
    ("ends at closing: due at closing", "office", "2026-03-06 14:00", "4h", "2026-03-06 18:00"),
    ("over a weekend and a clock change", "office", "2026-03-06 17:30", "4h", "2026-03-09 11:30"),
    ("the same, said in UTC", "office", "2026-03-06 23:30Z", "4h", "2026-03-09 16:30Z"),
    ("from after closing", "office", "2026-03-06 19:00", "1h", "2026-03-09 09:00"),
    ("closing is closed", "office", "2026-03-06 18:00", "1s", "2026-03-09 08:00:01"),
    ("seconds are kept", "office", "2026-03-03 17:59:30", "60s", "2026-03-04 08:00:30"),
    ("no budget, open", "office", "2026-03-03 10:00", "0s", "2026-03-03 10:00"),
    ("no budget, at opening", "office", "2026-03-03 08:00", "0s", "2026-03-03 08:00"),
    ("no budget, at closing", "office", "2026-03-06 18:00", "0s", "2026-03-09 08:00"),
    ("no budget, weekend", "office", "2026-03-07 12:00", "0s", "2026-03-09 08:00"),
    ("a whole week", "office", "2026-03-02 08:00", "50h", "2026-03-06 18:00"),
    ("a whole week and a second", "office", "2026-03-02 08:00", "50h1s", "2026-03-09 08:00:01"),
    ("a holiday between", "office", "2026-11-25 17:00", "2h", "2026-11-27 09:00"),
    ("a shortened day, then a holiday and a weekend", "office", "2026-12-24 11:00", "4h", "2026-12-28 11:00"),
    ("a shortened day from its opening", "office", "2026-12-24 08:00", "3h", "2026-12-24 12:00"),
    ("over the new year", "office", "2026-12-31 17:00", "2h", "2027-01-04 09:00"),
    ("a leap day is a day", "office", "2028-02-28 17:00", "2h", "2028-02-29 09:00"),
    ("before 1970", "new york", "1969-12-31 16:00", "2h", "1970-01-01 10:00"),
    ("Zendesk's own example", "new york", "2025-03-07 16:30", "1h", "2025-03-10 13:30Z"),
    ("before lunch: due at lunch", "lunch", "2026-03-03 11:00", "1h", "2026-03-03 12:00"),
    ("over lunch", "lunch", "2026-03-03 11:30", "1h", "2026-03-03 13:30"),
    ("no budget at lunch", "lunch", "2026-03-03 12:00", "0s", "2026-03-03 13:00"),
    ("past midnight", "nights", "2026-03-02 23:00", "4h", "2026-03-03 03:00"),
    ("Friday's night ends on Saturday", "nights", "2026-03-06 22:00", "8h", "2026-03-07 06:00"),
    ("Saturday has no night", "nights", "2026-03-07 03:00", "4h", "2026-03-09 23:00"),
    ("a holiday keeps the night before, takes its own", "nights", "2026-03-04 05:00", "2h", "2026-03-05 23:00"),
    ("a night of 7 hours in spring", "every night", "2026-03-07 22:00", "7h", "2026-03-08 10:00Z"),
    ("a night of 9 hours in autumn", "every night", "2026-10-31 22:00", "9h", "2026-11-01 11:00Z"),
    ("01:00-04:00 is 2 hours in spring", "small hours", "2025-03-09 06:00Z", "2h", "2025-03-09 08:00Z"),
    ("01:00-04:00 is 4 hours in autumn", "small hours", "2025-11-02 05:00Z", "4h", "2025-11-02 09:00Z"),
    ("from the second 01:30", "small hours", "2025-11-02 06:30Z", "1h", "2025-11-02 07:30Z"),
    ("an opening that does not exist is later", "opens in the gap", "2026-03-08 06:00Z", "0s", "2026-03-08 07:30Z"),
    ("a span that the gap swallows", "lies in the gap", "2026-03-08 05:00Z", "0s", "2026-03-09 02:30"),
    ("many short spans", "minutes", "2026-03-03 09:03", "11m", "2026-03-03 09:16"),
    ("many short spans, to the next day", "minutes", "2026-03-03 09:03", "15m", "2026-03-04 09:02"),
    ("an opening that comes twice is the first", "opens twice", "2026-11-01 05:00Z", "0s", "2026-11-01 05:30Z"),
    ("a closing that comes twice is the first", "closes twice", "2026-11-01 04:00Z", "1h30m1s", "2026-11-02 05:00:01Z"),
    ("midnight is no border", "weekdays", "2026-03-03 23:00", "2h", "2026-03-04 01:00"),
    ("Friday midnight is one", "weekdays", "2026-03-06 23:00", "2h", "2026-03-09 01:00"),
    ("a range may run over Sunday", "weekend", "2026-03-06 12:00", "5h", "2026-03-09 11:00"),
    ("around the clock, clocks changing", "24/7", "2026-03-07 12:00Z", "24h", "2026-03-08 12:00Z"),
]


@pytest.mark.req("SLA-27", "SLA-28")
@pytest.mark.parametrize(("calendar", "start", "budget", "due"), [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_due(calendar: str, start: str, budget: str, due: str) -> None:
    """A budget of open time runs out at the hand-worked moment, one at a time and in bulk."""
    office = CALENDARS[calendar]
    expected = at(due, office).astimezone(UTC)
    assert office.due(at(start, office), hours(budget)) == expected
    assert office.due_many([int(at(start, office).timestamp())], hours(budget)).tolist() == [expected.timestamp()]


DUE_DAYS = [
    ("next day, same time", "office", "2026-03-03 10:00", 1, "2026-03-04 10:00"),
    ("over a weekend and a clock change", "office", "2026-03-06 10:00", 1, "2026-03-09 10:00"),
    ("two days over a weekend", "office", "2026-03-05 10:00", 2, "2026-03-09 10:00"),
    ("from closed: counted from the next opening", "office", "2026-03-06 19:00", 1, "2026-03-10 08:00"),
    ("closing is closed", "office", "2026-03-06 18:00", 1, "2026-03-10 08:00"),
    ("a second before closing", "office", "2026-03-06 17:59:59", 1, "2026-03-09 17:59:59"),
    ("from a weekend", "office", "2026-03-07 12:00", 1, "2026-03-10 08:00"),
    ("over a holiday", "office", "2026-11-25 10:00", 1, "2026-11-27 10:00"),
    ("a shortened day: its closing", "office", "2026-12-23 15:00", 1, "2026-12-24 12:00"),
    ("a shortened day: its opening", "office", "2026-12-23 08:30", 1, "2026-12-24 09:00"),
    ("from a shortened day", "office", "2026-12-24 11:00", 1, "2026-12-28 11:00"),
    ("no days, open", "office", "2026-03-03 10:00", 0, "2026-03-03 10:00"),
    ("no days, closed", "office", "2026-03-07 10:00", 0, "2026-03-09 08:00"),
    ("a night belongs to the day it starts on", "nights", "2026-03-03 02:00", 2, "2026-03-06 02:00"),
    ("Friday's night to Monday's", "nights", "2026-03-07 02:00", 1, "2026-03-10 02:00"),
    ("a time that does not exist is later", "every night", "2026-03-07 02:30", 1, "2026-03-08 07:30Z"),
    ("a time that comes twice is the first", "every night", "2026-10-31 01:30", 1, "2026-11-01 05:30Z"),
    ("open all day", "weekdays", "2026-03-06 23:00", 1, "2026-03-09 23:00"),
    ("24/7 is exactly 24 hours", "24/7", "2026-03-07 12:00Z", 2, "2026-03-09 12:00Z"),
]


@pytest.mark.parametrize(
    ("calendar", "start", "days", "due"), [row[1:] for row in DUE_DAYS], ids=[row[0] for row in DUE_DAYS]
)
def test_due_days(calendar: str, start: str, days: int, due: str) -> None:
    """A business day is the same local time on the next day that opens."""
    office = CALENDARS[calendar]
    assert office.due_days(at(start, office), days) == at(due, office).astimezone(UTC)


def test_due_days_into_a_lunch_break() -> None:
    """A time that the target day is closed at, between two spans, is the closing before it."""
    office = Calendar.from_config({"zone": "UTC", "mon": "09:00-17:00", "tue": "09:00-12:00, 13:00-17:00"})
    assert office.due_days(datetime(2026, 3, 2, 12, 30, tzinfo=UTC), 1) == datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


ELAPSED = [
    ("within a day", "office", "2026-03-03 10:00", "2026-03-03 14:00", "4h"),
    ("a weekend", "office", "2026-03-06 17:30", "2026-03-09 11:30", "4h"),
    ("closed throughout", "office", "2026-03-07 00:00", "2026-03-09 08:00", "0s"),
    ("backwards", "office", "2026-03-09 10:00", "2026-03-03 10:00", "0s"),
    ("the week of a holiday", "office", "2026-11-23 00:00", "2026-11-30 00:00", "40h"),
    ("53 weeks: no cut-off", "new york", "2026-03-02 00:00", "2027-03-08 00:00", "2120h"),
    ("24/7 in spring: 23 hours", "24/7", "2025-03-09 05:00Z", "2025-03-10 04:00Z", "23h"),
    ("24/7 in autumn: 25 hours", "24/7", "2025-11-02 04:00Z", "2025-11-03 05:00Z", "25h"),
    ("half an hour of clock change, autumn", "half-hour clocks", "2026-04-05 00:00", "2026-04-05 12:00", "2h30m"),
    ("half an hour of clock change, spring", "half-hour clocks", "2025-10-05 00:00", "2025-10-05 12:00", "1h30m"),
    ("a day without its midnight", "all day", "2024-09-07 00:00", "2024-09-09 00:00", "47h"),
    ("a date that Samoa skipped", "samoa", "2011-12-29 00:00", "2012-01-01 00:00", "16h"),
]


@pytest.mark.parametrize(
    ("calendar", "start", "end", "open_time"), [row[1:] for row in ELAPSED], ids=[row[0] for row in ELAPSED]
)
def test_elapsed(calendar: str, start: str, end: str, open_time: str) -> None:
    """Open time between two moments, one pair at a time and in bulk."""
    office = CALENDARS[calendar]
    since, until = at(start, office), at(end, office)
    assert office.elapsed(since, until) == hours(open_time)
    assert office.elapsed_many([int(since.timestamp())], int(until.timestamp())).tolist() == [hours(open_time)]


def test_opening_and_closing() -> None:
    """Open from the opening until just before the closing; the next of each is found over weekends and midnights."""
    office, nights = CALENDARS["office"], CALENDARS["nights"]
    assert [office.is_open(at(f"2026-03-06 {hour}", office)) for hour in ("07:59", "08:00", "17:59", "18:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert office.next_opening(at("2026-03-06 18:00", office)) == at("2026-03-09 08:00", office)
    assert office.next_opening(at("2026-03-06 10:00", office)) == at("2026-03-06 10:00", office)
    assert office.next_closing(at("2026-03-06 10:00", office)) == at("2026-03-06 18:00", office)
    assert office.next_closing(at("2026-03-07 10:00", office)) == at("2026-03-09 18:00", office)
    assert nights.next_closing(at("2026-03-06 23:00", nights)) == at("2026-03-07 06:00", nights)
    assert CALENDARS["weekdays"].next_closing(at("2026-03-02 00:00Z", office)) == at("2026-03-07 05:00Z", office)


def test_never_closing() -> None:
    """A calendar that never closes says so, whether it is written 24/7 or as whole days."""
    start = datetime(2026, 3, 3, tzinfo=UTC)
    assert CALENDARS["24/7"].always
    assert not CALENDARS["all day"].always
    assert CALENDARS["24/7"].next_closing(start) is None
    assert CALENDARS["all day"].next_closing(start) is None


@pytest.mark.parametrize(
    ("calendar", "open_time"),
    [("office", "10h"), ("lunch", "8h"), ("nights", "8h"), ("weekdays", "24h"), ("weekend", "2h"), ("24/7", "24h")],
)
def test_day_seconds(calendar: str, open_time: str) -> None:
    """One ordinary office day of open time."""
    assert CALENDARS[calendar].day_seconds == hours(open_time)


def test_day_seconds_takes_the_most_common_weekday() -> None:
    """A short Friday or a long Monday does not make the ordinary day; a weekend calendar has its own."""
    short_friday = Calendar.from_config({"zone": "UTC", "mon-thu": "08:00-18:00", "fri": "08:00-14:00"})
    long_monday = Calendar.from_config({"zone": "UTC", "mon": "08:00-20:00", "tue-fri": "08:00-16:00"})
    weekend = Calendar.from_config({"zone": "UTC", "sat": "10:00-14:00", "sun": "10:00-14:00"})
    found = [calendar.day_seconds for calendar in (short_friday, long_monday, weekend)]
    assert found == [hours("10h"), hours("8h"), hours("4h")]


# Config -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "open_days"),
    [
        ({"daily": "09:00-17:00", "sun": "closed"}, "mon tue wed thu fri sat"),
        ({"daily": "09:00-17:00", "sat-sun": "closed", "sat": "09:00-12:00"}, "mon tue wed thu fri sat"),
        ({"sat-mon": "09:00-17:00"}, "mon sat sun"),
        ({"mon": ["09:00-12:00", "13:00-17:00"]}, "mon"),
        ({"wed": "9:00–17:00"}, "wed"),
    ],
)
def test_days(config: dict[str, object], open_days: str) -> None:
    """A day beats a range, a range beats `daily`; ranges wrap; a list and an en dash will do."""
    calendar = Calendar.from_config({"zone": "UTC", **config})
    noonish = [datetime(2026, 3, 2 + day, 10, tzinfo=UTC) for day in range(7)]
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert " ".join(name for name, moment in zip(names, noonish, strict=True) if calendar.is_open(moment)) == open_days


FAULTS = [
    ({"mon": "09:00-17:00"}, "zone: missing; write an IANA zone, for example America/Chicago"),
    ({"zone": "Chicago", "mon": "09:00-17:00"}, "zone: unknown zone 'Chicago'; did you mean 'America/Chicago'?"),
    (
        {"zone": "America/Chigaco", "mon": "09:00-17:00"},
        "zone: unknown zone 'America/Chigaco'; did you mean 'America/Chicago'?",
    ),
    (
        {"zone": "EST", "mon": "09:00-17:00"},
        "zone: 'EST' names a zone in half of the year only; write America/New_York",
    ),
    ({"zone": "UTC", "monday": "09:00-17:00"}, "monday: unknown day; did you mean 'mon'?"),
    ({"zone": "UTC", "Mon-Friday": "09:00-17:00"}, "Mon-Friday: unknown day; did you mean 'mon-fri'?"),
    ({"zone": "UTC", "mon": "9-17"}, "mon: '9-17' is not a span of hours; write for example"),
    ({"zone": "UTC", "mon": "09:00-25:00"}, "mon: '09:00-25:00' names a time that no day has; write for example"),
    ({"zone": "UTC", "mon": "09:00-09:00"}, "mon: '09:00-09:00' ends as it starts; write for example"),
    ({"zone": "UTC", "mon": 540}, "mon: 540 is not text; write for example"),
    (
        {"zone": "UTC", "mon": "09:00-13:00, 12:00-17:00"},
        "mon: spans of one day overlap; let one end where the next begins",
    ),
    (
        {"zone": "UTC", "daily": "08:00-17:00, 22:00-09:00"},
        "daily: spans of mon and tue overlap; let one end where the next begins",
    ),
    (
        {"zone": "UTC", "mon": "05:00-17:00", "sun": "22:00-06:00"},
        "sun: spans of sun and mon overlap; let one end where the next begins",
    ),
    (
        {"zone": "UTC", "mon-wed": "09:00-17:00", "wed-fri": "09:00-17:00"},
        "wed-fri: wed is given here and in 'mon-wed'; keep the day in one of the two",
    ),
    ({"zone": "UTC", "daily": "closed"}, "days: never open; give a day some hours"),
    ({"zone": "UTC"}, "days: never open; give a day some hours"),
    (
        {"zone": "UTC", "mon": "09:00-17:00", "holidays": "uk"},
        "holidays: unknown set 'uk'; write one of: us",
    ),
]


@pytest.mark.parametrize(("config", "fault"), FAULTS, ids=[fault[:40] for _, fault in FAULTS])
def test_fault(config: dict[str, object], fault: str) -> None:
    """A wrong calendar says which field, what is wrong and what to write."""
    with pytest.raises(CalendarError) as caught:
        Calendar.from_config(config, {"us": HOLIDAYS})
    assert str(caught.value).startswith(fault)
    assert len(caught.value.faults) == 1


def test_all_faults_at_once() -> None:
    """Every fault is told at once, holidays included."""
    with pytest.raises(CalendarError) as caught:
        Calendar.from_config(
            {"zone": "Chicago", "monday": "09:00-17:00", "fri": "late", "holidays": "us"},
            {"us": {"25 December": "closed", "2026-12-24": "short"}},
        )
    assert [fault.field for fault in caught.value.faults] == [
        "zone", "monday", "fri", "holidays.25 December", "holidays.2026-12-24",
    ]  # fmt: skip


def test_word_that_is_no_calendar() -> None:
    """The only calendar that is a word is 24/7."""
    with pytest.raises(CalendarError, match=r"'always' is no calendar; write \"24/7\""):
        Calendar.from_config("always")


def test_naive_time_is_refused() -> None:
    """A time without a zone has no meaning here, in any of the questions."""
    office, naive = CALENDARS["office"], datetime(2026, 3, 3, 10)  # noqa: DTZ001 (the point of the test)
    for question in (office.is_open, office.next_opening, office.next_closing, lambda it: office.due(it, 1)):
        with pytest.raises(CalendarError, match="no time zone; pass an aware datetime"):
            question(naive)


def test_budgets_that_make_no_sense() -> None:
    """Less than nothing is refused, and fractions of seconds in bulk are not rounded behind one's back."""
    office, start = CALENDARS["office"], datetime(2026, 3, 3, tzinfo=UTC)
    for question in (
        lambda: office.due(start, -1),
        lambda: office.due_days(start, -1),
        lambda: office.due_many([0, 1], [5, -5]),
        lambda: office.due_many([0.5], 60),
    ):
        with pytest.raises(CalendarError):
            question()


def test_closed_for_good() -> None:
    """A calendar whose holidays never end says so instead of searching for ever."""

    class Closed:
        def get(self, day: date) -> str | None:
            return "closed" if day.year > 2026 else None

    gone = Calendar.from_config({"zone": "UTC", "mon-fri": "09:00-17:00"}, Closed())
    start = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert gone.due(start, 3600) == datetime(2026, 12, 31, 17, tzinfo=UTC)
    for question in (lambda: gone.due(start, 3601), lambda: gone.due_days(start, 1)):
        with pytest.raises(CalendarError, match="does not open within 10 years of 20"):
            question()


# Holidays ---------------------------------------------------------------------------------------------------------


class Library:
    """Holidays as a library gives them: by date only, for any year, never as a list."""

    def __init__(self, asked: set[int]) -> None:
        self.asked = asked

    def __getitem__(self, day: date) -> str:
        self.asked.add(day.year)
        if (day.month, day.day) == (12, 25):
            return "closed"
        raise KeyError(day)


def test_holidays_of_any_year() -> None:
    """Holidays that are computed hold in every year that is asked for, and only years near the question are."""
    asked: set[int] = set()
    office = Calendar.from_config({"zone": "UTC", "daily": "09:00-17:00"}, Library(asked))
    for year in (2026, 2031, 2064):
        assert office.due(datetime(year, 12, 24, 16, tzinfo=UTC), 7200) == datetime(year, 12, 26, 10, tzinfo=UTC)
    assert max(asked) < 2110


@pytest.mark.parametrize(
    "holidays",
    [
        {"2026-12-24": "09:00-12:00", "2026-12-25": "closed"},
        {date(2026, 12, 24): "09:00-12:00", date(2026, 12, 25): "closed"},
        MappingProxyType({date(2026, 12, 24): ["09:00-12:00"], date(2026, 12, 25): "closed"}),
        {"us": {"2026-12-24": "09:00-12:00", "2026-12-25": "closed"}, "uk": {"2026-12-24": "closed"}},
    ],
)
@pytest.mark.req("SLA-27")
def test_spellings_of_holidays(holidays: object) -> None:
    """Dates or ISO text, one set or several by name: 24 December is short, 4 hours from 11:00 end 3 h into the 28th."""
    office = Calendar.from_config({"zone": "UTC", "mon-fri": "09:00-18:00", "holidays": "us"}, holidays)
    assert office.due(datetime(2026, 12, 24, 11, tzinfo=UTC), 4 * 3600) == datetime(2026, 12, 28, 12, tzinfo=UTC)


def test_calendar_without_holidays() -> None:
    """Of several sets by name, a calendar that names none takes none."""
    office = Calendar.from_config({"zone": "UTC", "daily": "09:00-18:00"}, {"us": {"2026-12-25": "closed"}})
    assert office.is_open(datetime(2026, 12, 25, 12, tzinfo=UTC))


def test_holiday_may_open_a_closed_day() -> None:
    """The hours of a date replace the day's own, also where it has none."""
    office = Calendar.from_config({"zone": "UTC", "mon-fri": "09:00-17:00"}, {"2026-03-07": "10:00-12:00"})
    assert office.due(datetime(2026, 3, 6, 16, tzinfo=UTC), 2 * 3600) == datetime(2026, 3, 7, 11, tzinfo=UTC)


# Union ------------------------------------------------------------------------------------------------------------


def test_union_over_zones() -> None:
    """Open when either is; days and local time are those of the first."""
    both = Calendar.union(CALENDARS["office"], CALENDARS["lunch"])
    chicago = ZoneInfo("America/Chicago")
    assert both.zone == chicago
    # London opens at 08:00 = 02:00 in Chicago and closes at 17:00 = 11:00, when Chicago has been open for 3 hours.
    assert both.next_opening(datetime(2026, 3, 2, 0, 0, tzinfo=chicago)) == datetime(2026, 3, 2, 2, 0, tzinfo=chicago)
    assert both.elapsed(datetime(2026, 3, 2, tzinfo=chicago), datetime(2026, 3, 3, tzinfo=chicago)) == hours("15h")
    assert both.day_seconds == hours("15h")
    assert both.due_days(datetime(2026, 3, 6, 3, tzinfo=chicago), 1) == datetime(2026, 3, 9, 3, tzinfo=chicago)


def test_union_with_always() -> None:
    """Anything together with 24/7 is 24/7; a calendar with itself is itself."""
    office = CALENDARS["office"]
    assert Calendar.union(office, CALENDARS["24/7"]).always
    assert Calendar.union(office, office) is office


def test_union_of_hours_within_hours() -> None:
    """Hours that lie within others add nothing."""
    long, short = (Calendar.from_config({"zone": "UTC", "daily": span}) for span in ("08:00-18:00", "09:00-12:00"))
    both = Calendar.union(long, short)
    start = datetime(2026, 3, 3, tzinfo=UTC)
    assert both.elapsed(start, start + timedelta(days=1)) == hours("10h")
    assert both.due(start, hours("5h")) == datetime(2026, 3, 3, 13, tzinfo=UTC)


def test_new_year_in_two_zones() -> None:
    """While it is 31 December in Los Angeles, the new year's hours in Tokyo come first."""

    def around_the_pacific(tokyo_closed: range, angeles_closed: range) -> Calendar:
        zones = {"Asia/Tokyo": ("06:00-07:00", tokyo_closed), "America/Los_Angeles": ("15:00-16:00", angeles_closed)}
        return Calendar.union(
            *(
                Calendar.from_config({"zone": zone, "daily": span}, {f"2026-12-{day}": "closed" for day in closed})
                for zone, (span, closed) in zones.items()
            )
        )

    start, answer = datetime(2026, 12, 27, 12, tzinfo=UTC), datetime(2026, 12, 31, 22, tzinfo=UTC)
    daily, nobody = around_the_pacific(range(0), range(0)), around_the_pacific(range(27, 32), range(27, 31))
    assert daily.due(start, hours("9h")) == answer
    daily = around_the_pacific(range(0), range(0))
    assert daily.due_many([int(start.timestamp())], hours("9h")).tolist() == [answer.timestamp()]
    assert nobody.next_opening(start) == datetime(2026, 12, 31, 21, tzinfo=UTC)


# Laws -------------------------------------------------------------------------------------------------------------

ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "UTC")
EPOCH = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
moments = st.integers(EPOCH, EPOCH + 3 * 366 * 86_400).map(lambda second: datetime.fromtimestamp(second, UTC))
budgets = st.integers(0, 120 * 3600)
law = settings(max_examples=30, deadline=None)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any hours: several spans a day, nights, closed days, holidays short and long, zones with odd clock changes."""
    config: dict[str, object] = {"zone": draw(st.sampled_from(ZONES))}
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        quarters = sorted(draw(st.sets(st.integers(0, 95), max_size=4)))
        config[day] = [_clock(a, b) for a, b in zip(quarters[::2], quarters[1::2], strict=False)]
    config["wed"] = [*(config["wed"] or ["09:00-17:00"])]  # type: ignore[misc]
    night = {"fri": ["20:00-24:00"], "sat": ["02:00-05:00", "22:00-04:00"], "sun": ["05:00-06:00"]}
    dates = st.dates(date(2025, 1, 1), date(2027, 12, 31))
    holidays = draw(st.dictionaries(dates, st.sampled_from(["closed", "10:00-12:00", "21:00-03:00"]), max_size=5))
    return Calendar.from_config(config | (night if draw(st.booleans()) else {}), holidays)


def _clock(start: int, end: int) -> str:
    return "-".join(f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in (start, end))


@law
@given(calendars(), moments, budgets)
def test_law_due_and_elapsed_are_inverse(calendar: Calendar, start: datetime, seconds: int) -> None:
    """A due time is the first moment by which the whole budget has passed."""
    due = calendar.due(start, seconds)
    assert calendar.elapsed(start, due) == seconds
    if seconds:
        assert calendar.elapsed(start, due - timedelta(seconds=1)) == seconds - 1


@law
@given(calendars(), moments, moments)
def test_law_business_never_exceeds_the_clock(calendar: Calendar, start: datetime, end: datetime) -> None:
    """Open time is at most the time on the wall; around the clock it is exactly that (dbt_zendesk #215)."""
    wall = max(0, int((end - start).total_seconds()))
    assert 0 <= calendar.elapsed(start, end) <= wall
    assert CALENDARS["24/7"].elapsed(start, end) == wall


@law
@given(calendars(), moments, moments, moments)
def test_law_splitting_keeps_the_sum(calendar: Calendar, one: datetime, two: datetime, three: datetime) -> None:
    """Wherever a span is cut, its parts add up (dbt_zendesk #107)."""
    start, middle, end = sorted((one, two, three))
    assert calendar.elapsed(start, middle) + calendar.elapsed(middle, end) == calendar.elapsed(start, end)


@law
@given(calendars(), moments, budgets, st.integers(1, 40 * 3600))
def test_law_budgets_add_up(calendar: Calendar, start: datetime, first: int, then: int) -> None:
    """Pausing a clock and going on at once changes nothing."""
    assert calendar.due(calendar.due(start, first), then) == calendar.due(start, first + then)


@law
@given(calendars(), moments, moments, budgets, budgets)
def test_law_due_is_monotone(calendar: Calendar, one: datetime, two: datetime, less: int, more: int) -> None:
    """Starting later or having more time never makes a due time earlier."""
    (start, later), (less, more) = sorted((one, two)), sorted((less, more))
    assert calendar.due(start, less) <= calendar.due(later, less)
    assert calendar.due(start, less) <= calendar.due(start, more)


@law
@given(calendars(), moments, moments, budgets)
def test_law_a_pause_never_makes_a_due_time_earlier(
    calendar: Calendar, start: datetime, other: datetime, seconds: int
) -> None:
    """Time taken out of a running clock moves its due time later or leaves it (ERPNext's hold time)."""
    pause, resume = sorted((start, other))
    used = min(seconds, calendar.elapsed(start, pause))
    left = seconds - used
    assert calendar.due(max(resume, start), left) >= calendar.due(start, seconds) or left == 0


@law
@given(calendars(), st.lists(st.tuples(moments, budgets), min_size=1, max_size=30))
def test_law_many_at_once_equal_one_at_a_time(calendar: Calendar, asked: list[tuple[datetime, int]]) -> None:
    """The arrays give what the single questions give."""
    starts = np.array([int(start.timestamp()) for start, _ in asked])
    seconds = np.array([budget for _, budget in asked])
    due = calendar.due_many(starts, seconds)
    assert due.dtype == np.int64
    assert due.tolist() == [calendar.due(start, budget).timestamp() for start, budget in asked]
    ends = np.roll(starts, 1)
    assert calendar.elapsed_many(starts, ends).tolist() == [
        calendar.elapsed(start, datetime.fromtimestamp(int(end), UTC))
        for (start, _), end in zip(asked, ends, strict=True)
    ]


@law
@given(calendars(), calendars(), moments, moments)
def test_law_a_union_is_open_when_either_is(one: Calendar, other: Calendar, first: datetime, second: datetime) -> None:
    """A union has at least the open time of each and at most that of both."""
    both = Calendar.union(one, other)
    start, end = sorted((first, second))
    assert both.is_open(start) == (one.is_open(start) or other.is_open(start))
    apart = one.elapsed(start, end), other.elapsed(start, end)
    assert max(apart) <= both.elapsed(start, end) <= sum(apart)
    assert both.next_opening(start) == min(one.next_opening(start), other.next_opening(start))


@law
@given(calendars(), moments, st.integers(0, 12))
def test_law_business_days_end_on_open_days(calendar: Calendar, start: datetime, days: int) -> None:
    """A business-day due time lies in open time or at a closing, after its start, and waits for that many openings."""
    due = calendar.due_days(start, days)
    begun = calendar.next_opening(start)
    assert due >= begun
    assert calendar.is_open(due) or calendar.is_open(due - timedelta(seconds=1))
    assert (calendar.due_days(begun, days)) == due


@law
@given(moments, moments, st.integers(0, 5))
def test_law_business_days_are_monotone(one: datetime, two: datetime, days: int) -> None:
    """On office hours, starting later never makes a business-day due time earlier."""
    office = CALENDARS["office"]
    start, later = sorted((one, two))
    assert office.due_days(start, days) <= office.due_days(later, days) <= office.due_days(later, days + 1)


@law
@given(moments, st.integers(1, 200))
def test_law_the_walls_agree(start: datetime, quarters: int) -> None:
    """Counting quarter hours on a wall clock in Chicago gives the same open time."""
    office, zone, step = CALENDARS["office"], ZoneInfo("America/Chicago"), timedelta(minutes=15)
    start = start.replace(minute=0, second=0)

    def working(moment: datetime) -> bool:
        local = moment.astimezone(zone)
        special = HOLIDAYS.get(local.date().isoformat())
        if special:
            return special != "closed" and time(9) <= local.time() < time(12)
        return local.weekday() < 5 and time(8) <= local.time() < time(18)

    counted = sum(working(start + step * number) for number in range(quarters))
    assert office.elapsed(start, start + step * quarters) == counted * 900


def test_last_years_night_runs_into_this_year() -> None:
    """The first hours of a year belong to a night of the year before, whichever year was asked about first."""
    nights = Calendar.from_config({"zone": "America/New_York", "daily": "22:00-06:00"})
    assert not nights.is_open(datetime(2026, 6, 1, 16, tzinfo=UTC))
    assert nights.is_open(datetime(2026, 1, 1, 8, tzinfo=UTC))


def test_law_answers_do_not_depend_on_earlier_questions() -> None:
    """A calendar asked about other years first gives the same answers as a fresh one."""
    config = {"zone": "America/New_York", "daily": "22:00-06:00"}
    asked, start = Calendar.from_config(config), datetime(2026, 1, 1, 3, tzinfo=UTC)
    for year in (2044, 1999, 2027, 2025):
        asked.due(start.replace(year=year), 9 * 3600)
    fresh = Calendar.from_config(config)
    assert asked.due(start, 2_500_000) == fresh.due(start, 2_500_000)
    assert asked.due_days(start, 400) == fresh.due_days(start, 400)
    assert asked.next_closing(start) == fresh.next_closing(start) == datetime(2026, 1, 1, 11, tzinfo=UTC)
