"""How Alembic reaches a store: over the connection that `stores.engine.database` hands it, never by a URL."""

from __future__ import annotations

from alembic import context

from stores.agent.schema import metadata_of

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata_of(context.config.attributes["store"]),
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=False,  # the transaction is the caller's: one for all steps, on SQLite too
)
context.run_migrations()
