"""What a search of a published run reads, as SQLModel tables: few rows for each query, arrays as blobs (:mod:`storage.blobs`).

A community is known by its place, the number of its key in order.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BLOB, REAL, TEXT, CheckConstraint, Integer
from sqlmodel import Field, SQLModel

from storage.tables import ENTITIES, strict


class SearchSpace(SQLModel, table=True):
    """What a search of a run begins with: the space its vectors stand in, and the centres of the cells they are kept in."""

    __tablename__: ClassVar[str] = "search_space"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    dimensions: int = Field(sa_type=Integer)
    communities: int = Field(sa_type=Integer)
    impact: float = Field(sa_type=REAL)
    """What one unit of a word's impact on a community weighs (BM25)."""
    centres: bytes = Field(sa_type=BLOB)
    """Of the cells, one after the other (``storage.blobs.pack_vectors``)."""
    sizes: bytes = Field(sa_type=BLOB)
    """How many communities each cell holds."""


class SearchPlace(SQLModel, table=True):
    """The number by which the arrays of a search know a community."""

    __tablename__: ClassVar[str] = "search_place"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    place: int = Field(primary_key=True, sa_type=Integer)
    community_id: str = Field(sa_type=TEXT)


class SearchWord(SQLModel, table=True):
    """A word by its stem: where it leads in the space of the communities' vectors, and which communities it speaks of."""

    __tablename__: ClassVar[str] = "search_word"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    stem: str = Field(primary_key=True, sa_type=TEXT)
    word: str = Field(sa_type=TEXT)
    """The form that is said most."""
    communities: int = Field(sa_type=Integer)
    vector: bytes = Field(sa_type=BLOB)
    places: bytes = Field(sa_type=BLOB)
    """Of the communities, rising (``storage.blobs.pack_sorted``)."""
    impacts: bytes = Field(sa_type=BLOB)
    """How much the word tells of each, one to 255 units."""


class SearchCell(SQLModel, table=True):
    """Communities of a niche, or of none whose vectors are near each other: a search reads the cells it needs."""

    __tablename__: ClassVar[str] = "search_cell"
    __table_args__ = strict()
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    cell: int = Field(primary_key=True, sa_type=Integer)
    places: bytes = Field(sa_type=BLOB)
    vectors: bytes = Field(sa_type=BLOB)


class SearchGroup(SQLModel, table=True):
    """The members of an archetype or niche, by place, and the middle of their vectors."""

    __tablename__: ClassVar[str] = "search_group"
    __table_args__ = strict(CheckConstraint(ENTITIES, name="known_entity"))
    run_id: str = Field(primary_key=True, foreign_key="run.run_id", sa_type=TEXT)
    entity: str = Field(primary_key=True, sa_type=TEXT)
    entity_id: str = Field(primary_key=True, sa_type=TEXT)
    vector: bytes = Field(sa_type=BLOB)
    places: bytes = Field(sa_type=BLOB)
