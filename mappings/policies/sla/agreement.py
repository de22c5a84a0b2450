"""Do stored clocks agree with the ones that the events yield? What differs, and the rows that put it right.

Nothing becomes late retroactively (design §4, "Clocks"): a clock found over its due time counts as noticed, and a met
one stays met. Rows of a finished episode that was counted under another version of the profile keep its figures.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from mappings.model import Clock, ClockState
from mappings.profile import Profile

_LIVING = (ClockState.RUNNING, ClockState.PAUSED)
_NOTICED = ("warned_at", "detected_at")
"""What only the row knows."""
_LASTING = ("measure", "start_at", "stopped_at", "fulfilled_by", "paused")
"""What an edit of the profile cannot change about a finished clock."""


class Difference(msgspec.Struct, frozen=True):
    """One field of one clock that is stored otherwise than the events say; values as text."""

    record: str
    target: str
    cause: str
    field: str
    stored: str
    counted: str

    def line(self) -> str:
        """`zendesk:7: First response: due_at is 14:00, by its events 15:00`."""
        return f"{self.record}: {self.target}: {self.field} is {self.stored}, by its events {self.counted}"


def differences(fresh: Sequence[Clock], stored: Sequence[Clock], profile: Profile) -> list[Difference]:
    """What is stored otherwise than counted, field by field; a row that is missing is a difference of `row`.

    `fresh` is what `clocks` gives: a row too much is in it, void.
    """
    rows, counted = {clock.key: clock for clock in stored}, {clock.key: clock for clock in fresh}
    found = [_told(clock, "row", "missing", clock.state.value) for key, clock in counted.items() if key not in rows]
    for key, other in counted.items():
        clock = rows.get(key)
        for field in _fields(clock, profile) if clock is not None else ():
            was, would = getattr(clock, field), getattr(other, field)
            if was != would:
                found.append(_told(other, field, _text(was), _text(would)))
    return found


def mended(fresh: Sequence[Clock], stored: Sequence[Clock], profile: Profile, now: datetime) -> list[Clock]:
    """The rows to store so that nothing differs but what may not be touched: what was met is never made missed."""
    rows = {clock.key: clock for clock in stored}
    wrong = {(told.record, told.target, told.cause) for told in differences(fresh, stored, profile)}
    return [
        _quiet(clock, now)
        for clock in fresh
        if clock.key in wrong and not (clock.state is ClockState.MISSED and _met(rows.get(clock.key)))
    ]


def _fields(clock: Clock, profile: Profile) -> Iterable[str]:
    """Which fields of a stored row have to agree."""
    if clock.profile_version != profile.version and clock.state not in _LIVING:
        return _LASTING
    return [field for field in Clock.__struct_fields__ if field not in _NOTICED]


def _met(clock: Clock | None) -> bool:
    return clock is not None and clock.state is ClockState.MET


def _quiet(clock: Clock, now: datetime) -> Clock:
    """A clock put right, whose marks in the past count as noticed."""
    if clock.state is not ClockState.RUNNING:
        return clock
    late = clock.due_at is not None and clock.due_at <= now
    near = late or (clock.warn_at is not None and clock.warn_at <= now)
    return msgspec.structs.replace(
        clock,
        warned_at=clock.warned_at or (now if near else None),
        detected_at=clock.detected_at or (now if late else None),
    )


def _told(clock: Clock, field: str, stored: str, counted: str) -> Difference:
    return Difference(clock.record, clock.target, clock.cause, field, stored, counted)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
