"""The frozen measures that features are taken by; what was frozen before has none."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of frozen measures."""
    op.create_table(
        "background_measure",
        sa.Column("version", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("feature", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("part", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("value", sa.REAL(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
