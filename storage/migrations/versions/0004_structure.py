"""Beside the archetypes: their hierarchy, every cluster as it was found, and the criteria's votes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the three tables; runs of before have no rows in them."""
    _create(
        "criterion_vote",
        sa.Column("criterion", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
    )
    _create(
        "cluster",
        sa.Column("cluster", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.Column("stability", sa.REAL(), nullable=False),
        sa.Column("standing", sa.TEXT(), nullable=False),
        sa.Column("archetype_id", sa.TEXT(), nullable=True),
        sa.CheckConstraint("standing IN ('stable', 'doubtful', 'dissolved')", name="known_standing"),
        sa.CheckConstraint("standing <> 'dissolved' OR archetype_id IS NULL", name="dissolved_is_no_archetype"),
    )
    _create(
        "archetype_merge",
        sa.Column("step", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("first_id", sa.TEXT(), nullable=False),
        sa.Column("second_id", sa.TEXT(), nullable=False),
        sa.Column("height", sa.REAL(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
    )


def _create(name: str, *columns: sa.schema.SchemaItem) -> None:
    """Create a table of rows of a run, STRICT and in the order of its key."""
    run = sa.Column("run_id", sa.TEXT(), sa.ForeignKey("run.run_id"), primary_key=True, nullable=False)
    op.create_table(name, run, *columns, sqlite_strict=True, sqlite_with_rowid=False)
