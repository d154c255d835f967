"""Beside each run, what placed its communities by what they talk about, and how its map was drawn."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; runs of before that found anything all used the first version of their words, and principal components."""
    for name in ("embedding_model", "embedding_version", "map_method"):
        op.add_column("run", sa.Column(name, sa.TEXT(), nullable=True))
    op.execute("UPDATE run SET embedding_model = 'tfidf-svd', embedding_version = '1', map_method = 'pca' WHERE structure IS NOT NULL")
