"""Evidence: a flagged ticket read whole and kept apart, before anything of ours is written to it (ABU-07)."""

from datetime import timedelta

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound
from connectors.store import OutboxRow, OutboxState, Result
from flows.context import Context
from flows.outbox import all_as, finish, give_back, take, ticket_id
from flows.report import Delivered
from flows.ticket_looks import ended
from mappings.plan import KeepEvidence, Lane
from mappings.zendesk.evidence import evidence_text, people_in, shown_ticket

TOOL = "evidence"
_MANY = 100


def keep_copies(ctx: Context, lane: Lane, told: Delivered) -> bool:
    """Take a lane's copies, a ticket at a time; False where there was nothing to take."""
    rows = take(ctx, TOOL, lane, 20)
    for position, row in enumerate(rows):
        try:
            finish(ctx, told, [_copy(ctx, told, row)])
        except (BadRequest, Forbidden) as refused:
            finish(ctx, told, all_as([row], OutboxState.FAILED, str(refused)))
        except ConnectorError as error:
            finish(ctx, told, give_back(rows[position:], str(error)))
            raise
    return bool(rows)


def look_for_copies(ctx: Context, told: Delivered) -> None:
    """Copies under way when a process ended: they are there or they are not, and can be taken again at once."""
    for row in ctx.store.unknown(TOOL):
        if ctx.store.has_evidence(row.action.key):
            finish(ctx, told, [Result(id=row.id, state=OutboxState.DONE, error="looked: it was kept")])
        else:
            finish(ctx, told, give_back([row], "looked: it was not kept; taken again"))


def _copy(ctx: Context, told: Delivered, row: OutboxRow) -> Result:
    """Read a ticket whole and keep it, once for the row's key."""
    change = row.action.change
    assert isinstance(change, KeepEvidence)
    if not ctx.store.has_evidence(row.action.key):
        content = _read(ctx, told, ticket_id(row))
        if content is None:
            return ended(row, "deleted")
        keep = timedelta(seconds=change.kept_for)
        ctx.store.keep_evidence(row.action.record, row.action.key, content, at=ctx.now(), keep=keep)
    return Result(id=row.id, state=OutboxState.DONE)


def _read(ctx: Context, told: Delivered, id: int) -> str | None:
    """All of a ticket as one text; null where Zendesk does not show it."""
    assert ctx.zendesk is not None
    ticket = ctx.zendesk.tickets([id])
    if not shown_ticket(ticket):
        return None
    try:
        comments, audits = ctx.zendesk.comments(id), list(ctx.zendesk.audits(id))
    except NotFound:
        return None
    ids = people_in([ticket, *comments, *audits])
    people = [ctx.zendesk.users(ids[start : start + _MANY]) for start in range(0, len(ids), _MANY)]
    told.calls += 1 + len(comments) + len(audits) + len(people)
    return evidence_text(ticket=ticket, comments=comments, audits=audits, people=people)
