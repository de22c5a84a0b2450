"""Delivery: the outbox out to the tools, lane by lane, each row's own result read (design §4, "Outbox row").

A row is `sending` before the call; a call without an answer leaves it `unknown`, and unknown is resolved by looking in
the tool, never by sending again. Deadlines of calls are real time; whether an action still makes sense is domain time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from prefect import flow

from connectors.errors import BadRequest, ConnectorError, NotFound, Uncertain
from connectors.store import Mode, OutboxRow, OutboxState, Result
from flows.account import know_account
from flows.context import Context, log
from flows.outbox import all_as, finish, give_back, old_enough, real_time, take
from flows.page_delivery import look_for_pages, send_pages
from flows.report import Delivered, Pulse
from flows.restore import kept_from
from flows.runs import Apply, run, run_name, step
from mappings.model import ENDED, Ticket
from mappings.plan import Lane, TicketChange
from mappings.zendesk import JobResults, find_keys, jobs_results, read_page, ticket_row

BATCH = 100
"""Tickets an update_many takes."""
JOBS = 10
"""Jobs that we let run side by side: a third of what an account takes, the rest is for others (vendor-facts §1.8)."""
JOB_SECONDS = 60
"""How long we wait for a job before we leave it to the next pulse to look."""


def deliver(ctx: Context) -> Delivered:
    """Empty the outbox as far as the tools allow; gives what became of the rows."""
    told = Delivered()
    if ctx.settings.mode is not Mode.APPLY:
        return waiting(ctx)
    know_account(ctx)
    ctx.store.expire(real_time())
    if ctx.pagerduty is not None:
        _tried(told, lambda: look_for_pages(ctx, told))
        _tried(told, lambda: _empty(ctx, told, send_pages))
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


class Flight(NamedTuple):
    """A job that Zendesk has taken, and the rows that it carries."""

    job_id: str
    rows: list[OutboxRow]


def _send_tickets(ctx: Context, lane: Lane, told: Delivered) -> bool:
    """Jobs of a lane, side by side, and then their results all together. False where there was nothing to send."""
    flying: list[Flight] = []
    sent = False
    try:
        while len(flying) < JOBS and (rows := take(ctx, "zendesk", lane, BATCH)):
            flying += _send_batch(ctx, told, rows)
            sent = True
    except ConnectorError:
        _read_jobs(ctx, told, flying)
        raise
    _read_jobs(ctx, told, flying)
    return sent


def _send_batch(ctx: Context, told: Delivered, rows: list[OutboxRow]) -> list[Flight]:
    by_ticket: dict[int, list[OutboxRow]] = {}
    for row in rows:
        by_ticket.setdefault(_ticket_id(row), []).append(row)
    try:
        ready, stamps = _stamped(ctx, told, by_ticket)
    except ConnectorError as error:
        finish(ctx, told, give_back(rows, str(error)))
        raise
    return _send_job(ctx, told, _spelled(ctx, told, ready, stamps))


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
        finish(ctx, told, [Result(id=row.id, state=OutboxState.DROPPED, error=why) for row in rows])
        return []
    going: list[OutboxRow] = []
    for row in rows:
        stamp = row.action.expects.get("updated_at")
        if stamp is not None and datetime.fromisoformat(stamp) != ticket.updated_at:
            why = "the ticket changed meanwhile; decided again"
            finish(ctx, told, [Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True)])
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
        finish(ctx, told, give_back(later, "waits: one update carries one comment"))
        changes = [(row.action.key, _change(row)) for row in now]
        try:
            row = ticket_row(changes, ctx.reading, ticket_id=ticket_id, stamp=stamps[ticket_id])
        except ValueError as wrong:
            finish(ctx, told, all_as(now, OutboxState.FAILED, str(wrong)))
        else:
            spelled.append(Spelled(now, row))
    return spelled


def _send_job(ctx: Context, told: Delivered, spelled: Sequence[Spelled]) -> list[Flight]:
    """One update_many for up to a hundred tickets, one vendor row each; the job, where Zendesk took one.

    Until Zendesk has taken the job nothing was done; from then on only looking says what was.
    """
    assert ctx.zendesk is not None
    if not spelled:
        return []
    rows = [row for one in spelled for row in one.rows]
    told.calls += 1
    try:
        job_id = ctx.zendesk.update_many([one.told for one in spelled])
    except Uncertain as error:
        finish(ctx, told, all_as(rows, OutboxState.UNKNOWN, str(error)))
        return []
    except BadRequest as refused:
        _one_by_one(ctx, told, spelled, refused)
        return []
    except ConnectorError as error:
        finish(ctx, told, give_back(rows, str(error)))
        raise
    ctx.store.note_ref([row.id for row in rows], job_id)
    return [Flight(job_id, rows)]


def _one_by_one(ctx: Context, told: Delivered, spelled: Sequence[Spelled], refused: BadRequest) -> None:
    """A call was refused as a whole: each ticket alone, so that the one which it is about fails alone."""
    if len(spelled) == 1:
        finish(ctx, told, all_as(spelled[0].rows, OutboxState.FAILED, str(refused)))
        return
    for position, one in enumerate(spelled):
        try:
            _read_jobs(ctx, told, _send_job(ctx, told, [one]))
        except ConnectorError as error:
            later = [row for other in spelled[position + 1 :] for row in other.rows]
            finish(ctx, told, give_back(later, str(error)))
            raise


def _one_comment(rows: list[OutboxRow]) -> tuple[list[OutboxRow], list[OutboxRow]]:
    """Notes go together; a public reply goes alone with what is no comment. The rest waits for the next round."""
    replying = [row for row in rows if _change(row).reply is not None]
    if not replying:
        return rows, []
    now = [row for row in rows if row is replying[0] or (_change(row).note is None and _change(row).reply is None)]
    return now, [row for row in rows if row not in now]


def _read_jobs(ctx: Context, told: Delivered, flying: Sequence[Flight]) -> None:
    """Ask for all jobs at once until they are over, and note each row's own result.

    One that takes too long is left in flight and looked for later; the rows of one that cannot be asked are unknown.
    """
    assert ctx.zendesk is not None
    waiting = {flight.job_id: flight.rows for flight in flying}
    ends, pause = time.monotonic() + JOB_SECONDS, 0.05
    while waiting:
        try:
            found = jobs_results(ctx.zendesk.jobs(list(waiting)))
        except ConnectorError as error:
            rows = [row for carried in waiting.values() for row in carried]
            finish(ctx, told, all_as(rows, OutboxState.UNKNOWN, f"its job cannot be asked: {error}"))
            return
        told.calls += 1
        for job_id in list(waiting):
            job = found.get(job_id)
            if job is None:
                finish(ctx, told, all_as(waiting.pop(job_id), OutboxState.UNKNOWN, f"Zendesk knows no job {job_id}"))
            elif job.finished:
                finish(ctx, told, _results(job, job_id, waiting.pop(job_id)))
        if time.monotonic() > ends:
            return
        if waiting:
            time.sleep(pause)
            pause = min(pause * 2, 2.0)


def _results(job: JobResults, job_id: str, rows: Sequence[OutboxRow]) -> list[Result]:
    """What a job that is over says of each row that it carried."""
    results = []
    for row in rows:
        said = job.rows.get(_ticket_id(row))
        if said is None:
            results.append(Result(id=row.id, state=OutboxState.UNKNOWN, error="its job does not tell its result"))
        elif said.done:
            results.append(Result(id=row.id, state=OutboxState.DONE, vendor_ref=job_id))
        elif said.conflict and row.attempts > 1:  # what changed the ticket may have been our own earlier try
            why = "the ticket changed meanwhile; looked for in its audits first"
            results.append(Result(id=row.id, state=OutboxState.UNKNOWN, error=why))
        elif said.conflict:
            why = "the ticket changed meanwhile; decided again"
            results.append(Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True))
        else:
            results.append(Result(id=row.id, state=OutboxState.FAILED, error=said.error))
    return results


def _resolve_tickets(ctx: Context, told: Delivered) -> None:
    """Look for updates whose outcome is not known: in the ticket's audits, by our key."""
    assert ctx.zendesk is not None
    by_ticket: dict[int, list[OutboxRow]] = {}
    for row in ctx.store.unknown("zendesk"):
        by_ticket.setdefault(_ticket_id(row), []).append(row)
    queued = _still_queued(ctx, told, [row for rows in by_ticket.values() for row in rows])
    for ticket_id, rows in by_ticket.items():
        try:
            found = _written(ctx, told, ticket_id, rows)
        except NotFound:
            finish(ctx, told, all_as(rows, OutboxState.DROPPED, "the ticket is gone"))
            continue
        for row in rows:
            if row.action.key in found:
                finish(ctx, told, [Result(id=row.id, state=OutboxState.DONE, vendor_ref=row.vendor_ref)])
            elif old_enough(ctx, row) and row.vendor_ref not in queued:
                finish(ctx, told, give_back([row], "looked: the ticket does not have it"))


def _still_queued(ctx: Context, told: Delivered, rows: Sequence[OutboxRow]) -> set[str]:
    """The jobs of these rows that are not over yet: what they carry may still come."""
    assert ctx.zendesk is not None
    ids = list(dict.fromkeys(row.vendor_ref for row in rows if row.vendor_ref is not None))
    queued: set[str] = set()
    for start in range(0, len(ids), BATCH):
        told.calls += 1
        found = jobs_results(ctx.zendesk.jobs(ids[start : start + BATCH]))
        queued |= {job_id for job_id, job in found.items() if not job.finished}
    return queued


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
        found.skipped = kept_from(ctx)
        if found.skipped is None:
            found.delivered = await step("deliver", ctx, waiting if ctx.plan_only else deliver)

    return await run(mode, steps)
