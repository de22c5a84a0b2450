"""Do stored clocks agree with the past: what counts as a difference, and what putting it right may not do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from mappings.model import Clock, ClockState
from mappings.policies.sla.agreement import differences, mended
from tests.profiles import profile

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUILDER = profile("builder")


def clock(**more: Any) -> Clock:
    """A first response that is due in an hour."""
    given = {
        "record": "zendesk:7",
        "target": "First response",
        "measure": "first_reply",
        "cause": "900",
        "start_at": NOW - 3 * HOUR,
        "state": ClockState.RUNNING,
        "cell": "4bh",
        "dims": {"severity": "P2"},
        "profile_version": BUILDER.version,
        "warn_at": NOW - HOUR / 2,
        "due_at": NOW + HOUR,
    }
    return Clock(**given | more)


MET = {"state": ClockState.MET, "stopped_at": NOW - HOUR, "fulfilled_by": "reply"}
MISSED = MET | {"state": ClockState.MISSED, "missed_by": 60}
OLD = {"profile_version": "builder@old"}


@pytest.mark.parametrize(
    ("stored", "fresh", "fields"),
    [
        pytest.param({}, {}, [], id="alike"),
        pytest.param({"due_at": NOW + 9 * HOUR}, {}, ["due_at"], id="another due time"),
        pytest.param({"warned_at": NOW, "detected_at": NOW}, {}, [], id="what only the row knows"),
        pytest.param(MET | {"used": 5}, MET, ["used"], id="finished, another figure"),
        pytest.param(MET | OLD | {"used": 5}, MET, [], id="finished under another version of the profile"),
        pytest.param(MET | OLD | {"stopped_at": NOW}, MET, ["stopped_at"], id="a time that no profile can change"),
        pytest.param(OLD | {"due_at": NOW}, OLD, ["due_at"], id="running under another version"),
    ],
)
def test_differences(stored: dict[str, Any], fresh: dict[str, Any], fields: list[str]) -> None:
    """Field by field, with what is stored and what the events say."""
    found = differences([clock(**fresh)], [clock(**stored)], BUILDER)
    assert [each.field for each in found] == fields


def test_a_difference_reads_as_a_line() -> None:
    """Ticket, target, field, both values."""
    (found,) = differences([clock()], [clock(cell="2bh")], BUILDER)
    assert found.line() == "zendesk:7: First response: cell is 2bh, by its events 4bh"


def test_a_missing_row() -> None:
    """A clock that is counted and not stored is a difference, and is stored by the repair."""
    (found,) = differences([clock()], [], BUILDER)
    assert (found.field, found.stored, found.counted) == ("row", "missing", "running")
    assert [row.key for row in mended([clock()], [], BUILDER, NOW)] == [clock().key]


@pytest.mark.parametrize(
    ("stored", "fresh", "wanted"),
    [
        pytest.param({"used": 9}, {"used": 1}, {"used": 1, "warned_at": NOW}, id="its warning is over: not given"),
        pytest.param({"due_at": NOW + HOUR}, {"due_at": NOW - HOUR}, {"detected_at": NOW}, id="late: noticed"),
        pytest.param(MET, {"due_at": NOW - HOUR}, {"detected_at": NOW}, id="not met at all, and late: noticed"),
        pytest.param(MISSED, MET, MET, id="missed by mistake"),
    ],
)
def test_putting_right(stored: dict[str, Any], fresh: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The row becomes what the events say; marks that have passed count as noticed, so that nobody acts on them."""
    (row,) = mended([clock(**fresh)], [clock(**stored)], BUILDER, NOW)
    assert {name: getattr(row, name) for name in wanted} == wanted
    kept = {"warned_at": None, "detected_at": None}
    assert msgspec.structs.replace(row, **kept) == clock(**fresh)


def test_met_is_never_made_missed() -> None:
    """It is told, and the row stays."""
    assert differences([clock(**MISSED)], [clock(**MET)], BUILDER)
    assert mended([clock(**MISSED)], [clock(**MET)], BUILDER, NOW) == []


def test_what_agrees_is_not_written() -> None:
    """A row that is right is not in the repair, however late it is."""
    late = clock(due_at=NOW - HOUR)
    assert mended([late], [late], BUILDER, NOW) == []
