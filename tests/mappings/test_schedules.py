"""When a schedule comes round next, in the office's own hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.profile.terms import read_schedule
from mappings.schedules import next_time
from tests.stories import CHICAGO, at

CASES = [
    ("daily 09:25", "2026-03-03 09:24", "2026-03-03 09:25"),
    ("daily 09:25", "2026-03-03 09:25", "2026-03-03 09:25"),
    ("daily 09:25", "2026-03-03 09:26", "2026-03-04 09:25"),
    ("daily 09:25", "2026-03-06 18:00", "2026-03-07 09:25"),
    ("Fri 13:30", "2026-03-03 10:00", "2026-03-06 13:30"),
    ("Fri 13:30", "2026-03-06 13:31", "2026-03-13 13:30"),
    ("Mon-Fri 17:45", "2026-03-06 18:00", "2026-03-09 17:45"),
    ("first Mon 09:00", "2026-03-02 09:00", "2026-03-02 09:00"),
    ("first Mon 09:00", "2026-03-02 09:01", "2026-04-06 09:00"),
    ("first Mon of quarter 09:00", "2026-03-03 10:00", "2026-04-06 09:00"),
    ("hourly", "2026-03-03 10:00", "2026-03-03 10:00"),
    ("hourly", "2026-03-03 10:01", "2026-03-03 11:00"),
    ("daily 02:30", "2026-03-07 12:00", "2026-03-08 03:30"),  # that night has no half past two
    ("daily 01:30", "2026-10-31 12:00", "2026-11-01 01:30"),  # and that one has two: the first counts
]


@pytest.mark.req("NTF-08")
@pytest.mark.parametrize(("text", "now", "next_one"), CASES)
def test_next_time(text: str, now: str, next_one: str) -> None:
    """A schedule's next time is the first at that moment or later, by the office's clock."""
    assert next_time(read_schedule(text), CHICAGO, at(now)) == at(next_one)


ZONES = st.sampled_from(["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "UTC"]).map(ZoneInfo)
MOMENTS = st.integers(0, 60 * 24 * 800).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))
TEXTS = st.sampled_from(["daily 09:25", "Fri 13:30", "Mon-Fri 17:45", "first Mon 02:30", "first Sun of quarter 01:30"])


@given(TEXTS, ZONES, MOMENTS)
def test_comes_round_and_never_goes_back(text: str, zone: ZoneInfo, now: datetime) -> None:
    """The next time is never in the past, is its own next time, and a later moment has none that is earlier."""
    schedule = read_schedule(text)
    found = next_time(schedule, zone, now)
    assert found >= now
    assert next_time(schedule, zone, found) == found
    assert next_time(schedule, zone, now + timedelta(minutes=7)) >= found
