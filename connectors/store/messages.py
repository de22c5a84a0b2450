"""Messages whose way did not work: they failed, or have waited too long, and the route's next way takes over."""

from collections.abc import Iterable
from datetime import datetime

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
_STUCK = (OutboxState.PLANNED.value, OutboxState.UNKNOWN.value)


class Messages(Database):
    """Rows with the verb `message`."""

    def stuck(self, tool: str, *, waiting_since: datetime, failed_since: datetime) -> list[OutboxRow]:
        """A tool's messages that failed at `failed_since` or later, or are due and wait or are unknown since before
        `waiting_since`; oldest first. Those that somebody paused are left alone.
        """
        row = _OUTBOX.c
        late = sa.and_(row.state.in_(_STUCK), row.decided_at <= seconds(waiting_since), due(_OUTBOX, waiting_since))
        failed = sa.and_(row.state == OutboxState.FAILED.value, row.updated_at >= seconds(failed_since))
        query = select_rows().where(row.verb == "message", row.tool == tool, sa.or_(late, failed))
        with self.reading() as conn:
            paused = stopped(conn)
            if ALL in paused or tool in paused:
                return []
            rows = [decode_row(found) for found in conn.execute(query.order_by(row.id))]
        return [one for one in rows if not {one.action.policy, one.action.record} & set(paused)]

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
