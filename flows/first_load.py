"""A first load beside the running service: what is open first, then the whole past on what budget is left.

The exports share ten calls a minute with everybody else's. So the start is noted, the live streams begin there, the
open tickets are asked for by search, and the past is read page by page with the calls that the live streams and other
programs leave (design §4, "Reading"). Every step keeps its place in the store: whoever is killed goes on from there.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from connectors.errors import BadRequest, Gone
from connectors.store import Facts, SourceState
from connectors.zendesk.client import BULK, EXPORTS
from flows.account import tools_time
from flows.context import Context
from flows.progress import Progress
from flows.streams import HIDDEN, Stretch, account_of, read_events, read_tickets, save_page
from mappings.zendesk import read_page

BEFORE = timedelta(minutes=10)
"""So long before our start the live streams begin: the search that lists open tickets lags behind by minutes."""
PAST_PAGES = 8
"""Export pages of the past that a pulse may take, however many calls are left."""
OTHERS = 0.3
"""Share of the exports' calls that the past leaves to the account's other programs."""
SEARCHES = 10
"""Pages of a hundred open tickets that a pulse may take."""
END = "end"
"""The place of a part that is read to its end."""

START, OPEN, TICKETS, EVENTS = "start", "open tickets", "past tickets", "past events"


class Span(msgspec.Struct, frozen=True):
    """What a first load reads: the past from `since` to `until`, where the live streams begin."""

    since: datetime
    until: datetime


def begin(ctx: Context, since: datetime | None = None) -> Span | None:
    """The load's span, noted where nothing was read before; null for a store that began without one."""
    noted = span(ctx)
    if noted is not None or ctx.store.source("zendesk", "tickets").cursor is not None:
        return noted
    first = _first(ctx, since)
    noted = Span(first, max(first, tools_time(ctx) - BEFORE))
    place = f"{int(noted.since.timestamp())} {int(noted.until.timestamp())}"
    ctx.store.save(Facts(), source=SourceState(tool="zendesk", name=START, cursor=place))
    return span(ctx)


def span(ctx: Context) -> Span | None:
    """The noted span of this store's first load, whether it is over or not. It never changes once it is noted."""
    if START in ctx.noted:
        return Span(*(datetime.fromtimestamp(int(at), UTC) for at in ctx.noted[START].split()))
    noted = ctx.store.source("zendesk", START).cursor
    if noted is None:
        return None
    ctx.noted[START] = noted
    return span(ctx)


def loading_since(ctx: Context) -> datetime | None:
    """Before when a ticket's events may still be unread: where the live streams began, until the past is in."""
    noted = span(ctx)
    return None if noted is None or at_end(ctx, EVENTS) else noted.until


def steps(ctx: Context) -> dict[str, Callable[[Context], str]]:
    """The parts of the load that are not over, in their order."""
    if span(ctx) is None:
        return {}
    parts: dict[str, Callable[[Context], str]] = {OPEN: open_tickets, TICKETS: past_tickets, EVENTS: past_events}
    return {name: part for name, part in parts.items() if not at_end(ctx, name)}


def at_end(ctx: Context, part: str) -> bool:
    """Is a part of the load read to its end? Then it stays so."""
    if part not in ctx.noted and ctx.store.source("zendesk", part).cursor == END:
        ctx.noted[part] = END
    return part in ctx.noted


def open_tickets(ctx: Context) -> str:
    """The tickets that are open, by search, with their people and companies; their histories follow one by one."""
    assert ctx.zendesk is not None
    cursor, count = ctx.store.source("zendesk", OPEN).cursor, 0
    noted = span(ctx)
    assert noted is not None
    for _ in range(SEARCHES):
        try:
            found = ctx.zendesk.open_tickets(noted.since, cursor)
        except (BadRequest, Gone):
            if cursor is None:
                raise
            _note(ctx, OPEN, None)  # a search's cursor lasts an hour: begin again, what is known costs no second call
            return "begins again"
        listed = msgspec.json.decode(found, type=_Listed)
        known = ctx.store.known([row.id for row in listed.results])
        wanted = [row.id for row in listed.results if row.id not in known]
        for low in range(0, len(wanted), BULK):
            page = read_page(ctx.zendesk.tickets(wanted[low : low + BULK], beside=True), account_of(ctx))
            count += save_page(ctx, page)
        more = listed.meta is not None and listed.meta.has_more and listed.meta.after_cursor is not None
        cursor = listed.meta.after_cursor if more and listed.meta else END
        _note(ctx, OPEN, cursor)
        if cursor == END:
            break
    return f"{count} read"


class _Found(msgspec.Struct):
    id: int


class _Meta(msgspec.Struct):
    has_more: bool = False
    after_cursor: str | None = None


class _Listed(msgspec.Struct):
    results: list[_Found] = []
    meta: _Meta | None = None


def past_tickets(ctx: Context) -> str:
    """Every ticket that changed before the live streams began, as far as the budget goes."""
    return _past(ctx, TICKETS)


def past_events(ctx: Context) -> str:
    """What happened before the live streams began, after the tickets that it happened to."""
    return _past(ctx, EVENTS) if at_end(ctx, TICKETS) else "after the past tickets"


def read_to_end(ctx: Context, progress: Progress | None = None) -> dict[str, str]:
    """All of the past, waiting for the budget as told; what each part came to.

    An empty store's live streams begin where the past ends: it reads nothing twice.
    """
    noted, told = span(ctx), dict[str, str]()
    for part, live, reader in ((TICKETS, "tickets", read_tickets), (EVENTS, "events", read_events)):
        if noted is None or at_end(ctx, part):
            continue
        begun = ctx.store.source("zendesk", live).cursor is not None
        stretch = Stretch(part, int(noted.since.timestamp()), noted.until if begun else None, past=True)
        taken = reader(ctx, stretch, None, progress)
        if not begun:
            fresh = tools_time(ctx) - HIDDEN if taken.ended else None
            place = SourceState(tool="zendesk", name=live, cursor=taken.cursor, fresh_through=fresh)
            ctx.store.save(Facts(), source=place)
        _note(ctx, part, END)
        told[part if begun else live] = taken.said("changed")
    if told:
        _note(ctx, OPEN, END)
    return told


def left(ctx: Context) -> int:
    """Export calls that the past may take in this pulse: those of the minute, less the others' share."""
    assert ctx.zendesk is not None
    window = ctx.zendesk.policy.budget.window(EXPORTS)
    if window is None:
        return PAST_PAGES // 2
    return max(0, min(PAST_PAGES, window.left - round(OTHERS * window.limit)))


def _past(ctx: Context, part: str) -> str:
    noted, pages = span(ctx), left(ctx)
    assert noted is not None
    if noted.since >= noted.until:
        _note(ctx, part, END)
        return "nothing before our start"
    if pages == 0:
        return "waits for its share of the exports"
    stretch = Stretch(part, int(noted.since.timestamp()), noted.until, past=True)
    reader = read_tickets if part == TICKETS else read_events
    taken = reader(ctx, stretch, pages)
    if taken.ended:
        _note(ctx, part, END)
    return taken.said("changed")


def _note(ctx: Context, part: str, place: str | None) -> None:
    ctx.store.save(Facts(), source=SourceState(tool="zendesk", name=part, cursor=place))


def _first(ctx: Context, since: datetime | None) -> datetime:
    """Where an empty store begins to read: as told, else what the tool's table says, else the beginning."""
    after = ctx.tools.zendesk.scope.created_after
    if since is not None:
        return since.replace(tzinfo=since.tzinfo or UTC)
    if after is not None:
        return datetime(after.year, after.month, after.day, tzinfo=ctx.profile.zone)
    return datetime.fromtimestamp(0, UTC)
