"""Rows of the outbox that wait for a time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the time before which a row is not due."""
    op.add_column("outbox", sa.Column("not_before", sa.BigInteger, nullable=True))
