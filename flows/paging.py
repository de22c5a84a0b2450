"""Pages and tickets kept in step: an acknowledged page becomes a note, a finished ticket closes its page (AFT-07)."""

from prefect import flow

from flows.cases import Decided
from flows.context import Context
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.plan import PageTrigger
from mappings.policies.paging import POLICY, RULE, pair


def decide(ctx: Context) -> Decided:
    """Look at the tickets with a page that is not resolved as far as we know."""
    decided = Decided(POLICY)
    begin(ctx, POLICY, [RULE])
    pages = open_pages(ctx)
    incidents = ctx.store.incidents(pages)
    by_ticket: dict[int, list[str]] = {}
    for key, (record, _) in pages.items():
        by_ticket.setdefault(int(record.partition(":")[2]), []).append(key)
    actions = []
    for history in ctx.store.histories(by_ticket):
        found = [incidents[key] for key in by_ticket[history.ticket.id] if key in incidents]
        actions += pair(history, found, {key: service for key, (_, service) in pages.items()}, ctx.profile)
    decided.looked = len(by_ticket)
    store_decision(ctx, decided, decided_seq=None, actions=actions)
    if not ctx.plan_only and ctx.store.released(POLICY):
        ctx.store.settle(ctx.store.again(POLICY), POLICY)
    return decided


def open_pages(ctx: Context) -> dict[str, tuple[str, str]]:
    """Our pages whose incident is not known to be resolved: dedup key → (record, service)."""
    return {
        row.action.change.dedup_key: (row.action.record, row.action.change.service)
        for row in ctx.store.open_pages()
        if isinstance(row.action.change, PageTrigger)
    }


@flow(name="paging", flow_run_name=run_name, persist_result=False)
async def paging(mode: Apply = Apply.PLAN) -> str:
    """Keep tickets and their pages in step: note who took a page, and close the pages of finished tickets.

    Decides on what was read last. The next pulse delivers what is decided.

    Args:
        mode: "plan only" shows what would be decided and changes nothing. "apply" puts it into the outbox.
    """
    return await decide_alone(mode, POLICY, decide)
