"""Delivery: the outbox out to the tools, lane by lane, each row's own result read (design §4, "Outbox row").

A row is `sending` before the call; a call without an answer leaves it `unknown`, and unknown is resolved by looking in
the tool, never by sending again. Deadlines of calls are real time; whether an action still makes sense is domain time.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from prefect import flow

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound, Uncertain
from connectors.store import Mode, OutboxRow, OutboxState, Result
from flows.account import know_account
from flows.context import Context, log
from flows.report import Delivered, Pulse
from flows.runs import Apply, run, run_name, step
from mappings.model import ENDED, Ticket
from mappings.pagerduty import event, incident
from mappings.plan import Lane, PageResolve, PageTrigger, TicketChange
from mappings.zendesk import find_keys, job_results, read_page, ticket_row

BATCH = 100
"""Tickets an update_many takes."""
CALL_SECONDS = 120
"""How long a row may be in flight; every socket's deadline lies before it."""
JOB_SECONDS = 60
"""How long we wait for a job before we leave it to the next pulse to look."""
SETTLE = timedelta(minutes=2)
"""How long a write may take to show: before that, not seeing it says nothing."""


def deliver(ctx: Context) -> Delivered:
    """Empty the outbox as far as the tools allow; gives what became of the rows."""
    told = Delivered()
    if ctx.settings.mode is not Mode.APPLY:
        return waiting(ctx)
    know_account(ctx)
    ctx.store.expire(_real())
    if ctx.pagerduty is not None:
        _tried(told, lambda: _resolve_pages(ctx, told))
        _tried(told, lambda: _empty(ctx, told, _send_pages))
    if ctx.zendesk is not None and ctx.reading is not None:
        _tried(told, lambda: _resolve_tickets(ctx, told))
        _tried(told, lambda: _empty(ctx, told, _send_tickets))
    told.waiting = ctx.store.outbox_count(OutboxState.PLANNED)
    return told


def _tried(told: Delivered, work: Callable[[], None]) -> None:
    """One step, whose failure is its own: that an old row cannot be looked for never keeps a new page from going."""
    try:
        work()
    except ConnectorError as error:
        log.warning("delivery: %s", error)
        told.problems.append(str(error))


def _empty(ctx: Context, told: Delivered, send: Callable[[Context, Lane, Delivered], bool]) -> None:
    for lane in Lane:
        while send(ctx, lane, told):
            pass


def waiting(ctx: Context) -> Delivered:
    """What a plan says: how much there is to send, and nothing is sent."""
    return Delivered(waiting=ctx.store.outbox_count(OutboxState.PLANNED))


def _real() -> datetime:
    return datetime.now(UTC)


def _take(ctx: Context, tool: str, lane: Lane, limit: int) -> list[OutboxRow]:
    return ctx.store.take(
        tool=tool,
        lane=lane,
        limit=limit,
        owner=ctx.owner,
        deadline=_real() + timedelta(seconds=CALL_SECONDS),
        now=ctx.now(),
        fence=ctx.fence,
    )


def _finish(ctx: Context, told: Delivered, results: Iterable[Result]) -> None:
    """Store what became of rows, and count it."""
    known = list(results)
    if not known:
        return
    ctx.store.finish(known, ctx.now())
    for result in known:
        match result.state:
            case OutboxState.DONE:
                told.done += 1
            case OutboxState.FAILED:
                told.failed += 1
                told.problems.append(f"outbox {result.id}: {result.error}")
            case OutboxState.UNKNOWN:
                told.unknown += 1
            case OutboxState.DROPPED:
                told.dropped += 1


def _give_back(rows: Iterable[OutboxRow], why: str) -> list[Result]:
    """Rows that were certainly not sent."""
    return _all(rows, OutboxState.PLANNED, why)


def _all(rows: Iterable[OutboxRow], state: OutboxState, why: str) -> list[Result]:
    return [Result(id=row.id, state=state, error=why) for row in rows]


# Pages


def _send_pages(ctx: Context, lane: Lane, told: Delivered) -> bool:
    rows = _take(ctx, "pagerduty", lane, 20)
    stuck: set[str] = set()
    for position, row in enumerate(rows):
        if row.action.record in stuck:
            _finish(ctx, told, _give_back([row], "waits for the record's earlier page"))
            continue
        try:
            _finish(ctx, told, [_page(ctx, row)])
            told.calls += 1
        except Uncertain as error:
            stuck.add(row.action.record)
            _finish(ctx, told, _all([row], OutboxState.UNKNOWN, str(error)))
        except (BadRequest, Forbidden, NotFound) as refused:
            stuck.add(row.action.record)
            _finish(ctx, told, _all([row], OutboxState.FAILED, str(refused)))
        except ConnectorError as error:
            _finish(ctx, told, _give_back(rows[position:], str(error)))
            raise
    return bool(rows)


def _page(ctx: Context, row: OutboxRow) -> Result:
    """Send one page event. Its dedup key makes sending it again harmless while the page is open."""
    assert ctx.pagerduty is not None
    change = row.action.change
    if not isinstance(change, PageTrigger | PageResolve):
        return Result(id=row.id, state=OutboxState.FAILED, error=f"{row.action.verb}: no page; report this")
    service = ctx.pagerduty.services().get(change.service)
    if service is None:
        return Result(
            id=row.id,
            state=OutboxState.FAILED,
            error=f"PagerDuty has no service {change.service!r}; create it, or name another in the profile's routes",
        )
    ctx.pagerduty.send(event(change, service))
    return Result(id=row.id, state=OutboxState.DONE, vendor_ref=change.dedup_key)


def _resolve_pages(ctx: Context, told: Delivered) -> None:
    """Look for pages whose sending had no answer: there → done; not there after a while → send again."""
    assert ctx.pagerduty is not None
    for row in ctx.store.unknown("pagerduty"):
        change = row.action.change
        assert isinstance(change, PageTrigger | PageResolve)
        body = ctx.pagerduty.incident_by_key(change.dedup_key)
        found = None if body is None else incident(body, change.dedup_key)
        wanted = isinstance(change, PageTrigger) or (found is not None and found.resolved_at is not None)
        if found is not None and wanted:
            _finish(ctx, told, [Result(id=row.id, state=OutboxState.DONE, vendor_ref=change.dedup_key)])
        elif _old_enough(ctx, row):
            _finish(ctx, told, _give_back([row], "looked: PagerDuty does not have it"))


def _old_enough(ctx: Context, row: OutboxRow) -> bool:
    return ctx.now() - row.updated_at >= SETTLE


# Ticket updates


def _send_tickets(ctx: Context, lane: Lane, told: Delivered) -> bool:
    assert ctx.zendesk is not None
    rows = _take(ctx, "zendesk", lane, BATCH)
    if not rows:
        return False
    by_ticket: dict[int, list[OutboxRow]] = {}
    for row in rows:
        by_ticket.setdefault(_ticket_id(row), []).append(row)
    try:
        ready, stamps = _stamped(ctx, told, by_ticket)
    except ConnectorError as error:
        _finish(ctx, told, _give_back(rows, str(error)))
        raise
    _send_job(ctx, told, _spelled(ctx, told, ready, stamps))
    return True


def _stamped(
    ctx: Context, told: Delivered, by_ticket: Mapping[int, list[OutboxRow]]
) -> tuple[dict[int, list[OutboxRow]], dict[int, datetime]]:
    """Which rows may go, and each ticket's stamp. Rows that do not all carry one stamp are looked at first."""
    ready: dict[int, list[OutboxRow]] = {}
    stamps: dict[int, datetime] = {}
    for ticket_id, rows in by_ticket.items():
        expected = {row.action.expects.get("updated_at") for row in rows}
        if len(expected) == 1 and (stamp := expected.pop()) is not None:
            ready[ticket_id], stamps[ticket_id] = rows, datetime.fromisoformat(stamp)
    unsure = [ticket_id for ticket_id in by_ticket if ticket_id not in ready]
    fresh = _fresh(ctx, told, unsure)
    for ticket_id in unsure:
        going = _still_meant(ctx, told, by_ticket[ticket_id], fresh.get(ticket_id))
        if going:
            ready[ticket_id], stamps[ticket_id] = going, fresh[ticket_id].updated_at
    return ready, stamps


def _fresh(ctx: Context, told: Delivered, ids: Sequence[int]) -> dict[int, Ticket]:
    assert ctx.zendesk is not None
    assert ctx.reading is not None
    if not ids:
        return {}
    told.calls += 1
    page = read_page(ctx.zendesk.tickets(ids), ctx.reading)
    return {ticket.id: ticket for ticket in page.tickets}


def _still_meant(ctx: Context, told: Delivered, rows: list[OutboxRow], ticket: Ticket | None) -> list[OutboxRow]:
    """The rows that still hold for a ticket as it is now; a second comment waits for the next update."""
    if ticket is None or ticket.status in ENDED:
        why = "the ticket is gone" if ticket is None else f"the ticket is {ticket.status}"
        _finish(ctx, told, [Result(id=row.id, state=OutboxState.DROPPED, error=why) for row in rows])
        return []
    going: list[OutboxRow] = []
    for row in rows:
        stamp = row.action.expects.get("updated_at")
        if stamp is not None and datetime.fromisoformat(stamp) != ticket.updated_at:
            why = "the ticket changed meanwhile; decided again"
            _finish(ctx, told, [Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True)])
        else:
            going.append(row)
    return going


class Spelled(NamedTuple):
    """One ticket's rows that go together, and how Zendesk is told."""

    rows: list[OutboxRow]
    told: dict[str, Any]


def _spelled(
    ctx: Context, told: Delivered, ready: Mapping[int, list[OutboxRow]], stamps: Mapping[int, datetime]
) -> list[Spelled]:
    """Each ticket's vendor row. What cannot be said (a group that the account lacks) fails, and parks its ticket."""
    assert ctx.reading is not None
    spelled: list[Spelled] = []
    for ticket_id, rows in ready.items():
        now, later = _one_comment(rows)
        _finish(ctx, told, _give_back(later, "waits: one update carries one comment"))
        changes = [(row.action.key, _change(row)) for row in now]
        try:
            row = ticket_row(changes, ctx.reading, ticket_id=ticket_id, stamp=stamps[ticket_id])
        except ValueError as wrong:
            _finish(ctx, told, _all(now, OutboxState.FAILED, str(wrong)))
        else:
            spelled.append(Spelled(now, row))
    return spelled


def _send_job(ctx: Context, told: Delivered, spelled: Sequence[Spelled]) -> None:
    """One update_many for up to a hundred tickets, one vendor row each; its job's results row by row.

    Until Zendesk has taken the job nothing was done; from then on only looking says what was.
    """
    assert ctx.zendesk is not None
    if not spelled:
        return
    rows = [row for one in spelled for row in one.rows]
    told.calls += 1
    try:
        job_id = ctx.zendesk.update_many([one.told for one in spelled])
    except Uncertain as error:
        _finish(ctx, told, _all(rows, OutboxState.UNKNOWN, str(error)))
        return
    except BadRequest as refused:
        _one_by_one(ctx, told, spelled, refused)
        return
    except ConnectorError as error:
        _finish(ctx, told, _give_back(rows, str(error)))
        raise
    ctx.store.note_ref([row.id for row in rows], job_id)
    try:
        _read_job(ctx, told, job_id, rows)
    except ConnectorError as error:
        _finish(ctx, told, _all(rows, OutboxState.UNKNOWN, f"job {job_id} cannot be asked: {error}"))


def _one_by_one(ctx: Context, told: Delivered, spelled: Sequence[Spelled], refused: BadRequest) -> None:
    """A call was refused as a whole: each ticket alone, so that the one which it is about fails alone."""
    if len(spelled) == 1:
        _finish(ctx, told, _all(spelled[0].rows, OutboxState.FAILED, str(refused)))
        return
    for position, one in enumerate(spelled):
        try:
            _send_job(ctx, told, [one])
        except ConnectorError as error:
            later = [row for other in spelled[position + 1 :] for row in other.rows]
            _finish(ctx, told, _give_back(later, str(error)))
            raise


def _one_comment(rows: list[OutboxRow]) -> tuple[list[OutboxRow], list[OutboxRow]]:
    """Notes go together; a public reply goes alone with what is no comment. The rest waits for the next round."""
    replying = [row for row in rows if _change(row).reply is not None]
    if not replying:
        return rows, []
    now = [row for row in rows if row is replying[0] or (_change(row).note is None and _change(row).reply is None)]
    return now, [row for row in rows if row not in now]


def _read_job(ctx: Context, told: Delivered, job_id: str, rows: Sequence[OutboxRow]) -> None:
    """Poll a job to its end and note each row's own result. Not finished in time: left in flight, looked at later."""
    assert ctx.zendesk is not None
    ends = time.monotonic() + JOB_SECONDS
    pause = 0.05
    while True:
        job = job_results(ctx.zendesk.job(job_id))
        told.calls += 1
        if job.finished:
            break
        if time.monotonic() > ends:
            return
        time.sleep(pause)
        pause = min(pause * 2, 2.0)
    results = []
    for row in rows:
        said = job.rows.get(_ticket_id(row))
        if said is None:
            results.append(Result(id=row.id, state=OutboxState.UNKNOWN, error="its job does not tell its result"))
        elif said.done:
            results.append(Result(id=row.id, state=OutboxState.DONE, vendor_ref=job_id))
        elif said.conflict:
            why = "the ticket changed meanwhile; decided again"
            results.append(Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True))
        else:
            results.append(Result(id=row.id, state=OutboxState.FAILED, error=said.error))
    _finish(ctx, told, results)


def _resolve_tickets(ctx: Context, told: Delivered) -> None:
    """Look for updates whose outcome is not known: in the ticket's audits, by our key."""
    assert ctx.zendesk is not None
    by_ticket: dict[int, list[OutboxRow]] = {}
    for row in ctx.store.unknown("zendesk"):
        by_ticket.setdefault(_ticket_id(row), []).append(row)
    for ticket_id, rows in by_ticket.items():
        try:
            found = _written(ctx, told, ticket_id, rows)
        except NotFound:
            _finish(ctx, told, _all(rows, OutboxState.DROPPED, "the ticket is gone"))
            continue
        for row in rows:
            if row.action.key in found:
                _finish(ctx, told, [Result(id=row.id, state=OutboxState.DONE, vendor_ref=row.vendor_ref)])
            elif _old_enough(ctx, row):
                _finish(ctx, told, _give_back([row], "looked: the ticket does not have it"))


def _written(ctx: Context, told: Delivered, ticket_id: int, rows: Sequence[OutboxRow]) -> set[str]:
    """Which of these rows' keys a ticket's audits show to be there."""
    assert ctx.zendesk is not None
    sought = {row.action.key for row in rows}
    found: set[str] = set()
    for page in ctx.zendesk.audits(ticket_id):
        told.calls += 1
        found |= find_keys(page, sought)
    return found


def _change(row: OutboxRow) -> TicketChange:
    change = row.action.change
    if not isinstance(change, TicketChange):
        raise TypeError(f"outbox {row.id}: {row.action.key} is for zendesk but is no ticket change")
    return change


def _ticket_id(row: OutboxRow) -> int:
    return int(row.action.record.partition(":")[2])


@flow(name="delivery", flow_run_name=run_name, persist_result=False)
async def delivery(mode: Apply = Apply.PLAN) -> str:
    """Send what waits in the outbox, pages first, and look for what was sent without an answer.

    Args:
        mode: "plan only" says how much is waiting and sends nothing. "apply" sends it.
    """

    async def steps(ctx: Context, found: Pulse) -> None:
        found.delivered = await step("deliver", ctx, waiting if ctx.plan_only else deliver)

    return await run(mode, steps)
