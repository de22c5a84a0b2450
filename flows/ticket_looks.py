"""What became of ticket updates: their job's own word first, then the ticket's audits, then the ticket as it stands.

A row is finished as done only where one of the three shows it. One that certainly was not done is planned again while
its ticket is still as it was decided on, and else decided anew (design §4, "Outbox row").
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from connectors.errors import ConnectorError, NotFound, Ours
from connectors.store import OutboxRow, OutboxState, Result
from flows.context import Context
from flows.outbox import change_of, finish, give_back, old_enough, ticket_id
from flows.report import Delivered
from mappings.model import ENDED, Ticket
from mappings.zendesk import JobResults, find_keys, jobs_results, read_page, shows

BATCH = 100
"""Jobs and tickets of one question."""
SUSPECT = 8
"""Tries after which a ticket goes in a job of its own; if that breaks down, too, the ticket is why (dead letter)."""
RETURNING = ("deleted", "spam")
"""Endings that can be taken back: what was dropped for them is decided again then."""


def resolve(ctx: Context, told: Delivered, unknown: Sequence[OutboxRow]) -> None:
    """Finish what can be finished of the ticket updates whose outcome is unknown; the rest waits for the next pulse."""
    rows, breaking = _by_jobs(ctx, told, unknown)
    missing = _by_audits(ctx, told, rows)
    _by_tickets(ctx, told, missing, breaking)


def results(ctx: Context, told: Delivered, job: JobResults, job_id: str, rows: Sequence[OutboxRow]) -> list[Result]:
    """What a job that is over says of each row that it carried; one refused for a ticket that ended is dropped."""
    found: list[Result] = []
    refused: list[tuple[OutboxRow, str]] = []
    for row in rows:
        said = job.rows.get(ticket_id(row))
        if said is None:
            why = f"its job {job.message or 'is over'} and does not tell its result; looked for in the ticket"
            found.append(Result(id=row.id, state=OutboxState.UNKNOWN, error=why))
        elif said.done:
            found.append(Result(id=row.id, state=OutboxState.DONE, vendor_ref=job_id))
        elif said.conflict and row.attempts > 1:  # what changed the ticket may have been our own earlier try
            why = "the ticket changed meanwhile; looked for in its audits first"
            found.append(Result(id=row.id, state=OutboxState.UNKNOWN, error=why))
        elif said.conflict:
            found.append(changed(row))
        else:
            refused.append((row, said.error or "refused without a reason"))
    return found + _refused(ctx, told, refused)


def fresh(ctx: Context, told: Delivered, ids: Iterable[int]) -> dict[int, Ticket]:
    """Tickets as they are now, a hundred a call; what Zendesk does not show is left out."""
    assert ctx.zendesk is not None
    assert ctx.reading is not None
    wanted = list(dict.fromkeys(ids))
    found: dict[int, Ticket] = {}
    for start in range(0, len(wanted), BATCH):
        told.calls += 1
        page = read_page(ctx.zendesk.tickets(wanted[start : start + BATCH]), ctx.reading)
        found |= {ticket.id: ticket for ticket in page.tickets}
    return found


def gone(ctx: Context, told: Delivered, id: int) -> bool:
    """Is a ticket that a list leaves out really not there? Asked for by itself before it is believed."""
    assert ctx.zendesk is not None
    told.calls += 1
    try:
        next(iter(ctx.zendesk.audits(id)))
    except NotFound:
        return True
    return False


UNSEEN = "the ticket is deleted, and nobody can see whether this was sent: it is not sent again"


def changed(row: OutboxRow) -> Result:
    """A row whose ticket changed since it was decided on: it is decided again."""
    why = "the ticket changed meanwhile; decided again"
    return Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True)


def ended(row: OutboxRow, status: str) -> Result:
    """A row whose ticket has ended; where that is taken back, it is decided again."""
    why = f"the ticket is {status}: nothing is done to it any more"
    return Result(id=row.id, state=OutboxState.DROPPED, error=why, again=status in RETURNING)


def _unseen(row: OutboxRow) -> Result:
    """A row without an answer whose ticket is deleted: nobody can see whether it was done.

    What was written to a customer is not written again when the ticket is restored; the rest is decided again.
    """
    if change_of(row).reply is None:
        return ended(row, "deleted")
    return Result(id=row.id, state=OutboxState.DROPPED, error=UNSEEN)


def _refused(ctx: Context, told: Delivered, refused: Sequence[tuple[OutboxRow, str]]) -> list[Result]:
    """Rows that Zendesk refused: dropped where their ticket has ended, else failed with Zendesk's own reason."""
    if not refused:
        return []
    found = []
    over = _ended_now(ctx, told, [ticket_id(row) for row, _ in refused])
    for row, said in refused:
        if ticket_id(row) in over:
            found.append(ended(row, over[ticket_id(row)]))
        else:
            why = f"zendesk ticket {ticket_id(row)}: {said}; put that right in Zendesk or the profile, then retry it"
            found.append(Result(id=row.id, state=OutboxState.FAILED, error=why))
    return found


def _ended_now(ctx: Context, told: Delivered, ids: Sequence[int]) -> dict[int, str]:
    """How those of these tickets ended that did; none where Zendesk cannot be asked."""
    try:
        now = fresh(ctx, told, ids)
        over = {id: ticket.status.value for id, ticket in now.items() if ticket.status in ENDED}
        return over | {id: "deleted" for id in ids if id not in now and gone(ctx, told, id)}
    except ConnectorError:
        return {}


def _by_jobs(ctx: Context, told: Delivered, rows: Sequence[OutboxRow]) -> tuple[list[OutboxRow], set[int]]:
    """The rows of which no job tells, and the ids of those that broke down a job of their own after many tries.

    Rows whose job is still at work are left alone: they may come yet.
    """
    assert ctx.zendesk is not None
    ids = list(dict.fromkeys(row.vendor_ref for row in rows if row.vendor_ref is not None))
    jobs: dict[str, JobResults] = {}
    for start in range(0, len(ids), BATCH):
        told.calls += 1
        jobs |= jobs_results(ctx.zendesk.jobs(ids[start : start + BATCH]))
    untold: list[OutboxRow] = []
    breaking: set[int] = set()
    for row in rows:
        job = jobs.get(row.vendor_ref or "")
        if job is None:
            untold.append(row)  # no job of ours, or one that Zendesk has forgotten
        elif job.finished:
            said = results(ctx, told, job, row.vendor_ref or "", [row])
            unknown = [result for result in said if result.state is OutboxState.UNKNOWN]
            finish(ctx, told, [result for result in said if result.state is not OutboxState.UNKNOWN])
            untold += [row] if unknown else []
            if unknown and job.total == 1 and row.attempts >= SUSPECT:
                breaking.add(row.id)
    return untold, breaking


def _by_audits(ctx: Context, told: Delivered, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """The rows that their tickets' audits do not show, and that would show by now."""
    by_ticket: dict[int, list[OutboxRow]] = {}
    for row in rows:
        by_ticket.setdefault(ticket_id(row), []).append(row)
    missing: list[OutboxRow] = []
    for id, its in by_ticket.items():
        try:
            found = _written(ctx, told, id, its)
        except NotFound:
            finish(ctx, told, [_unseen(row) for row in its])
            continue
        except Ours as error:  # this ticket cannot be read: the others can
            told.problems.append(f"zendesk:{id}: its updates cannot be looked for: {error}")
            continue
        done = [row for row in its if row.action.key in found]
        finish(ctx, told, [Result(id=row.id, state=OutboxState.DONE, vendor_ref=row.vendor_ref) for row in done])
        missing += [row for row in its if row not in done and old_enough(ctx, row)]
    return missing


def _written(ctx: Context, told: Delivered, id: int, rows: Sequence[OutboxRow]) -> set[str]:
    """Which of these rows' keys a ticket's audits show to have been written by us; as many pages as it takes."""
    assert ctx.zendesk is not None
    assert ctx.reading is not None
    sought = {row.action.key for row in rows}
    found: set[str] = set()
    for page in ctx.zendesk.audits(id):
        told.calls += 1
        found |= find_keys(page, sought, ctx.reading.us)
        if found == sought:
            break
    return found


def _by_tickets(ctx: Context, told: Delivered, rows: Sequence[OutboxRow], breaking: Collection[int]) -> None:
    """Rows that no audit shows: done where the ticket is as they wanted it (they left no words), else not done."""
    now = fresh(ctx, told, [ticket_id(row) for row in rows])
    finish(ctx, told, [_standing(ctx, told, row, now, breaking) for row in rows])


def _standing(
    ctx: Context, told: Delivered, row: OutboxRow, now: Mapping[int, Ticket], breaking: Collection[int]
) -> Result:
    assert ctx.reading is not None
    ticket = now.get(ticket_id(row))
    if ticket is None:
        return ended(row, "deleted") if gone(ctx, told, ticket_id(row)) else _again(row)
    if ticket.status in ENDED:
        return ended(row, ticket.status)
    if shows(change_of(row), ticket, ctx.reading):
        why = "looked: the ticket is as it wanted it"
        return Result(id=row.id, state=OutboxState.DONE, vendor_ref=row.vendor_ref, error=why)
    stamp = row.action.expects.get("updated_at")
    if stamp is not None and datetime.fromisoformat(stamp) != ticket.updated_at:
        return changed(row)
    return _broken(row) if row.id in breaking else _again(row)


def _broken(row: OutboxRow) -> Result:
    why = f"zendesk ticket {ticket_id(row)}: Zendesk's job breaks down at it, {row.attempts} tries; "
    why += "look at the ticket in Zendesk, then retry or drop this"
    return Result(id=row.id, state=OutboxState.FAILED, error=why)


def _again(row: OutboxRow) -> Result:
    return give_back([row], "looked: the ticket does not have it; sent again")[0]
