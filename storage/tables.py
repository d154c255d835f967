"""What people query: runs, communities, archetypes, niches, scores and their evidence, as SQLModel tables.

Every row belongs to a run, and a run is never changed once it is finished; ``publication`` points to the run that readers
see. A value may be missing only together with its reason. The tables are STRICT, so a value of the wrong type is refused
instead of kept; those that hold rows by the hundred thousand are stored in the order of their key (WITHOUT ROWID).
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import REAL, TEXT, CheckConstraint, Integer
from sqlmodel import Field, SQLModel

ENTITIES = "entity IN ('archetype', 'niche', 'community')"


def strict(*checks: CheckConstraint, by_key: bool = True) -> tuple[Any, ...]:
    """Say how SQLite keeps a table: STRICT, with these checks, in the order of its key or of insertion."""
    return (*checks, {"sqlite_strict": True, "sqlite_with_rowid": not by_key})


class Run(SQLModel, table=True):
    """One execution. ``sequence`` orders runs; clocks do not."""

    __tablename__: ClassVar[str] = "run"
    __table_args__ = strict(
        CheckConstraint("status IN ('running', 'interrupted', 'failed', 'held', 'published')", name="known_status"),
        CheckConstraint("structure IN ('clusters', 'segments', 'none', 'too_few')", name="known_structure"),
        by_key=False,
    )
    run_id: str = Field(primary_key=True, sa_type=TEXT)
    sequence: int = Field(unique=True, sa_type=Integer)
    status: str = Field(sa_type=TEXT)
    """running, interrupted, failed, held or published"""
    started_at: int = Field(sa_type=Integer)
    finished_at: int | None = Field(default=None, sa_type=Integer)
    published_at: int | None = Field(default=None, sa_type=Integer)
    version: str = Field(sa_type=TEXT)
    seed: int = Field(sa_type=Integer)
    config_sha256: str = Field(sa_type=TEXT)
    structure: str | None = Field(default=None, sa_type=TEXT)
    """clusters, segments, none, or too_few (fewer than ten communities)"""
    n_clusters: int | None = Field(default=None, sa_type=Integer)
    confidence: float | None = Field(default=None, sa_type=REAL)
    """How often the chosen k wins under resampling."""
    records: int = Field(default=0, sa_type=Integer)
    authors: int = Field(default=0, sa_type=Integer)
    communities: int = Field(default=0, sa_type=Integer)
    platform_association: float | None = Field(default=None, sa_type=REAL)
    """Cramér's V between clusters and platforms; missing with one platform."""
    panel_version: int | None = Field(default=None, sa_type=Integer)
    score_status: str = Field(default="uncalibrated", sa_type=TEXT)
    invented: int = Field(default=0, sa_type=Integer)
    """1 where the communities come from the planted world."""
    reason: str = Field(default="", sa_type=TEXT)
    """Why it was held, failed or found nothing."""
    notes: str = Field(default="", sa_type=TEXT)
    """What a reader of the method should know, one note a line: columns dropped, outliers set aside."""
    detail: int = Field(default=0, sa_type=Integer)
    """1 while the run still has its bulky rows (communities, features, evidence); old runs keep their ranking only."""
    background_version: int | None = Field(default=None, sa_type=Integer)
    """Version of the words that specificity was measured against."""
    embedding_model: str | None = Field(default=None, sa_type=TEXT)
    """What placed communities by what they talk about: tfidf-svd, or the model that a server offers"""
    embedding_version: str | None = Field(default=None, sa_type=TEXT)
    """Its version; of a served model what the server calls it, and the length of its vectors."""
    map_method: str | None = Field(default=None, sa_type=TEXT)
    """How the map was drawn: pca or umap"""


class SourceRun(SQLModel, table=True):
    """What one source delivered in one run."""

    __tablename__: ClassVar[str] = "source_run"
    __table_args__ = strict(CheckConstraint("fetched = stored + unchanged + quarantined + refused", name="nothing_is_lost"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    source: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    started_at: int = Field(sa_type=Integer)
    finished_at: int | None = Field(default=None, sa_type=Integer)
    status: str = Field(sa_type=TEXT)
    """complete, unverified, partial or failed"""
    fetched: int = Field(default=0, sa_type=Integer)
    stored: int = Field(default=0, sa_type=Integer)
    unchanged: int = Field(default=0, sa_type=Integer)
    quarantined: int = Field(default=0, sa_type=Integer)
    refused: int = Field(default=0, sa_type=Integer)
    requests: int = Field(default=0, sa_type=Integer)
    coverage: str = Field(sa_type=TEXT)
    """complete, listing or unknown"""
    reason: str = Field(default="", sa_type=TEXT)


class Quarantine(SQLModel, table=True):
    """An item that could not become a record: where, why, a hash; never its bytes."""

    __tablename__: ClassVar[str] = "quarantined_item"
    __table_args__ = strict(by_key=False)
    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    run_id: str = Field(foreign_key="run.run_id", index=True, sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    position: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    sha256: str = Field(sa_type=TEXT)


class CommunityRow(SQLModel, table=True):
    """A community as one run measured it."""

    __tablename__: ClassVar[str] = "community"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    community_id: str = Field(primary_key=True, sa_type=TEXT)
    source: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    url: str | None = Field(default=None, sa_type=TEXT)
    description: str = Field(default="", sa_type=TEXT)
    members: int | None = Field(default=None, sa_type=Integer)
    records: int = Field(sa_type=Integer)
    authors: int = Field(sa_type=Integer)
    first_at: int = Field(sa_type=Integer)
    last_at: int = Field(sa_type=Integer)
    language: str | None = Field(default=None, sa_type=TEXT)
    policy: str = Field(sa_type=TEXT)
    """scored; duplicate; or "sensitive: " and the subject: counted, never scored"""
    coverage: str = Field(sa_type=TEXT)
    archetype_id: str | None = Field(default=None, sa_type=TEXT)
    niche_id: str | None = Field(default=None, sa_type=TEXT)
    distance: float | None = Field(default=None, sa_type=REAL)
    confidence: float | None = Field(default=None, sa_type=REAL)
    is_exemplar: int = Field(default=0, sa_type=Integer)
    is_outlier: int = Field(default=0, sa_type=Integer)
    nearest_archetype_id: str | None = Field(default=None, sa_type=TEXT)
    x: float | None = Field(default=None, sa_type=REAL)
    y: float | None = Field(default=None, sa_type=REAL)
    """Place on the two-dimensional map, where the run drew one."""
    duplicate_of: str | None = Field(default=None, sa_type=TEXT)
    """The community that it is the same as; that one stands for both."""


class FeatureRow(SQLModel, table=True):
    """What a feature is, copied from its declaration, so that readers of the results need no code to understand them."""

    __tablename__: ClassVar[str] = "feature"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    feature: str = Field(primary_key=True, sa_type=TEXT)
    title: str = Field(sa_type=TEXT)
    """Plain words, lower case."""
    unit: str = Field(sa_type=TEXT)
    formula: str = Field(default="", sa_type=TEXT)
    origin: str = Field(default="", sa_type=TEXT)
    """The publication or reasoning it comes from."""
    block: str = Field(sa_type=TEXT)
    """behaviour, language or market"""
    clustered: int = Field(default=0, sa_type=Integer)
    """1 where it stands in the matrix that the clustering sees."""


class CommunityFeature(SQLModel, table=True):
    """One feature of one community."""

    __tablename__: ClassVar[str] = "community_feature"
    __table_args__ = strict(CheckConstraint("(value IS NULL) = (missing_reason IS NOT NULL)", name="missing_has_a_reason"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    community_id: str = Field(primary_key=True, sa_type=TEXT)
    feature: str = Field(primary_key=True, sa_type=TEXT)
    value: float | None = Field(default=None, sa_type=REAL)
    low: float | None = Field(default=None, sa_type=REAL)
    high: float | None = Field(default=None, sa_type=REAL)
    n: int = Field(sa_type=Integer)
    coverage: float = Field(sa_type=REAL)
    missing_reason: str | None = Field(default=None, sa_type=TEXT)


class Archetype(SQLModel, table=True):
    """A described cluster with an identity that lasts over nights."""

    __tablename__: ClassVar[str] = "archetype"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    archetype_id: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    summary: str = Field(sa_type=TEXT)
    label_source: str = Field(default="template", sa_type=TEXT)
    """template, or the name of the language model that filled the closed schema"""
    communities: int = Field(sa_type=Integer)
    active_authors: int = Field(sa_type=Integer)
    stability: float = Field(sa_type=REAL)
    """Mean bootstrap Jaccard of the cluster."""
    counter_argument: str = Field(sa_type=TEXT)
    would_change: str = Field(sa_type=TEXT)
    event: str = Field(default="born", sa_type=TEXT)
    """born, continued, split or merged, against the published run before; returned: that one lacked it, an earlier one had it"""


class Niche(SQLModel, table=True):
    """A part of an archetype that shares a subject and a need."""

    __tablename__: ClassVar[str] = "niche"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    niche_id: str = Field(primary_key=True, sa_type=TEXT)
    archetype_id: str | None = Field(default=None, sa_type=TEXT)
    """None where the run found no archetypes: niches are then parts of the whole market."""
    name: str = Field(sa_type=TEXT)
    summary: str = Field(sa_type=TEXT)
    communities: int = Field(sa_type=Integer)
    active_authors: int = Field(sa_type=Integer)
    top_need: str | None = Field(default=None, sa_type=TEXT)
    stability: float = Field(sa_type=REAL)
    """Bootstrap Jaccard of the niche."""
    label_source: str = Field(default="template", sa_type=TEXT)
    counter_argument: str = Field(default="", sa_type=TEXT)
    would_change: str = Field(default="", sa_type=TEXT)
    event: str = Field(default="born", sa_type=TEXT)


class ArchetypeFeature(SQLModel, table=True):
    """One feature of an archetype's profile in its own unit, with its effect size against the market."""

    __tablename__: ClassVar[str] = "archetype_feature"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    archetype_id: str = Field(primary_key=True, sa_type=TEXT)
    feature: str = Field(primary_key=True, sa_type=TEXT)
    value: float = Field(sa_type=REAL)
    low: float = Field(sa_type=REAL)
    high: float = Field(sa_type=REAL)
    unit: str = Field(sa_type=TEXT)
    z: float = Field(sa_type=REAL)


class Score(SQLModel, table=True):
    """The opportunity score of an archetype, niche or community. A score is missing only for what is never scored."""

    __tablename__: ClassVar[str] = "score"
    __table_args__ = strict(
        CheckConstraint(ENTITIES, name="known_entity"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score_in_range"),
        CheckConstraint("score IS NOT NULL OR verdict IN ('not_scored', 'insufficient_evidence')", name="missing_score_has_a_verdict"),
    )
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    rank: int = Field(sa_type=Integer)
    verdict: str = Field(sa_type=TEXT)
    verdict_reason: str = Field(sa_type=TEXT)
    score: float | None = Field(default=None, sa_type=REAL)
    score_low: float | None = Field(default=None, sa_type=REAL)
    score_high: float | None = Field(default=None, sa_type=REAL)
    rank_low: int | None = Field(default=None, sa_type=Integer)
    rank_high: int | None = Field(default=None, sa_type=Integer)
    p_top5: float | None = Field(default=None, sa_type=REAL)
    coverage: float = Field(sa_type=REAL)


class ScoreComponent(SQLModel, table=True):
    """A component of a score: ``contribution = weight · ln g``, and the contributions add up to ``ln(score / 100)``."""

    __tablename__: ClassVar[str] = "score_component"
    __table_args__ = strict(CheckConstraint(ENTITIES, name="known_entity"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    component: str = Field(primary_key=True, sa_type=TEXT)
    value: float = Field(sa_type=REAL)
    """Weighted mean of the component's measured ingredients, 0 to 1."""
    percentile: float = Field(sa_type=REAL)
    """Share of the run's entities of the same kind strictly below this value."""
    weight: float = Field(sa_type=REAL)
    """After renormalisation over the measured components."""
    contribution: float = Field(sa_type=REAL)


class ScoreIngredient(SQLModel, table=True):
    """An ingredient of a component: its value in its own unit (for a group: the members' median) and its percentile on the panel."""

    __tablename__: ClassVar[str] = "score_ingredient"
    __table_args__ = strict(
        CheckConstraint(ENTITIES, name="known_entity"),
        CheckConstraint("(percentile IS NULL) = (missing_reason IS NOT NULL)", name="missing_has_a_reason"),
    )
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    component: str = Field(primary_key=True, sa_type=TEXT)
    ingredient: str = Field(primary_key=True, sa_type=TEXT)
    value: float | None = Field(default=None, sa_type=REAL)
    percentile: float | None = Field(default=None, sa_type=REAL)
    weight: float = Field(sa_type=REAL)
    missing_reason: str | None = Field(default=None, sa_type=TEXT)


class Evidence(SQLModel, table=True):
    """A record that a claim about an archetype, niche or community rests on.

    The quote is a verified span of it, redacted, or empty where its source may not be quoted.
    """

    __tablename__: ClassVar[str] = "evidence"
    __table_args__ = strict(CheckConstraint(ENTITIES, name="known_entity"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    record_id: str = Field(primary_key=True, sa_type=TEXT)
    tier: str = Field(primary_key=True, sa_type=TEXT)
    community_id: str = Field(sa_type=TEXT)
    url: str | None = Field(default=None, sa_type=TEXT)
    quote: str = Field(sa_type=TEXT)
    sha256: str = Field(sa_type=TEXT)
    """Keyed hash (HMAC-SHA256) of the record's stored text."""
    licence: str = Field(default="", sa_type=TEXT)


class Need(SQLModel, table=True):
    """What people in an archetype, niche or community ask for, with how many distinct authors ask."""

    __tablename__: ClassVar[str] = "need"
    __table_args__ = strict(CheckConstraint(ENTITIES, name="known_entity"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    need: str = Field(primary_key=True, sa_type=TEXT)
    authors: int = Field(sa_type=Integer)
    communities: int = Field(sa_type=Integer)


class Term(SQLModel, table=True):
    """A word that sets an archetype, niche or community apart (log-odds with a Dirichlet prior)."""

    __tablename__: ClassVar[str] = "term"
    __table_args__ = strict(CheckConstraint(ENTITIES, name="known_entity"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    term: str = Field(primary_key=True, sa_type=TEXT)
    z: float = Field(sa_type=REAL)
    authors: int = Field(sa_type=Integer)


class PanelValue(SQLModel, table=True):
    """The frozen reference panel: the ingredient values that percentiles are taken on. A new panel is a new version."""

    __tablename__: ClassVar[str] = "panel_value"
    __table_args__ = strict()
    version: int = Field(primary_key=True, sa_type=Integer)
    ingredient: str = Field(primary_key=True, sa_type=TEXT)
    community_id: str = Field(primary_key=True, sa_type=TEXT)
    value: float = Field(sa_type=REAL)


class BackgroundText(SQLModel, table=True):
    """The frozen words that specificity compares with: what a community said in the run that froze them. New words are a new version."""

    __tablename__: ClassVar[str] = "background_text"
    __table_args__ = strict()
    version: int = Field(primary_key=True, sa_type=Integer)
    community_id: str = Field(primary_key=True, sa_type=TEXT)
    language: str | None = Field(default=None, sa_type=TEXT)
    words: str = Field(sa_type=TEXT)
    """A JSON object: its sampled content words, and how often it said each."""


class BackgroundMeasure(SQLModel, table=True):
    """Frozen measures that features are taken by, such as the axis of engagement; of one version with the frozen words."""

    __tablename__: ClassVar[str] = "background_measure"
    __table_args__ = strict()
    version: int = Field(primary_key=True, sa_type=Integer)
    feature: str = Field(primary_key=True, sa_type=TEXT)
    part: str = Field(primary_key=True, sa_type=TEXT)
    value: float = Field(sa_type=REAL)


class Publication(SQLModel, table=True):
    """The one pointer to the run that readers see, flipped in one transaction."""

    __tablename__: ClassVar[str] = "publication"
    __table_args__ = strict(CheckConstraint("id = 1", name="one_publication"), by_key=False)
    id: int = Field(default=1, primary_key=True, sa_type=Integer)
    run_id: str = Field(foreign_key="run.run_id", sa_type=TEXT)
