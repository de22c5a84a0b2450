"""A database that cannot: each method says which, what is wrong and what to do, and works again afterwards."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.store import Full, Locked, Store, StoreError, Unreachable, Unusable, database, schema
from tests.connectors.store.make import NOW, action, keys, plan, save, take, ticket


@pytest.fixture
def impatient(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that waits a tenth of a second for others."""
    monkeypatch.setattr(database, "_BUSY_MS", 100)
    store = Store.open(store_url)
    yield store
    store.close()


def sqlite_file(store: Store) -> str:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("about SQLite's file")
    return str(store.engine.url.database)


def test_locked_by_another_process(impatient: Store) -> None:
    """Longer than we wait: the refusal names the file and what to end; reading goes on, and so does the next write."""
    other = sqlite3.connect(sqlite_file(impatient), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Locked, match=r"store\.db: database is locked; end what holds it .* the next pulse goes on"):
        save(impatient, ticket(1))
    assert impatient.known([1]) == {}
    other.execute("ROLLBACK")
    other.close()
    save(impatient, ticket(1))
    assert list(impatient.known([1])) == [1]


def test_no_room(store: Store) -> None:
    """A full disk: nothing of the transaction is there, what was there still is, and with room it goes on."""
    sqlite_file(store)
    plan(store, action("k"))
    with store.engine.connect() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    store.close()

    def cramped(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    sa.event.listen(store.engine, "connect", cramped)
    with pytest.raises(Full, match=r"store\.db: database or disk is full; make room"):
        save(store, *(ticket(id, subject="x" * 3000) for id in range(1, 50)))
    assert store.known([1]) == {}
    sa.event.remove(store.engine, "connect", cramped)
    store.close()
    save(store, ticket(1))
    assert keys(take(store)) == ["k"]


def test_read_only(store: Store) -> None:
    """A file that may not be written says so, and is still read."""
    file = sqlite_file(store)
    opened = Store.open(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert opened.known([1]) == {}
    with pytest.raises(Unusable, match="attempt to write a readonly database; check its disk and its rights"):
        save(opened, ticket(1))
    opened.close()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """Something else lies where the database should be."""
    (tmp_path / "notes.txt").write_text("These are no tables. " * 100)
    with pytest.raises(Unusable, match=r"notes\.txt: file is not a database"):
        Store.open(f"sqlite:///{tmp_path / 'notes.txt'}")


@pytest.mark.postgres
class TestPostgres:
    """The same, where the database is a server."""

    @pytest.fixture
    def store(self, postgres_store: str) -> Iterator[Store]:
        """An empty store."""
        store = Store.open(postgres_store)
        yield store
        store.close()

    @pytest.fixture
    def admin(self, postgres_store: str) -> Iterator[sa.Connection]:
        """A connection of somebody else."""
        engine = sa.create_engine(postgres_store, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            yield conn
        engine.dispose()

    @staticmethod
    def hang_up(admin: sa.Connection) -> None:
        """End everybody else's connection, as a restart does."""
        admin.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    def test_dropped_while_nobody_used_it(self, store: Store, admin: sa.Connection) -> None:
        """A connection that went away meanwhile is replaced, unseen: by the reader and by the writer."""
        assert store.known([1]) == {}
        self.hang_up(admin)
        assert store.known([1]) == {}
        self.hang_up(admin)
        save(store, ticket(1))
        assert list(store.known([1])) == [1]

    @pytest.mark.parametrize("moment", ["a statement", "a bulk copy", "the commit"])
    def test_dropped_in_the_middle(self, store: Store, admin: sa.Connection, moment: str) -> None:
        """One that breaks in a transaction ends it: nothing of it is there, no password is told, the next one works."""

        def work() -> None:
            with store.writing("seq") as conn:
                conn.exec_driver_sql("INSERT INTO pause (scope, since) VALUES ('all', 1)")
                self.hang_up(admin)
                if moment == "a statement":
                    conn.exec_driver_sql("SELECT 1")
                elif moment == "a bulk copy":
                    database.insert(conn, schema.pause, [("sla", 1)])

        with pytest.raises(Unreachable, match="see HELPDESK_DATABASE_URL, and that the database runs") as told:
            work()
        assert ":***@" in str(told.value) or "@" not in str(told.value).split(";")[0]
        with store.reading() as conn:
            assert conn.exec_driver_sql("SELECT count(*) FROM pause").scalar() == 0

    def test_locks_that_do_not_end(self, store: Store, admin: sa.Connection) -> None:
        """A wait that the server gives up is `Locked`."""

        def work() -> None:
            with store.writing() as conn:
                conn.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
                admin.exec_driver_sql("BEGIN")
                admin.exec_driver_sql("LOCK TABLE pause")
                conn.exec_driver_sql("INSERT INTO pause (scope, since) VALUES ('all', 1)")

        with pytest.raises(Locked, match="lock timeout; end what holds it"):
            work()
        admin.exec_driver_sql("ROLLBACK")

    def test_a_server_that_is_gone(self, store: Store) -> None:
        """Nobody listens any more: each method says so, and none waits for ever."""
        store.close()
        gone = store.engine.url.set(query={"host": "/nowhere"}).render_as_string(hide_password=False)
        lost = Store(database.create_engine(gone))
        for method in (lambda: lost.known([1]), lambda: take(lost), lambda: plan(lost), lambda: lost.expire(NOW)):
            with pytest.raises(Unreachable, match="connection"):
                method()


def test_a_bug_of_ours_is_no_trouble(store: Store) -> None:
    """What is wrong with our own SQL is not explained away."""
    with pytest.raises(sa.exc.DBAPIError) as told, store.writing() as conn:
        conn.exec_driver_sql("SELECT no_such_column FROM pause")
    assert not isinstance(told.value, StoreError)
