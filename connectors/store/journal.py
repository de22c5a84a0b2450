"""The outbox as people read it: what was decided, why, and what became of it; and what an operator may do about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.batches import ADOPTED, decide_again, let_go
from connectors.store.codec import optional_time, seconds, time
from connectors.store.database import Database, among
from connectors.store.decisions import ACTION
from connectors.store.errors import UnknownRow
from connectors.store.values import Group, OutboxRow, OutboxState

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
        rule: str | None = None,
        verb: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[OutboxRow]:
        """Rows, oldest first, narrowed down by whatever is given; `since`: their cause came at that time or later."""
        chosen = _chosen(state=state, tool=tool, record=record, policy=policy, rule=rule, verb=verb, since=since)
        with self.reading() as conn:
            rows = conn.execute(select_rows().where(*chosen).order_by(_OUTBOX.c.id).limit(limit))
            return [decode_row(row) for row in rows]

    def groups(self, *, examples: int = 0, **given: Any) -> list[Group]:
        """Rows by policy, rule and verb, the largest group first, with the newest few of each; narrowed as `outbox`."""
        by = _OUTBOX.c.policy, _OUTBOX.c.rule, _OUTBOX.c.verb
        cause = _OUTBOX.c.cause_at
        count = sa.func.count().label("count")
        query = sa.select(*by, count, sa.func.min(cause), sa.func.max(cause)).where(*_chosen(**given)).group_by(*by)
        with self.reading() as conn:
            found = []
            for policy, rule, verb, many, oldest, newest in conn.execute(query.order_by(count.desc(), *by)).all():
                one = _chosen(**given | {"policy": policy, "rule": rule, "verb": verb})
                rows = conn.execute(select_rows().where(*one).order_by(_OUTBOX.c.id.desc()).limit(examples)).all()
                group = Group(policy=policy, rule=rule, verb=verb, count=many, oldest=time(oldest), newest=time(newest))
                found.append(msgspec.structs.replace(group, examples=tuple(decode_row(row) for row in rows)))
            return found

    def unknown(self, tool: str, limit: int = 1000) -> list[OutboxRow]:
        """Rows that may have been sent: look for their keys in the tool, then `finish` them."""
        return self.outbox(state=OutboxState.UNKNOWN, tool=tool, limit=limit)

    def journal(self, record: str) -> list[OutboxRow]:
        """Everything ever decided about a record, oldest first."""
        return self.outbox(record=record, limit=100_000)

    def outbox_count(self, state: OutboxState, *, due: datetime | None = None) -> int:
        """How many rows stand in one state: cheap for those that few rows are in, however long the journal.

        With `due` only those that are due by then.
        """
        query = sa.select(sa.func.count()).where(_OUTBOX.c.state == state.value)
        if due is not None:
            query = query.where(sa.func.coalesce(_OUTBOX.c.not_before, 0) <= seconds(due))
        with self.reading() as conn:
            return conn.scalar(query) or 0

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

    def adopt(self, now: datetime, *, ids: Iterable[int] | None = None, **given: Any) -> int:
        """Release baseline rows, by id or narrowed as `outbox`; gives how many.

        Their policy decides on them anew, whenever their cause was, and under its limits: what does not hold any more
        stays undone.
        """
        ours = [*_chosen(**given), _OUTBOX.c.state == OutboxState.BASELINE.value]
        with self.writing("outbox") as conn:
            if ids is not None:
                ours.append(among(conn, _OUTBOX.c.id, ids))
            rows = conn.execute(sa.select(_OUTBOX.c.id, _OUTBOX.c.record).where(*ours)).all()
            why = "adopted; its ticket is looked at again before it is sent"
            values = {"again": True, "batch": ADOPTED, "error": why, "updated_at": seconds(now)}
            let_go(conn, [row.id for row in rows], values)
            decide_again(conn, [row.record for row in rows])
            return len(rows)

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


def _chosen(*, since: datetime | None = None, **given: Any) -> list[sa.ColumnElement[bool]]:
    """What rows have to be: each column as given, where it is."""
    chosen = [_OUTBOX.c[name] == value for name, value in given.items() if value is not None]
    return chosen if since is None else [*chosen, _OUTBOX.c.cause_at >= seconds(since)]


def select_rows(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """All columns of outbox rows, in the order that `decode_row` wants; `more` follow."""
    return sa.select(*(_OUTBOX.c[name] for name in (*ACTION.columns, *_OWN)), *more)


def decode_row(row: sa.Row[Any]) -> OutboxRow:
    """An outbox row from `select_rows`."""
    own = {name: getattr(row, name) for name in _OWN}
    own |= {name: time(own[name]) for name in ("created_at", "updated_at", "decided_at")}
    own |= {"state": OutboxState(own["state"]), "deadline": optional_time(own["deadline"])}
    return OutboxRow(action=ACTION.decode(row), **own)
