"""The frozen words that specificity compares with, and their version beside each run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of frozen words; runs of before name no version."""
    op.create_table(
        "background_text",
        sa.Column("version", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("community_id", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("language", sa.TEXT(), nullable=True),
        sa.Column("words", sa.TEXT(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.add_column("run", sa.Column("background_version", sa.Integer(), nullable=True))
