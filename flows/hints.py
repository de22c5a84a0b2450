"""Following hints: what a webhook named is read, and only then is the hint put away (design §1.4, §3).

A hint brings nothing that the sweep would not: with none of them the same comes out, a little later. So whatever the
sweep has passed over since is put away without a call, and what is lost, doubled or late does no harm.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connectors.store import Delivery, Facts
from flows.account import know_account
from flows.context import Context, log
from mappings.model import Status
from mappings.zendesk import read_page

CALLS = 5
"""Calls that hints may cost a pulse: five hundred tickets. What is left over waits for the next, or for the sweep."""
LOOK = 100
DELIVERIES = 5000
"""Hints that a pulse looks at."""
KEEP = timedelta(days=3)
"""How long hints are kept, to know them again: PagerDuty sends one for up to two days (vendor-facts §4.9)."""

_GONE = frozenset({Status.DELETED, Status.SPAM})


def tickets(ctx: Context, gone: Callable[[Context, list[int]], None]) -> str:
    """Read the tickets that Zendesk's hints name, a hundred a call. `gone` is told those that it no longer shows.

    Raises ConnectorError: what was not read by then stays in the inbox.
    """
    _tidy(ctx)
    waiting = ctx.store.deliveries("zendesk", DELIVERIES)
    named = _by_ticket(waiting, _swept(ctx))
    wanted = list(named)[: CALLS * LOOK]
    told = {delivery.id for ticket_id in named for delivery in named[ticket_id]}
    known = [delivery.id for delivery in waiting if delivery.id not in told]
    if known:
        ctx.store.follow("zendesk", known, ctx.now())
    for start in range(0, len(wanted), LOOK):
        some = wanted[start : start + LOOK]
        _read(ctx, some, gone)
        ctx.store.follow("zendesk", [delivery.id for id in some for delivery in named[id]], ctx.now())
    return _said(ctx, waiting, len(wanted), [named[id][0] for id in list(named)[len(wanted) :]])


def pages(ctx: Context, sweep: Callable[[Context], str]) -> str:
    """Put PagerDuty's hints away with the look at every open page, which is taken each time: they cost no call.

    An incident that is none of ours, or is over as far as we know, is not looked at for a hint.
    """
    _tidy(ctx)
    waiting = ctx.store.deliveries("pagerduty", DELIVERIES)
    said = sweep(ctx)
    if not waiting:
        return said
    ctx.store.follow("pagerduty", [delivery.id for delivery in waiting], ctx.now())
    return f"{said}, {_count(len(waiting), 'hint')} with them"


def _tidy(ctx: Context) -> None:
    """Once an hour: forget what is too old to come again."""
    if ctx.now().minute == 0:
        ctx.store.forget(ctx.now() - KEEP)


def _swept(ctx: Context) -> datetime | None:
    """Up to when both of Zendesk's exports have told everything; null before they did for the first time."""
    through = [ctx.store.source("zendesk", name).fresh_through for name in ("tickets", "events")]
    known = [at for at in through if at is not None]
    return min(known) if len(known) == len(through) else None


def _by_ticket(waiting: Sequence[Delivery], swept: datetime | None) -> dict[int, list[Delivery]]:
    """The hints that are worth a call, by ticket. Companies and people have their own turn in the sweep."""
    named: dict[int, list[Delivery]] = {}
    for delivery in waiting:
        kind, _, id = delivery.about.rpartition(":")
        if kind == "zendesk" and id.isdecimal() and (swept is None or delivery.received_at > swept):
            named.setdefault(int(id), []).append(delivery)
    return named


def _read(ctx: Context, ids: list[int], gone: Callable[[Context, list[int]], None]) -> None:
    """Store these tickets as they are now, with their people and companies; look after those that are not there."""
    know_account(ctx)
    assert ctx.zendesk is not None
    assert ctx.reading is not None
    page = read_page(ctx.zendesk.tickets(ids, beside=True), ctx.reading)
    facts = Facts(tickets=page.tickets, companies=page.companies, people=page.people, parked=page.parked)
    ctx.store.save(facts)
    there = {f"zendesk:{ticket.id}" for ticket in page.tickets} | {record for record, _ in page.parked}
    missing = [id for id in ids if f"zendesk:{id}" not in there]
    if not missing:
        return
    stored = {history.ticket.id: history.ticket for history in ctx.store.histories(missing)}
    for id in missing:
        if id not in stored:
            log.info("zendesk:%d: a webhook names it, and Zendesk does not show it; nothing to do", id)
    left = [id for id, ticket in stored.items() if ticket.status not in _GONE]
    if left:
        gone(ctx, left)


def _said(ctx: Context, waiting: Sequence[Delivery], read: int, left: Sequence[Delivery]) -> str:
    if not waiting:
        return "none"
    said = f"{_count(len(waiting), 'hint')}, {_count(read, 'ticket')} read"
    if not left:
        return said
    oldest = int((ctx.now() - left[0].received_at).total_seconds())
    return f"{said}, {_count(len(left), 'ticket')} left for later, the oldest hint {oldest} s old"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
