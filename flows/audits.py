"""A ticket read whole: its audits where the exports do not say enough, and a fresh look before something is done.

The export names no comment's author and hides the newest minute, and a first load begins in the middle of a ticket's
life. Which tickets that concerns is asked of those that changed only: first what is new since the last pulse, then what
is left from before, a bounded number a pulse.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from connectors.errors import BadRequest, Forbidden, NotFound, Unavailable
from connectors.store import Facts, SourceState
from flows.account import tools_time
from flows.context import Context, log
from flows.first_load import loading_since, span
from flows.streams import account_of, save_page
from mappings.model import Actor, EventKind, History, Status, Ticket, TicketEvent
from mappings.policies.sla.lateness import POLICY
from mappings.zendesk import read_page

AUDITS = 100
"""Tickets a pulse reads the audits of: a call each, of the account's several hundred a minute."""
AWAY = 3
"""Tickets in a row of which Zendesk tells nothing: then it is away, and the rest is not tried."""
LONG_AGO = timedelta(days=1)
SECOND = timedelta(seconds=1)
"""The second in which we ask is not over: there may be more of it."""


class _Place(msgspec.Struct):
    """Up to which `seq` tickets were asked about: all up to `done`, and what is new was asked about up to `head`."""

    done: int = 0
    head: int = 0


def unread(ctx: Context) -> str:
    """Read the audits of open tickets whose past nobody has read, and of those with a comment whose author only the
    audits tell while one of our clocks might be stopped by it.
    """
    state = ctx.store.source("zendesk", "audits")
    place = msgspec.json.decode(state.cursor, type=_Place) if state.cursor else _Place()
    decided, since = ctx.store.decided_seq(POLICY), _answers_since(ctx)
    news = ctx.store.unread(after=place.head, limit=AUDITS, since=since)
    rest = ctx.store.unread(after=place.done, through=place.head, limit=AUDITS - len(news.ticket_ids), since=since)
    wanted = list(dict.fromkeys([*news.ticket_ids, *rest.ticket_ids]))
    read_each(ctx, wanted)
    done = min(news.through_seq, decided) if rest.through_seq >= place.head else rest.through_seq
    # what is not decided on yet has no clocks: it is asked about once more
    reached = _Place(max(done, place.done), max(decided, place.head))
    here = msgspec.json.encode(reached).decode()
    if here != state.cursor:
        ctx.store.save(Facts(), source=SourceState(tool="zendesk", name="audits", cursor=here))
    return f"{len(wanted)} tickets read whole"


def _answers_since(ctx: Context) -> datetime:
    """Since when an answer that also solved its ticket is looked at: who wrote those of the long past is not asked."""
    noted = span(ctx)
    return noted.until if noted is not None else tools_time(ctx) - LONG_AGO


class Looked(NamedTuple):
    """What a fresh look came to: the tickets as they are now, and those whose audits could not be read."""

    there: list[int]
    aside: list[int]


def look_again(ctx: Context, ids: Iterable[int], *, whole: Collection[int] = ()) -> Looked:
    """Fetch tickets fresh (at most a hundred); where one changed, read its audits. Deleted ones are left out.

    Of tickets in `whole` the audits are read in any case: the export does not tell of mails that triggers sent.
    """
    assert ctx.zendesk is not None
    wanted = list(ids)
    page = read_page(ctx.zendesk.tickets(wanted), account_of(ctx))
    save_page(ctx, page)
    there = {ticket.id: ticket for ticket in page.tickets}
    histories = ctx.store.histories(there)
    aside = read_each(
        ctx,
        [
            history.ticket.id
            for history, fresh in zip(histories, freshened(ctx, histories), strict=True)
            if not fresh.complete or unheard(history) or history.ticket.id in whole
        ],
    )
    gone = [ticket_id for ticket_id in wanted if ticket_id not in there]
    if gone:
        mark_gone(ctx, gone)
    return Looked([id for id in there if id not in aside], aside)


def freshened(ctx: Context, histories: Iterable[History]) -> list[History]:
    """Histories with the event stream's own freshness, which counts for every ticket whose beginning it covers."""
    streamed, began = ctx.store.source("zendesk", "events").fresh_through, loading_since(ctx)
    return [_freshened(history, streamed, began) for history in histories]


def _freshened(history: History, streamed: datetime | None, began: datetime | None) -> History:
    half = began is not None and history.ticket.created_at < began and history.events_through is None
    if streamed is None or half:
        return history
    through = max(streamed, history.events_through or streamed)
    return msgspec.structs.replace(history, events_through=through)


def unheard(history: History) -> bool:
    """Has the ticket a public comment whose author nobody has read? The events' export never names one.

    What was read up to a comment's own second may have been read before it: that second counts as unread.
    """
    through = history.events_through
    unknown = [event for event in history.events if event.kind is EventKind.COMMENT and event.actor is Actor.UNKNOWN]
    return any(event.public and (through is None or through <= event.at) for event in unknown)


def mark_gone(ctx: Context, ids: list[int]) -> None:
    """Tickets that Zendesk no longer shows: verified one by one before anything is believed (vendor-facts §9.3)."""
    assert ctx.zendesk is not None
    for history in ctx.store.histories(ids):
        try:
            next(iter(ctx.zendesk.audits(history.ticket.id)))
        except NotFound:
            # its own last stamp stays: what the export tells of the deletion later is then the newer word
            ticket: Ticket = msgspec.structs.replace(history.ticket, status=Status.DELETED)
            ctx.store.save(Facts(tickets=(ticket,)))


def read_each(ctx: Context, ids: Iterable[int]) -> list[int]:
    """Read tickets whole; gives those that Zendesk does not tell of while it tells of others: they hold nobody up.

    Raises ConnectorError where it tells of none, or keeps us out.
    """
    aside: list[int] = []
    failed, read = 0, False
    for ticket_id in ids:
        try:
            read_audits(ctx, ticket_id)
        except (BadRequest, Forbidden, Unavailable) as error:
            log.warning("zendesk:%d: its audits cannot be read: %s", ticket_id, error)
            aside.append(ticket_id)
            failed, last = failed + 1, error
            if failed == AWAY:
                raise
        else:
            failed, read = 0, True
    if aside and not read:
        raise last
    return aside


def read_audits(ctx: Context, ticket_id: int) -> None:
    """All that ever happened to a ticket, authors included."""
    assert ctx.zendesk is not None
    asked = tools_time(ctx)
    events: list[TicketEvent] = []
    try:
        for body in ctx.zendesk.audits(ticket_id):
            page = read_page(body, account_of(ctx))
            events += page.events
            if page.parked:
                ctx.store.save(Facts(parked=page.parked))
    except NotFound:
        return
    last = max([event.at for event in events], default=asked)
    whole = max(last, _stored(ctx, ticket_id, asked), asked - SECOND)
    ctx.store.save(Facts(events=tuple(events)), events_through={ticket_id: whole})


def _stored(ctx: Context, ticket_id: int, asked: datetime) -> datetime:
    """The stored ticket's `updated_at`, where it lies before we asked: the audits cover it."""
    known = ctx.store.known([ticket_id]).get(ticket_id, asked)
    return min(known, asked)
