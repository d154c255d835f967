"""Beside a community: the one that it is the same as."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; runs of before told no duplicates."""
    op.add_column("community", sa.Column("duplicate_of", sa.TEXT(), nullable=True))
