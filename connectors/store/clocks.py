"""Clocks as rows: a minute reads only those that have something to notice by now."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import Codec, optional_seconds, seconds, time
from connectors.store.database import Database, among, chunks, listed, of_these, upsert
from mappings.model import Clock, ClockState

CLOCK = Codec(Clock)
_COLUMNS = [schema.clock.c[name] for name in CLOCK.columns]
_ORDER = [schema.clock.c[name] for name in ("record", "start_at", "target", "cause")]


@cache
def _of_records(dialect: str) -> sa.Select[Any]:
    return sa.select(*_COLUMNS).where(of_these(dialect, schema.clock.c.record)).order_by(*_ORDER)


class Clocks(Database):
    """Clocks out; they go in with the decision that set them (`decide`)."""

    def clocks(self, records: Iterable[str]) -> dict[str, list[Clock]]:
        """All clocks of these records, running and finished, by record (empty list where there is none)."""
        wanted = list(dict.fromkeys(records))
        found: dict[str, list[Clock]] = {record: [] for record in wanted}
        with self.reading() as conn:
            for some in chunks(wanted):
                for row in conn.execute(_of_records(conn.dialect.name), listed(conn, some)).all():
                    clock = CLOCK.decode(row)
                    found[clock.record].append(clock)
        return found

    def due_clocks(self, now: datetime, limit: int = 1000) -> list[Clock]:
        """Running clocks that reached `warn_at` and were not warned, or `due_at` and were not noticed; longest first.

        One index scan over those alone, whatever the number of clocks. A clock comes back every time until a decision
        stores it with `warned_at` or `detected_at`.
        """
        next_at = schema.clock.c.next_at
        with self.reading() as conn:
            rows = conn.execute(sa.select(*_COLUMNS).where(next_at <= seconds(now)).order_by(next_at).limit(limit))
            return [CLOCK.decode(row) for row in rows.all()]

    def next_instant(self, after: datetime, records: Iterable[str]) -> datetime | None:
        """The next time after `after` at which a running clock of these records has something to notice."""
        column = schema.clock.c.next_at
        query = sa.select(sa.func.min(column)).where(column > seconds(after))
        with self.reading() as conn:
            found = conn.scalar(query.where(among(conn, schema.clock.c.record, list(records))))
        return None if found is None else time(found)


def next_at(clock: Clock) -> datetime | None:
    """The next instant at which there is something to notice about a clock."""
    if clock.state is not ClockState.RUNNING or clock.detected_at is not None:
        return None
    unwarned = clock.warn_at if clock.warned_at is None else None
    return min((at for at in (unwarned, clock.due_at) if at is not None), default=None)


def save_clocks(conn: sa.Connection, clocks: Sequence[Clock]) -> None:
    """Store clocks as they are now; of two with the same key the last one counts."""
    rows = {clock.key: [*CLOCK.encode(clock), optional_seconds(next_at(clock))] for clock in clocks}
    upsert(conn, schema.clock, list(rows.values()))
