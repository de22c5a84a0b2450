"""Request budgets as vendors count them: fixed windows and sliding ones, on simulated time."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Taken:
    """What a budget answered: `reset` is the number of whole seconds until calls are free again, at least 1."""

    allowed: bool
    limit: int
    remaining: int
    reset: int


class FixedWindow:
    """`limit` calls in each window of `seconds`, counted from full multiples of the window."""

    def __init__(self, limit: int, seconds: int = 60) -> None:
        self.limit, self.seconds = limit, seconds
        self._used: dict[str, tuple[int, int]] = {}

    def take(self, key: str, now: datetime, cost: int = 1) -> Taken:
        """Take `cost` calls for `key`; a refused call costs nothing."""
        window, into = divmod(int(now.timestamp()), self.seconds)
        seen, used = self._used.get(key, (window, 0))
        used = used if seen == window else 0
        allowed = used + cost <= self.limit
        used += cost if allowed else 0
        self._used[key] = (window, used)
        return Taken(allowed, self.limit, self.limit - used, self.seconds - into)


class SlidingWindow:
    """`limit` calls in any `seconds` that end now."""

    def __init__(self, limit: int, seconds: int = 60) -> None:
        self.limit, self.seconds = limit, seconds
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str, now: datetime, cost: int = 1) -> Taken:
        """Take `cost` calls for `key`; a refused call costs nothing."""
        times, at = self._times[key], now.timestamp()
        while times and times[0] <= at - self.seconds:
            times.popleft()
        allowed = len(times) + cost <= self.limit
        if allowed:
            times.extend([at] * cost)
        reset = math.ceil(times[0] + self.seconds - at) if times else self.seconds
        return Taken(allowed, self.limit, self.limit - len(times), max(1, reset))
