"""Run by Alembic: migrates over the connection that `stores.engine.migrate` passes, never by a URL."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["schema"].metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=False,  # the transaction is the caller's: one for all steps, on SQLite too
)
context.run_migrations()
