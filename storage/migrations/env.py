"""What alembic runs around every migration: the caller's connection and transaction flow in, nothing is committed here."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from storage import cluster_tables, search_tables, tables  # noqa: F401  their import fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
