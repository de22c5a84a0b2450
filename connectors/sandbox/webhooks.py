"""Delivers signed webhooks from every tool: late, twice, out of order or never, where a switch says so."""

import queue
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from connectors.sandbox.core import Core


@dataclass(frozen=True)
class Parcel:
    """One attempt to deliver one webhook: where to, the raw body and its headers.

    `lane` keeps order: parcels of one lane are attempted one at a time, the next only after the tool said `forget` or
    the parcel arrived. None means that the tool promises no order. `attempt` counts from 1.
    """

    vendor: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    at: datetime
    lane: str | None = None
    attempt: int = 1
    twin: bool = False


@dataclass(frozen=True)
class Receipt:
    """What came of an attempt: the receiver's status and headers, or null where there was no answer in time."""

    status: int | None
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether the receiver took the parcel (2xx)."""
        return self.status is not None and 200 <= self.status < 300


Verdict = float | None
"""What a tool makes of a failed attempt: seconds of simulated time until the next one, or null to drop the parcel."""


class Courier:
    """Carries parcels in a thread of its own, so that a receiver may call the tools back at once.

    Each tool passes a `judge`: called under the core's lock with a parcel and its receipt (also a good one), it keeps
    the tool's own books (breakers, strikes) and says when to try again. `timeout` is in real seconds.
    """

    def __init__(self, core: "Core", *, timeout: float = 5.0) -> None:
        self._core = core
        self._timeout = timeout
        self._queue: queue.Queue[tuple[Parcel, Callable[[Parcel, Receipt], Verdict]] | None] = queue.Queue()
        self._lanes: dict[str, list[tuple[Parcel, Callable[[Parcel, Receipt], Verdict]]]] = {}
        self._thread: threading.Thread | None = None
        self.sent: list[tuple[Parcel, Receipt]] = []
        """Every attempt made, for tests and the console."""

    def post(self, parcel: Parcel, judge: Callable[[Parcel, Receipt], Verdict]) -> None:
        """Accept a parcel. The switches decide now whether it is lost, doubled, or delayed."""
        switches, chance = self._core.switches, self._core.random
        if chance.random() < switches.webhook_lose:
            return
        twins = 2 if chance.random() < switches.webhook_double else 1
        for number in range(twins):
            late = switches.webhook_delay + chance.random() * switches.webhook_jitter
            at = parcel.at + timedelta(seconds=late)
            self._line_up(replace(parcel, at=at, twin=number > 0), judge)

    def forget(self, lane_prefix: str) -> None:
        """Drop all that waits in lanes whose name begins so (a tool that disables a subscription)."""
        for lane, waiting in self._lanes.items():
            if lane.startswith(lane_prefix):
                del waiting[1:]

    def _line_up(self, parcel: Parcel, judge: Callable[[Parcel, Receipt], Verdict]) -> None:
        if parcel.lane is None:
            self._plan(parcel, judge)
            return
        waiting = self._lanes.setdefault(parcel.lane, [])
        waiting.append((parcel, judge))
        if len(waiting) == 1:
            self._plan(parcel, judge)

    def _plan(self, parcel: Parcel, judge: Callable[[Parcel, Receipt], Verdict]) -> None:
        self._core.at(parcel.at, lambda: self._hand_over(parcel, judge))

    def _hand_over(self, parcel: Parcel, judge: Callable[[Parcel, Receipt], Verdict]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._carry, name="sandbox-courier", daemon=True)
            self._thread.start()
        self._queue.put((parcel, judge))

    def _carry(self) -> None:
        with httpx.Client(timeout=self._timeout, trust_env=False) as client:
            while (job := self._queue.get()) is not None:
                try:
                    self._deliver(client, *job)
                except Exception:  # one broken delivery must not silence all that follow
                    traceback.print_exc()
                finally:
                    self._queue.task_done()
            self._queue.task_done()

    def _deliver(self, client: httpx.Client, parcel: Parcel, judge: Callable[[Parcel, Receipt], Verdict]) -> None:
        receipt = _attempt(client, parcel)
        with self._core.lock, self._core.clock.held(parcel.at):
            self.sent.append((parcel, receipt))
            self._close(parcel, judge, judge(parcel, receipt))
        self._core.settle()  # before this task counts as done, so that `drain` also waits for what follows from it

    def _close(self, parcel: Parcel, judge: Callable[[Parcel, Receipt], Verdict], verdict: Verdict) -> None:
        if verdict is not None:
            again = replace(parcel, at=parcel.at + timedelta(seconds=verdict), attempt=parcel.attempt + 1)
            if parcel.lane is not None and self._lanes.get(parcel.lane):
                self._lanes[parcel.lane][0] = (again, judge)
            self._plan(again, judge)
            return
        if parcel.lane is None:
            return
        waiting = self._lanes[parcel.lane]
        waiting.pop(0)
        if not waiting:
            del self._lanes[parcel.lane]
            return
        following, its_judge = waiting[0]
        self._plan(replace(following, at=max(following.at, parcel.at)), its_judge)

    def drain(self) -> None:
        """Wait until every parcel that is due has been attempted. Never call this while holding the core's lock."""
        self._core.settle()
        self._queue.join()

    def stop(self) -> None:
        """End the thread after the parcels it already has."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=10)
            self._thread = None


def _attempt(client: httpx.Client, parcel: Parcel) -> Receipt:
    try:
        answer = client.post(parcel.url, content=parcel.body, headers=dict(parcel.headers))
    except httpx.HTTPError:
        return Receipt(None, {})
    return Receipt(answer.status_code, dict(answer.headers))
