"""Reading the tools: what changed since last time, tools side by side, a tool that is down costing its own data only.

Per pulse in Zendesk: the tickets that webhooks named (flows/hints.py), the tickets by newest update back to what the
export has told, one page of the tickets' export, one of the events' export; companies and suspended mails every five
minutes (design §4, "Reading"). Facts are all in the store before anything is decided; a page and how far it reads are
stored in one transaction: after a crash it is read again.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from prefect import flow

from connectors.errors import ConnectorError, NotFound, Unavailable
from connectors.store import Facts, SourceState
from flows import hints
from flows.account import know_account, lately, open_account, tools_time
from flows.context import Context
from flows.paging import read_incidents
from flows.progress import Progress, shown
from flows.report import Pulse
from flows.runs import Apply, run, run_name
from flows.settings import MissingSetting
from flows.sources import note_down, note_up
from mappings.model import Actor, EventKind, History, Status, Ticket, TicketEvent
from mappings.zendesk import Page, Reading, read_page

HIDDEN = timedelta(seconds=75)
"""The exports leave out the newest minute; we allow some seconds for clocks that differ."""
SELDOM = timedelta(minutes=5)
PAGES = 4
"""Export pages a pulse may take: they share ten calls a minute with everybody else's exports."""
NEWEST_PAGES = 10
AUDITS = 50
"""Tickets a pulse reads the audits of."""
YOUNG = timedelta(minutes=10)
LOCKED_OUT = "not asked: the credentials do not work"
CLOCKS_DIFFER = timedelta(minutes=1)


def all_tools(ctx: Context) -> dict[str, str]:
    """Read every tool, one after another; what each said."""
    told: dict[str, str] = {}
    for work in TOOLS.values():
        told |= work(ctx)
    return told


def zendesk(ctx: Context) -> dict[str, str]:
    """One round of Zendesk; a line for each of its sources."""
    if ctx.zendesk is None:
        return {"zendesk": "not connected: ZENDESK_URL is not set"}
    try:
        open_account(ctx)
    except ConnectorError as error:
        return {"zendesk account": _failed(error)}
    steps: dict[str, Callable[[Context], str]] = {
        "hints": lambda ctx: hints.tickets(ctx, _mark_gone),
        "tickets": export_tickets,
        "newest": newest,
        "events": export_events,
        "companies": companies,
        "suspended": suspended,
        "audits": unread,
    }
    told: dict[str, str] = {}
    for name, step in steps.items():
        locked_out = ctx.zendesk.policy.locked_out and any(said.startswith("failed") for said in told.values())
        told[f"zendesk {name}"] = LOCKED_OUT if locked_out else _tried(ctx, "zendesk", name, step)
    return told | _wrong_clock(ctx)


def pagerduty(ctx: Context) -> dict[str, str]:
    """What became of the pages that are open as far as we know."""
    if ctx.pagerduty is None:
        return {"pagerduty": "not connected: PAGERDUTY_TOKEN is not set"}
    return {"pagerduty incidents": _tried(ctx, "pagerduty", "incidents", lambda ctx: hints.pages(ctx, incidents))}


TOOLS: dict[str, Callable[[Context], dict[str, str]]] = {"zendesk": zendesk, "pagerduty": pagerduty}


def catch_up(ctx: Context, tool: str, since: datetime | None = None, progress: Progress | None = None) -> str:
    """Read one tool to the end of its streams, waiting where it says so; `since` is where an empty store begins."""
    return ", ".join(f"{name}: {said}" for name, said in read_all(ctx, tool, since, progress).items())


def read_all(
    ctx: Context, tool: str, since: datetime | None = None, progress: Progress | None = None
) -> dict[str, str]:
    """`catch_up`, source by source."""
    if tool == "pagerduty":
        return pagerduty(ctx)
    if ctx.zendesk is None:
        raise MissingSetting("ZENDESK_URL")
    open_account(ctx)
    return {
        "tickets": export_tickets(ctx, pages=None, since=since, progress=progress),
        "newest": newest(ctx),
        "events": export_events(ctx, pages=None, since=since, progress=progress),
        "companies": companies(ctx),
        "audits": unread(ctx),
    }


def _tried(ctx: Context, tool: str, name: str, step: Callable[[Context], str]) -> str:
    """One source, whose failure is its own: noted, told once when it goes and once when it returns."""
    try:
        said = step(ctx)
    except ConnectorError as error:
        note_down(ctx, tool, name, error)
        return _failed(error)
    except msgspec.DecodeError as wrong:
        strange = Unavailable(f"{tool} {name}", f"the answer is not what we know: {wrong}", "report this")
        note_down(ctx, tool, name, strange)
        return _failed(strange)
    note_up(ctx, tool, name)
    return said


def _wrong_clock(ctx: Context) -> dict[str, str]:
    """A line where our clock is not Zendesk's: due times are noticed by ours, so they are noticed too early or late."""
    ahead = ctx.now() - tools_time(ctx)
    if abs(ahead) < CLOCKS_DIFFER:
        return {}
    way = "ahead of" if ahead > timedelta(0) else "behind"
    minutes = abs(ahead) // timedelta(minutes=1)
    return {"zendesk clock": f"failed: this machine is {minutes} min {way} Zendesk; set its clock (NTP)"}


def _failed(error: ConnectorError) -> str:
    return f"failed: {error.cause}; {error.fix}"


# Zendesk, source by source


def export_tickets(
    ctx: Context, *, pages: int | None = PAGES, since: datetime | None = None, progress: Progress | None = None
) -> str:
    """The tickets' cursor export with people and companies: everything that ever changed, in the end."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", "tickets")
    count, read = 0, 0
    while pages is None or read < pages:
        start = _first(ctx, since)
        body = ctx.zendesk.export_tickets(cursor=state.cursor, start_time=None if state.cursor else start)
        read += 1
        if body is None:
            break
        page = read_page(body, _account(ctx))
        through = tools_time(ctx) - HIDDEN if page.end else None
        state = SourceState(tool="zendesk", name="tickets", cursor=page.cursor or state.cursor, fresh_through=through)
        count += _save(ctx, page, source=state)
        if progress is not None:
            progress.reached("tickets", [ticket.updated_at for ticket in page.tickets])
        if page.end:
            break
    return f"{count} changed, {read} {'call' if read == 1 else 'calls'}"


def newest(ctx: Context) -> str:
    """Tickets by newest update, back to where the export has come: what it still hides."""
    assert ctx.zendesk is not None
    count, read = 0, 0
    for body in ctx.zendesk.newest_tickets():
        page = read_page(body, _account(ctx))
        read += 1
        enough = _reached(ctx, page)
        count += _save(ctx, page)
        if enough or read >= NEWEST_PAGES:
            break
    return f"{count} changed, {read} {'call' if read == 1 else 'calls'}"


def _reached(ctx: Context, page: Page) -> bool:
    """Does a page go back to what the export has told? That a ticket is known says less: a webhook may have named it.

    While the export is not that far yet, one that is known as it is has to be enough.
    """
    told = ctx.store.source("zendesk", "tickets").fresh_through
    if told is not None:
        return min((ticket.updated_at for ticket in page.tickets), default=told) <= told
    known = ctx.store.known([ticket.id for ticket in page.tickets])
    return not page.tickets or any(known.get(ticket.id) == ticket.updated_at for ticket in page.tickets)


def export_events(
    ctx: Context, *, pages: int | None = PAGES, since: datetime | None = None, progress: Progress | None = None
) -> str:
    """The events' export: what happened, without texts and without comments' authors."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", "events")
    count, read = 0, 0
    while pages is None or read < pages:
        start = int(state.cursor) if state.cursor else _first(ctx, since)
        body = ctx.zendesk.export_events(start)
        read += 1
        if body is None:
            break
        page = read_page(body, _account(ctx))
        through = tools_time(ctx) - HIDDEN if page.end else datetime.fromtimestamp(int(page.cursor or start), UTC)
        if state.fresh_through is not None and through > state.fresh_through:
            ctx.store.read_whole(state.fresh_through, through)
        state = SourceState(
            tool="zendesk", name="events", cursor=page.cursor or state.cursor or str(start), fresh_through=through
        )
        count += _save(ctx, page, source=state)
        if progress is not None:
            progress.reached("events", [event.at for event in page.events])
        if page.end:
            break
    return f"{count} tickets with news, {read} {'call' if read == 1 else 'calls'}"


def companies(ctx: Context) -> str:
    """Companies that changed: a plan change touches no ticket."""
    assert ctx.zendesk is not None
    state = ctx.store.source("zendesk", "companies")
    if lately(ctx, state.fresh_through, SELDOM):
        return "not due"
    body = ctx.zendesk.export_organizations(int(state.cursor) if state.cursor else _first(ctx, None))
    if body is None:
        return "nothing new"
    page = read_page(body, _account(ctx))
    seen = SourceState(tool="zendesk", name="companies", cursor=page.cursor, fresh_through=ctx.now())
    _save(ctx, page, source=seen)
    return f"{len(page.companies)} read"


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


def unread(ctx: Context) -> str:
    """Audits of tickets that cannot wait for the export: new ones that were touched at once, and those with a comment
    whose author only the audits tell while one of our clocks might be stopped by it."""
    assert ctx.zendesk is not None
    ids = ctx.store.unattributed(limit=AUDITS, since=ctx.now() - YOUNG)
    young = ctx.store.unread_since(ctx.now() - YOUNG, limit=AUDITS)
    wanted = list(dict.fromkeys([*ids, *young]))[:AUDITS]
    for ticket_id in wanted:
        read_audits(ctx, ticket_id)
    return f"{len(wanted)} tickets read whole"


def look_again(ctx: Context, ids: Iterable[int], *, whole: Collection[int] = ()) -> list[int]:
    """Fetch tickets fresh (at most a hundred); where one changed, read its audits. The ids that are still there.

    Of tickets in `whole` the audits are read in any case: the export does not tell of mails that triggers sent.
    """
    assert ctx.zendesk is not None
    wanted = list(ids)
    page = read_page(ctx.zendesk.tickets(wanted), _account(ctx))
    _save(ctx, page)
    there = {ticket.id: ticket for ticket in page.tickets}
    read_through = ctx.store.source("zendesk", "events").fresh_through
    for history in ctx.store.histories(there):
        known = [at for at in (history.events_through, read_through) if at is not None]
        read = max(known, default=datetime.min.replace(tzinfo=UTC)) >= there[history.ticket.id].updated_at
        if not read or unheard(history) or history.ticket.id in whole:
            read_audits(ctx, history.ticket.id)
    gone = [ticket_id for ticket_id in wanted if ticket_id not in there]
    if gone:
        _mark_gone(ctx, gone)
    return list(there)


def unheard(history: History) -> bool:
    """Has the ticket a public comment whose author nobody has read? The events' export never names one."""
    through = history.events_through
    unknown = [event for event in history.events if event.kind is EventKind.COMMENT and event.actor is Actor.UNKNOWN]
    return any(event.public and (through is None or through < event.at) for event in unknown)


def _mark_gone(ctx: Context, ids: list[int]) -> None:
    """Tickets that Zendesk no longer shows: verified one by one before anything is believed (vendor-facts §9.3)."""
    assert ctx.zendesk is not None
    for history in ctx.store.histories(ids):
        try:
            next(iter(ctx.zendesk.audits(history.ticket.id)))
        except NotFound:
            # its own last stamp stays: what the export tells of the deletion later is then the newer word
            ticket: Ticket = msgspec.structs.replace(history.ticket, status=Status.DELETED)
            ctx.store.save(Facts(tickets=(ticket,)))


def read_audits(ctx: Context, ticket_id: int) -> None:
    """All that ever happened to a ticket, authors included."""
    assert ctx.zendesk is not None
    asked = tools_time(ctx)
    events: list[TicketEvent] = []
    try:
        for body in ctx.zendesk.audits(ticket_id):
            page = read_page(body, _account(ctx))
            events += page.events
            if page.parked:
                ctx.store.save(Facts(parked=page.parked))
    except NotFound:
        return
    through = max([event.at for event in events], default=asked)
    ctx.store.save(
        Facts(events=tuple(events)), events_through={ticket_id: max(through, _stored(ctx, ticket_id, asked))}
    )


def _stored(ctx: Context, ticket_id: int, asked: datetime) -> datetime:
    """The stored ticket's `updated_at`, where it lies before we asked: the audits cover it."""
    known = ctx.store.known([ticket_id]).get(ticket_id, asked)
    return min(known, asked)


def incidents(ctx: Context) -> str:
    """The incidents of our open pages."""
    assert ctx.pagerduty is not None
    found = read_incidents(ctx)
    ctx.store.save(Facts(incidents=tuple(found)))
    return f"{len(found)} open pages looked at"


def _account(ctx: Context) -> Reading:
    know_account(ctx)
    assert ctx.reading is not None
    return ctx.reading


def _save(ctx: Context, page: Page, *, source: SourceState | None = None) -> int:
    facts = Facts(
        tickets=page.tickets,
        companies=page.companies,
        people=page.people,
        events=page.events,
        parked=page.parked,
    )
    return len(ctx.store.save(facts, source=source).ticket_ids)


def _first(ctx: Context, since: datetime | None) -> int:
    """Where an empty store begins to read: as told, else what the tool's table says, else the beginning."""
    after = ctx.tools.zendesk.scope.created_after
    if since is not None:
        return int(since.replace(tzinfo=since.tzinfo or UTC).timestamp())
    if after is not None:
        return int(datetime(after.year, after.month, after.day, tzinfo=ctx.profile.zone).timestamp())
    return 0


class Tool(StrEnum):
    """The tools that can be read."""

    ZENDESK = "zendesk"
    PAGERDUTY = "pagerduty"


@flow(name="sync", flow_run_name=run_name, persist_result=False)
async def sync(tool: Tool = Tool.ZENDESK, since: datetime | None = None) -> str:
    """Read one tool to the end of what it has to tell, and nothing else.

    The pulse reads by itself, a few pages a minute: this is for a large account's first load, and after a long rest.

    Args:
        tool: Which tool to read.
        since: Only where nothing was read before: begin here, and not where config/tools says.
    """

    async def steps(ctx: Context, found: Pulse) -> None:
        progress = Progress(ctx.now(), ("tickets", "events"))
        found.synced = await shown(progress, lambda: read_all(ctx, tool, since, progress), "sync")

    return await run(Apply.APPLY, steps, alone=False)
