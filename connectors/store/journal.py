"""The outbox as people read it: what was decided, why, and what became of it; and what an operator may do about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import optional_time, seconds, time
from connectors.store.database import Database, among
from connectors.store.decisions import ACTION
from connectors.store.errors import UnknownRow
from connectors.store.values import OutboxRow, OutboxState

_OUTBOX = schema.outbox
_OWN = [
    "id", "state", "profile_version", "created_at", "updated_at", "decided_at", "owner", "deadline", "attempts",
    "vendor_ref", "error", "again", "batch",
]  # fmt: skip
_RETRY = (OutboxState.FAILED, OutboxState.UNKNOWN)
_DROP = (OutboxState.PLANNED, OutboxState.HELD, OutboxState.FAILED, OutboxState.UNKNOWN)


class Journal(Database):
    """Rows for people."""

    def outbox(
        self,
        *,
        state: OutboxState | None = None,
        tool: str | None = None,
        record: str | None = None,
        policy: str | None = None,
        limit: int = 1000,
    ) -> list[OutboxRow]:
        """Rows, oldest first, narrowed down by whatever is given."""
        given = {"state": state, "tool": tool, "record": record, "policy": policy}
        query = select_rows().where(*(_OUTBOX.c[name] == value for name, value in given.items() if value is not None))
        with self.reading() as conn:
            return [decode_row(row) for row in conn.execute(query.order_by(_OUTBOX.c.id).limit(limit))]

    def unknown(self, tool: str, limit: int = 1000) -> list[OutboxRow]:
        """Rows that may have been sent: look for their keys in the tool, then `finish` them."""
        return self.outbox(state=OutboxState.UNKNOWN, tool=tool, limit=limit)

    def journal(self, record: str) -> list[OutboxRow]:
        """Everything ever decided about a record, oldest first."""
        return self.outbox(record=record, limit=100_000)

    def outbox_count(self, state: OutboxState) -> int:
        """How many rows stand in one state: cheap for those that few rows are in, however long the journal."""
        with self.reading() as conn:
            return conn.scalar(sa.select(sa.func.count()).where(_OUTBOX.c.state == state.value)) or 0

    def outbox_counts(self) -> dict[OutboxState, int]:
        """How many rows stand where; states without a row are left out. Reads the whole journal's index."""
        query = sa.select(_OUTBOX.c.state, sa.func.count()).group_by(_OUTBOX.c.state)
        with self.reading() as conn:
            return {OutboxState(state): count for state, count in conn.execute(query)}

    def retry(self, id: int, now: datetime) -> OutboxRow:
        """Plan a failed or unknown row again: for an operator who looked, since an unknown one may have been sent."""
        return self._move(id, OutboxState.PLANNED, _RETRY, now, {"error": None})

    def drop(self, id: int, now: datetime, why: str = "dropped by an operator") -> OutboxRow:
        """Give up a row that was not sent, so that its record goes on; it will not be planned again."""
        return self._move(id, OutboxState.DROPPED, _DROP, now, {"error": why, "again": False})

    def adopt(self, ids: Iterable[int], now: datetime) -> int:
        """Release baseline rows into the outbox, whatever their `not_after` said; gives how many."""
        with self.writing("outbox") as conn:
            ours = _OUTBOX.update().where(among(conn, _OUTBOX.c.id, ids), _OUTBOX.c.state == OutboxState.BASELINE.value)
            values = {"state": OutboxState.PLANNED.value, "not_after": None, "updated_at": seconds(now)}
            return conn.execute(ours.values(values)).rowcount

    def _move(
        self, id: int, to: OutboxState, allowed: tuple[OutboxState, ...], now: datetime, more: dict[str, Any]
    ) -> OutboxRow:
        with self.writing("outbox") as conn:
            row = conn.execute(select_rows().where(_OUTBOX.c.id == id)).one_or_none()
            if row is None:
                raise UnknownRow(f"outbox {id}: there is no such row; `helpdesk outbox list` shows them")
            if OutboxState(row.state) not in allowed:
                raise UnknownRow(f"outbox {id}: it is {row.state}; this works on {', '.join(allowed)} rows only")
            values = {"state": to.value, "owner": None, "deadline": None, "updated_at": seconds(now)} | more
            conn.execute(_OUTBOX.update().where(_OUTBOX.c.id == id).values(values))
            return decode_row(conn.execute(select_rows().where(_OUTBOX.c.id == id)).one())


def select_rows(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """All columns of outbox rows, in the order that `decode_row` wants; `more` follow."""
    return sa.select(*(_OUTBOX.c[name] for name in (*ACTION.columns, *_OWN)), *more)


def decode_row(row: sa.Row[Any]) -> OutboxRow:
    """An outbox row from `select_rows`."""
    own = {name: getattr(row, name) for name in _OWN}
    own |= {name: time(own[name]) for name in ("created_at", "updated_at", "decided_at")}
    own |= {"state": OutboxState(own["state"]), "deadline": optional_time(own["deadline"])}
    return OutboxRow(action=ACTION.decode(row), **own)
