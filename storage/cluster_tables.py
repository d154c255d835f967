"""How the kinds of community were found, as SQLModel tables: the curves that chose k, their votes, every cluster, and what lies above."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import REAL, TEXT, CheckConstraint, Integer
from sqlmodel import Field, SQLModel

from storage.tables import strict


class Criterion(SQLModel, table=True):
    """One point of one curve that chose k."""

    __tablename__: ClassVar[str] = "criterion"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    criterion: str = Field(primary_key=True, sa_type=TEXT)
    k: int = Field(primary_key=True, sa_type=Integer)
    value: float = Field(sa_type=REAL)
    error: float | None = Field(default=None, sa_type=REAL)


class CriterionVote(SQLModel, table=True):
    """The number of clusters that one criterion speaks for."""

    __tablename__: ClassVar[str] = "criterion_vote"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    criterion: str = Field(primary_key=True, sa_type=TEXT)
    k: int = Field(sa_type=Integer)


class ClusterRow(SQLModel, table=True):
    """A cluster as it was found, whether it became an archetype or not."""

    __tablename__: ClassVar[str] = "cluster"
    __table_args__ = strict(
        CheckConstraint("standing IN ('stable', 'doubtful', 'dissolved')", name="known_standing"),
        CheckConstraint("standing <> 'dissolved' OR archetype_id IS NULL", name="dissolved_is_no_archetype"),
    )
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    cluster: int = Field(primary_key=True, sa_type=Integer)
    """Numbered by size, from 0."""
    communities: int = Field(sa_type=Integer)
    stability: float = Field(sa_type=REAL)
    """Mean bootstrap Jaccard: how much of it is found again when communities are drawn again."""
    standing: str = Field(sa_type=TEXT)
    """stable (from .75), doubtful (from .6) or dissolved"""
    archetype_id: str | None = Field(default=None, sa_type=TEXT)


class ArchetypeMerge(SQLModel, table=True):
    """One merge of the hierarchy above the archetypes (Ward's, by number of communities)."""

    __tablename__: ClassVar[str] = "archetype_merge"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    step: int = Field(primary_key=True, sa_type=Integer)
    """From 1, the nearest first."""
    first_id: str = Field(sa_type=TEXT)
    """An archetype, or M1, M2, … for what that step made."""
    second_id: str = Field(sa_type=TEXT)
    height: float = Field(sa_type=REAL)
    """Root of twice the growth of the sum of squares inside groups, in robust deviations."""
    communities: int = Field(sa_type=Integer)
