"""Pages and tickets kept in step: an acknowledged page becomes a note, a finished ticket closes its page (AFT-07)."""

from flows.cases import Decided
from flows.context import Context
from flows.journal import store_decision
from mappings.plan import PageTrigger
from mappings.policies.paging import POLICY, pair


def decide(ctx: Context) -> Decided:
    """Look at the tickets with a page that is not resolved as far as we know."""
    decided = Decided(POLICY)
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
    return decided


def open_pages(ctx: Context) -> dict[str, tuple[str, str]]:
    """Our pages whose incident is not known to be resolved: dedup key → (record, service)."""
    return {
        row.action.change.dedup_key: (row.action.record, row.action.change.service)
        for row in ctx.store.open_pages()
        if isinstance(row.action.change, PageTrigger)
    }
