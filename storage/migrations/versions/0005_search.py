"""What `subcurrent search` reads; runs of before cannot be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

RUN = {"sqlite_strict": True, "sqlite_with_rowid": False}


def _run_id() -> sa.Column[str]:
    return sa.Column("run_id", sa.TEXT(), sa.ForeignKey("run.run_id"), primary_key=True, nullable=False)


def upgrade() -> None:
    """Create the tables of the search."""
    op.create_table(
        "search_space",
        _run_id(),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.Column("impact", sa.REAL(), nullable=False),
        sa.Column("centres", sa.BLOB(), nullable=False),
        sa.Column("sizes", sa.BLOB(), nullable=False),
        **RUN,
    )
    op.create_table(
        "search_place",
        _run_id(),
        sa.Column("place", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("community_id", sa.TEXT(), nullable=False),
        **RUN,
    )
    op.create_table(
        "search_word",
        _run_id(),
        sa.Column("stem", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("word", sa.TEXT(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.Column("vector", sa.BLOB(), nullable=False),
        sa.Column("places", sa.BLOB(), nullable=False),
        sa.Column("impacts", sa.BLOB(), nullable=False),
        **RUN,
    )
    op.create_table(
        "search_cell",
        _run_id(),
        sa.Column("cell", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("places", sa.BLOB(), nullable=False),
        sa.Column("vectors", sa.BLOB(), nullable=False),
        **RUN,
    )
    op.create_table(
        "search_group",
        _run_id(),
        sa.Column("entity", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("entity_id", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("vector", sa.BLOB(), nullable=False),
        sa.Column("places", sa.BLOB(), nullable=False),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        **RUN,
    )
