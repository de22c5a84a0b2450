"""Which targets hold for a ticket, and when each is warned, due and late."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.policies.sla.targets import Due, due, promises
from mappings.profile import Profile, parse_budget
from tests.profiles import edited, profile

BUILDER = profile("builder")
CHICAGO = ZoneInfo("America/Chicago")


def local(text: str) -> datetime:
    """`2026-05-05 10:00` (a Tuesday) in Chicago, where the office is open 08:00-18:00."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


@pytest.fixture(scope="module")
def tables() -> Profile:
    """Builder with one target for each way that a table can depend on a ticket."""
    return edited(
        "builder",
        """
        targets:
          Star: {measure: resolve, by: [severity, kind], table: {P1: {bug: 1h}, "*": {bug: 2h, "*": 3h}}}
          By tag: {measure: resolve, by: [tag], table: {gold: 1h, silver: 2h}}
          By flag: {measure: resolve, by: [vip], table: {true: 1h, "*": 2h}}
          By tier: {measure: resolve, by: [tier], table: {2: 8bh, 3: 4bh}}
          For VIPs: {measure: resolve, where: {vip: true}, table: 1h}
          For two channels: {measure: resolve, where: {channel: [chat, phone], plan: enterprise}, table: 1h}
          For a tag: {measure: resolve, where: {tag: [gold, platinum]}, table: 1h}
        """,
    )


def figure(profile: Profile, target: str, **dims: object) -> str | None:
    """The figure that a target has for a ticket; null where it does not hold."""
    return next((found.budget.text for found in promises(profile, dims) if found.target == target), None)


@pytest.mark.parametrize(
    ("target", "dims", "expected"),
    [
        ("Star", {"severity": "P1", "kind": "bug"}, "1h"),
        ("Star", {"severity": "P2", "kind": "bug"}, "2h"),
        ("Star", {"severity": "P2", "kind": "question"}, "3h"),
        # `*` is what no sibling names: P1 has its own row, and that row has no question.
        ("Star", {"severity": "P1", "kind": "question"}, None),
        # A dimension that is not given is matched by `*` only.
        ("Star", {"severity": "P2"}, "3h"),
        ("Star", {"severity": "P1"}, None),
        ("Star", {"kind": "bug"}, "2h"),
        ("Star", {}, "3h"),
        ("Star", {"severity": None, "kind": None}, "3h"),
        ("By tag", {"tag": frozenset({"silver", "other"})}, "2h"),
        ("By tag", {"tag": frozenset({"silver", "gold"})}, "1h"),
        ("By tag", {"tag": frozenset()}, None),
        ("By tag", {}, None),
        ("By flag", {"vip": True}, "1h"),
        ("By flag", {"vip": False}, "2h"),
        ("By tier", {"tier": 2}, "8bh"),
        ("By tier", {"tier": 1}, None),
        ("For VIPs", {"vip": True}, "1h"),
        ("For VIPs", {"vip": False}, None),
        ("For VIPs", {}, None),
        ("For two channels", {"channel": "phone", "plan": "enterprise"}, "1h"),
        ("For two channels", {"channel": "email", "plan": "enterprise"}, None),
        ("For two channels", {"channel": "phone"}, None),
        ("For a tag", {"tag": frozenset({"platinum"})}, "1h"),
        ("For a tag", {"tag": frozenset({"lead"})}, None),
    ],
)
def test_cell(tables: Profile, target: str, dims: dict[str, object], expected: str | None) -> None:
    """A ticket's dimensions choose the cell; a row that needs one which is not known does not apply."""
    assert figure(tables, target, **dims) == expected


def test_promises_come_in_the_order_of_the_profile() -> None:
    """All that hold, as the profile lists them, each with what the profile says of it."""
    found = promises(profile("pmerit"), {"severity": "P2", "channel": "email"})
    assert [promise.target for promise in found] == [
        name for name in profile("pmerit").targets if name in {promise.target for promise in found}
    ]
    by_name = {promise.target: promise for promise in found}
    assert by_name["Published response"].published
    assert not by_name["Response"].published
    assert by_name["Resolved in two days"].attain == 0.8


START = "2026-05-05 10:00"
UNITS = [
    ("wall: 3 of 4 hours", "4h", START, "2026-05-05 13:00", "2026-05-05 14:00"),
    ("wall, to the second", "15m", START, "2026-05-05 10:11:15", "2026-05-05 10:15"),
    ("wall, at night", "4h", "2026-05-05 22:00", "2026-05-06 01:00", "2026-05-06 02:00"),
    ("wall, over a clock change", "12h", "2026-03-07 22:00", "2026-03-08 08:00", "2026-03-08 11:00"),
    ("open: 3 of 4 open hours", "4bh", "2026-05-08 17:30", "2026-05-11 10:30", "2026-05-11 11:30"),
    ("a business day: 7.5 of 10 hours", "1bd", START, "2026-05-05 17:30", "2026-05-06 10:00"),
    ("two business days: 15 of 20 hours", "2bd", START, "2026-05-06 15:00", "2026-05-07 10:00"),
    ("a business day from a closed moment", "1bd", "2026-05-08 19:00", "2026-05-11 15:30", "2026-05-12 08:00"),
    ("a business day with a short day: 4.5 of 6 h", "1bd", "2026-12-23 15:00", "2026-12-24 10:30", "2026-12-24 12:00"),
    ("a range warns at its lower figure", "2h..4h", START, "2026-05-05 12:00", "2026-05-05 14:00"),
    ("a range of business days", "1bd..2bd", START, "2026-05-06 10:00", "2026-05-07 10:00"),
    ("never", "best effort", START, None, None),
]


@pytest.mark.parametrize(("cell", "start", "warned", "ends"), [row[1:] for row in UNITS], ids=[row[0] for row in UNITS])
def test_unit(cell: str, start: str, warned: str | None, ends: str | None) -> None:
    """Each figure is due in its own unit and warned after 75 % of it in that unit."""
    found = due(BUILDER, parse_budget(cell), BUILDER.office, local(start))
    expected = ends and local(ends)
    assert found == Due(due_at=expected, warn_at=warned and local(warned), late_at=expected)


def test_immediate() -> None:
    """Due at once, never warned, late after the grace; around the clock."""
    start = local("2026-05-09 02:00")
    assert due(BUILDER, parse_budget("immediate"), BUILDER.office, start) == Due(
        due_at=start, warn_at=None, late_at=start + timedelta(minutes=5)
    )


@pytest.mark.req("SLA-18")
@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ("2026-01-05 00:00", "2026-02-02 00:00"),
        ("2026-01-18 23:59", "2026-02-02 00:00"),
        ("2026-01-19 00:00", "2026-02-16 00:00"),
        ("2026-01-04 23:59", "2026-01-19 00:00"),  # before the first sprint that the profile names
        ("2026-02-25 10:00", "2026-03-16 00:00"),  # over the clock change: still midnight
    ],
)
def test_next_sprint(start: str, ends: str) -> None:
    """Sprints of 14 days from Monday 5 January: due at the end of the sprint after the current one."""
    new_york = ZoneInfo("America/New_York")
    begun, expected = (datetime.fromisoformat(text).replace(tzinfo=new_york) for text in (start, ends))
    pmerit = profile("pmerit")
    found = due(pmerit, parse_budget("next sprint"), pmerit.office, begun)
    wall = expected.astimezone(UTC) - begun.astimezone(UTC)
    assert found.due_at == expected
    assert found.warn_at == begun.astimezone(UTC) + wall * 0.75


def test_share_of_warning_is_the_profiles() -> None:
    """A profile that warns at half of the time warns at half of the time."""
    half = edited("builder", "warn: {at: 50%}")
    found = due(half, parse_budget("4bh"), half.office, local(START))
    assert found.warn_at == local("2026-05-05 12:00")


def test_promise_or_budget() -> None:
    """A promise is due as its budget is."""
    (promise,) = (
        found for found in promises(BUILDER, {"severity": "P2", "plan": "business"}) if found.target == "First response"
    )
    assert due(BUILDER, promise, BUILDER.office, local(START)) == due(
        BUILDER, promise.budget, BUILDER.office, local(START)
    )


def test_naive_start_is_refused() -> None:
    """A clock cannot start at a time without a zone, whatever its unit."""
    for cell in ("4h", "4bh", "1bd", "immediate", "best effort"):
        with pytest.raises(ValueError, match="no time zone"):
            due(BUILDER, parse_budget(cell), BUILDER.office, datetime(2026, 5, 5, 10))  # noqa: DTZ001


CELLS = [
    "15m",
    "4h",
    "7d",
    "1bh",
    "8bh",
    "40bh",
    "1bd",
    "5bd",
    "2h..4h",
    "1bd..2bd",
    "2bh..4bh",
    "immediate",
    "next sprint",
]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CELLS), st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))  # noqa: DTZ001
def test_law_warned_before_due_before_late(cell: str, start: datetime) -> None:
    """Whatever the unit and the moment: start, then warning, then due, then late."""
    moment = start.replace(microsecond=0, tzinfo=UTC)
    found = due(BUILDER, parse_budget(cell), BUILDER.office, moment)
    assert found.due_at is not None
    assert found.late_at is not None
    marks = [moment, *([found.warn_at] if found.warn_at else []), found.due_at, found.late_at]
    assert marks == sorted(marks)
    assert found.warn_at is None or found.warn_at < found.due_at
