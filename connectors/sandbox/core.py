"""What all simulated tools share: time, chance, scheduled work, the journal, faults, switches and addresses."""

import asyncio
import heapq
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import count
from typing import Any

from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from connectors.sandbox.journal import Journal
from connectors.sandbox.recorder import Recorder
from connectors.sandbox.webhooks import Courier


@dataclass
class Switches:
    """Behaviour that vendors leave open or that accounts differ in; each can be turned while the sandbox runs."""

    # Zendesk (vendor-facts §1)
    bulk_keeps_metadata: bool = True  # whether update_many keeps `metadata` is not confirmed (§1.8): both must work
    job_seconds: float = 2.0  # jobs take 0.5 to 5 s (§9.6)
    search_lag: float = 60.0  # search shows a change "a few minutes" later (§1.5)
    export_hold: float = 60.0  # incremental exports hide the newest minute (§1.6)
    triggers: bool = True  # the account's own triggers run, and can race us
    # PagerDuty (§4)
    event_delay: float = 2.0  # seconds between a 202 and the incident's appearance (§9.6: an assumption)
    unknown_key_accepted: bool = True  # the answer to an unknown but well-formed routing key: 202, or 400 (memory)
    repeat_status_reopens: bool = False  # PUT `acknowledged` on a resolved incident: reopens it, or error 1001 (§4.8)
    missing_abilities: tuple[str, ...] = ()  # abilities whose endpoints answer 402, code 2014 (§9.2 row 17)
    # Slack (§6)
    slack_keeps_metadata: bool = True  # whether a message is read back with its metadata is from memory
    # Webhooks of every tool (§0.5): late, twice, out of order, never
    webhook_delay: float = 0.0  # simulated seconds before the first attempt
    webhook_jitter: float = 0.0  # further seconds, by chance: deliveries overtake each other, outside their lane
    webhook_double: float = 0.0  # chance that a delivery is made twice
    webhook_lose: float = 0.0  # chance that a delivery is never made
    # Request budgets
    rate_limits: bool = True  # off for load that is not about budgets

    def turn(self, changes: dict[str, Any]) -> None:
        """Set switches by name; ValueError names the ones that do not exist or have another type, and sets none."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        wrong = [f"{name}: no such switch; known are {', '.join(known)}" for name in changes if name not in known]
        values = {name: _like(known[name], value) for name, value in changes.items() if name in known}
        wrong += [f"{name}: needs a {type(known[name]).__name__}" for name, value in values.items() if value is None]
        if wrong:
            raise ValueError("; ".join(wrong))
        for name, value in values.items():
            setattr(self, name, value)


def _like(model: object, value: object) -> object | None:
    if isinstance(model, bool):
        return value if isinstance(value, bool) else None
    if isinstance(model, float):
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(model, tuple):
        return tuple(value) if isinstance(value, list | tuple) else None
    return None


class Core:
    """One world's shared parts. Hold `lock` while touching a tool's state from outside its requests."""

    def __init__(self, clock: Clock, *, seed: int = 1, recorder: Recorder | None = None) -> None:
        self.clock = clock
        self.seed = seed
        self.random = random.Random(seed)
        self.lock = threading.RLock()
        self.journal = Journal()
        self.faults = Faults()
        self.recorder = recorder or Recorder()
        self.switches = Switches()
        self.urls: dict[str, str] = {}
        self.courier = Courier(self)
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        """How a slow answer waits: really, unless somebody lets simulated time pass instead."""
        self._work: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, when: datetime, do: Callable[[], None]) -> None:
        """Do something once simulated time reaches `when` (at the next settling, where that has passed)."""
        heapq.heappush(self._work, (when, next(self._order), do))

    def settle(self) -> None:
        """Do all scheduled work that is due, in order; meanwhile the clock shows the time each piece was due."""
        with self.lock:
            while self._work and self._work[0][0] <= (now := self.clock.now()):
                when, _, do = heapq.heappop(self._work)
                with self.clock.held(min(when, now)):
                    do()

    def next_due(self) -> datetime | None:
        """When the next scheduled work is due, or null where nothing is planned."""
        with self.lock:
            return self._work[0][0] if self._work else None

    def advance(self, seconds: float) -> datetime:
        """Move the clock, do what became due and wait until its webhooks are delivered; says the new time."""
        return self._move(lambda: self.clock.advance(seconds))

    def set_time(self, to: datetime) -> datetime:
        """As `advance`, to a given time."""
        return self._move(lambda: self.clock.set(to))

    def _move(self, move: Callable[[], datetime]) -> datetime:
        with self.lock:
            now = move()
            self.settle()
        self.courier.drain()
        return now
