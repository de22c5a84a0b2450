"""Indexes by which a ticket's neighbours are found: its company's of some days, and those on its problem."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes; each holds only the rows that have such a neighbourhood."""
    for name, table, columns, only in (
        ("ticket_company", "ticket", ["company_id", "created_at"], "company_id IS NOT NULL"),
        ("ticket_problem", "ticket", ["problem_id"], "problem_id IS NOT NULL"),
        ("ticket_event_problem", "ticket_event", ["new"], "field = 'problem_id'"),
    ):
        op.create_index(name, table, columns, sqlite_where=sa.text(only), postgresql_where=sa.text(only))
