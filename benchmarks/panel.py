"""The true values of a whole world: each community's own, and those that depend on the communities beside it.

In: a world, its communities drawn many times, and what was measured of it. Out: a table of true values. Of the measurement only
sizes and gaps are taken: how many words a sample holds and which are words of the run, and which parts of a composite are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import planted, speech
from benchmarks.redraw import Drawn, Shown
from discovery.features import FEATURES, Measurement
from discovery.features.text import STOP_WORDS
from discovery.sources.world import World

ALPHA = 500
"""Weight of the background in specificity, in words."""
WEIGHTS = {"product_mentions": 0.4, "promotion": 0.3, "satisfaction": 0.3}
"""Parts of saturation."""
SCALES = {"comments_per_post": np.log1p, "discussants_per_thread": np.log1p, "reciprocity": None, "engaged_share": None}
"""Parts of engagement; None stands for the logit."""
SAMPLES = 20
"""Samples of words over which the expected specificity is taken: it depends on how many words there are."""
PRIOR = 5
"""People added to both sides of a lift."""

STRATA = (1, 2, 5)
"""Least records of a month in each stratum of equal retention."""
BUSY = 10
"""Records of a month, on the whole platform, that make somebody busy."""

UNTOLD = ("amount_paid", "crosspost_share", "specialisation", "portfolio_fit", "link_fit", "participation")
"""Not compared: the limits of an amount are quartiles, not an error; no text is planted in two communities with its title, so that what
is found alike is alike by chance; the truth of the others is not told yet."""


class Panel:
    """A world beside its draws."""

    def __init__(self, world: World, drawn: Mapping[str, Drawn], own: tuple[str, ...], measured: Measurement) -> None:
        self.world, self.drawn, self.own, self.measured = world, drawn, own, measured
        self.estimates = measured.values()
        self.present: dict[str, set[int]] = {}
        self.alone = 0
        self.shown: dict[str, Shown] = {}
        for site in world.sites():
            key, written = world.key(site), world.written(site)
            at = written.threads.at
            hidden = 0 if world.listing is None else max(0, len(at) - world.listing)
            self.shown[key] = drawn[key].since(int(at[hidden]) if hidden else 0, listing=world.listing is not None)
            wrote = np.unique(written.threads.person[hidden:])
            wrote = wrote[(wrote >= 0) & written.people.visible[wrote]]
            account = written.people.account[wrote]
            self.present[key] = set(account[account >= 0].tolist())
            self.alone += int((account < 0).sum())

    def truth(self) -> pd.DataFrame:
        """Give the true values, one row per community and one column per feature."""
        true = pd.DataFrame.from_dict({key: _own(shown) for key, shown in self.shown.items()}, orient="index")
        true["specificity"] = pd.Series(self._specificity())
        true["equal_retention"] = self._equal_retention()
        true["loyalty"] = {key: self._loyalty(key) for key in self.shown}
        true["author_overlap"] = {key: self._overlap(key) for key in self.shown}
        true["cross_promotion"] = {key: self._lift(key) for key in self.shown}
        true["saturation"] = self._saturation(true)
        true["headroom"] = 1 - true["saturation"]
        true["engagement"] = self._engagement(true)
        return true[[name for name in FEATURES if name not in UNTOLD]]

    def _beside(self, key: str) -> dict[str, set[int]]:
        """Give the accounts that write in the other communities of a subject."""
        subject = self.drawn[key].site.subject
        return {other: self.present[other] for other in self.shown if other != key and self.drawn[other].site.subject == subject}

    def _met(self, key: str, accounts: set[int]) -> tuple[float, float]:
        """Give the mean numbers of a community's people who have one of the accounts, and of all."""
        people = self.shown[key].known.drop_duplicates("person")
        return people["account"].isin(accounts).sum() / self.drawn[key].draws, len(people) / self.drawn[key].draws

    def _overlap(self, key: str) -> float:
        met, people = self._met(key, set().union(*self._beside(key).values()))
        return float(met / people)

    def _lift(self, key: str) -> float:
        """Give the best lift with one of the user's own communities."""
        everyone = self.alone + sum(len(accounts) for accounts in self._accounts.values())
        lifts = []
        for own in self.own:
            if own != key:
                met, people = self._met(key, self._beside(key).get(own, set()))
                theirs = self._met(own, set())[1]
                lifts.append(math.log((met + PRIOR) / (people * theirs / everyone + PRIOR)))
        return max(lifts)

    def _equal_retention(self) -> pd.Series[float]:
        """Give the share that stays among people of equally many records, weighed as the world's months are."""
        stays = {key: _stays(shown) for key, shown in self.shown.items()}
        there, stayed = (pd.DataFrame({key: told[name] for key, told in stays.items()}).fillna(0) for name in ("count", "sum"))
        return (stayed / there).mul(there.sum(axis=1) / there.to_numpy().sum(), axis=0).sum(skipna=False)

    def _loyalty(self, key: str) -> float:
        """Give the share of busy people's months in which they write half of it here, and again in the next."""
        mine = self._everywhere[self._everywhere["key"] == key].sort_values(["person", "month"])
        prefers = 2 * mine["records"] >= mine["in_all"]
        again = _goes_on(mine) & prefers.shift(-1, fill_value=False)
        busy = (mine["in_all"] >= BUSY) & (mine["month"] < self.drawn[key].era.whole.stop - 1)
        return float((prefers & again)[busy].mean())

    @cached_property
    def _everywhere(self) -> pd.DataFrame:
        """Give the months of people, as ``Shown.months``, with their community and their records in all of them (in_all)."""
        parts = [shown.months.assign(key=key, topic=self.drawn[key].site.subject.topic) for key, shown in self.shown.items()]
        told = pd.concat(parts, ignore_index=True)
        roaming = told[told["account"] >= 0].groupby(["draw", "topic", "account", "month"])["records"].transform("sum")
        return told.assign(in_all=roaming.reindex(told.index).fillna(told["records"]))

    @cached_property
    def _accounts(self) -> dict[str, set[int]]:
        """Give the accounts that are seen, by subject."""
        found: dict[str, set[int]] = {}
        for key, accounts in self.present.items():
            found.setdefault(self.drawn[key].site.subject.topic, set()).update(accounts)
        return found

    def _specificity(self) -> dict[str, float]:
        """Compare each community's words with all others', weighed by how many of them a sample holds, as samples of its size would.

        A word of one community that fewer than five people say is none of the background: who asks for them too asks another question.
        """
        sizes = self.measured.estimates.query("feature == 'specificity'").set_index("community")["n"]
        shares = pd.DataFrame({key: _content(shown) for key, shown in self.shown.items()}).fillna(0.0)
        shares = shares[shares.index.isin(self.measured.vocabulary.terms)]
        shares /= shares.sum()
        everyone = shares @ sizes[shares.columns]
        told = {}
        for key, own in shares.items():
            n = sizes[key]
            other = ((everyone - n * own + 1) / (everyone.sum() - n + len(own))).to_numpy()
            sample = np.random.default_rng([self.world.seed, len(told)]).multinomial(n, own, size=SAMPLES)
            score = np.log(np.maximum(sample - 1 + ALPHA * other, 1e-12) / (n - 1 + ALPHA)) - np.log(other)
            told[str(key)] = float((sample * score).sum() / sample.sum()) if n else math.nan
        return told

    def _saturation(self, true: pd.DataFrame) -> pd.Series[float]:
        """Place the parts that were measured among those of the other communities."""
        parts = true[list(WEIGHTS)].copy()
        for part in ("product_mentions", "promotion"):
            parts[part] = parts[part].where(self.estimates[part].notna())
        placed = parts.apply(lambda part: part.map(lambda value: (part < value).sum() / part.notna().sum()).where(part.notna()))
        weights = placed.notna() * pd.Series(WEIGHTS)
        return (placed.fillna(0) * weights).sum(axis=1) / weights.sum(axis=1)

    def _engagement(self, true: pd.DataFrame) -> pd.Series[float]:
        """Give the first principal component of the parts that were measured."""
        parts = {}
        for part, scale in SCALES.items():
            value = true[part].where(self.estimates[part].notna())
            value = scale(value) if scale else np.log(value.clip(1e-6, 1 - 1e-6) / (1 - value.clip(1e-6, 1 - 1e-6)))
            if value.notna().sum() >= 10:
                parts[part] = (value - value.mean()) / value.std(ddof=0)
        z = pd.DataFrame(parts)
        if z.shape[1] < 2:
            return pd.Series(np.nan, true.index)
        loading = np.linalg.eigh(z.corr().fillna(0))[1][:, -1]
        loading = loading * np.sign(loading.sum())
        return (z.fillna(0) @ loading) / (z.notna() @ loading**2)


def _stays(shown: Shown) -> pd.DataFrame:
    """Count the months that another one follows, and those whose person is there in it too, by stratum (columns count, sum)."""
    months = shown.months.sort_values(["person", "month"])
    followed = months["month"] < shown.drawn.era.whole.stop - 1
    stratum = np.searchsorted(STRATA, months["records"], side="right")
    return _goes_on(months)[followed].groupby(stratum[followed]).agg(["count", "sum"])


def _goes_on(months: pd.DataFrame) -> pd.Series[bool]:
    """Tell of each month of a person, sorted, whether the person is there in the next."""
    return (months["person"].shift(-1) == months["person"]) & (months["month"].shift(-1) == months["month"] + 1)


def _own(shown: Shown) -> dict[str, Any]:
    """Give what depends on no other community."""
    single = {name: getattr(room, name)(shown) for room in (planted, speech) for name in FEATURES if hasattr(room, name)}
    return {**single, **planted.voices(shown), **planted.products(shown)}


def _content(shown: Shown) -> pd.Series[float]:
    """Give the shares of the words that carry content."""
    counts = shown.words[[len(word) > 1 and word not in STOP_WORDS for word in shown.words.index]]
    return counts / counts.sum()
