"""Run by Alembic, once for each command: on the connection and in the transaction that it is handed."""

from __future__ import annotations

from alembic import context

from registry.storage.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # In SQLite too: the transaction has begun.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
