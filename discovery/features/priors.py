"""What communities of a platform teach of each other, and what is known of one once that is put together with its own counts.

In: counts (successes of trials, events of exposure). Out: a prior, and the mean and limits of what it leaves open of each community.
How much communities differ is not one number but what the data allow: few of them cannot tell it, and limits that take it for
known are too narrow (Morris 1983).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import special

from discovery.features.declaration import Floats

NODES = 8
"""Equally likely answers to how much communities differ, over which what is known is averaged."""
LEAST_TAUGHT, WEAK = 3, 2.0
"""Communities that show how much they differ; trials that a beta prior is worth where there are fewer."""
LEAST_SEEN = 0.5
"""Successes (failures, events) that the far limit allows for besides those that were seen, as Jeffreys' prior does: kinds of community make
no beta, and a prior fitted to a few that do a thing and many that hardly do would know that those never do."""
STRONGEST = 1e9
"""Most trials or events that a prior is worth: where communities differ by nothing."""
STEPS, EXACT, TINY = 100, 1e-14, 1e-300
"""Most steps to a root, the part of it that the last one is, and what a division by nothing is kept from by."""


class Prior(NamedTuple):
    """What communities teach of each other."""

    mean: float
    strength: Floats
    """Trials (events, of a rate) that it is worth, by node."""
    unsure: Floats
    """Variance of the mean, by node."""


class Posterior(NamedTuple):
    """What is known of communities."""

    mean: Floats
    variance: Floats
    own: Floats
    """The share of the mean that is a community's own; the rest is its platform's."""


class Family(NamedTuple):
    """A kind of count."""

    prior: Callable[[Floats, Floats], Prior]
    """Fitted to counts and what they are of."""
    posterior: Callable[[Prior, Floats, Floats], Posterior]
    limits: Callable[[Posterior, Floats, Floats], tuple[Floats, Floats]]
    """5th and 95th percentile, of what counts told."""


def _beta_prior(hits: Floats, trials: Floats) -> Prior:
    mean, rho = _beta_moments(hits, trials)
    if len(trials) < LEAST_TAUGHT:
        return Prior(mean, np.array([WEAK]), np.zeros(1))
    chance, size = mean * (1 - mean), np.maximum(trials - 1, 0)
    nodes = np.minimum(_differences(trials * (hits / trials - mean) ** 2 / chance, size, start=rho), 0.5)
    return Prior(mean, 1 / np.maximum(nodes, 1 / STRONGEST) - 1, chance / (trials / (1 + np.outer(nodes, size))).sum(axis=1))


def _beta_moments(hits: Floats, trials: Floats) -> tuple[float, float]:
    """Fit a beta prior's mean and the correlation of a community's trials; two rounds, so that giants do not decide the mean alone."""
    mean, rho, weights = (hits.sum() + 0.5) / (trials.sum() + 1), 0.0, trials
    for _ in range(2 if len(trials) >= LEAST_TAUGHT else 0):
        share = weights / weights.sum()
        mean = np.clip((share * hits / trials).sum(), 0.5 / (trials.sum() + 1), 1 - 0.5 / (trials.sum() + 1))
        spread = (weights * (hits / trials - mean) ** 2).sum()
        noise = (weights * (1 - share) / trials).sum()
        rho = (spread / (mean * (1 - mean)) - noise) / ((weights * (1 - share)).sum() - noise or 1.0)
        rho = np.clip(rho, 1e-4, 0.5)
        weights = trials / (1 + rho * np.maximum(trials - 1, 0))
    return float(mean), float(rho)


def _beta_posterior(prior: Prior, hits: Floats, trials: Floats) -> Posterior:
    strength = prior.strength[:, None]
    weight = strength + trials
    mean = (strength * prior.mean + hits) / weight
    return _averaged(mean, mean * (1 - mean) / (weight + 1) + (strength / weight) ** 2 * prior.unsure[:, None], trials / weight)


def _beta_limits(known: Posterior, hits: Floats, trials: Floats) -> tuple[Floats, Floats]:
    weight = np.maximum(known.mean * (1 - known.mean) / known.variance - 1, 1.0)
    a, b = known.mean * weight, (1 - known.mean) * weight
    low = special.betaincinv(a, np.maximum(b, trials - hits + LEAST_SEEN), 0.05)
    return low, special.betaincinv(np.maximum(a, hits + LEAST_SEEN), b, 0.95)


def _gamma_prior(events: Floats, exposure: Floats) -> Prior:
    mean, shape = _gamma_moments(events, exposure)
    if len(events) < LEAST_TAUGHT:
        return Prior(mean, np.array([shape]), np.zeros(1))
    size = exposure * mean
    nodes = np.minimum(_differences(exposure * (events / exposure - mean) ** 2 / mean, size, start=1 / shape), 4 / WEAK)
    return Prior(mean, 1 / np.maximum(nodes, 1 / STRONGEST), mean / (exposure / (1 + np.outer(nodes, size))).sum(axis=1))


def _gamma_moments(events: Floats, exposure: Floats) -> tuple[float, float]:
    """Fit mean and shape (prior events) of a gamma prior; two rounds, each rate weighted by what it tells."""
    least = 0.5 / exposure.sum()
    mean, shape, weights = max(events.sum() / exposure.sum(), least), WEAK / 4, exposure
    for _ in range(2 if len(events) >= LEAST_TAUGHT else 0):
        share = weights / weights.sum()
        mean = max((share * events / exposure).sum(), least)
        spread = (share * (events / exposure - mean) ** 2).sum()
        noise = (share * (1 - share) * mean / exposure).sum()
        between = (spread - noise) / (1 - (share**2).sum())
        shape = np.clip(mean**2 / between, WEAK / 4, 1e3) if between > 0 else 1e3
        weights = exposure / (1 + exposure * mean / shape)
    return float(mean), float(shape)


def _gamma_posterior(prior: Prior, events: Floats, exposure: Floats) -> Posterior:
    strength = prior.strength[:, None]
    weight = strength / prior.mean + exposure
    mean = (strength + events) / weight
    unsure = (1 - exposure / weight) ** 2 * prior.unsure[:, None]
    return _averaged(mean, mean / weight + unsure, exposure / weight)


def _gamma_limits(known: Posterior, events: Floats, _exposure: Floats) -> tuple[Floats, Floats]:
    shape, scale = known.mean**2 / known.variance, known.variance / known.mean
    return special.gammaincinv(shape, 0.05) * scale, special.gammaincinv(np.maximum(shape, events + LEAST_SEEN), 0.95) * scale


def _averaged(mean: Floats, variance: Floats, own: Floats) -> Posterior:
    """Average over nodes; that they do not agree is variance too."""
    return Posterior(mean.mean(axis=0), variance.mean(axis=0) + mean.var(axis=0), own.mean(axis=0))


def _differences(squares: Floats, size: Floats, *, start: float) -> Floats:
    """Tell how much communities may differ: as many equally likely answers as nodes, 0 where chance alone makes them as unlike.

    The squared distance of a community's own estimate from the mean, in parts of what chance makes of it, is ``1 + size * difference``
    times a chi-squared of one degree. All of them together make one of as many degrees as there are communities, less one, and each
    of its quantiles gives an answer (the Q-profile of Viechtbauer 2007; Newton's steps find it from anywhere, since the sum falls
    ever more slowly).
    """
    goal = special.chdtri(len(squares) - 1, (np.arange(NODES) + 0.5) / NODES)
    answer = np.full(NODES, start)
    for _ in range(STEPS):
        width = 1 + np.outer(answer, size)
        part = squares / width
        before, step = answer, (part.sum(axis=1) - goal) / np.maximum((part * size / width).sum(axis=1), TINY)
        answer = np.maximum(answer + step, 0)
        if (np.abs(answer - before) <= EXACT * answer).all():
            break
    return answer


BETA, GAMMA = Family(_beta_prior, _beta_posterior, _beta_limits), Family(_gamma_prior, _gamma_posterior, _gamma_limits)
"""Fractions and rates."""
