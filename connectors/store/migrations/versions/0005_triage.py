"""What a ticket says for itself: the address written to and the first message; people's ids in the product."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. What was read before is without them until it changes."""
    op.add_column("person", sa.Column("external_id", sa.Text, nullable=True))
    op.add_column("ticket", sa.Column("recipient", sa.Text, nullable=True))
    op.add_column("ticket", sa.Column("description", sa.Text, nullable=False, server_default=""))
