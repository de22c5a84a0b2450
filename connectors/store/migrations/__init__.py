"""Bringing a database to this code's schema, with Alembic, from inside the package.

A new revision: change `schema.py`, copy the newest file in `versions/`, and let
`tests/connectors/store/test_migrations.py` say what is missing.
"""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from connectors.store.errors import NotMigrated

_ADVISORY_LOCK = 0x68656C70  # "help": two processes that start at once migrate one after the other


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Run all migrations up to `revision`, in one transaction."""
    with engine.execution_options(writes="decisions").begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        _refuse_newer(conn)
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def check(engine: sa.Engine) -> None:
    """Raise `NotMigrated` unless the database's schema is this code's."""
    with engine.connect() as conn:
        _refuse_newer(conn)
        found, wanted = _schemas(conn)
    if found != wanted:
        raise NotMigrated(engine.url.render_as_string(), found, wanted)


def _schemas(conn: sa.Connection) -> tuple[str | None, str]:
    """The database's schema and this code's."""
    head = str(ScriptDirectory.from_config(_config()).get_current_head())
    return MigrationContext.configure(conn).get_current_revision(), head


def _refuse_newer(conn: sa.Connection) -> None:
    """Raise `NotMigrated` where a later version of this code has migrated the database: its schema is unknown here."""
    found, wanted = _schemas(conn)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise NotMigrated(conn.engine.url.render_as_string(), found, wanted, newer=True)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "connectors.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
