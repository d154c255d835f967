"""Communities placed by the vectors of a model that is served elsewhere, or for the whole run by their words where anything is wrong.

Vectors of two makers are never mixed: not in a run, and not with those kept of nights before, which are asked for again once the
server tells another version or answers a text otherwise than it did. What is kept are vectors of tonight's passages by a hash of
their text, so that an unchanged community is not sent again; the folder may be deleted at any time.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from discovery.archetypes.embedding import DECIMALS, WORDS_KEPT, Embedder, Floats, Ints, Placed, by_words
from discovery.archetypes.endpoint import Endpoint, SpentError, UnfitError, UnreachableError, embeddings
from discovery.archetypes.passages import passages
from discovery.clustering.spherical import unit_rows
from discovery.features import Measurement
from discovery.settings import EmbeddingSettings
from storage import artifacts

BATCH = 64
LONGEST_REPLY = 1 << 24
NAME = re.compile(r"[\w.:/@+ -]{1,200}")
"""What a model may be called by its server."""
ALIKE = 0.99
"""Cosine of a text's vector with the one that is kept of it, below which the server has another model than it had."""
PULL = math.sqrt((1 - WORDS_KEPT) / WORDS_KEPT)
"""Standard deviation of a mean of words with a fifth left out, in half-differences between the means of two halves of them."""

Texts = Mapping[str, str]
"""Texts by their hash."""


class WrongReplyError(RuntimeError):
    """The server answered with something that is not one vector for each text."""


@dataclass(frozen=True)
class Kept:
    """Unit vectors of texts, all by one version of one model."""

    asked: str
    """Server, model and length, as they were asked for."""
    version: str
    digests: pd.Index
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Views:
    """Communities as vectors of their whole text and of its two halves; a zero row where there is no text."""

    whole: Floats
    seen: Floats
    unseen: Floats

    def vectors(self, rows: Ints) -> Floats:
        """Give the places by the whole texts."""
        return self.whole[rows]

    def shaken(self, rows: Ints, rng: np.random.Generator) -> Floats:
        """Pull each community towards one of its halves, as far as leaving out a fifth of its words would (grouped jackknife)."""
        pull = PULL * rng.normal(size=(len(rows), 1))
        units: Floats = unit_rows(self.whole[rows] + pull * (self.seen[rows] - self.unseen[rows]) / 2)
        return np.round(units, DECIMALS)


def embedder(settings: EmbeddingSettings, folder: Path) -> Embedder:
    """Choose what places communities: the configured model, which keeps its vectors in ``folder``, or their words."""
    if settings.base_url is None:
        return by_words

    def place(measurement: Measurement, rows: Ints, own: Placed) -> Placed:
        return _placed(measurement, rows, own, _Vectors(settings, folder)) if len(rows) else own

    return place


def _placed(measurement: Measurement, rows: Ints, own: Placed, vectors: _Vectors) -> Placed:
    instead = f"Communities were placed for niches by their words, not by {vectors.settings.model}"
    private = int((~measurement.communities["llm_ok"].iloc[rows].astype(bool)).sum())
    if private:
        return own.noting(f"{instead}: {private:,} of {len(rows):,} are of sources whose terms let no text leave this machine.")
    written = passages(measurement, rows)
    texts = {_digest(text): text for passage in written for text in passage if text}
    try:
        vectors.fill(texts)
    except (UnreachableError, UnfitError, SpentError, WrongReplyError) as error:
        vectors.keep(texts)
        return own.noting(
            f"{instead}: {error}. {len(vectors.known):,} of {len(texts):,} vectors are kept; the next run asks for the others."
        )
    if not texts:
        return own.noting(f"{instead}: none of them has a text.")
    vectors.keep(texts)
    whole, one, other = (vectors.table(view, rows, len(own.known)) for view in zip(*written, strict=True))
    both = (_placed_rows(one) & _placed_rows(other))[:, None]
    views = Views(whole, np.where(both, one, 0.0), np.where(both, other, 0.0))
    return Placed(views, lambda some: one[some], _placed_rows(whole), vectors.settings.model, vectors.version)


def _placed_rows(vectors: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.any(vectors != 0, axis=1))


class _Vectors:
    """Unit vectors of texts by their hash, from nights before and from the server, all of one version."""

    def __init__(self, settings: EmbeddingSettings, folder: Path) -> None:
        self.settings, self._folder = settings, folder
        self._asked = f"{settings.base_url} {settings.model} {settings.dimensions}"
        kept = artifacts.load(folder, Kept)
        fits = kept is not None and kept.asked == self._asked
        self.version = kept.version if kept and fits else ""
        self.known = dict(zip(kept.digests, kept.vectors, strict=True)) if kept and fits else {}

    def fill(self, texts: Texts) -> None:
        """Ask for the texts that have no vector yet; those that came before an error stay.

        Raises:
            UnreachableError, UnfitError, SpentError: the server or the budget ends it.
            WrongReplyError: the server did not answer with one vector for each text.
        """
        if missing := [digest for digest in texts if digest not in self.known]:
            asyncio.run(self._fill(texts, missing))

    def keep(self, texts: Texts) -> None:
        """Keep the vectors of these texts for the next night, and no others."""
        self.known = {digest: self.known[digest] for digest in texts if digest in self.known}
        digests = pd.Index(list(self.known), dtype=object)
        artifacts.save(self._folder, Kept(self._asked, self.version, digests, np.array(list(self.known.values()), dtype=np.float32)))

    def table(self, texts: Sequence[str], rows: Ints, n: int) -> Floats:
        """Lay vectors out as rows of unit length, shape (n, length), less their mean, which texts share whatever they tell."""
        there = np.array([bool(text) for text in texts])
        table = np.zeros((n, len(next(iter(self.known.values())))))
        if there.any():
            found = np.array([self.known[_digest(text)] for text in texts if text], dtype=np.float64)
            table[rows[there]] = np.round(unit_rows(np.round(found - found.mean(axis=0), DECIMALS)), DECIMALS)
        return table

    async def _fill(self, texts: Texts, missing: Sequence[str]) -> None:
        async with Endpoint(self.settings, longest_reply=LONGEST_REPLY) as endpoint:
            shared = next((digest for digest in texts if digest in self.known), None)
            if shared is None or not self._as_before(shared, *await self._answer(endpoint, [texts[shared]])):
                self.known, self.version, missing = {}, "", list(texts)
            for start in range(0, len(missing), BATCH):
                some = missing[start : start + BATCH]
                self._take(some, *await self._answer(endpoint, [texts[digest] for digest in some]))

    async def _answer(self, endpoint: Endpoint, texts: Sequence[str]) -> tuple[str, Floats]:
        """Ask for vectors: the version that made them, and unit rows in the order of the texts."""
        length = {} if self.settings.dimensions is None else {"dimensions": self.settings.dimensions}
        told, vectors = _read(await endpoint.ask(embeddings, input=texts, encoding_format="float", **length), n=len(texts))
        if self.settings.dimensions not in {None, vectors.shape[1]}:
            raise WrongReplyError(f"its vectors have {vectors.shape[1]} numbers, not {self.settings.dimensions}")
        key = self.settings.api_key.get_secret_value()
        name = told if NAME.fullmatch(told) and not (key and key in told) else "unnamed"
        return f"{name} ({vectors.shape[1]})", vectors

    def _as_before(self, digest: str, version: str, vectors: Floats) -> bool:
        return version == self.version and float(vectors[0] @ self.known[digest]) >= ALIKE

    def _take(self, digests: Sequence[str], version: str, vectors: Floats) -> None:
        if version != (self.version or version):
            raise WrongReplyError(f"{version} answered where {self.version} had begun")
        self.version = version
        self.known.update(zip(digests, vectors.astype(np.float32), strict=True))


class _Datum(BaseModel):
    index: int
    embedding: list[Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]] = Field(min_length=1, max_length=1 << 13)


class _Reply(BaseModel):
    model: str = ""
    data: list[_Datum]


def _read(body: bytes, *, n: int) -> tuple[str, Floats]:
    """Read the model's name and ``n`` unit vectors out of a reply."""
    try:
        reply = _Reply.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise WrongReplyError(f"its reply is no list of vectors ({error.error_count()} faults)") from None
    ordered = sorted(reply.data, key=lambda datum: datum.index)
    if [datum.index for datum in ordered] != list(range(n)):
        raise WrongReplyError(f"it gave {len(ordered)} vectors for {n} texts, or some twice")
    if len({len(datum.embedding) for datum in ordered}) != 1:
        raise WrongReplyError("its vectors differ in length")
    vectors = unit_rows(np.array([datum.embedding for datum in ordered]))
    if not np.allclose(np.square(vectors).sum(axis=1), 1):
        raise WrongReplyError("a vector of it has no length")
    return reply.model, vectors


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
