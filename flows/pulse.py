"""The minute: sync → decide → apply → deliver, one run at a time (design §3).

`beat` is the plain function; `pulse` takes the same steps as one async Prefect flow with a handful of tasks. What must
not be lost is in our store; Prefect is the scheduler and the console.
"""

import asyncio
from collections.abc import Callable

from prefect import flow

from flows import abuse, delivery, heartbeat, paging, restore, rules, sla, sync, triage
from flows.cases import Decided
from flows.context import Context
from flows.lease import keep, leased
from flows.report import Delivered, Pulse, decided_lines, read_lines
from flows.runs import Apply, run, run_name, step
from flows.sources import down, news

DECIDERS: dict[str, Callable[[Context], Decided]] = {
    "triage": triage.decide,
    "sla": sla.decide,
    "rules": rules.decide,
    "paging": paging.decide,
    "abuse": abuse.decide,
}


def beat(ctx: Context) -> Pulse:
    """One pulse as a plain function, for the command line and tests."""
    found = Pulse(at=ctx.now())
    with leased(ctx, found) as ours:
        if ours:
            before = down(ctx)
            found.synced = sync.all_tools(ctx)
            found.news = news(before, down(ctx))
            if restore.looked(ctx, found):
                found.decided = decide(ctx)
                found.delivered = deliver(ctx)
            restore.finished(ctx)
            heartbeat.send(ctx)
    return found


def decide(ctx: Context) -> list[Decided]:
    """All policies, one after another."""
    return [_alive(ctx, policy) for policy in DECIDERS.values()]


def _alive(ctx: Context, policy: Callable[[Context], Decided]) -> Decided:
    keep(ctx)
    return policy(ctx)


def deliver(ctx: Context) -> Delivered:
    """Empty the outbox; a plan delivers nothing."""
    if ctx.plan_only:
        return Delivered()
    keep(ctx)
    return delivery.deliver(ctx)


@flow(name="pulse", flow_run_name=run_name, persist_result=False)
async def pulse(mode: Apply = Apply.APPLY) -> str:
    """Watch every clock: read what changed, warn and escalate what is late, page, and deliver it.

    Runs every minute. Running it by hand at any time is harmless: a second run changes nothing.

    Args:
        mode: "apply" does what was decided. "plan only" decides and shows it, and changes nothing anywhere.
    """
    return await run(mode, _steps)


async def _steps(ctx: Context, found: Pulse) -> None:
    """`beat` in tasks: tools side by side, policies one after another."""
    before = down(ctx)
    read = await asyncio.gather(*(step(f"read {tool}", ctx, work, read_lines) for tool, work in sync.TOOLS.items()))
    found.synced = {source: said for tool in read for source, said in tool.items()}
    found.news = news(before, down(ctx))
    if await asyncio.to_thread(restore.looked, ctx, found):
        for policy, work in DECIDERS.items():
            keep(ctx)
            found.decided.append(await step(f"decide {policy}", ctx, work, decided_lines))
        found.delivered = await step("deliver", ctx, deliver)
    await asyncio.to_thread(restore.finished, ctx)
    await asyncio.to_thread(heartbeat.send, ctx)


def run_now(mode: Apply = Apply.APPLY) -> str:
    """One pulse through Prefect from a plain program: a flow run that the server records."""
    return asyncio.run(pulse(mode))
