"""A ticket's life on a terminal: what happened, what its clocks did, every action with its reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table

from connectors.store import OutboxRow
from flows.cases import Case
from flows.context import Context
from flows.dead_letters import words
from mappings.model import Clock, ClockState, EventKind, TicketEvent
from mappings.reasons import measure_name
from mappings.timeline import Step, epoch
from mappings.zendesk.statuses import named_status


def as_json(case: Case, journal: list[OutboxRow]) -> str:
    """Ticket, clocks and actions for a machine."""
    told = {"record": case.record, "ticket": case.life.history.ticket, "clocks": case.stored, "actions": journal}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def tell(console: Console, ctx: Context, case: Case, journal: list[OutboxRow]) -> None:
    """The same for a person, times in the office zone."""
    ticket, zone = case.life.history.ticket, ctx.profile.zone
    company = case.life.history.company
    plan = company.plan if company else None
    console.print(
        f"[bold]{case.record}[/bold]  {named_status(ticket, ctx.profile)}  severity {ticket.severity or '–'}  "
        f"plan {plan or '–'}  tier {ticket.tier or case.life.stays[-1].tier}  created {_when(ticket.created_at, zone)}"
    )
    console.print(f"{ctx.ticket_link(ticket.id)}  ·  profile {ctx.profile.version}\n")
    _print_life(console, case, zone)
    _print_clocks(console, case, zone)
    _print_actions(console, journal, ctx.store.behind(row.id for row in journal), zone)


def _print_life(console: Console, case: Case, zone: ZoneInfo) -> None:
    if not case.life.line.known:
        console.print("Its beginning was never read: no clock runs (history unknown).\n")
        return
    table = Table(title="What happened", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("when", "who", "what"):
        table.add_column(column)
    told: list[tuple[datetime, int, str, str]] = [
        (step.at, 1, str(step.actor), _step(step)) for step in case.life.line.steps
    ]
    told += [(event.at, 0, str(event.actor), _said(event)) for event in case.life.line.messages]
    for at, _, who, what in sorted(told, key=lambda line: line[:2]):
        table.add_row(_when(at, zone), who, what)
    console.print(table, "")


def _said(event: TicketEvent) -> str:
    if event.kind is EventKind.NOTIFICATION:
        return "a rule's mail to the customer"
    return "public comment" if event.public else "internal note"


def _step(step: Step) -> str:
    if step.field != "tags":
        return f"{step.field}: {step.old or '–'} → {step.new or '–'}"
    before, after = set((step.old or "").split()), set((step.new or "").split())
    changes = [f"+{tag}" for tag in sorted(after - before)] + [f"−{tag}" for tag in sorted(before - after)]
    return f"tags: {' '.join(changes)}"


def _print_clocks(console: Console, case: Case, zone: ZoneInfo) -> None:
    table = Table(title="Clocks", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("target", "measure", "figure", "began", "warned", "due", "ended", "state"):
        table.add_column(column)
    for clock in sorted(case.stored, key=lambda clock: (epoch(clock.start_at), clock.target)):
        table.add_row(
            clock.target,
            measure_name(clock.measure),
            " → ".join(cell or "none" for cell, _ in groupby(cell for _, cell in clock.segments)) or clock.cell,
            _when(clock.start_at, zone),
            _when(clock.warned_at, zone) if clock.warned_at else f"at {_when(clock.warn_at, zone)}",
            _when(clock.due_at, zone),
            _when(clock.stopped_at, zone),
            _state(clock),
        )
    console.print(table, "")


def _state(clock: Clock) -> str:
    if clock.state is ClockState.PAUSED:
        return f"paused, {clock.remaining or 0} s left"
    if clock.state is ClockState.RUNNING and clock.detected_at:
        return "late, running"
    by = f" by {clock.fulfilled_by}" if clock.fulfilled_by else ""
    missed = f", missed by {clock.missed_by} s" if clock.missed_by else ""
    return f"{clock.state}{by}{missed}"


def _print_actions(
    console: Console, journal: list[OutboxRow], behind: Mapping[int, Sequence[int]], zone: ZoneInfo
) -> None:
    console.print("Actions")
    if not journal:
        console.print("  none")
    for row in journal:
        action = row.action
        number = f"row {row.id}, {action.policy}"
        console.print(f"  {_when(row.decided_at, zone)}  [bold]{action.verb}[/bold]  {row.state}  ({number})")
        console.print(f"    {action.reason.text}")
        console.print(f"    [dim]{action.key}[/dim]", highlight=False)
        for line in ([row.error] if row.error else []) + words(row, behind):
            console.print(f"    {line}", markup=False)


def _when(at: datetime | None, zone: ZoneInfo) -> str:
    return "–" if at is None else f"{at.astimezone(zone):%a %d %b %H:%M:%S}"
