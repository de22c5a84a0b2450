"""`helpdesk run FLOW` and `helpdesk sync TOOL`: one run from the command line, without Prefect."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import typer
from rich.console import Console


class Runnable(StrEnum):
    """The flows that can be run by hand."""

    PULSE = "pulse"
    SYNC = "sync"
    TRIAGE = "triage"
    SLA = "sla"
    RULES = "rules"
    PAGING = "paging"
    ABUSE = "abuse"
    DELIVERY = "delivery"
    RECOMPUTE = "recompute"


class Tool(StrEnum):
    """The tools that can be read."""

    ZENDESK = "zendesk"
    PAGERDUTY = "pagerduty"


_UNLEASED = (Runnable.PULSE, Runnable.RECOMPUTE)
"""Flows that take the lease themselves, and hold it no longer than they need it."""
_SILENT = ("failed", "not connected")
"""How a source begins that said nothing."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("sync")(sync)


def run(
    flow: Runnable = typer.Argument(help="Which flow."),
    apply: bool = typer.Option(False, "--apply/--plan", help="Do it, or only show what would be done (the default)."),
    as_json: bool = typer.Option(False, "--json", help="For a machine to read."),
) -> None:
    """Run one flow now. Plans by default: decides, shows, and changes nothing anywhere."""
    from flows.context import open_context

    with open_context(plan_only=not apply) as ctx:
        found = _work(flow)(ctx) if flow in _UNLEASED else _alone(ctx, flow)
        if as_json:
            typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        else:
            _print(Console(), found)


def sync(
    tool: Tool = typer.Argument(Tool.ZENDESK, help="Which tool."),
    since: datetime | None = typer.Option(None, help="Read from this time (UTC) when the store is empty."),
    as_json: bool = typer.Option(False, "--json", help="For a machine to read."),
) -> None:
    """Read what changed in one tool into the store, once, to the end of its streams."""
    from flows import sync as reading
    from flows.context import open_context

    with open_context() as ctx:
        if since is not None and any(source.cursor for source in ctx.store.sources() if source.tool == tool.value):
            fix = "give an empty HELPDESK_DATABASE_URL to begin elsewhere"
            typer.echo(f"sync --since: not used, the store goes on from where it has read to; {fix}", err=True)
        found = reading.read_all(ctx, tool.value, since)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"tool": tool.value, "sources": found})).decode())
    else:
        typer.echo(", ".join(f"{name}: {said}" for name, said in found.items()))


def _alone(ctx: Any, flow: Runnable) -> Any:
    """Run one step while no pulse decides or delivers. What another run, or a gap, keeps us from is said instead."""
    from flows.lease import leased
    from flows.report import Pulse
    from flows.restore import kept_from

    told = Pulse(at=ctx.now())
    with leased(ctx, told) as ours:
        if ours and flow is not Runnable.SYNC:
            told.skipped = kept_from(ctx)
        return _work(flow)(ctx) if told.skipped is None else told


def _work(flow: Runnable) -> Callable[[Any], Any]:
    from flows import abuse, delivery, paging, pulse, recompute, rules, sla, triage
    from flows import sync as reading

    return {
        Runnable.PULSE: pulse.beat,
        Runnable.SYNC: reading.all_tools,
        Runnable.TRIAGE: triage.decide,
        Runnable.SLA: sla.decide,
        Runnable.RULES: rules.decide,
        Runnable.PAGING: paging.decide,
        Runnable.ABUSE: abuse.decide,
        Runnable.DELIVERY: lambda ctx: delivery.deliver(ctx) if not ctx.plan_only else delivery.waiting(ctx),
        Runnable.RECOMPUTE: recompute.check,
    }[flow]


def _print(console: Console, found: Any) -> None:
    from flows.cases import Decided
    from flows.recompute import Recomputed
    from flows.report import Delivered, Pulse

    decided = found.decided if isinstance(found, Pulse) else [found] if isinstance(found, Decided) else []
    for part in decided:
        console.print(f"[bold]{part.policy}[/bold]: looked at {part.looked} tickets, {len(part.actions)} new actions")
        for action in part.actions:
            console.print(f"  {action.record}  {action.verb}  ({part.states[action.key]})", highlight=False)
            console.print(f"    {action.reason.text}", highlight=False)
    if isinstance(found, Pulse):
        silent = [f"{name}: {said}" for name, said in found.synced.items() if said.startswith(_SILENT)]
        for line in [*silent, *found.news, *found.delivered.problems]:
            console.print(line, highlight=False)
    if isinstance(found, Recomputed):
        for line in found.lines():
            console.print(line, highlight=False)
    elif isinstance(found, dict):
        for name, said in found.items():
            console.print(f"{name}: {said}", highlight=False)
    elif isinstance(found, Pulse | Delivered):
        console.print(found.sentence() or "nothing to do", highlight=False)
