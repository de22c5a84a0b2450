"""Pages and tickets kept in step: an acknowledged page becomes a note, a finished ticket closes its page (AFT-07)."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from prefect import flow

from connectors.store import OutboxRow
from flows.cases import Decided
from flows.context import Context
from flows.journal import begin, store_decision
from flows.outbox import ticket_id
from flows.runs import Apply, decide_alone, run_name
from mappings.model import Incident, PageStatus
from mappings.pagerduty import incident, key_of, taken
from mappings.plan import Action, PageTrigger
from mappings.policies.paging import CONFIRMED, POLICY, RULE, pair, unconfirmed

LATELY = timedelta(days=2)
"""How long after a page is over its acknowledgement still becomes a note."""
APPEARS = timedelta(minutes=10)
"""How long an incident may take to appear; one that has not by then is looked for once an hour."""


def decide(ctx: Context) -> Decided:
    """Look at the tickets with a page that is not resolved as far as we know, or was taken and resolved lately."""
    decided = Decided(POLICY)
    begin(ctx, POLICY, [RULE])
    pages = _named(ctx.store.open_pages(taken_since=ctx.now() - LATELY))
    incidents = ctx.store.incidents(pages)
    by_ticket: dict[int, list[str]] = {}
    for key, (record, _) in pages.items():
        by_ticket.setdefault(int(record.partition(":")[2]), []).append(key)
    actions = []
    for history in ctx.store.histories(by_ticket):
        found = [incidents[key] for key in by_ticket[history.ticket.id] if key in incidents]
        actions += pair(history, found, {key: service for key, (_, service) in pages.items()}, ctx.profile)
    actions += _unconfirmed(ctx)
    decided.looked = len(by_ticket)
    store_decision(ctx, decided, decided_seq=None, actions=actions)
    if not ctx.plan_only and ctx.store.released(POLICY):
        ctx.store.settle(ctx.store.again(POLICY), POLICY)
    return decided


def _unconfirmed(ctx: Context) -> list[Action]:
    """Whom to tell of pages that do not show, though they were decided a while ago."""
    now = ctx.now()
    rows = ctx.store.unconfirmed_pages(before=now - CONFIRMED, since=now - LATELY)
    tickets = {history.ticket.id: history for history in ctx.store.histories({ticket_id(row) for row in rows})}
    return [
        action
        for row in rows
        if (history := tickets.get(ticket_id(row))) is not None
        for action in unconfirmed(history, row.action, ctx.profile, row.decided_at, link=ctx.ticket_link)
    ]


def read_incidents(ctx: Context) -> list[Incident]:
    """What became of our open pages: those still open in one list, each of the others once, with who had taken it."""
    assert ctx.pagerduty is not None
    rows = ctx.store.open_pages()
    pages = _named(rows)
    if not pages:
        return []
    known = ctx.store.incidents(pages)
    bodies = ctx.pagerduty.open_incidents({service for _, service in pages.values()})
    still = {key: body for body in bodies if (key := key_of(body)) is not None}
    found = [incident(still[key], key) for key in pages if key in still]
    for row in rows:
        key = row.vendor_ref or ""
        if key in pages and key not in still and (key in known or _may_appear(ctx, row)):
            found += _over(ctx, key, known.get(key))
    return found


def _may_appear(ctx: Context, row: OutboxRow) -> bool:
    sent, now = row.updated_at, ctx.now()
    return now - sent < APPEARS or now.minute == sent.minute


def _over(ctx: Context, key: str, before: Incident | None) -> list[Incident]:
    """A page that is not among the open ones: resolved, or not there (yet)."""
    assert ctx.pagerduty is not None
    body = ctx.pagerduty.incident_by_key(key)
    if body is None:
        return []
    now = incident(body, key)
    if now.acknowledged_at is not None:
        return [now]
    if before is not None and before.id == now.id and before.acknowledged_at is not None:
        seen = {"acknowledged_at": before.acknowledged_at, "acknowledged_by": before.acknowledged_by}
        return [msgspec.structs.replace(now, **seen)]
    return [taken(now, ctx.pagerduty.incident_log(now.id)) if now.status is PageStatus.RESOLVED else now]


def _named(rows: Iterable[OutboxRow]) -> dict[str, tuple[str, str]]:
    """Pages by their dedup key: (record, service)."""
    return {
        row.action.change.dedup_key: (row.action.record, row.action.change.service)
        for row in rows
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
