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
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def check(engine: sa.Engine) -> None:
    """Raise `NotMigrated` unless the database's schema is this code's."""
    wanted = str(ScriptDirectory.from_config(_config()).get_current_head())
    with engine.connect() as conn:
        found = MigrationContext.configure(conn).get_current_revision()
    if found != wanted:
        raise NotMigrated(engine.url.render_as_string(), found, wanted)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "connectors.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
