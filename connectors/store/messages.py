"""What did not arrive: messages whose way failed or took too long, and pages that nobody saw."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import seconds
from connectors.store.database import Database, among, chunks
from connectors.store.journal import decode_row, select_rows
from connectors.store.lease import PULSE, check_fence
from connectors.store.outbox import due, stopped
from connectors.store.policy import ALL
from connectors.store.values import OutboxRow, OutboxState

_OUTBOX = schema.outbox
_TRIED = tuple(
    state.value
    for state in (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.FAILED, OutboxState.DONE)
)
_STUCK = (OutboxState.PLANNED.value, OutboxState.UNKNOWN.value)


class Messages(Database):
    """Rows that somebody else has to be told of, or told by another way."""

    def stuck(self, *, waiting_since: datetime, failed_since: datetime) -> list[OutboxRow]:
        """Messages that failed at `failed_since` or later, or were due by `waiting_since`, tried, and not sent.

        Oldest first. Those that somebody paused are left alone.
        """
        given = {"now": seconds(waiting_since), "failed_since": seconds(failed_since)}
        with self.reading() as conn:
            rows = [decode_row(found) for found in conn.execute(_stuck(), given)]
            return _unpaused(rows, stopped(conn)) if rows else []

    def unconfirmed_pages(self, *, before: datetime, since: datetime) -> list[OutboxRow]:
        """Pages that were to go out, decided from `since` to `before`, of which no incident was ever seen.

        Those that somebody paused are left out.
        """
        row, incident = _OUTBOX.c, schema.incident
        seen = sa.exists().where(incident.c.dedup_key == row.dedup_key)
        query = select_rows().where(row.dedup_key.is_not(None), row.verb == "page", row.state.in_(_TRIED), ~seen)
        query = query.where(row.decided_at <= seconds(before), row.decided_at >= seconds(since))
        with self.reading() as conn:
            rows = [decode_row(found) for found in conn.execute(query.order_by(row.id))]
            return _unpaused(rows, stopped(conn)) if rows else []

    def pass_on(self, ids: Iterable[int], now: datetime, why: str, fence: int | None = None) -> int:
        """Drop those of these rows that still wait or are unknown: the next way has them. Raises `StaleLease`."""
        values = {"state": OutboxState.DROPPED.value, "error": why, "updated_at": seconds(now), "again": False}
        count = 0
        with self.writing("outbox") as conn:
            check_fence(conn, PULSE, fence)
            for some in chunks(list(ids)):
                rows = _OUTBOX.update().where(among(conn, _OUTBOX.c.id, some), _OUTBOX.c.state.in_(_STUCK))
                count += conn.execute(rows.values(values)).rowcount
        return count


def _unpaused(rows: list[OutboxRow], paused: list[str]) -> list[OutboxRow]:
    """Those that nobody stopped, by whatever they belong to."""
    halted = set(paused)
    scopes = [{ALL, row.action.tool, row.action.policy, row.action.record} for row in rows]
    return [row for row, own in zip(rows, scopes, strict=True) if not own & halted]


@cache
def _stuck() -> sa.Select[Any]:
    """Messages that failed lately, or have waited since `now`; see `stuck`."""
    row = _OUTBOX.c
    failed = row.state == OutboxState.FAILED.value
    waited = row.attempts > 0, row.decided_at <= sa.bindparam("now", type_=sa.BigInteger()), due(_OUTBOX)
    late = sa.and_(sa.not_(failed), *waited)
    lately = sa.and_(failed, row.updated_at >= sa.bindparam("failed_since"))
    states = row.state.in_([*_STUCK, OutboxState.FAILED.value])
    return select_rows().where(states, row.verb == "message", sa.or_(late, lately)).order_by(row.id)
