"""Bringing a database to this code's schema, with Alembic, from inside the package.

A new revision: change `schema.py`, copy the newest file in `versions/`, and let
`tests/connectors/store/test_migrations.py` say what is missing.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from connectors.store.errors import NotMigrated

if TYPE_CHECKING:
    from alembic.config import Config

_VERSIONS = Path(__file__).parent / "versions"
_ADVISORY_LOCK = 0x68656C70  # "help": two processes that start at once migrate one after the other


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Run all migrations up to `revision`, in one transaction; nothing where the database is there already."""
    with engine.connect() as conn:
        if revision == "head" and _there(conn) == _known()[-1]:
            return
    from alembic import command  # a twentieth of a process's start, and needed once a release

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
        found, wanted = _there(conn), _known()[-1]
    if found != wanted:
        raise NotMigrated(engine.url.render_as_string(), found, wanted)


def _known() -> list[str]:
    """This code's revisions, oldest first: each file in `versions/` begins with the one that it brings."""
    return sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


def _there(conn: sa.Connection) -> str | None:
    """The revision that a database is at; null for an empty one."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    revision = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if revision is None else str(revision)


def _refuse_newer(conn: sa.Connection) -> None:
    """Raise `NotMigrated` where a later version of this code has migrated the database: its schema is unknown here."""
    found, known = _there(conn), _known()
    if found is not None and found not in known:
        raise NotMigrated(conn.engine.url.render_as_string(), found, known[-1], newer=True)


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "connectors.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
