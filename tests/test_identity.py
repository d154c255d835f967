"""Identities: tonight's groups take the ids of the ones they continue, and no id is ever given twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from discovery.archetypes import Interpretation
from discovery.archetypes.embedding import Embedding, Words
from discovery.features import Measurement, Vocabulary
from discovery.features.background import NOTHING
from discovery.identity import identify
from storage.results import Results
from tests.publication import PROVENANCE, publication

KEYS = [f"c{at:02}" for at in range(12)]


def measured() -> Measurement:
    """Twelve communities of equal size."""
    nothing = pd.DataFrame()
    return Measurement(
        communities=pd.DataFrame({"authors": 50}, index=pd.Index(KEYS, name="community")),
        estimates=nothing,
        author_sums=nothing,
        vocabulary=Vocabulary(pd.Index([]), sparse.csr_matrix((12, 0)), sparse.csr_matrix((12, 0))),
        background_version=1,
        measures=NOTHING.rename("value").reset_index(),
        needs=nothing,
        mentions=nothing,
        own_weight=nothing,
        records=0,
        authors=0,
    )


def found(*archetypes: str) -> Interpretation:
    """Say which archetype each community has tonight, in order, by label; ``-`` for none. Niches are the same groups."""
    labels = pd.Series([None if label == "-" else label for label in "".join(archetypes)], index=KEYS, dtype=object)
    known = sorted(labels.dropna().unique())
    entity = [{"entity": kind, "entity_id": label, "need": "x"} for kind in ("archetype", "niche") for label in known]
    return Interpretation(
        archetypes=pd.DataFrame({"archetype_id": known}),
        archetype_features=pd.DataFrame(columns=["archetype_id", "feature", "z"]),
        niches=pd.DataFrame({"niche_id": known, "archetype_id": known}),
        communities=pd.DataFrame({"archetype_id": labels, "niche_id": labels, "nearest_archetype_id": None}),
        evidence=pd.DataFrame(entity),
        needs=pd.DataFrame([*entity, {"entity": "community", "entity_id": "c00", "need": "x"}]),
        terms=pd.DataFrame(entity),
        clusters=pd.DataFrame({"archetype_id": known}),
        hierarchy=pd.DataFrame(columns=["step", "first_id", "second_id", "height", "communities"]),
        cuts=pd.DataFrame(),
        embedding=Embedding(Words(sparse.csr_matrix((12, 0)), pd.Index([]), np.zeros(0)), np.zeros((0, 0))),
        embedding_model="made",
        embedding_version="1",
        notes=[],
    )


class Market:
    """Nights over twelve communities."""

    def __init__(self, results: Results) -> None:
        self.results = results

    def night(self, *archetypes: str, published: bool = True) -> dict[str, Any]:
        """Identify tonight's groups, save and publish them, and tell each id's event."""
        identified = identify(found(*archetypes), measurement=measured(), results=self.results)
        assert identified.communities["nearest_archetype_id"].isna().all()
        self.found = identified
        run_id = self.results.resume_or_begin(started_at=1, provenance=PROVENANCE)
        empty = publication()
        about = [row for row in empty["community"] if isinstance(row, dict)]
        members = [
            {**row, "community_id": key, "archetype_id": identified.communities.at[key, "archetype_id"], "niche_id": None}
            for row, key in zip(about, KEYS, strict=True)
        ]
        template = next(row for row in empty["archetype"] if isinstance(row, dict))
        archetype = [{**template, "archetype_id": each} for each in identified.archetypes["archetype_id"]]
        self.results.save(run_id, {"community": members, "archetype": archetype})
        if published:
            self.results.publish(run_id, at=2)
        else:
            self.results.finish_run(run_id, status="held", at=2, reason="as the test asks")
        return dict(zip(identified.archetypes["archetype_id"], identified.archetypes["event"], strict=True))


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """Nights that have not begun."""
    with Results.open(tmp_path / "results.db") as results:
        yield Market(results)


def test_a_first_night_gives_numbers(market: Market) -> None:
    """Without a publication every group is born, in the order of its label."""
    assert market.night("0000", "1111", "22--") == {"A001": "born", "A002": "born", "A003": "born"}


def test_the_same_groups_keep_their_ids(market: Market) -> None:
    """Whatever tonight's labels are, a group that kept its communities keeps its id."""
    market.night("0000", "1111", "2222")
    assert market.night("1111", "2222", "0000") == {"A003": "continued", "A001": "continued", "A002": "continued"}
    assert market.found.communities["archetype_id"].tolist() == ["A001"] * 4 + ["A002"] * 4 + ["A003"] * 4


def test_split_and_merge_are_told(market: Market) -> None:
    """A part that left a group is split from it; when both are one again, they are merged under the id of the larger."""
    market.night("0000", "0000", "1111")
    assert market.night("0000", "0222", "1111") == {"A001": "continued", "A002": "continued", "A003": "split"}
    assert market.night("0000", "0000", "1111") == {"A001": "merged", "A002": "continued"}


def test_a_number_is_never_given_again(market: Market) -> None:
    """The id of a group that is gone, or of a run that was held, names no other group later."""
    market.night("0000", "1111", "2222")
    assert set(market.night("0000", "1111", "3232", published=False)) >= {"A001", "A002"}
    market.night("0000", "1111", "----")
    other = market.night("0000", "1111", "3---")
    fresh = (set(other) - {"A001", "A002"}).pop()
    assert int(fresh[1:]) > 3
    assert other[fresh] == "born"


def test_an_archetype_that_was_gone_returns_under_its_id(market: Market) -> None:
    """After a night without it, and after one without any, the same communities are the same archetype; a held night has no say."""
    market.night("0000", "1111", "2222")
    assert market.night("0000", "1111", "----") == {"A001": "continued", "A002": "continued"}
    assert market.night("0000", "1111", "2222") == {"A001": "continued", "A002": "continued", "A003": "returned"}
    assert market.night("----", "----", "----") == {}
    market.night("1111", "0000", "2222", published=False)
    assert market.night("2222", "1111", "000-") == {"A001": "returned", "A002": "returned", "A003": "returned"}
    assert market.found.communities["archetype_id"].dropna().tolist() == ["A001"] * 4 + ["A002"] * 4 + ["A003"] * 3


@pytest.mark.parametrize(("nights", "event"), [(4, "returned"), (6, "born")])
def test_what_was_gone_is_known_as_long_as_runs_keep_their_rows(market: Market, nights: int, event: str) -> None:
    """The newest five published runs keep their rows: after four nights without an archetype it returns, after six it is new."""
    market.night("0000", "1111", "2222")
    for _ in range(nights):
        market.night("0000", "1111", "----")
    assert event in market.night("0000", "1111", "2222").values()


def test_what_returns_has_its_last_members(market: Market) -> None:
    """An archetype that was split off and then gone is known by the communities that it had when it was last there."""
    market.night("0000", "1111", "2222")
    market.night("0000", "1111", "2233")
    market.night("0000", "1111", "----")
    assert market.night("0000", "1111", "--22") == {"A001": "continued", "A002": "continued", "A004": "returned"}


def test_ids_stand_everywhere(market: Market) -> None:
    """Evidence, needs, words, niches and communities carry the lasting ids; a community's own rows keep its key."""
    market.night("0000", "1111", "2222")
    needs = market.found.needs
    assert needs[needs["entity"] == "archetype"]["entity_id"].tolist() == ["A001", "A002", "A003"]
    assert needs[needs["entity"] == "niche"]["entity_id"].tolist() == ["N001", "N002", "N003"]
    assert needs[needs["entity"] == "community"]["entity_id"].tolist() == ["c00"]
    assert market.found.niches[["niche_id", "archetype_id"]].to_numpy().tolist() == [["N001", "A001"], ["N002", "A002"], ["N003", "A003"]]
