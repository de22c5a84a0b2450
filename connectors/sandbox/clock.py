"""Simulated time: one clock that all tools of the sandbox share and that tests and people can move."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time with offset (or `Z`) into aware UTC; ValueError for a time without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write for example 2026-03-03T15:00:00Z")
    return at.astimezone(UTC)


def iso(at: datetime) -> str:
    """Write a time as the tools do: UTC, whole seconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """Simulated time: a base plus an offset.

    `ticking=True` also advances with real time (the command line); False stands still between moves (tests, stories).
    """

    def __init__(self, start: datetime, *, ticking: bool = False) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock needs an aware time")
        self._base = start.astimezone(UTC)
        self._ticking = ticking
        self._since = time.monotonic()
        self._held: datetime | None = None

    @property
    def ticking(self) -> bool:
        """Whether real time moves this clock too."""
        return self._ticking

    def now(self) -> datetime:
        """Simulated time in UTC, in whole seconds."""
        return (self._held or self._reading()).replace(microsecond=0)

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` and say what time it is then; ValueError for a negative number."""
        return self.set(self._reading() + timedelta(seconds=seconds))

    def set(self, to: datetime) -> datetime:
        """Move forward to an aware time; ValueError for one that lies in the past, as tools never see time run back."""
        now = self._reading()
        if to < now.replace(microsecond=0):
            raise ValueError(f"the clock shows {iso(now)} and never goes back (asked for {iso(to)})")
        self._base, self._since = max(to.astimezone(UTC), now), time.monotonic()
        return self.now()

    def tick(self, on: bool) -> datetime:
        """Let real time move this clock from here on, or not; says what time it is."""
        self._base, self._since, self._ticking = self._reading(), time.monotonic(), on
        return self.now()

    @contextmanager
    def held(self, at: datetime) -> Iterator[None]:
        """Show `at` for the length of a block: work that was due earlier is stamped with the time it was due."""
        before, self._held = self._held, at
        try:
            yield
        finally:
            self._held = before

    def _reading(self) -> datetime:
        if not self._ticking:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._since)
