"""Alembic's entry: runs on the connection that ``migrate.upgrade`` holds, in its transaction."""

from alembic import context

from nuvo_jupyter.catalog.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
