"""Zendesk's streams of changes, page by page: tickets, events, companies, the newest tickets, mails held back.

A page and how far it reads are stored in one transaction: after a crash it is read again, and nothing comes twice.
A stream's `fresh_through` is the vendor's time up to which all of it has been read, also in the middle of a long one.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from connectors.errors import TooMany
from connectors.store import Facts, SourceState
from flows.account import know_account, lately, tools_time
from flows.context import Context
from flows.progress import Progress
from mappings.zendesk import Page, Reading, read_page

HIDDEN = timedelta(seconds=75)
"""The exports leave out the newest minute; we allow some seconds for clocks that differ."""
SELDOM = timedelta(minutes=5)
PAGES = 4
"""Export pages of one stream that a pulse may take: they share ten calls a minute with everybody else's exports."""
NEWEST_PAGES = 10
COMPANY_PAGES = 2


class Stretch(msgspec.Struct):
    """One stream from a beginning on: `source` keeps its place, `until` is where it may end (null: at its end).

    A stretch of the past tells nothing of how fresh the facts are.
    """

    source: str
    start: int
    until: datetime | None = None
    past: bool = False


class Taken(msgspec.Struct):
    """What reading a stretch came to."""

    count: int = 0
    calls: int = 0
    cursor: str | None = None
    ended: bool = False

    def said(self, what: str) -> str:
        """`12 changed, 2 calls`."""
        return f"{self.count} {what}, {self.calls} {'call' if self.calls == 1 else 'calls'}"


def account_of(ctx: Context) -> Reading:
    """How the account is to be read, learnt where it was not yet."""
    know_account(ctx)
    assert ctx.reading is not None
    return ctx.reading


def save_page(ctx: Context, page: Page, *, source: SourceState | None = None) -> int:
    """Store a page and its source's place; how many tickets have to be looked at again by it."""
    facts = Facts(
        tickets=page.tickets,
        companies=page.companies,
        people=page.people,
        events=page.events,
        parked=page.parked,
    )
    return len(ctx.store.save(facts, source=source).ticket_ids)


def asked(ctx: Context, ask: Callable[[], bytes | None], patient: bool) -> bytes | None:
    """A page of an export; whoever is `patient` waits for a budget that is used up. Raises ConnectorError."""
    assert ctx.zendesk is not None
    while True:
        try:
            return ask()
        except TooMany as full:
            if not patient:
                raise
            ctx.zendesk.rest(full.retry_after)


def read_tickets(ctx: Context, stretch: Stretch, pages: int | None, progress: Progress | None = None) -> Taken:
    """The tickets' cursor export with people and companies, at most so many pages (null: to its end)."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", stretch.source)
    taken = Taken(cursor=state.cursor)
    while not taken.ended and (pages is None or taken.calls < pages):
        start = None if taken.cursor else stretch.start
        body = asked(ctx, partial(ctx.zendesk.export_tickets, cursor=taken.cursor, start_time=start), pages is None)
        taken.calls += 1
        if body is None:
            break
        page = read_page(body, account_of(ctx))
        del body  # a page is large, and its facts are a second copy of it
        reached = [_second_before(ticket.generated_at) for ticket in page.tickets]
        taken.cursor = page.cursor or taken.cursor
        taken.ended = page.end or _over(reached, stretch)
        through = tools_time(ctx) - HIDDEN if page.end else max(reached, default=None)
        taken.count += save_page(ctx, page, source=_place(stretch, taken.cursor, through))
        if progress is not None:
            progress.reached("tickets", [ticket.updated_at for ticket in page.tickets])
    return taken


def read_events(ctx: Context, stretch: Stretch, pages: int | None, progress: Progress | None = None) -> Taken:
    """The events' export: what happened, without texts and without comments' authors."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", stretch.source)
    taken, fresh = Taken(cursor=state.cursor), state.fresh_through
    while not taken.ended and (pages is None or taken.calls < pages):
        start = int(taken.cursor) if taken.cursor else stretch.start
        body = asked(ctx, partial(ctx.zendesk.export_events, start), pages is None)
        taken.calls += 1
        if body is None:
            break
        page = read_page(body, account_of(ctx))
        del body
        taken.cursor = page.cursor or str(start)
        reached = _second_before(int(taken.cursor))
        taken.ended = page.end or _over([reached], stretch)
        through = tools_time(ctx) - HIDDEN if page.end else reached
        if not stretch.past:
            if fresh is not None and through > fresh:
                ctx.store.read_whole(fresh, through)
            fresh = through
        taken.count += save_page(ctx, page, source=_place(stretch, taken.cursor, through))
        if progress is not None:
            progress.reached("events", [event.at for event in page.events])
    return taken


def _over(reached: Sequence[datetime], stretch: Stretch) -> bool:
    return stretch.until is not None and max(reached, default=stretch.until) > stretch.until


def _second_before(at: int) -> datetime:
    """The time up to which a page is whole that reaches into second `at`: more of that second may be on the next."""
    return datetime.fromtimestamp(at - 1, UTC)


def _place(stretch: Stretch, cursor: str | None, through: datetime | None) -> SourceState:
    """Where a stream stands."""
    fresh = None if stretch.past else through
    return SourceState(tool="zendesk", name=stretch.source, cursor=cursor, fresh_through=fresh)


def newest(ctx: Context, pages: int = NEWEST_PAGES) -> tuple[str, datetime | None]:
    """Tickets by newest update, back to where the export has come: what it still hides.

    In words, and how far back it came where `pages` ended it before (null: far enough).
    """
    assert ctx.zendesk is not None
    looked, taken, oldest = ctx.now(), Taken(), None
    for body in ctx.zendesk.newest_tickets():
        page = read_page(body, account_of(ctx))
        taken.calls += 1
        enough = _reached(ctx, page)
        oldest = None if enough else min(ticket.updated_at for ticket in page.tickets)
        seen = SourceState(tool="zendesk", name="newest", fresh_through=looked) if enough else None
        taken.count += save_page(ctx, page, source=seen)
        if enough or taken.calls >= pages:
            break
    return taken.said("changed"), oldest


def _reached(ctx: Context, page: Page) -> bool:
    """Does a page go back to what the export has told? That a ticket is known says less: a webhook may have named it.

    While the export is not that far yet, one that is known as it is has to be enough.
    """
    told = ctx.store.source("zendesk", "tickets").fresh_through
    if told is not None:
        return min((ticket.updated_at for ticket in page.tickets), default=told) <= told
    known = ctx.store.known([ticket.id for ticket in page.tickets])
    return not page.tickets or any(known.get(ticket.id) == ticket.updated_at for ticket in page.tickets)


def companies(ctx: Context, start: int, *, patient: bool = False) -> str:
    """Companies that changed: a plan change touches no ticket. An account's many are read a few pages a pulse."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", "companies")
    if lately(ctx, state.fresh_through, SELDOM + HIDDEN):
        return "not due"
    looked, cursor, count = ctx.now(), state.cursor, 0
    for _ in range(COMPANY_PAGES):
        body = asked(ctx, partial(ctx.zendesk.export_organizations, int(cursor) if cursor else start), patient)
        if body is None:
            return "nothing new"
        page = read_page(body, account_of(ctx))
        cursor, count = page.cursor or cursor, count + len(page.companies)
        fresh = looked - HIDDEN if page.end else None
        save_page(ctx, page, source=SourceState(tool="zendesk", name="companies", cursor=cursor, fresh_through=fresh))
        if page.end:
            break
    return f"{count} read"


class _Held(msgspec.Struct):
    id: int
    cause: str | None = None


class _HeldBody(msgspec.Struct):
    suspended_tickets: list[_Held] = []


def suspended(ctx: Context) -> str:
    """Mails that Zendesk holds back: parked, so that somebody looks; no clock can run for them."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", "suspended")
    if lately(ctx, state.fresh_through, SELDOM):
        return "not due"
    held = msgspec.json.decode(ctx.zendesk.suspended_tickets(), type=_HeldBody).suspended_tickets
    parked = tuple(
        (f"zendesk:suspended:{mail.id}", f"suspended by Zendesk ({mail.cause}); recover or delete it in its view")
        for mail in held
    )
    seen = SourceState(tool="zendesk", name="suspended", fresh_through=ctx.now())
    ctx.store.save(Facts(parked=parked), source=seen)
    return f"{len(held)} held back"
