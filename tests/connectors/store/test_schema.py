"""The schema: every column says how private it is, the codecs and the migrations agree with it, and it is guarded."""

import re
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from connectors.store import Mode, NotMigrated, Store, Unreachable, WrongProfile, migrations, schema
from connectors.store.clocks import CLOCK
from connectors.store.codec import Codec
from connectors.store.decisions import ACTION
from connectors.store.facts import COMPANY, EVENT, INCIDENT, PERSON, TICKET
from connectors.store.sources import PARKED, SOURCE
from tests.connectors.store.make import NOW

CODECS = {
    "company": COMPANY,
    "person": PERSON,
    "ticket": TICKET,
    "ticket_event": EVENT,
    "incident": INCIDENT,
    "clock": CLOCK,
    "source": SOURCE,
    "parked": PARKED,
}


@pytest.mark.parametrize("table", schema.metadata.sorted_tables, ids=str)
def test_every_column_says_how_private_it_is(table: sa.Table) -> None:
    """A new column without a mark is a mistake; names, addresses and texts are not `none`."""
    for column in table.columns:
        privacy = column.info.get("privacy")
        assert privacy in ("none", "personal", "text", "secret"), column
        if column.name in ("email", "csm", "acknowledged_by") or str(column) in ("company.name", "person.name"):
            assert privacy == "personal", column
        if column.name in ("subject", "old", "new", "change", "fields"):
            assert privacy == "text", column
        if column.name in ("access", "refresh"):
            assert privacy == "secret", column


@pytest.mark.parametrize("table", CODECS)
def test_a_struct_and_its_table_have_the_same_columns(table: str) -> None:
    """Rows are written by position: a table begins with its struct's fields, in their order."""
    names = tuple(schema.metadata.tables[table].columns.keys())
    assert names[: len(CODECS[table].columns)] == CODECS[table].columns


def test_every_part_of_an_action_has_a_column() -> None:
    """An action's fields are outbox columns, one by one."""
    assert set(ACTION.columns) <= set(schema.outbox.columns.keys())
    assert isinstance(ACTION, Codec)


def test_migrations_and_schema_agree(store: Store) -> None:
    """What the migrations create is what `schema.py` says, on both databases."""
    with store.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_a_migration_is_named_by_its_revision() -> None:
    """A start asks which schema it needs without loading Alembic: the files' names have to say the same."""
    scripts = ScriptDirectory.from_config(migrations._config())
    assert migrations._known() == sorted(script.revision for script in scripts.walk_revisions())
    assert migrations._known()[-1] == scripts.get_current_head()


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    """A naive time would be taken for this machine's own: it is an error, not a guess."""
    with pytest.raises(ValueError, match="a time without a zone; say UTC"):
        store.due_clocks(datetime(2026, 3, 3, 16))  # noqa: DTZ001  # what the test is about


def test_migrating_again_changes_nothing(store: Store) -> None:
    """A migrated store can be migrated at every start."""
    store.set_mode("sla", Mode.APPLY, NOW)
    store.migrate()
    assert store.modes() == {"sla": Mode.APPLY}


def test_an_unmigrated_database_is_refused(tmp_path: Path) -> None:
    """The refusal names the database, what is missing and the command."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    with pytest.raises(NotMigrated, match=r"empty\.db: the database has no schema yet.*run `helpdesk migrate`"):
        Store.open(url)


def test_a_database_of_another_version_is_refused(store_url: str) -> None:
    """Newer or older, a schema that is not this code's is not written to."""
    store, head = Store.open(store_url), migrations._known()[-1]
    with store.writing() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(NotMigrated, match=f"is at schema 9999, this code needs {head}; run the version that made"):
            Store.open(store_url)
    finally:
        with store.writing() as conn:
            conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{head}'")
        store.close()


def test_a_store_belongs_to_one_profile(store_url: str) -> None:
    """The first profile owns the store; another is refused with both names and the way out, and changes nothing."""
    first = Store.open(store_url, profile="builder")
    with pytest.raises(WrongProfile) as refusal:
        Store.open(store_url, profile="roofing")
    assert "this store belongs to profile 'builder', not 'roofing'" in str(refusal.value)
    assert "set HELPDESK_PROFILE=builder, or give 'roofing' a database of its own" in str(refusal.value)
    assert Store.open(store_url, profile="builder").profile == first.profile == "builder"
    first.close()


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("sqlite:////nowhere/at/all.db", "sqlite:////nowhere/at/all.db: unable to open database file; see HELPDESK_"),
        ("postgresql://a:s3cret@127.0.0.1:1/b", "postgresql+psycopg://a:***@127.0.0.1:1/b: connection failed"),
        ("mysql://a:s3cret@db/b", "'mysql' is no database of ours; write sqlite:///path"),
        ("helpdesk.db", "it is no address of a database; write sqlite:///path/to/file.db or postgresql"),
    ],
)
def test_an_address_that_leads_nowhere(url: str, refusal: str) -> None:
    """A mistake in HELPDESK_DATABASE_URL is one line that names it, what is wrong and what to write; no password."""
    with pytest.raises(Unreachable, match=re.escape(refusal)) as told:
        Store.open(url)
    assert "s3cret" not in str(told.value)


def test_decisions_survive_a_power_cut(store: Store) -> None:
    """SQLite waits for the disk where a decision is written, not where facts are: those can be read again."""
    if store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL waits for the disk at every commit")
    with store.writing("outbox") as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with store.writing("seq") as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_a_refusal_does_not_tell_the_password(tmp_path: Path) -> None:
    """Addresses in errors are printed without their password."""
    url = sa.make_url("postgresql+psycopg://helpdesk:s3cret@db/helpdesk")
    assert "s3cret" not in str(NotMigrated(url.render_as_string(), None, "0002"))
