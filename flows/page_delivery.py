"""Pages out to PagerDuty: an event each, and a look for those whose sending had no answer."""

from collections.abc import Iterable

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound, Uncertain
from connectors.store import OutboxRow, OutboxState, Result
from flows.context import Context
from flows.outbox import SETTLE, all_as, apt, finish, give_back, old_enough, still_ours, take, ticket_id
from flows.report import Delivered
from mappings.model import Incident
from mappings.pagerduty import event, incident
from mappings.plan import Lane, PageResolve, PageTrigger
from mappings.policies.paging import needless, work_of
from mappings.policies.sla.measures import live
from mappings.timeline import build

_CLOSING = (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.DONE)


def send_pages(ctx: Context, lane: Lane, told: Delivered) -> bool:
    """Send a lane's pages; True while there may be more."""
    rows = take(ctx, "pagerduty", lane, 20)
    stuck: set[str] = set()
    for position, row in enumerate(rows):
        if row.action.record in stuck:
            finish(ctx, told, give_back([row], "waits for the record's earlier page"))
            continue
        if not apt(ctx, told, still_ours(ctx, [row])):
            continue
        try:
            finish(ctx, told, [_page(ctx, row)])
            told.calls += 1
        except Uncertain as error:
            stuck.add(row.action.record)
            finish(ctx, told, all_as([row], OutboxState.UNKNOWN, str(error)))
        except (BadRequest, Forbidden, NotFound) as refused:
            stuck.add(row.action.record)
            finish(ctx, told, all_as([row], OutboxState.FAILED, str(refused)))
        except ConnectorError as error:
            finish(ctx, told, give_back(rows[position:], str(error)))
            raise
    return bool(rows)


def _page(ctx: Context, row: OutboxRow) -> Result:
    """Send one page event. Its dedup key makes sending it again harmless while the page is open."""
    assert ctx.pagerduty is not None
    change = row.action.change
    if not isinstance(change, PageTrigger | PageResolve):
        return Result(id=row.id, state=OutboxState.FAILED, error=f"{row.action.verb}: no page; report this")
    if isinstance(change, PageTrigger) and (why := _needless(ctx, row, change)) is not None:
        return why
    service = ctx.pagerduty.services().get(change.service)
    if service is None:
        return Result(
            id=row.id,
            state=OutboxState.FAILED,
            error=f"pagerduty service {change.service!r}: none takes events; create it, or mend the profile's routes",
        )
    ctx.pagerduty.send(event(change, service))
    return Result(id=row.id, state=OutboxState.DONE, vendor_ref=change.dedup_key)


def look_for_pages(ctx: Context, told: Delivered) -> None:
    """Look for pages whose sending had no answer: there → done; not there after a while → send again."""
    assert ctx.pagerduty is not None
    for row in ctx.store.unknown("pagerduty"):
        change = row.action.change
        assert isinstance(change, PageTrigger | PageResolve)
        body = ctx.pagerduty.incident_by_key(change.dedup_key)
        found = None if body is None else incident(body, change.dedup_key)
        if found is not None and _shows(change, found, row):
            finish(ctx, told, [Result(id=row.id, state=OutboxState.DONE, vendor_ref=change.dedup_key)])
        elif old_enough(ctx, row):
            finish(ctx, told, give_back([row], "looked: PagerDuty does not have it"))


def _shows(change: PageTrigger | PageResolve, found: Incident, row: OutboxRow) -> bool:
    """Does the newest incident of a key show that this event arrived? An older, resolved one says nothing of a page."""
    if isinstance(change, PageResolve):
        return found.resolved_at is not None
    return found.resolved_at is None or found.created_at >= row.updated_at - SETTLE


def _needless(ctx: Context, row: OutboxRow, change: PageTrigger) -> Result | None:
    """The page as dropped, where nobody needs to be woken as far as we know."""
    for history in ctx.store.histories([ticket_id(row)]):
        life = live(history, build(history), ctx.profile, dict(ctx.groups))
        found = needless(life, change, rings=_rings(ctx, row))
        if found is not None:
            return Result(id=row.id, state=OutboxState.DROPPED, error=found.why, again=found.again)
    return None


def _rings(ctx: Context, row: OutboxRow) -> bool:
    """Is a page of the ticket's earlier work still open, as far as we know, with nobody about to close it?"""
    record = row.action.record
    pages = [one for one in ctx.store.open_pages() if one.action.record == record]
    closing = ctx.store.acted([record], "resolve_page", _CLOSING) if pages else []
    own = {work_of(key) for key in _keys([row])}
    return any(work_of(key) not in own for key in _keys(pages) - _keys(closing))


def _keys(rows: Iterable[OutboxRow]) -> set[str]:
    changes = [row.action.change for row in rows]
    return {change.dedup_key for change in changes if isinstance(change, PageTrigger | PageResolve)}
