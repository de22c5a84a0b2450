"""Figures of time: the unit names the clock that counts it (`4h` on the wall, `4bh` while open, `1bd` by open days)."""

import re
from enum import StrEnum
from functools import lru_cache

import msgspec


class Unit(StrEnum):
    """What a figure is counted in."""

    WALL = "wall"
    """Seconds on the wall clock: `15m`, `4h`, `7d`."""
    OPEN = "open"
    """Seconds while the serving calendar is open: `4bh`."""
    DAYS = "days"
    """Business days: the same local time on the n-th next open day: `1bd`."""
    IMMEDIATE = "immediate"
    """Due at once; late after the profile's grace."""
    NEVER = "never"
    """Best effort: never due, still measured."""
    SPRINT = "sprint"
    """Due at the end of the sprint after the current one."""


class Figure(msgspec.Struct, frozen=True):
    """One figure: seconds for `WALL` and `OPEN`, days for `DAYS`, 0 for the others."""

    unit: Unit
    amount: int = 0


class Budget(msgspec.Struct, frozen=True):
    """A cell of a target's table. A range `2h..4h` warns at the first figure and is late at the second.

    `text` is the cell as written; `parse_budget(text)` gives the same budget back.
    """

    late: Figure
    text: str
    warn: Figure | None = None

    def say(self) -> str:
        """The figure in words, for customers and colleagues: `4 business hours`, `2 to 4 hours`, `best effort`."""
        if self.text in _WORDS:
            return _SAID[self.late.unit]
        low, _, high = self.text.partition("..")
        if not high:
            return _say(low)
        first, second = _say(low).split(" ", 1), _say(high).split(" ", 1)
        same = first[1].rstrip("s") == second[1].rstrip("s")
        return f"{first[0]} to {_say(high)}" if same else f"{_say(low)} to {_say(high)}"


_WORDS = {"immediate": Unit.IMMEDIATE, "best effort": Unit.NEVER, "next sprint": Unit.SPRINT}
_SAID = {Unit.IMMEDIATE: "at once", Unit.NEVER: "best effort", Unit.SPRINT: "by the end of the next sprint"}
_UNITS = {
    "m": (Unit.WALL, 60, "minute"),
    "h": (Unit.WALL, 3600, "hour"),
    "d": (Unit.WALL, 86400, "day"),
    "bh": (Unit.OPEN, 3600, "business hour"),
    "bd": (Unit.DAYS, 1, "business day"),
}
_FIGURE = re.compile(r"(\d+)(m|h|d|bh|bd)")
_SPAN = re.compile(r"(\d+)(m|h|d|y)")
_SPAN_SECONDS = {"m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}

_LONGEST = 10 * 365 * 86400

BUDGET_PATTERN = r"^(\d+(m|h|d|bh|bd)(\.\.\d+(m|h|d|bh|bd))?|immediate|best effort|next sprint)$"
SPAN_PATTERN = r"^\d+(m|h|d|y)$"
BUDGET_FIX = (
    "write for example 15m, 4h, 7d, 4bh (business hours), 1bd (business days), 2h..4h, immediate or best effort"
)
SPAN_FIX = "write for example 15m, 4h, 14d or 7y"


class DurationError(ValueError):
    """A text that is no figure; its message says what is wrong, `fix` what to write."""

    def __init__(self, problem: str, fix: str = BUDGET_FIX) -> None:
        super().__init__(problem)
        self.fix = fix


def parse_figure(text: str) -> Figure:
    """`4bh` → 14,400 open seconds. Raises `DurationError`."""
    if text in _WORDS:
        return Figure(_WORDS[text])
    match = _FIGURE.fullmatch(text)
    if match is None:
        raise DurationError(f"{text!r} is no duration")
    unit, size, _ = _UNITS[match[2]]
    amount = int(match[1]) * size
    if amount == 0:
        raise DurationError(f"{text!r} is no time at all", "write immediate, or leave the line out")
    if amount * (86400 if unit is Unit.DAYS else 1) > _LONGEST:
        raise DurationError(f"{text!r} is more than ten years", "write best effort where there is no limit")
    return Figure(unit, amount)


@lru_cache(maxsize=4096)
def parse_budget(text: str) -> Budget:
    """A cell: one figure, a range or a word. Raises `DurationError`."""
    low, dots, high = text.partition("..")
    if not dots:
        return Budget(parse_figure(text), text)
    warn, late = parse_figure(low), parse_figure(high)
    if low in _WORDS or high in _WORDS:
        raise DurationError(f"{text!r}: a range has a figure at both ends")
    if warn.unit is not late.unit:
        raise DurationError(f"{text!r}: the two figures count in different units", "write both in h, in bh or in bd")
    if warn.amount >= late.amount:
        raise DurationError(f"{text!r}: the first figure warns, the second is late", f"write {high}..{low}")
    return Budget(late, text, warn)


def parse_span(text: str) -> int:
    """A plain length of time, in wall seconds: `30m`, `14d`, `7y` (of 365 days). Raises `DurationError`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise DurationError(f"{text!r} is no length of time", SPAN_FIX)
    seconds = int(match[1]) * _SPAN_SECONDS[match[2]]
    if seconds > 10 * _LONGEST:
        raise DurationError(f"{text!r} is more than a hundred years", SPAN_FIX)
    return seconds


def say_span(seconds: int) -> str:
    """A length of time in words, in the largest unit that it is whole in: `7 days`, `36 hours`."""
    sizes = [(size, name) for unit, size, name in _UNITS.values() if unit is Unit.WALL]
    size, name = max(((size, name) for size, name in sizes if seconds % size == 0), default=(1, "second"))
    count = seconds // size
    return f"{count} {name}{'' if count == 1 else 's'}"


def _say(figure: str) -> str:
    match = _FIGURE.fullmatch(figure)
    assert match is not None, figure
    count = int(match[1])
    return f"{count} {_UNITS[match[2]][2]}{'' if count == 1 else 's'}"
