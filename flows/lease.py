"""The lease: of all runs, whoever started them, one at a time decides and delivers (design §3).

It rests on the store and not on a limit of Prefect's: a run that stays pending would hold such a limit for ever.

A holder renews it from a thread while its steps take their time, so that a slow call does not lose it, and a process
that was killed loses it within a minute. A step that shows no life for `PATIENCE` seconds (no `keep`, no call to a
tool) is given up: the thread stops, and another run takes over. Whoever sleeps through a take-over is stopped by the
fence: it writes nothing any more, neither decisions nor what became of its rows.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.store import StaleLease
from flows.context import Context, log
from flows.report import Pulse

LEASE = "pulse"
LEASE_SECONDS = 60
"""How long after a holder's end another run takes over."""
RENEW_SECONDS = 15.0
"""How often a holder renews: three times may fail before it is lost."""
PATIENCE = 300.0
"""How long a step may show no life."""


class Keeper:
    """Renews one lease from a thread, for as long as its holder lives. `clock` is real seconds."""

    def __init__(self, ctx: Context, fence: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ctx, self._fence, self._clock = ctx, fence, clock
        self._calls = self._made()
        self._life = clock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a renewal that is under way is waited for."""
        self._over.set()
        self._thread.join()

    def alive(self) -> None:
        """Note a sign of life."""
        self._life = self._clock()

    def renew(self) -> bool:
        """Renew once; False where there is no sense in going on: overtaken, or no sign of life for too long."""
        if (made := self._made()) != self._calls:
            self._calls = made
            self.alive()
        if self._clock() - self._life >= PATIENCE:
            log.error("the run shows no life for %.0f s: its lease is given up", PATIENCE)
            return False
        return self._ctx.store.renew(LEASE, self._fence, LEASE_SECONDS)

    def _made(self) -> int:
        """Calls to tools so far: each is a sign of life."""
        return sum(tool.policy.calls for tool in (self._ctx.zendesk, self._ctx.pagerduty) if tool is not None)

    def _run(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                if not self.renew():
                    return
            except Exception as error:  # the store is away: the next try is soon, and the fence guards what is written
                log.warning("the lease could not be renewed: %s", error)


@contextmanager
def leased(ctx: Context, found: Pulse) -> Iterator[bool]:
    """Hold the lease for a block. False where another run holds it; `found.skipped` says so, and so it does where
    another run took over on the way. A plan writes nothing and needs no lease.
    """
    if ctx.plan_only:
        yield True
        return
    ctx.fence = ctx.store.lease(LEASE, ctx.owner, LEASE_SECONDS)
    if ctx.fence is None:
        found.skipped = "Another run is at work; nothing was done."
        yield False
        return
    keeper = Keeper(ctx, ctx.fence)
    ctx.alive = keeper.alive
    keeper.start()
    try:
        yield True
    except StaleLease as stale:
        found.skipped = f"Another run took over: {stale}"
    finally:
        keeper.stop()
        ctx.store.release(LEASE, ctx.fence)
        ctx.fence = None


def keep(ctx: Context) -> None:
    """Give a sign of life, between steps. Whoever lost the lease is told by the next write that matters."""
    ctx.alive()
