"""The minute: sync → decide → apply → deliver, one pulse at a time (design §3).

`beat` is the plain function; `pulse` wraps it as one async Prefect flow with a handful of tasks. What must not be lost
is in our store; Prefect is the scheduler and the console. A lease with a fence lets one pulse decide and deliver at a
time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run

from connectors.store import StaleLease
from flows import delivery, paging, rules, sla, sync
from flows.cases import Decided
from flows.context import Context, log, open_context
from flows.report import Delivered, Pulse, pulse_page

LEASE = "pulse"
LEASE_SECONDS = 300
"""How long a pulse may go without a sign of life before another one takes over."""

T = TypeVar("T")
DECIDERS: tuple[Callable[[Context], Decided], ...] = (sla.decide, rules.decide, paging.decide)


class Apply(StrEnum):
    """What a run does with its decisions."""

    APPLY = "apply"
    PLAN = "plan only"


def beat(ctx: Context) -> Pulse:
    """One pulse as a plain function, for the command line and tests."""
    found = Pulse(at=ctx.now())
    if not hold(ctx):
        found.skipped = "Another pulse is at work; nothing was done."
        return found
    try:
        found.synced = sync.all_tools(ctx)
        found.decided = decide(ctx)
        found.delivered = deliver(ctx)
    except StaleLease as stale:
        found.skipped = f"Another pulse took over: {stale}"
    finally:
        let_go(ctx)
    return found


def hold(ctx: Context) -> bool:
    """Take the lease; a plan writes nothing and needs none."""
    if ctx.plan_only:
        return True
    ctx.fence = ctx.store.lease(LEASE, ctx.owner, LEASE_SECONDS)
    return ctx.fence is not None


def let_go(ctx: Context) -> None:
    """Give the lease back."""
    if ctx.fence is not None:
        ctx.store.release(LEASE, ctx.fence)
        ctx.fence = None


def decide(ctx: Context) -> list[Decided]:
    """All policies, one after another."""
    return [policy(ctx) for policy in DECIDERS]


def deliver(ctx: Context) -> Delivered:
    """Empty the outbox; a plan delivers nothing."""
    if ctx.plan_only:
        return Delivered()
    if ctx.fence is not None:
        ctx.store.renew(LEASE, ctx.fence, LEASE_SECONDS)
    return delivery.deliver(ctx)


def _run_name() -> str:
    return f"{datetime.now(UTC):%H:%M} pulse ({flow_run.parameters.get('mode', Apply.APPLY)})"


def _task(name: str, ctx: Context, work: Callable[[Context], T]) -> Callable[[], Awaitable[T]]:
    """A step of the pulse as a Prefect task, so that the run page shows how long it took."""

    @task(name=name, task_run_name=name, persist_result=False)
    async def step() -> T:
        return await asyncio.to_thread(work, ctx)

    return step


@flow(name="pulse", flow_run_name=_run_name, validate_parameters=True, persist_result=False)
async def pulse(mode: Apply = Apply.APPLY) -> str:
    """Watch every clock: read what changed, warn and escalate what is late, page, and deliver it.

    Runs every minute. Running it by hand at any time is harmless: a second run changes nothing.

    Args:
        mode: "apply" does what was decided; "plan only" decides and shows it, and changes nothing anywhere.
    """
    with open_context(plan_only=mode is Apply.PLAN) as ctx:
        found = Pulse(at=ctx.now())
        if not hold(ctx):
            found.skipped = "Another pulse is at work; nothing was done."
        else:
            try:
                await _steps(ctx, found)
            except StaleLease as stale:
                found.skipped = f"Another pulse took over: {stale}"
            finally:
                let_go(ctx)
        if worth_telling(ctx, found):
            await acreate_markdown_artifact(key="pulse", markdown=pulse_page(ctx, found), description=found.sentence())
    log.info("pulse: %s", found.sentence())
    return found.sentence()


async def _steps(ctx: Context, found: Pulse) -> None:
    await asyncio.to_thread(sync.open_account, ctx)
    tools = await asyncio.gather(*(_task(f"sync {name}", ctx, work)() for name, work in sync.TOOLS.items()))
    found.synced = {name: said for told in tools for name, said in told.items()}
    found.decided = await _task("decide", ctx, decide)()
    found.delivered = await _task("deliver", ctx, deliver)()


def worth_telling(ctx: Context, found: Pulse) -> bool:
    """An artifact when something was decided or delivered, plus one an hour."""
    return bool(found.actions or found.delivered.done or found.delivered.problems or found.at.minute == 0)


def run_now(mode: Apply = Apply.APPLY) -> str:
    """One pulse through Prefect from a plain program: a flow run that the server records."""
    return asyncio.run(pulse(mode))
