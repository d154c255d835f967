"""The first schema: runs, communities, archetypes, niches, scores with their evidence, the panel, and the publication pointer."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _panel_value()
    _run()
    _archetype()
    _archetype_feature()
    _community()
    _community_feature()
    _criterion()
    _evidence()
    _feature()
    _need()
    _niche()
    _publication()
    _quarantined_item()
    _score()
    _score_component()
    _score_ingredient()
    _source_run()
    _term()


def _keyed(*names: str) -> list[sa.Column[str]]:
    """Build the run and the other text columns that make up a primary key."""
    return [
        sa.Column("run_id", sa.TEXT(), sa.ForeignKey("run.run_id"), primary_key=True),
        *(sa.Column(name, sa.TEXT(), primary_key=True) for name in names),
    ]


def _panel_value() -> None:
    op.create_table(
        "panel_value",
        sa.Column("version", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("ingredient", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("community_id", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("value", sa.REAL(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.TEXT(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.Integer(), nullable=True),
        sa.Column("version", sa.TEXT(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("config_sha256", sa.TEXT(), nullable=False),
        sa.Column("structure", sa.TEXT(), nullable=True),
        sa.Column("n_clusters", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.REAL(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("authors", sa.Integer(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.Column("platform_association", sa.REAL(), nullable=True),
        sa.Column("panel_version", sa.Integer(), nullable=True),
        sa.Column("score_status", sa.TEXT(), nullable=False),
        sa.Column("invented", sa.Integer(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("notes", sa.TEXT(), nullable=False),
        sa.Column("detail", sa.Integer(), nullable=False),
        sa.CheckConstraint("structure IN ('clusters', 'segments', 'none', 'too_few')", name="known_structure"),
        sa.UniqueConstraint("sequence"),
        sa.CheckConstraint("status IN ('running', 'interrupted', 'failed', 'held', 'published')", name="known_status"),
        sqlite_strict=True,
    )


def _archetype() -> None:
    op.create_table(
        "archetype",
        *_keyed("archetype_id"),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("summary", sa.TEXT(), nullable=False),
        sa.Column("label_source", sa.TEXT(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.Column("active_authors", sa.Integer(), nullable=False),
        sa.Column("stability", sa.REAL(), nullable=False),
        sa.Column("counter_argument", sa.TEXT(), nullable=False),
        sa.Column("would_change", sa.TEXT(), nullable=False),
        sa.Column("event", sa.TEXT(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _archetype_feature() -> None:
    op.create_table(
        "archetype_feature",
        *_keyed("archetype_id", "feature"),
        sa.Column("value", sa.REAL(), nullable=False),
        sa.Column("low", sa.REAL(), nullable=False),
        sa.Column("high", sa.REAL(), nullable=False),
        sa.Column("unit", sa.TEXT(), nullable=False),
        sa.Column("z", sa.REAL(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _community() -> None:
    op.create_table(
        "community",
        *_keyed("community_id"),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("url", sa.TEXT(), nullable=True),
        sa.Column("description", sa.TEXT(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("authors", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.Integer(), nullable=False),
        sa.Column("language", sa.TEXT(), nullable=True),
        sa.Column("policy", sa.TEXT(), nullable=False),
        sa.Column("coverage", sa.TEXT(), nullable=False),
        sa.Column("archetype_id", sa.TEXT(), nullable=True),
        sa.Column("niche_id", sa.TEXT(), nullable=True),
        sa.Column("distance", sa.REAL(), nullable=True),
        sa.Column("confidence", sa.REAL(), nullable=True),
        sa.Column("is_exemplar", sa.Integer(), nullable=False),
        sa.Column("is_outlier", sa.Integer(), nullable=False),
        sa.Column("nearest_archetype_id", sa.TEXT(), nullable=True),
        sa.Column("x", sa.REAL(), nullable=True),
        sa.Column("y", sa.REAL(), nullable=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _community_feature() -> None:
    op.create_table(
        "community_feature",
        *_keyed("community_id", "feature"),
        sa.Column("value", sa.REAL(), nullable=True),
        sa.Column("low", sa.REAL(), nullable=True),
        sa.Column("high", sa.REAL(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("coverage", sa.REAL(), nullable=False),
        sa.Column("missing_reason", sa.TEXT(), nullable=True),
        sa.CheckConstraint("(value IS NULL) = (missing_reason IS NOT NULL)", name="missing_has_a_reason"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _criterion() -> None:
    op.create_table(
        "criterion",
        sa.Column("run_id", sa.TEXT(), sa.ForeignKey("run.run_id"), primary_key=True, nullable=False),
        sa.Column("criterion", sa.TEXT(), primary_key=True, nullable=False),
        sa.Column("k", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("value", sa.REAL(), nullable=False),
        sa.Column("error", sa.REAL(), nullable=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        *_keyed("entity", "entity_id", "record_id", "tier"),
        sa.Column("community_id", sa.TEXT(), nullable=False),
        sa.Column("url", sa.TEXT(), nullable=True),
        sa.Column("quote", sa.TEXT(), nullable=False),
        sa.Column("sha256", sa.TEXT(), nullable=False),
        sa.Column("licence", sa.TEXT(), nullable=False),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _feature() -> None:
    op.create_table(
        "feature",
        *_keyed("feature"),
        sa.Column("title", sa.TEXT(), nullable=False),
        sa.Column("unit", sa.TEXT(), nullable=False),
        sa.Column("formula", sa.TEXT(), nullable=False),
        sa.Column("origin", sa.TEXT(), nullable=False),
        sa.Column("block", sa.TEXT(), nullable=False),
        sa.Column("clustered", sa.Integer(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _need() -> None:
    op.create_table(
        "need",
        *_keyed("entity", "entity_id", "need"),
        sa.Column("authors", sa.Integer(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _niche() -> None:
    op.create_table(
        "niche",
        *_keyed("niche_id"),
        sa.Column("archetype_id", sa.TEXT(), nullable=True),
        sa.Column("name", sa.TEXT(), nullable=False),
        sa.Column("summary", sa.TEXT(), nullable=False),
        sa.Column("communities", sa.Integer(), nullable=False),
        sa.Column("active_authors", sa.Integer(), nullable=False),
        sa.Column("top_need", sa.TEXT(), nullable=True),
        sa.Column("stability", sa.REAL(), nullable=False),
        sa.Column("label_source", sa.TEXT(), nullable=False),
        sa.Column("counter_argument", sa.TEXT(), nullable=False),
        sa.Column("would_change", sa.TEXT(), nullable=False),
        sa.Column("event", sa.TEXT(), nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _publication() -> None:
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("run_id", sa.TEXT(), sa.ForeignKey("run.run_id"), nullable=False),
        sa.CheckConstraint("id = 1", name="one_publication"),
        sqlite_strict=True,
    )


def _quarantined_item() -> None:
    op.create_table(
        "quarantined_item",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("run_id", sa.TEXT(), sa.ForeignKey("run.run_id"), nullable=False),
        sa.Column("source", sa.TEXT(), nullable=False),
        sa.Column("position", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.Column("sha256", sa.TEXT(), nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_quarantined_item_run_id", "quarantined_item", ["run_id"])


def _score() -> None:
    op.create_table(
        "score",
        *_keyed("entity", "entity_id"),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.TEXT(), nullable=False),
        sa.Column("verdict_reason", sa.TEXT(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=True),
        sa.Column("score_low", sa.REAL(), nullable=True),
        sa.Column("score_high", sa.REAL(), nullable=True),
        sa.Column("rank_low", sa.Integer(), nullable=True),
        sa.Column("rank_high", sa.Integer(), nullable=True),
        sa.Column("p_top5", sa.REAL(), nullable=True),
        sa.Column("coverage", sa.REAL(), nullable=False),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        sa.CheckConstraint("score IS NOT NULL OR verdict IN ('not_scored', 'insufficient_evidence')", name="missing_score_has_a_verdict"),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name="score_in_range"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _score_component() -> None:
    op.create_table(
        "score_component",
        *_keyed("entity", "entity_id", "component"),
        sa.Column("value", sa.REAL(), nullable=False),
        sa.Column("percentile", sa.REAL(), nullable=False),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.Column("contribution", sa.REAL(), nullable=False),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _score_ingredient() -> None:
    op.create_table(
        "score_ingredient",
        *_keyed("entity", "entity_id", "component", "ingredient"),
        sa.Column("value", sa.REAL(), nullable=True),
        sa.Column("percentile", sa.REAL(), nullable=True),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.Column("missing_reason", sa.TEXT(), nullable=True),
        sa.CheckConstraint("(percentile IS NULL) = (missing_reason IS NOT NULL)", name="missing_has_a_reason"),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _source_run() -> None:
    op.create_table(
        "source_run",
        *_keyed("source"),
        sa.Column("kind", sa.TEXT(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.Integer(), nullable=True),
        sa.Column("status", sa.TEXT(), nullable=False),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("coverage", sa.TEXT(), nullable=False),
        sa.Column("reason", sa.TEXT(), nullable=False),
        sa.CheckConstraint("fetched = stored + unchanged + quarantined + refused", name="nothing_is_lost"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _term() -> None:
    op.create_table(
        "term",
        *_keyed("entity", "entity_id", "term"),
        sa.Column("z", sa.REAL(), nullable=False),
        sa.Column("authors", sa.Integer(), nullable=False),
        sa.CheckConstraint("entity IN ('archetype', 'niche', 'community')", name="known_entity"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
