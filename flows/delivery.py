"""Delivery: the outbox out to the tools, lane by lane, each row's own result read (design §4, "Outbox row").

A row is `sending` before the call; a call without an answer leaves it `unknown`, and unknown is resolved by looking in
the tool, never by sending again. Deadlines of calls are real time; whether an action still makes sense is domain time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zlib import crc32

from prefect import flow

from connectors.errors import BadRequest, ConnectorError, Uncertain
from connectors.store import Mode, OutboxRow, OutboxState, Result
from flows.account import know_account
from flows.company_delivery import look_for_companies, of_company, send_companies
from flows.context import Context, log
from flows.evidence_delivery import TOOL, keep_copies, look_for_copies
from flows.message_delivery import look_for_messages, send_messages, take_over
from flows.outbox import all_as, apt, change_of, finish, give_back, real_time, still_ours, take, ticket_id
from flows.page_delivery import look_for_pages, send_pages
from flows.report import Delivered, Pulse
from flows.restore import kept_from
from flows.runs import Apply, run, run_name, step
from flows.ticket_looks import SUSPECT, changed, ended, fresh, gone, resolve, results
from mappings.model import ENDED, Ticket
from mappings.plan import ON_HOLD, Lane
from mappings.zendesk import jobs_results, ticket_row

BATCH = 100
"""Tickets an update_many takes."""
JOBS = 10
"""Jobs that we let run side by side: a third of what an account takes, the rest is for others (vendor-facts §1.8)."""
JOB_SECONDS = 20
"""How long we wait for a job before we leave it to the next pulse to ask again: most take one to five seconds."""

MESSAGES = ("slack", "mail")
"""The tools that carry messages, in order: what the first does not take goes by the second."""


def deliver(ctx: Context) -> Delivered:
    """Empty the outbox as far as the tools allow; gives what became of the rows."""
    told = Delivered()
    if ctx.settings.mode is not Mode.APPLY:
        return waiting(ctx)
    told.dropped += ctx.store.drop_ended(ctx.now())
    take_over(ctx, told)
    if ctx.store.settled(ctx.now()):
        return told
    know_account(ctx)
    ctx.store.expire(real_time())
    if ctx.pagerduty is not None:
        _tried(told, lambda: look_for_pages(ctx, told))
        _tried(told, lambda: _empty(ctx, told, "pagerduty", send_pages))
    if ctx.zendesk is not None and ctx.reading is not None:
        _tried(told, lambda: look_for_copies(ctx, told))
        _tried(told, lambda: _empty(ctx, told, TOOL, keep_copies))
        _tried(told, lambda: _resolve(ctx, told))
        _tried(told, lambda: _empty(ctx, told, "zendesk", _send_tickets))
    for tool in MESSAGES:
        _tell(ctx, told, tool)
    told.waiting = ctx.store.outbox_count(OutboxState.PLANNED, due=ctx.now())
    return told


def _tell(ctx: Context, told: Delivered, tool: str) -> None:
    """Messages by one tool. What it does not take goes to the next one, which comes after it."""
    _tried(told, lambda: look_for_messages(ctx, told, tool))
    _tried(told, lambda: _empty(ctx, told, tool, lambda ctx, lane, told: send_messages(ctx, lane, told, tool)))
    take_over(ctx, told)


def _tried(told: Delivered, work: Callable[[], None]) -> None:
    """One step, whose failure is its own: that an old row cannot be looked for never keeps a new page from going."""
    try:
        work()
    except ConnectorError as error:
        log.warning("delivery: %s", error)
        told.problems.append(str(error))


def _resolve(ctx: Context, told: Delivered) -> None:
    """Finish what can be finished of what went to Zendesk without an answer."""
    rows = ctx.store.unknown("zendesk")
    if companies := [row for row in rows if of_company(row)]:
        _tried(told, lambda: look_for_companies(ctx, told, companies))
    resolve(ctx, told, [row for row in rows if not of_company(row)])


def _empty(ctx: Context, told: Delivered, tool: str, send: Callable[[Context, Lane, Delivered], bool]) -> None:
    for lane in Lane if ctx.store.waits(tool, ctx.now()) else ():
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
    if companies := [row for row in rows if of_company(row)]:
        send_companies(ctx, told, companies)
        rows = [row for row in rows if not of_company(row)]
    for row in rows:
        by_ticket.setdefault(ticket_id(row), []).append(row)
    try:
        ready, stamps = _stamped(ctx, told, by_ticket)
    except ConnectorError as error:
        finish(ctx, told, give_back(rows, str(error)))
        raise
    return _send_jobs(ctx, told, sorted(_spelled(ctx, told, ready, stamps), key=turn))


def _stamped(
    ctx: Context, told: Delivered, by_ticket: Mapping[int, list[OutboxRow]]
) -> tuple[dict[int, list[OutboxRow]], dict[int, datetime]]:
    """Which rows may go, and each ticket's stamp. Rows that do not all carry one stamp are looked at first."""
    ready: dict[int, list[OutboxRow]] = {}
    stamps: dict[int, datetime] = {}
    for id, rows in by_ticket.items():
        expected = {row.action.expects.get("updated_at") for row in rows}
        if len(expected) == 1 and (stamp := expected.pop()) is not None:
            ready[id], stamps[id] = rows, datetime.fromisoformat(stamp)
    unsure = [id for id in by_ticket if id not in ready]
    now = fresh(ctx, told, unsure)
    for id in unsure:
        going = _still_meant(ctx, told, by_ticket[id], now.get(id))
        if going:
            ready[id], stamps[id] = going, now[id].updated_at
    return ready, stamps


def _still_meant(ctx: Context, told: Delivered, rows: list[OutboxRow], ticket: Ticket | None) -> list[OutboxRow]:
    """The rows that still hold for a ticket as it is now; the others are finished with their reason."""
    if ticket is None:
        away = gone(ctx, told, ticket_id(rows[0]))
        shown = "Zendesk does not show the ticket; it is asked for again"
        finish(ctx, told, [ended(row, "deleted") for row in rows] if away else all_as(rows, OutboxState.UNKNOWN, shown))
        return []
    refused = {row.id: result for row in rows if (result := _meant(row, ticket)) is not None}
    finish(ctx, told, refused.values())
    return [row for row in rows if row.id not in refused]


def _meant(row: OutboxRow, ticket: Ticket) -> Result | None:
    """Why a row does not hold for its ticket any more; null where it does."""
    if ticket.status in ENDED:
        return ended(row, ticket.status)
    if ON_HOLD in ticket.tags:
        why = f"the ticket has the tag {ON_HOLD}: it is left alone, and decided on again once the tag is gone"
        return Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True)
    stamp = row.action.expects.get("updated_at")
    if stamp is not None and datetime.fromisoformat(stamp) != ticket.updated_at:
        return changed(row)
    return None


class Spelled(NamedTuple):
    """One ticket's rows that go together, and how Zendesk is told."""

    rows: list[OutboxRow]
    told: dict[str, Any]

    @property
    def tries(self) -> int:
        """How often it was sent, this time counted in."""
        return max(row.attempts for row in self.rows)


def turn(one: Spelled) -> tuple[int, int]:
    """Where a ticket stands in its job: at each further try elsewhere.

    A job that breaks down at one ticket does nothing for those behind it, and does not say at which: so none stays
    behind the same one.
    """
    first = one.rows[0].id
    return (0, first) if one.tries <= 1 else (1, crc32(f"{first} {one.tries}".encode()))


def _spelled(
    ctx: Context, told: Delivered, ready: Mapping[int, list[OutboxRow]], stamps: Mapping[int, datetime]
) -> list[Spelled]:
    """Each ticket's vendor row. What cannot be said (a group that the account lacks) fails, and parks its ticket."""
    assert ctx.reading is not None
    spelled: list[Spelled] = []
    ours = {row.id for row in still_ours(ctx, [row for rows in ready.values() for row in rows])}
    for id, rows in ready.items():
        going, stale = _one_place(apt(ctx, told, [row for row in rows if row.id in ours]))
        now, later = _one_comment(going)
        why = "another action moves the ticket before; decided again"
        finish(ctx, told, [Result(id=row.id, state=OutboxState.DROPPED, error=why, again=True) for row in stale])
        if not now:
            continue
        finish(ctx, told, give_back(later, "waits: one update carries one comment"))
        changes = [(row.action.key, change_of(row)) for row in now]
        try:
            row = ticket_row(changes, ctx.reading, ticket_id=id, stamp=stamps[id])
        except ValueError as wrong:
            finish(ctx, told, all_as(now, OutboxState.FAILED, str(wrong)))
        else:
            spelled.append(Spelled(now, row))
    return spelled


def _send_jobs(ctx: Context, told: Delivered, spelled: Sequence[Spelled]) -> list[Flight]:
    """One job for all; a few of those that were tried often have one each, which shows whether they break it down."""
    alone = [one for one in spelled if one.tries >= SUSPECT][:JOBS]
    jobs = [[one for one in spelled if one not in alone], *([one] for one in alone)]
    flying: list[Flight] = []
    for position, job in enumerate(jobs):
        try:
            flying += _send_job(ctx, told, job)
        except ConnectorError as error:
            later = [row for other in jobs[position + 1 :] for one in other for row in one.rows]
            finish(ctx, told, give_back(later, str(error)))
            _read_jobs(ctx, told, flying)
            raise
    return flying


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


def _one_place(rows: list[OutboxRow]) -> tuple[list[OutboxRow], list[OutboxRow]]:
    """What gives a ticket to somebody who was chosen before another action moves it elsewhere is decided again.

    Together the two are refused, and with them whatever else is to be done: nobody is an assignee outside their group.
    """
    going: list[OutboxRow] = []
    place: str | None = None
    for row in rows:
        change = change_of(row)
        if change.assignee_id is None or place is None or change.group == place:
            going.append(row)
            place = change.group or place
    return going, [row for row in rows if row not in going]


def _one_comment(rows: list[OutboxRow]) -> tuple[list[OutboxRow], list[OutboxRow]]:
    """Notes go together; a public reply goes alone with what is no comment. The rest waits for the next round."""
    replying = [row for row in rows if change_of(row).reply is not None]
    if not replying:
        return rows, []
    now = [row for row in rows if row is replying[0] or (change_of(row).note is None and change_of(row).reply is None)]
    return now, [row for row in rows if row not in now]


def _read_jobs(ctx: Context, told: Delivered, flying: Sequence[Flight]) -> None:
    """Ask for all jobs at once until they are over, and note each row's own result.

    The rows of one that takes too long, or cannot be asked, are unknown: the next pulse asks again, by its stored id.
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
                finish(ctx, told, results(ctx, told, job, job_id, waiting.pop(job_id)))
        if waiting and time.monotonic() > ends:
            rows = [row for carried in waiting.values() for row in carried]
            why = f"its job is not over after {JOB_SECONDS} s; asked again with the next pulse"
            finish(ctx, told, all_as(rows, OutboxState.UNKNOWN, why))
            return
        if waiting:
            time.sleep(pause)
            pause = min(pause * 2, 2.0)


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
