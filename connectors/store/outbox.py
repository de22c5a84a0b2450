"""Delivering: rows are taken before a vendor is called, and finished after; between the two nobody sends them again.

planned → sending (committed before the call) → done | unknown | failed | dropped. A `sending` whose deadline passed is
unknown: it may have been sent, so somebody looks first (design §4, "Outbox row"). Order holds per (tool, record).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds, time
from connectors.store.database import Database, among, chunks, lock
from connectors.store.facts import raise_tickets, ticket_id
from connectors.store.journal import decode_row, select_rows
from connectors.store.lease import PULSE, check_fence
from connectors.store.policy import ALL
from connectors.store.values import OutboxRow, OutboxState, Result
from mappings.model import DONE, ENDED, Status
from mappings.plan import Lane, Mode

_OUTBOX = schema.outbox
_FIRST, _ROW, _OTHER = (_OUTBOX.alias(name) for name in ("first", "row", "other"))
_PLANNED = _OUTBOX.c.state == OutboxState.PLANNED.value
_IN_THE_WAY = tuple(state.value for state in (OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.FAILED))
_NEVER = tuple(state.value for state in (OutboxState.BASELINE, OutboxState.SHADOW, OutboxState.NOT_CONNECTED))
_WAITING = (OutboxState.SENDING, OutboxState.UNKNOWN)
_NOT_SENT = (OutboxState.PLANNED, OutboxState.HELD, OutboxState.FAILED)
_IS_NOT_SENT = _OUTBOX.c.state.in_([state.value for state in _NOT_SENT])
_ANY_NOT_SENT = sa.select(_OUTBOX.c.id).where(_IS_NOT_SENT).limit(1)
_RETURNING = (Status.DELETED.value, Status.SPAM.value)
_RESULTS = frozenset(
    (OutboxState.DONE, OutboxState.FAILED, OutboxState.UNKNOWN, OutboxState.DROPPED, OutboxState.PLANNED)
)


class Outbox(Database):
    """Rows out to delivery, and their results back in."""

    def take(
        self,
        *,
        tool: str,
        lane: Lane,
        limit: int,
        owner: str,
        deadline: datetime,
        now: datetime,
        fence: int | None = None,
        apart: bool = False,
    ) -> list[OutboxRow]:
        """Take what is to be sent next: at most `limit` records of a lane, with all that is planned for each.

        A record's rows come together, in order, so that one vendor call can carry them; a row of another lane is taken
        along. Left alone: paused scopes, policies set to off or shadow, records with a row in flight, unknown or
        failed, and rows from the first one on whose `after` is not done. Rows past their `not_after` (domain time, as
        `now`) are dropped with a reason, and so are those whose `after` will never be done. Rows that are not due yet
        (`not_before`) are as if they were not there.
        `apart`: at most `limit` rows, each for itself: no order between those of a record, none waits for another,
        and each keeps the `vendor_ref` of its last try.
        `deadline` is real time: until then the call has ended. Raises `StaleLease` when `fence` is given and old.
        """
        if not self.waits(tool, now, lane):
            return []
        with self.writing("outbox") as conn:
            check_fence(conn, PULSE, fence)
            _drop_late(conn, tool, now)
            _drop_orphans(conn, tool, now)
            paused = stopped(conn)
            if ALL in paused or tool in paused:
                return []
            moving = _moving(conn, _OUTBOX, paused, now), _OUTBOX.c.tool == tool
            if apart:
                rows = select_rows().where(*moving, _OUTBOX.c.lane == lane.value, _ready(_OUTBOX))
                taken = [decode_row(row) for row in conn.execute(rows.order_by(_OUTBOX.c.id).limit(limit))]
            else:
                taken = _rows_in_order(conn, _next_records(conn, tool, lane, limit, paused, now), *moving)
            sending = {
                "state": OutboxState.SENDING.value,
                "owner": owner,
                "deadline": seconds(deadline),
                "updated_at": seconds(now),
            }
            if not apart:
                sending["vendor_ref"] = None  # an earlier try's job says nothing of this one
            for some in chunks([row.id for row in taken]):
                gone = _OUTBOX.update().where(among(conn, _OUTBOX.c.id, some))
                conn.execute(gone.values(sending | {"attempts": _OUTBOX.c.attempts + 1}))
        changed = {"state": OutboxState.SENDING, "owner": owner, "deadline": deadline}
        refs = {row.id: row.vendor_ref if apart else None for row in taken}
        return [
            msgspec.structs.replace(row, attempts=row.attempts + 1, vendor_ref=refs[row.id], **changed) for row in taken
        ]

    def waits(self, tool: str, now: datetime, lane: Lane | None = None) -> bool:
        """Whether a tool has anything that is due to be sent (in a lane), without a lock: in most minutes not."""
        given = {"tool": tool, "now": seconds(now)}
        with self.reading() as conn:
            if lane is None:
                return conn.scalar(_WAITS, given) is not None
            return conn.scalar(_WAITS_IN_LANE, given | {"lane": lane.value}) is not None

    def finish(self, results: Sequence[Result], now: datetime, fence: int | None = None) -> int:
        """Note what became of rows in flight or unknown; gives how many were still waiting for it.

        `planned` gives back a row that was certainly not sent. `dropped` with `again` also makes every policy look at
        its ticket again. A row that was finished otherwise meanwhile is left as it is. Raises `StaleLease` when
        `fence` is given and old: whoever took over may have the same rows in flight.
        """
        changed = [result for result in results if result.state not in _RESULTS]
        if changed:
            raise ValueError(f"outbox {changed[0].id}: {changed[0].state} is no result; use one of {sorted(_RESULTS)}")
        with self.writing("outbox") as conn:
            check_fence(conn, PULSE, fence)
            waiting = _OUTBOX.update().where(_OUTBOX.c.id == sa.bindparam("row"))
            waiting = waiting.where(sa.or_(*(_OUTBOX.c.state == state.value for state in _WAITING)))
            finished = waiting.values(
                state=sa.bindparam("new_state"),
                vendor_ref=sa.func.coalesce(sa.bindparam("ref", type_=sa.Text), _OUTBOX.c.vendor_ref),
                error=sa.bindparam("new_error"),
                again=sa.bindparam("new_again"),
                owner=None,
                deadline=None,
                updated_at=seconds(now),
            )
            count = conn.execute(finished, [_values(result) for result in results]).rowcount if results else 0
            _decide_again(conn, [result.id for result in results if result.again])
        return count

    def hold(self, ids: Sequence[int], *, owner: str, deadline: datetime, fence: int | None = None) -> set[int]:
        """Give rows that `owner` has in flight a new deadline, for a call about to begin; says which still are its own.

        A row whose old deadline passed may count as unknown by now, and is looked for: then nobody sends it.
        Raises `StaleLease` when `fence` is given and old.
        """
        mine = _OUTBOX.c.state == OutboxState.SENDING.value, _OUTBOX.c.owner == owner
        with self.writing("outbox") as conn:
            check_fence(conn, PULSE, fence)
            rows = sa.select(_OUTBOX.c.id).where(among(conn, _OUTBOX.c.id, ids), *mine)
            held = set(conn.scalars(rows))
            longer = _OUTBOX.update().where(among(conn, _OUTBOX.c.id, sorted(held)))
            conn.execute(longer.values(deadline=seconds(deadline)))
        return held

    def note_ref(self, ids: Iterable[int], ref: str, fence: int | None = None) -> None:
        """Keep the vendor's job or request id of rows in flight at once, so that a crash can be looked into.

        Raises `StaleLease` when `fence` is given and old: for an id of ours, noted before its call.
        """
        with self.writing("outbox") as conn:
            check_fence(conn, PULSE, fence)
            conn.execute(_OUTBOX.update().where(among(conn, _OUTBOX.c.id, ids)).values(vendor_ref=ref))

    def expire(self, now: datetime) -> int:
        """Make rows in flight past their deadline unknown, never planned; `now` is real time, as the deadline is."""
        late = _OUTBOX.c.state == OutboxState.SENDING.value, _OUTBOX.c.deadline < seconds(now)
        with self.reading() as conn:
            if conn.scalar(sa.select(_OUTBOX.c.id).where(*late).limit(1)) is None:
                return 0
        why = "no answer before its deadline; it may have been sent"
        with self.writing("outbox") as conn:
            rows = _OUTBOX.update().where(*late).values(state=OutboxState.UNKNOWN.value, error=why)
            return conn.execute(rows).rowcount

    def settled(self, now: datetime) -> bool:
        """Is nothing planned that is due, under way or unknown? So it is in most minutes."""
        moving = [state.value for state in (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN)]
        query = sa.select(_OUTBOX.c.id).where(_OUTBOX.c.state.in_(moving), due(_OUTBOX, now))
        with self.reading() as conn:
            return conn.scalar(query.limit(1)) is None

    def drop_ended(self, now: datetime) -> int:
        """Drop what waits, is held back or failed for tickets that have ended, and pages of finished ones; how many.

        What was dropped for a ticket that is deleted or spam is decided again if that is taken back, and the page of a
        solved one if it is reopened: the tool may tell of the reopening before it shows it.
        """
        with self.reading() as conn:
            if conn.scalar(_ANY_NOT_SENT) is None:
                return 0
        number = sa.cast(sa.func.substr(_OUTBOX.c.record, len("zendesk:") + 1), sa.BigInteger)
        of_ticket = sa.and_(_OUTBOX.c.record.like("zendesk:%"), _OUTBOX.c.record.not_like("zendesk:%:%"))
        id = sa.case((of_ticket, number))
        ticket = schema.ticket
        over = sa.and_(_OUTBOX.c.tool == "zendesk", ticket.c.status.in_([status.value for status in ENDED]))
        nobody = sa.and_(_OUTBOX.c.verb == "page", ticket.c.status.in_([status.value for status in DONE]))
        with self.writing("outbox") as conn:
            query = (
                sa.select(_OUTBOX.c.id, _OUTBOX.c.verb, ticket.c.status)
                .select_from(_OUTBOX)
                .join(ticket, ticket.c.id == id)
            )
            rows = conn.execute(query.where(_IS_NOT_SENT, sa.or_(over, nobody))).all()
            for row in rows:
                why = f"the ticket is {row.status}: nothing is done to it any more"
                ended = _OUTBOX.update().where(_OUTBOX.c.id == row.id)
                again = row.status in _RETURNING or (row.verb == "page" and row.status == Status.SOLVED.value)
                conn.execute(ended.values(_dropped(why, now) | {"again": again}))
            return len(rows)

    def behind(self, ids: Iterable[int]) -> dict[int, list[int]]:
        """Which planned rows wait behind each of these: later ones of the same record and tool."""
        first, later = _OUTBOX.alias("first"), _OUTBOX.alias("later")
        same = sa.and_(later.c.record == first.c.record, later.c.tool == first.c.tool, later.c.id != first.c.id)
        query = sa.select(first.c.id, later.c.id.label("later")).select_from(first.join(later, same))
        query = query.where(later.c.state == OutboxState.PLANNED.value)
        found: dict[int, list[int]] = defaultdict(list)
        with self.reading() as conn:
            for some in chunks(list(ids)):
                for row in conn.execute(query.where(among(conn, first.c.id, some)).order_by(later.c.id)):
                    found[row.id].append(row.later)
        return dict(found)


def _dropped(why: str, now: datetime) -> dict[str, Any]:
    return {"state": OutboxState.DROPPED.value, "error": why, "updated_at": seconds(now)}


def _values(result: Result) -> dict[str, Any]:
    return {
        "row": result.id,
        "new_state": result.state.value,
        "ref": result.vendor_ref,
        "new_error": result.error,
        "new_again": result.again and result.state is OutboxState.DROPPED,
    }


def _decide_again(conn: sa.Connection, ids: Sequence[int]) -> None:
    """Have the tickets of these rows looked at again."""
    if not ids:
        return
    records = conn.scalars(sa.select(_OUTBOX.c.record).where(among(conn, _OUTBOX.c.id, ids)))
    tickets = {id for record in records if (id := ticket_id(record)) is not None}
    raise_tickets(conn, tickets, lock(conn, "seq"))


def _drop_late(conn: sa.Connection, tool: str, now: datetime) -> None:
    """Drop what has stopped making sense."""
    late = _PLANNED, _OUTBOX.c.tool == tool, _OUTBOX.c.not_after < seconds(now)
    for id, not_after in conn.execute(sa.select(_OUTBOX.c.id, _OUTBOX.c.not_after).where(*late)).all():
        why = f"too late: it made sense until {time(not_after):%Y-%m-%d %H:%M} UTC, now it is {now:%Y-%m-%d %H:%M}"
        row = _OUTBOX.update().where(_OUTBOX.c.id == id)
        conn.execute(row.values(state=OutboxState.DROPPED.value, error=why, updated_at=seconds(now)))


def _drop_orphans(conn: sa.Connection, tool: str, now: datetime) -> None:
    """Drop what waits for an action that will never be done."""
    first = _FIRST
    never = sa.or_(
        first.c.state.in_(_NEVER), sa.and_(first.c.state == OutboxState.DROPPED.value, first.c.again == sa.false())
    )
    dead = sa.exists().where(first.c.key == _OUTBOX.c.after_key, never)
    orphans = _OUTBOX.update().where(_PLANNED, _OUTBOX.c.tool == tool, _OUTBOX.c.after_key.is_not(None), dead)
    why = sa.literal("the action it was to follow will not be done: ") + _OUTBOX.c.after_key
    conn.execute(orphans.values(state=OutboxState.DROPPED.value, error=why, updated_at=seconds(now)))


def stopped(conn: sa.Connection) -> list[str]:
    """Paused scopes, and policies that do not apply: an operator said so, or they last decided otherwise."""
    table = schema.policy
    apply = Mode.APPLY.value
    held = sa.select(table.c.name).where(sa.or_(table.c.mode != apply, table.c.decided_mode != apply))
    return sorted({*conn.scalars(sa.select(schema.pause.c.scope)), *conn.scalars(held)})


def _ready(rows: Any) -> sa.ColumnElement[bool]:
    """The action that a row waits for, if any, is done."""
    first = _FIRST
    state = sa.select(first.c.state).where(first.c.key == rows.c.after_key).scalar_subquery()
    return sa.or_(rows.c.after_key.is_(None), state == OutboxState.DONE.value)


def due(rows: Any, now: datetime | None = None) -> sa.ColumnElement[bool]:
    """A row that waits for no time, or whose time has come; by the statement's parameter `now` where none is given."""
    at = sa.bindparam("now", type_=sa.BigInteger()) if now is None else seconds(now)
    return sa.or_(rows.c.not_before.is_(None), rows.c.not_before <= at)


_WAITS = sa.select(_OUTBOX.c.id).where(_PLANNED, _OUTBOX.c.tool == sa.bindparam("tool"), due(_OUTBOX)).limit(1)
_WAITS_IN_LANE = _WAITS.where(_OUTBOX.c.lane == sa.bindparam("lane"))


def _moving(conn: sa.Connection, rows: Any, paused: list[str], now: datetime) -> sa.ColumnElement[bool]:
    """A planned row that is due and that nobody stopped."""
    planned = sa.and_(rows.c.state == OutboxState.PLANNED.value, due(rows, now))
    if not paused:
        return planned
    halted = sa.or_(among(conn, rows.c.policy, paused), among(conn, rows.c.record, paused))
    return sa.and_(planned, sa.not_(halted))


def _next_records(
    conn: sa.Connection, tool: str, lane: Lane, limit: int, paused: list[str], now: datetime
) -> list[str]:
    """The records whose turn it is, by their first row in the lane; the index is read only as far as `limit` needs."""
    row, other = _ROW, _OTHER
    same = sa.and_(other.c.record == row.c.record, other.c.tool == row.c.tool)
    busy = sa.exists().where(same, other.c.state.in_(_IN_THE_WAY))
    in_lane = other.c.lane == row.c.lane
    earlier = sa.exists().where(
        same, other.c.id < row.c.id, _moving(conn, other, paused, now), sa.or_(in_lane, sa.not_(_ready(other)))
    )
    query = sa.select(row.c.record).where(_moving(conn, row, paused, now), row.c.tool == tool, row.c.lane == lane.value)
    query = query.where(_ready(row), sa.not_(busy), sa.not_(earlier))
    return list(conn.scalars(query.order_by(row.c.id).limit(limit)))


def _rows_in_order(conn: sa.Connection, records: Sequence[str], *moving: sa.ColumnElement[bool]) -> list[OutboxRow]:
    """The planned rows of each record up to the first that has to wait, records in the order given."""
    found: dict[str, list[OutboxRow]] = defaultdict(list)
    waits: set[str] = set()
    for some in chunks(records):
        query = select_rows(_ready(_OUTBOX).label("ready")).where(*moving, among(conn, _OUTBOX.c.record, some))
        for row in conn.execute(query.order_by(_OUTBOX.c.id)):
            if not row.ready:
                waits.add(row.record)
            if row.record not in waits:
                found[row.record].append(decode_row(row))
    return [row for record in records for row in found[record]]
