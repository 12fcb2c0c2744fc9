"""Alembic's entry: runs migrations on the connection that `explain.library.database` hands over."""

from alembic import context

from explain.library.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
