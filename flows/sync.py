"""Reading the tools: what changed since last time, tools side by side, a tool that is down costing its own data only.

Per pulse in Zendesk: the tickets that webhooks named (flows/hints.py), the tickets by newest update back to what the
export has told, one page of the tickets' export, one of the events' export; companies and suspended mails every five
minutes; on the first days a share of the past (design §4, "Reading"). What is newest comes before the exports: it
needs none of their scarce calls. Facts are all in the store before anything is decided.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from prefect import flow

from connectors.errors import ConnectorError, TooMany, Unavailable
from connectors.store import Facts, SourceState
from flows import first_load, hints
from flows.account import open_account, tools_time
from flows.audits import mark_gone, unread
from flows.context import Context
from flows.paging import read_incidents
from flows.progress import Progress, shown
from flows.report import Pulse
from flows.runs import Apply, run, run_name
from flows.settings import MissingSetting
from flows.sources import note_down, note_up
from flows.streams import PAGES, Stretch, companies, newest, read_events, read_tickets, suspended

Step = Callable[[Context], str]
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
    ctx.zendesk.policy.locked_out = False  # each round tries anew
    try:
        open_account(ctx)
    except ConnectorError as error:
        return {"zendesk account": _failed(error)}
    first_load.begin(ctx)
    top = _Newest()
    steps: dict[str, Step] = {
        "hints": lambda ctx: hints.tickets(ctx, mark_gone),
        "newest": top.first,
        "tickets": tickets,
        "events": events,
        "companies": lambda ctx: companies(ctx, _first(ctx)),
        "suspended": suspended,
    }
    told = {name: _asked(ctx, name, step) for name, step in steps.items()}
    if top.left(ctx):
        told["newest"] = _asked(ctx, "newest", top.rest)
    told |= {name: _asked(ctx, name, step) for name, step in first_load.steps(ctx).items()}
    told["audits"] = _asked(ctx, "audits", unread)
    return {f"zendesk {name}": said for name, said in told.items()} | _wrong_clock(ctx)


def _asked(ctx: Context, name: str, step: Step) -> str:
    """One source of Zendesk, unless the ones before have shown that the credentials do not work."""
    assert ctx.zendesk is not None
    return LOCKED_OUT if ctx.zendesk.policy.locked_out else _tried(ctx, "zendesk", name, step)


def _wrong_clock(ctx: Context) -> dict[str, str]:
    """A line where our clock is not Zendesk's: due times are noticed by ours, so they are noticed too early or late."""
    ahead = ctx.now() - tools_time(ctx)
    if abs(ahead) < CLOCKS_DIFFER:
        return {}
    way = "ahead of" if ahead > timedelta(0) else "behind"
    minutes = abs(ahead) // timedelta(minutes=1)
    return {"zendesk clock": f"failed: this machine is {minutes} min {way} Zendesk; set its clock (NTP)"}


class _Newest:
    """The newest tickets: a page before the exports, and further ones only where these left something between."""

    oldest: datetime | None = None

    def first(self, ctx: Context) -> str:
        said, self.oldest = newest(ctx, pages=1)
        return said

    def left(self, ctx: Context) -> bool:
        exported = ctx.store.source("zendesk", "tickets").fresh_through
        return self.oldest is not None and (exported is None or self.oldest > exported)

    def rest(self, ctx: Context) -> str:
        return newest(ctx)[0]


def tickets(ctx: Context, pages: int | None = PAGES, progress: Progress | None = None) -> str:
    """The tickets' export: everything that ever changed, in the end."""
    return read_tickets(ctx, Stretch("tickets", _start(ctx)), pages, progress).said("changed")


def events(ctx: Context, pages: int | None = PAGES, progress: Progress | None = None) -> str:
    """The events' export: what happened to tickets."""
    return read_events(ctx, Stretch("events", _start(ctx)), pages, progress).said("tickets with news")


def _start(ctx: Context) -> int:
    """Where a stream begins that has no place yet: where the first load's past ends."""
    span = first_load.span(ctx)
    return 0 if span is None else int(span.until.timestamp())


def _first(ctx: Context) -> int:
    """Where the past begins."""
    span = first_load.span(ctx)
    return 0 if span is None else int(span.since.timestamp())


def pagerduty(ctx: Context) -> dict[str, str]:
    """What became of the pages that are open as far as we know."""
    if ctx.pagerduty is None:
        return {"pagerduty": "not connected: PAGERDUTY_TOKEN is not set"}
    return {"pagerduty incidents": _tried(ctx, "pagerduty", "incidents", lambda ctx: hints.pages(ctx, incidents))}


def incidents(ctx: Context) -> str:
    """The incidents of our open pages."""
    assert ctx.pagerduty is not None
    asked, found = ctx.now(), read_incidents(ctx)
    ctx.store.save(
        Facts(incidents=tuple(found)), source=SourceState(tool="pagerduty", name="incidents", fresh_through=asked)
    )
    return f"{len(found)} open pages looked at"


TOOLS: dict[str, Callable[[Context], dict[str, str]]] = {"zendesk": zendesk, "pagerduty": pagerduty}


def catch_up(ctx: Context, tool: str, since: datetime | None = None, progress: Progress | None = None) -> str:
    """Read one tool to the end of its streams, waiting where it says so; `since` is where an empty store begins."""
    return ", ".join(f"{name}: {said}" for name, said in read_all(ctx, tool, since, progress).items())


def read_all(
    ctx: Context, tool: str, since: datetime | None = None, progress: Progress | None = None
) -> dict[str, str]:
    """`catch_up`, source by source. A load that is under way is read to its end too."""
    if tool == "pagerduty":
        return pagerduty(ctx)
    if ctx.zendesk is None:
        raise MissingSetting("ZENDESK_URL")
    open_account(ctx)
    first_load.begin(ctx, since)
    told: dict[str, str] = {}
    if ctx.store.source("zendesk", "tickets").cursor is not None:
        told |= {"tickets": tickets(ctx, None, progress), "events": events(ctx, None, progress)}
    return told | {
        **first_load.read_to_end(ctx, progress),
        "newest": newest(ctx)[0],
        "companies": companies(ctx, _first(ctx), patient=True),
        "audits": unread(ctx),
    }


def _tried(ctx: Context, tool: str, name: str, step: Step) -> str:
    """One source, whose failure is its own: noted, told once when it goes and once when it returns.

    A budget that is used up is no failure: the source is a little later.
    """
    try:
        said = step(ctx)
    except TooMany as wait:
        return f"waits: {wait.cause}"
    except ConnectorError as error:
        note_down(ctx, tool, name, error)
        return _failed(error)
    except msgspec.DecodeError as wrong:
        strange = Unavailable(f"{tool} {name}", f"the answer is not what we know: {wrong}", "report this")
        note_down(ctx, tool, name, strange)
        return _failed(strange)
    note_up(ctx, tool, name)
    return said


def _failed(error: ConnectorError) -> str:
    return f"failed: {error.cause}; {error.fix}"


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
