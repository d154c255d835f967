"""The true values of how varied words are and how much they change, from the words that were planted: without any feature's code.

In: what a reader sees of a community drawn many times. Out: one number per feature. Texts are laid one after the other in an order
drawn at random, as a sample lays them; what is asked is what a text without end would show.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.redraw import Shown

DRAWN = 42
"""Words drawn in HD-D."""
WINDOW = 500
"""Words of a window of MATTR."""
LEAST_VARIED = 0.72
"""Share of different words below which a stretch of MTLD ends."""
READ = 12_000
"""Words of a draw that are laid out: there are enough of them sooner than of people."""


def lexical_diversity(shown: Shown) -> float:
    """Different words among 42 drawn from all that is ever said."""
    share = shown.words.to_numpy(dtype=float)
    share /= share.sum()
    return float((1 - (1 - share) ** DRAWN).sum() / DRAWN)


def mattr(shown: Shown) -> float:
    """Share of different words in windows that do not overlap: its mean is that of all windows."""
    windows = [said[at : at + WINDOW] for said in _laid_out(shown) for at in range(0, len(said) - WINDOW + 1, WINDOW)]
    return float(np.mean([len(np.unique(window)) for window in windows]) / WINDOW) if windows else np.nan


def mtld(shown: Shown) -> float:
    """Words of a stretch, of those that end; read forward alone, since neither direction is special in an order drawn at random."""
    lengths = [length for said in _laid_out(shown) for length in _stretches(said)]
    return float(np.mean(lengths)) if lengths else np.nan


def dynamicity(shown: Shown) -> float:
    """None: months draw their words from the same urns, unless a crowd of strangers came in one."""
    return np.nan if shown.drawn.site.brigaded else 0.0


def _laid_out(shown: Shown) -> Iterator[np.ndarray]:
    """Yield the words of each draw, text after text, as numbers."""
    said = shown.drawn.words
    said = said[shown.drawn.records["at"].reindex(said.index).to_numpy() >= shown.since]
    draw = shown.drawn.records["draw"].reindex(said.index).to_numpy()
    rng = np.random.default_rng(shown.drawn.site.index)
    for number in np.unique(draw):
        mine = said[draw == number]
        turn = rng.permutation(int(mine.index.max()) + 1)[mine.index]
        yield mine.cat.codes.to_numpy()[np.argsort(turn, kind="stable")][:READ]


def _stretches(said: np.ndarray) -> Iterator[int]:
    """Yield the lengths of the stretches that end, from the first word on."""
    met: set[int] = set()
    length = 0
    for word in said.tolist():
        met.add(word)
        length += 1
        if len(met) < LEAST_VARIED * length:
            yield length
            met, length = set(), 0
