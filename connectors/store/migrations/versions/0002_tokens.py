"""Tokens that are handed out once and have to be kept."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of token pairs."""
    op.create_table(
        "token",
        sa.Column("tool", sa.Text, primary_key=True, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("access", sa.Text, nullable=False),
        sa.Column("refresh", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
