"""How far each source has been read, whether it answers, and the records that could not be read."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from connectors.store import schema
from connectors.store.codec import Codec, plain
from connectors.store.database import Database, among, database_time, upsert
from connectors.store.values import Facts, Parked, SourceState

SOURCE = Codec(SourceState)
PARKED = Codec(Parked)


class Sources(Database):
    """Reading positions and readability."""

    def source(self, tool: str, name: str) -> SourceState:
        """The state of one source; a fresh one (all null) where nothing has been read yet."""
        with self.reading() as conn:
            return read_source(conn, tool, name)

    def sources(self) -> list[SourceState]:
        """All sources, by tool and name."""
        table = schema.source
        with self.reading() as conn:
            rows = conn.execute(_SOURCES.order_by(table.c.tool, table.c.name))
            return [SOURCE.decode(row) for row in rows]

    def source_failed(self, tool: str, name: str, error: str, at: datetime) -> bool:
        """Note that a source did not answer; true when it just went down, so that it is reported once."""
        with self.writing("seq") as conn:
            state = read_source(conn, tool, name)
            failed = msgspec.structs.replace(state, error=error, down_since=state.down_since or at)
            upsert(conn, schema.source, [SOURCE.encode(failed)])
            return state.down_since is None

    def source_ok(self, tool: str, name: str, at: datetime) -> bool:
        """Note that a source answers since `at`; true when it just came back. One that did already costs a look."""
        known = self.source(tool, name)
        if known.ok_at is not None and known.down_since is None:
            return False
        with self.writing("seq") as conn:
            state = read_source(conn, tool, name)
            well = msgspec.structs.replace(state, ok_at=at, error=None, down_since=None)
            upsert(conn, schema.source, [SOURCE.encode(well)])
            return state.down_since is not None

    def parked(self) -> list[Parked]:
        """The records that could not be read, oldest first; one that is read again leaves the list."""
        table = schema.parked
        columns = [table.c[name] for name in PARKED.columns]
        with self.reading() as conn:
            rows = conn.execute(sa.select(*columns).order_by(table.c.first_seen, table.c.record))
            return [PARKED.decode(row) for row in rows]


_SOURCES = sa.select(*(schema.source.c[name] for name in SOURCE.columns))
_SOURCE = _SOURCES.where(schema.source.c.tool == sa.bindparam("tool"), schema.source.c.name == sa.bindparam("name"))
_PARKED = sa.select(schema.parked.c.record)


def read_source(conn: sa.Connection, tool: str, name: str) -> SourceState:
    """As `Sources.source`, within a transaction."""
    row = conn.execute(_SOURCE, {"tool": tool, "name": name}).one_or_none()
    return SourceState(tool=tool, name=name) if row is None else SOURCE.decode(row)


def save_source(conn: sa.Connection, read: SourceState) -> None:
    """Store cursor and freshness of what was read. Health is `source_ok`'s and `source_failed`'s alone, so that a
    source of several pages does not come and go within one minute. `fresh_through` never goes back.
    """
    table = schema.source
    stored = read_source(conn, read.tool, read.name)
    fresh = max((at for at in (stored.fresh_through, read.fresh_through) if at is not None), default=None)
    upsert(conn, table, [SOURCE.encode(msgspec.structs.replace(stored, cursor=read.cursor, fresh_through=fresh))])


def park(conn: sa.Connection, facts: Facts) -> None:
    """Note the records that could not be read, and forget those that now could."""
    table = schema.parked
    now = database_time(conn) if facts.parked else 0
    for record, reason in facts.parked:
        again = table.update().where(table.c.record == record)
        values = {"reason": plain(reason), "last_seen": now, "count": table.c.count + 1}
        if not conn.execute(again.values(values)).rowcount:
            first = {"record": record, "tool": record.partition(":")[0], "reason": plain(reason), "count": 1}
            conn.execute(table.insert().values(**first, first_seen=now, last_seen=now))
    waiting = conn.scalars(_PARKED).all()
    unread = {record for record, _ in facts.parked}
    readable = {f"zendesk:{ticket.id}" for ticket in facts.tickets}.difference(unread).intersection(waiting)
    if readable:
        conn.execute(table.delete().where(among(conn, table.c.record, sorted(readable))))
