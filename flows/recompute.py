"""The nightly check of the clocks: counted again from their tickets' events, and held against the rows as stored.

Rows are a cache of the past (ARCHITECTURE, "One replay"), so both must agree. What does not is told, ticket by ticket
and field by field, and the row is put right. Nothing becomes late by it: a clock that is found to be over its due time
is marked as noticed and acted on by nobody, and what was met stays met.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows.account import know_account
from flows.cases import Case, Decided, cases
from flows.context import Context, log
from flows.journal import store_decision
from flows.lease import leased
from flows.report import LOGGED, SHOWN, Pulse, record_link
from flows.runs import Apply, run, run_name, step
from mappings.model import DONE, Clock
from mappings.policies.sla.agreement import Difference, differences, mended
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import POLICY

CHUNK = 500
"""Tickets that are in memory at once."""
LATELY = timedelta(days=2)
"""Finished tickets are looked at for so long; after that nothing writes their rows any more."""
TRIES = 30
"""Seconds, one a try, that a repair waits for the pulse that is at work."""


class Recomputed(msgspec.Struct):
    """What the check came to. `shown` are the first differences, `mended` counts the tickets put right."""

    tickets: int = 0
    clocks: int = 0
    differing: int = 0
    mended: int = 0
    shown: list[Difference] = []

    def sentence(self) -> str:
        """`checked 1,200 clocks of 600 tickets: all agree`."""
        came_to = f"{self.differing:,} differ, {self.mended:,} tickets put right" if self.differing else "all agree"
        return f"checked {self.clocks:,} clocks of {self.tickets:,} tickets: {came_to}"

    def lines(self) -> Iterator[str]:
        """The sentence, and the first differences."""
        yield self.sentence()
        yield from (found.line() for found in self.shown[:LOGGED])


def check(ctx: Context, *, everything: bool = False, wait: Callable[[float], None] = time.sleep) -> Recomputed:
    """Check the clocks of all open tickets and of those that changed lately; `everything`: of all there ever were.

    A plan only tells. No lease is held but for a repair, so that the minutes go on meanwhile.
    """
    know_account(ctx)
    found = Recomputed()
    since = None if everything else ctx.now() - LATELY
    last = 0
    while ids := ctx.store.decided_tickets(POLICY, after=last, limit=CHUNK, since=since):
        last, wrong = ids[-1], []
        for case in cases(ctx, ids):
            told = _differences(ctx, case)
            found.tickets, found.clocks = found.tickets + 1, found.clocks + len(case.stored)
            if told:
                wrong.append(case.life.history.ticket.id)
                found.differing += len({(each.target, each.cause) for each in told})
                found.shown += told[: SHOWN - len(found.shown)]
        if wrong and not ctx.plan_only:
            found.mended += _mend(ctx, wrong, wait)
    return found


def _fresh(ctx: Context, case: Case) -> list[Clock]:
    return clocks(case.life, ctx.profile, stored=case.stored)


def _differences(ctx: Context, case: Case) -> list[Difference]:
    return differences(_fresh(ctx, case), case.stored, ctx.profile)


def _mend(ctx: Context, ids: Sequence[int], wait: Callable[[float], None]) -> int:
    """Put the rows of these tickets right while nobody decides; how many were. A pulse may have come: it looks anew."""
    for _ in range(TRIES):
        with leased(ctx, Pulse(at=ctx.now())) as ours:
            if ours:
                return _put_right(ctx, ids)
        wait(1.0)
    log.warning("recompute: %d tickets wait for the next night: other runs were at work", len(ids))
    return 0


def _put_right(ctx: Context, ids: Sequence[int]) -> int:
    still = set(ctx.store.decided_tickets(POLICY, after=ids[0] - 1, limit=CHUNK, through=ids[-1]))
    lately = ctx.now() - LATELY
    rows = [
        mended(_fresh(ctx, case), case.stored, ctx.profile, ctx.now())
        for case in cases(ctx, [id for id in ids if id in still])
        if _may(case, lately)
    ]
    store_decision(ctx, Decided(POLICY), decided_seq=None, clocks=[row for some in rows for row in some])
    return len([some for some in rows if some])


def _may(case: Case, lately: datetime) -> bool:
    """Is a row to be put right? Those of the long past are told only: a customer's plan of today rewrites nothing."""
    ticket = case.life.history.ticket
    return ticket.status not in DONE or ticket.updated_at >= lately


@flow(name="recompute", flow_run_name=run_name, persist_result=False)
async def recompute(mode: Apply = Apply.PLAN, everything: bool = False) -> str:
    """Count all clocks anew from what happened to their tickets, and tell where the stored ones differ.

    Runs every night. Nothing becomes late by it, and nobody is told or paged.

    Args:
        mode: "plan only" tells what differs. "apply" puts the stored clocks right as well.
        everything: Not only open tickets and those of the last two days, but all there ever were; takes longer.
    """

    async def steps(ctx: Context, found: Pulse) -> None:
        told = await step("check clocks", ctx, lambda ctx: check(ctx, everything=everything), Recomputed.lines)
        found.synced = {"clocks": told.sentence()}
        if told.shown:
            await acreate_markdown_artifact(table(ctx, told), key="clocks", description=told.sentence())

    return await run(mode, steps, alone=False)


def table(ctx: Context, found: Recomputed) -> str:
    """The differences as markdown, each with a link to its ticket."""
    rows = [
        f"| {record_link(ctx, each.record)} | {each.target} | {each.field} | {each.stored} | {each.counted} |"
        for each in found.shown
    ]
    head = ["| ticket | target | field | stored | by its events |", "|---|---|---|---|---|"]
    return "\n".join([found.sentence(), "", *head, *rows])
