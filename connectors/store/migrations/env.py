"""Alembic's way in: it runs on the connection that `upgrade` opened, in its transaction."""

from alembic import context

from connectors.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    transactional_ddl=True,
)
context.run_migrations()
