"""The lease: of all runs, whoever started them, one at a time decides and delivers (design §3).

It rests on the store and not on a limit of Prefect's: a run that stays pending would hold such a limit for ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.store import StaleLease
from flows.context import Context
from flows.report import Pulse

LEASE = "pulse"
LEASE_SECONDS = 300
"""How long a run may go without a sign of life before another one takes over."""


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
    try:
        yield True
    except StaleLease as stale:
        found.skipped = f"Another run took over: {stale}"
    finally:
        ctx.store.release(LEASE, ctx.fence)
        ctx.fence = None


def keep(ctx: Context) -> None:
    """Give a sign of life, between steps. Whoever lost the lease is told by the next write that matters."""
    if ctx.fence is not None:
        ctx.store.renew(LEASE, ctx.fence, LEASE_SECONDS)
