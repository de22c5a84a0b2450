"""Rows of the outbox in and out of the store, for whoever delivers them (design §4, "Outbox row")."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from connectors.store import OutboxRow, OutboxState, Result
from flows.context import Context
from flows.report import Delivered
from mappings.plan import Lane, TicketChange

CALL_SECONDS = 120
"""How long a row may be in flight; the deadline of every call lies before it (connectors/base.py)."""
SETTLE = timedelta(minutes=2)
"""How long a write may take to show: before that, not seeing it says nothing."""


def real_time() -> datetime:
    """The real time, by which calls are timed."""
    return datetime.now(UTC)


def take(ctx: Context, tool: str, lane: Lane, limit: int, *, apart: bool = False) -> list[OutboxRow]:
    """What is to be sent next, at most `limit` records (`apart`: rows); it is in flight from here on."""
    return ctx.store.take(
        tool=tool,
        lane=lane,
        limit=limit,
        owner=ctx.owner,
        deadline=_deadline(),
        now=ctx.now(),
        fence=ctx.fence,
        apart=apart,
    )


def still_ours(ctx: Context, rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """The rows that are ours to send, with their whole time in flight before them: asked just before the call.

    What came before may have taken long: a fresh look, the calls for earlier rows, a machine that slept. Raises
    `StaleLease` where another process has taken over.
    """
    asked = list(rows)
    held = ctx.store.hold([row.id for row in asked], owner=ctx.owner, deadline=_deadline(), fence=ctx.fence)
    return [row for row in asked if row.id in held]


def _deadline() -> datetime:
    return real_time() + timedelta(seconds=CALL_SECONDS)


def finish(ctx: Context, told: Delivered, results: Iterable[Result]) -> None:
    """Store what became of rows, and count it."""
    known = list(results)
    if not known:
        return
    ctx.store.finish(known, ctx.now(), ctx.fence)
    failed: dict[str | None, list[int]] = {}
    for result in known:
        match result.state:
            case OutboxState.DONE:
                told.done += 1
            case OutboxState.FAILED:
                told.failed += 1
                failed.setdefault(result.error, []).append(result.id)
            case OutboxState.UNKNOWN:
                told.unknown += 1
            case OutboxState.DROPPED:
                told.dropped += 1
    for why, ids in failed.items():
        others = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        told.problems.append(f"outbox {ids[0]}{others}: {why}")


def apt(ctx: Context, told: Delivered, rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """The rows that make sense at this very moment, just before the call; the others are dropped as too late."""
    now, going, late = ctx.now(), [], []
    for row in rows:
        until = row.action.not_after
        if until is None or now <= until:
            going.append(row)
            continue
        why = f"too late: it made sense until {until:%Y-%m-%d %H:%M} UTC, now it is {now:%Y-%m-%d %H:%M}"
        late.append(Result(id=row.id, state=OutboxState.DROPPED, error=why))
    finish(ctx, told, late)
    return going


def change_of(row: OutboxRow) -> TicketChange:
    """What a row wants of its ticket. Raises TypeError for a row that is for another tool."""
    change = row.action.change
    if not isinstance(change, TicketChange):
        raise TypeError(f"outbox {row.id}: {row.action.key} is for zendesk but is no ticket change")
    return change


def ticket_id(row: OutboxRow) -> int:
    """The number of a row's ticket."""
    return int(row.action.record.partition(":")[2])


def give_back(rows: Iterable[OutboxRow], why: str) -> list[Result]:
    """Rows that were certainly not sent."""
    return all_as(rows, OutboxState.PLANNED, why)


def all_as(rows: Iterable[OutboxRow], state: OutboxState, why: str) -> list[Result]:
    """The same outcome for all rows."""
    return [Result(id=row.id, state=state, error=why) for row in rows]


def old_enough(ctx: Context, row: OutboxRow) -> bool:
    """Was a row sent so long ago that its effect would show by now?"""
    return ctx.now() - row.updated_at >= SETTLE
