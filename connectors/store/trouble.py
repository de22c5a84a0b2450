"""What a database says when it cannot, in the words of the store: locked, full, gone, unusable.

Everything else that a driver raises is a bug of ours and shows where it happened. A pooled connection that was dropped
while nobody used it is replaced before the first statement (`pool_pre_ping`); one that breaks later ends its
transaction.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from connectors.store.errors import Full, Locked, StoreError, Unreachable, Unusable

_SQLITE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: Locked,
    sqlite3.SQLITE_LOCKED: Locked,
    sqlite3.SQLITE_FULL: Full,
    sqlite3.SQLITE_CANTOPEN: Unreachable,
    sqlite3.SQLITE_READONLY: Unusable,
    sqlite3.SQLITE_IOERR: Unusable,
    sqlite3.SQLITE_CORRUPT: Unusable,
    sqlite3.SQLITE_NOTADB: Unusable,
}
_POSTGRES: dict[str, type[StoreError]] = {
    "08": Unreachable,  # connection exception
    "57P": Unreachable,  # operator intervention: shut down, crashed, starting up
    "28": Unreachable,  # invalid authorization
    "3D": Unreachable,  # no such database
    "53300": Unreachable,  # too many connections
    "53": Full,  # disk full, out of memory
    "54": Full,  # a limit of the program
    "40": Locked,  # deadlock, serialization
    "55P03": Locked,  # lock not available
    "57014": Locked,  # cancelled by a timeout
    "25006": Unusable,  # read-only
    "58": Unusable,  # system error
    "XX": Unusable,  # corrupted
}
"""By the beginning of the SQLSTATE; the longest that fits counts."""


@contextmanager
def explained(engine: sa.Engine) -> Iterator[None]:
    """Raise a database's trouble as a StoreError that says place, cause and fix."""
    driver = engine.dialect.loaded_dbapi  # COPY speaks to it directly
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Locked(_place(engine), "no connection is free") from error
    except (sa.exc.DBAPIError, driver.Error) as error:
        said = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        kind = _kind(said, dropped=isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated)
        if kind is None:
            raise
        raise kind(_place(engine), str(said).strip().partition("\n")[0]) from error  # no SQL, no values


def _place(engine: sa.Engine) -> str:
    return engine.url.render_as_string()


def _kind(said: BaseException | None, *, dropped: bool) -> type[StoreError] | None:
    """Which trouble it is; null for what only a bug of ours brings about."""
    if isinstance(said, sqlite3.Error):
        return _SQLITE.get(getattr(said, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(said, "sqlstate", None)
    if dropped or (state is None and type(said).__name__ == "OperationalError"):
        return Unreachable
    fitting = [begins for begins in _POSTGRES if (state or "").startswith(begins)]
    return _POSTGRES[max(fitting, key=len)] if fitting else None
