"""One way of talking to SQLite and PostgreSQL: transactions, locks, rows in bulk, membership in a long list.

SQLite: WAL, every writing transaction begins as one (`BEGIN IMMEDIATE`). Facts are written with `synchronous=normal`:
after a power cut they are read again. Decisions are not (`full`): a row in flight must not come back as planned.
PostgreSQL: reads are repeatable, writers of the same things wait for each other on a row of `counter`; many rows go in
by COPY. Neither holds a transaction open across anything but SQL.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeEngine

from connectors.store.codec import to_json
from connectors.store.errors import Unreachable
from connectors.store.schema import counter
from connectors.store.trouble import explained

Lock = Literal["seq", "outbox"]
Writes = Literal["facts", "decisions"]
Row = Sequence[Any]
CHUNK = 1000
"""How many keys go into one query."""

_BUSY_MS = 30_000
_SPELLINGS = "write sqlite:///path/to/file.db or postgresql+psycopg://user:password@host/database"


def create_engine(url: str) -> sa.Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…` (also spelt `postgresql://…`).

    Raises `Unreachable` for any other address; connects to nothing yet.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise Unreachable("the address", f"it is no address of a database; {_SPELLINGS}") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Unreachable(parsed.render_as_string(), f"{parsed.drivername!r} is no database of ours; {_SPELLINGS}")
    engine = sa.create_engine(parsed, pool_pre_ping=parsed.drivername != "sqlite")
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "cache_size=-8000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes: Writes | None = connection.get_execution_options().get("writes")
    begin = connection.connection.cursor().execute
    if writes is None:
        begin("BEGIN")
        return
    if connection.info.get("synchronous") != writes:  # it lasts as long as the connection
        begin(f"PRAGMA synchronous={'FULL' if writes == 'decisions' else 'NORMAL'}")
        connection.info["synchronous"] = writes
    begin("BEGIN IMMEDIATE")


class Database:
    """A connected database; the parts of the Store stand on it.

    What keeps it from answering (locked, full, gone) is raised as a StoreError, whichever method it meets.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._readers = engine
        if engine.dialect.name == "postgresql":
            self._readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writers = {kind: engine.execution_options(writes=kind) for kind in get_args(Writes)}

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def now(self) -> int:
        """The database's own time in epoch seconds: for leases only, domain time is always passed in."""
        with self.reading() as conn:
            return database_time(conn)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction in which everything read is of one moment."""
        with explained(self.engine), self._readers.begin() as conn:
            yield conn

    @contextmanager
    def writing(self, *locks: Lock) -> Iterator[sa.Connection]:
        """A transaction that writes; of those who name the same lock, one at a time."""
        writers = self._writers["decisions" if "outbox" in locks else "facts"]
        with explained(self.engine), writers.begin() as conn:
            for name in locks:
                lock(conn, name)
            yield conn


def lock(conn: sa.Connection, name: Lock) -> int:
    """Wait for the counter row `name`, hold it to the end of the transaction, and give its value."""
    return int(conn.execute(_LOCKED, {"name": name}).scalar_one())


_LOCKED = sa.select(counter.c.value).where(counter.c.name == sa.bindparam("name")).with_for_update()


def database_time(conn: sa.Connection) -> int:
    """The database's time in epoch seconds, running on within a transaction."""
    spelt = {
        "sqlite": "SELECT CAST(strftime('%s', 'now') AS INTEGER)",
        "postgresql": "SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)",
    }
    return int(conn.exec_driver_sql(spelt[conn.dialect.name]).scalar_one())


def insert(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Add rows (in the table's column order) that are known to be new."""
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        _copy(conn, table.name, table, rows)
    else:
        _execute_many(conn, table, rows, "")


def upsert(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Add or replace rows (in the table's column order) by primary key; no key twice in one call."""
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        _stage(conn, table, rows, _clash(table))
    else:
        _execute_many(conn, table, rows, _clash(table))


@cache
def _clash(table: sa.Table) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    sets = ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in table.columns if not c.primary_key)
    return f"ON CONFLICT ({keys}) DO UPDATE SET {sets}"


def _execute_many(conn: sa.Connection, table: sa.Table, rows: Sequence[Row], clash: str) -> None:
    conn.exec_driver_sql(f"{_insertion(table)} {clash}", [tuple(row) for row in rows])


@cache
def _insertion(table: sa.Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"


def _stage(conn: sa.Connection, table: sa.Table, rows: Sequence[Row], clash: str) -> None:
    stage = f"stage_{table.name}"
    conn.exec_driver_sql(f"CREATE TEMP TABLE IF NOT EXISTS {stage} (LIKE {table.name}) ON COMMIT DELETE ROWS")
    conn.exec_driver_sql(f"TRUNCATE {stage}")
    _copy(conn, stage, table, rows)
    names = _names(table)
    conn.exec_driver_sql(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {stage} {clash}")


def _copy(conn: sa.Connection, into: str, table: sa.Table, rows: Sequence[Row]) -> None:
    driver = conn.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} ({_names(table)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@cache
def _names(table: sa.Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A long list in pieces that one query takes."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


THESE = "these"
"""The parameter of a statement that was built with `of_these`: see `listed`."""


def of_these(dialect: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """`column` is one of the values given with the execution: for statements that are built once and asked often.

    Building a statement takes longer than asking it.
    """
    return _member(dialect, column, sa.bindparam(THESE, type_=_listed(dialect, column)))


def listed(conn: sa.Connection, values: Iterable[Any]) -> dict[str, Any]:
    """The parameters for a statement built with `of_these`."""
    return {THESE: list(values) if conn.dialect.name == "postgresql" else to_json(list(values))}


def among(conn: sa.Connection, column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """`column` is one of `values`: one bound parameter however many there are, so one statement for any length."""
    dialect = conn.dialect.name
    return _member(dialect, column, sa.bindparam(None, listed(conn, values)[THESE], type_=_listed(dialect, column)))


def _member(dialect: str, column: sa.ColumnElement[Any], bound: sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    if dialect == "postgresql":
        return column == sa.any_(bound)
    members = sa.func.json_each(bound).table_valued("value")
    return column.in_(sa.select(members.c.value))


def _listed(dialect: str, column: sa.ColumnElement[Any]) -> TypeEngine[Any]:
    if dialect == "postgresql":
        return ARRAY(sa.BigInteger() if isinstance(column.type, sa.Integer) else sa.Text())
    return sa.Text()
