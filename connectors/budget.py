"""Request budgets: how many calls a tool still takes, as it told last, and who of us may use them.

Tools count in windows (Zendesk a minute, PagerDuty a minute) and say what is left on every answer. Each lane keeps
clear of the share that is reserved for the lanes above it, so that a page can go out while a first load is running
(design §4, "Lanes").
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from mappings.plan import Lane

READING = "reading"
"""The lane below all of mappings.plan.Lane: what is not a write."""

RESERVED: Mapping[str, float] = {
    Lane.PAGE: 0.0,
    Lane.CUSTOMER: 0.05,
    Lane.ESCALATION: 0.10,
    Lane.UPKEEP: 0.20,
    READING: 0.25,
}
"""Share of a window that a lane leaves to those above it."""

ACCOUNT = "account"
_WINDOW = 60.0
_OWN = re.compile(r"^zendesk-rate-?limit-(?P<name>[a-z0-9-]+)$")
_PARTS = re.compile(r"(total|remaining|resets)=(\d+)")


class Window(msgspec.Struct):
    """One limit as the tool told it last: `left` calls until `resets_at` (seconds of our clock)."""

    limit: int
    left: int
    resets_at: float


class Use(msgspec.Struct):
    """What was used of one limit: answers that told of it, its size, and the fewest calls that were left."""

    calls: int
    limit: int
    least: int


class Budget:
    """One tool's limits. `clock` gives seconds; only differences count.

    Only the account's window is shared out between lanes; an endpoint's own window is used by one of them.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self.used: dict[str, Use] = {}
        """Consumption by limit, since the beginning."""

    def report(self) -> list[str]:
        """Consumption in lines: `account: 23 calls, at least 677 of 700 left`."""
        return [
            f"{name}: {use.calls} {'call' if use.calls == 1 else 'calls'}, at least {use.least} of {use.limit} left"
            for name, use in sorted(self.used.items())
        ]

    def now(self) -> float:
        """Seconds of the clock that the windows are timed by."""
        return self._clock()

    def window(self, name: str = ACCOUNT) -> Window | None:
        """What is known of a limit; null before the tool told anything."""
        return self._windows.get(name)

    def wait(self, lane: str, *, own: str | None = None) -> float:
        """Seconds until a lane may make a call; `own` names the limit that its endpoint has besides."""
        share = RESERVED.get(lane, RESERVED[READING])
        return max(self._until(ACCOUNT, share), self._until(own, 0.0))

    def _until(self, name: str | None, share: float) -> float:
        window = self._windows.get(name) if name else None
        if window is None or window.left > share * window.limit:
            return 0.0
        return max(0.0, window.resets_at - self._clock())

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer's headers tell. Names differ by edge: `rate-limit` and `ratelimit` (§1.3)."""
        told = {name.lower(): value for name, value in headers.items()}
        limit = _number(told, "ratelimit-limit", "rate-limit-limit", "x-rate-limit")
        left = _number(told, "ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining")
        resets = _number(told, "ratelimit-reset", "rate-limit-reset")
        if limit is not None and left is not None:
            self._set(ACCOUNT, limit, left, resets)
        for name, value in told.items():
            if found := _OWN.match(name):
                parts = {key: int(number) for key, number in _PARTS.findall(value)}
                if "total" in parts and "remaining" in parts:
                    self._set(found["name"], parts["total"], parts["remaining"], parts.get("resets"))

    def _set(self, name: str, limit: int, left: int, resets: int | None) -> None:
        use = self.used.setdefault(name, Use(0, limit, left))
        use.calls, use.limit, use.least = use.calls + 1, limit, min(use.least, left)
        self._windows[name] = Window(limit, left, self._clock() + (_WINDOW if resets is None else resets))


def _number(told: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        value = told.get(name, "")
        if value.isdigit():
            return int(value)
    return None
