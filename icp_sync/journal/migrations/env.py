"""Runs the migrations on the connection the journal hands over, inside the journal's own transaction."""

from __future__ import annotations

from alembic import context

from icp_sync.journal.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table only by copying it
)
with context.begin_transaction():
    context.run_migrations()
