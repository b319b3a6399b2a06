"""Alembic's entry: runs the migrations on the connection that ``migrate`` was given."""

from __future__ import annotations

from alembic import context

from dispatch.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
