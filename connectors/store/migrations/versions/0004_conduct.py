"""Evidence that is only ever appended to, and what a company carries of warnings and restrictions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NOW = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)",
    "postgresql": "floor(extract(epoch FROM clock_timestamp()))",
}


def upgrade() -> None:
    """Create the table of evidence with its guards; add three columns to companies."""
    op.add_column("company", sa.Column("warnings", sa.Integer, nullable=False, server_default="0"))
    op.add_column("company", sa.Column("last_warning_at", sa.Text))
    op.add_column("company", sa.Column("restricted_until", sa.Text))
    ended = sa.text("restricted_until IS NOT NULL")
    op.create_index("company_restricted", "company", ["restricted_until"], sqlite_where=ended, postgresql_where=ended)
    op.create_table(
        "evidence",
        sa.Column("record", sa.Text, primary_key=True, nullable=False),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cause_key", sa.Text, nullable=False, unique=True),
        sa.Column("taken_at", sa.BigInteger, nullable=False),
        sa.Column("kept_until", sa.BigInteger, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
    )
    op.create_index("evidence_kept_until", "evidence", ["kept_until"])
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER evidence_unchanged BEFORE UPDATE ON evidence "
        "BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END"
    )
    op.execute(
        f"CREATE TRIGGER evidence_kept BEFORE DELETE ON evidence WHEN OLD.kept_until > {_NOW['sqlite']} "
        "BEGIN SELECT RAISE(ABORT, 'evidence is kept until its time is over'); END"
    )


def _guard_postgresql() -> None:
    """As in SQLite. Whoever owns the table may still empty it whole or drop it: that is the database's own guard."""
    op.execute(
        "CREATE FUNCTION evidence_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION 'evidence is never changed'; END IF; "
        f"IF OLD.kept_until > {_NOW['postgresql']} THEN "
        "RAISE EXCEPTION 'evidence is kept until its time is over'; END IF; "
        "RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER evidence_guard BEFORE UPDATE OR DELETE ON evidence "
        "FOR EACH ROW EXECUTE FUNCTION evidence_guard()"
    )
