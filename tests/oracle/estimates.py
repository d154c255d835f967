"""From raw counts to estimates, one community at a time: priors by moments, beta, gamma and normal intervals, survival curves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

Z = stats.norm.ppf(0.95)
DOUBT = 3
"""How many times weaker than fitted a prior may be for the limits."""
Frame = pd.DataFrame


def estimate(value: float, low: float = math.nan, high: float = math.nan, *, n: float, **more: Any) -> dict[str, Any]:
    """Put the columns of one estimate together."""
    return {"value": value, "low": min(low, value), "high": max(high, value), "n": n, **more}


def teachers(frame: Frame, platform: str) -> Frame:
    """Give those a platform's prior is learned from: its own communities, or everyone's where it has fewer than ten."""
    seen = frame[frame["trials"] > 0]
    own = seen[seen["platform"] == platform]
    return own if len(own) >= 10 else seen


def per_platform(frame: Frame, fit: Any) -> dict[str, Any]:
    """Fit a prior for each platform."""
    return {platform: fit(teachers(frame, platform)) for platform in frame["platform"].unique() if (frame["trials"] > 0).any()}


def differences(squares: pd.Series, size: pd.Series, most: float) -> list[float]:
    """Give how much communities may differ: where squares / (1 + size * difference) add up to each of eight quantiles of chi-squared."""

    def excess(difference: float, goal: float) -> float:
        return float((squares / (1 + size * difference)).sum() - goal)

    goals = stats.chi2.ppf((np.arange(8) + 0.5) / 8, len(squares) - 1)
    kept = [goal if excess(0, goal) > 0 > excess(most, goal) else None for goal in goals]
    ends = [0.0 if excess(0, goal) <= 0 else most for goal in goals]
    return [end if goal is None else optimize.brentq(excess, 0, most, goal, xtol=1e-16) for goal, end in zip(kept, ends, strict=True)]


def beta_prior(seen: Frame) -> tuple[float, list[tuple[float, float]]]:
    """Fit a beta prior: its mean by Kleinman's moments, in two rounds of weights; strength and variance of the mean by node."""
    rate, trials = seen["hits"] / seen["trials"], seen["trials"]
    if len(seen) < 3:
        return (seen["hits"].sum() + 0.5) / (trials.sum() + 1), [(2.0, 0.0)]
    edge, weight = 0.5 / (trials.sum() + 1), trials
    mean = math.nan
    for _ in range(2):
        mean = min(max(np.average(rate, weights=weight), edge), 1 - edge)
        total, squares = weight.sum(), (weight**2).sum()
        spread = (weight * (rate - mean) ** 2).sum()
        noise = (weight * (1 - weight / total) / trials).sum()
        room = total - squares / total - noise
        rho = min(max((spread / (mean * (1 - mean)) - noise) / (room or 1.0), 1e-4), 0.5)
        weight = trials / (1 + rho * (trials - 1).clip(lower=0))
    chance, size = mean * (1 - mean), (trials - 1).clip(lower=0)
    nodes = differences(trials * (rate - mean) ** 2 / chance, size, 0.5)
    return mean, [(1 / max(rho, 1e-9) - 1, chance / (trials / (1 + rho * size)).sum()) for rho in nodes]


def mixed(parts: list[Any], errors: list[float]) -> tuple[float, float]:
    """Give mean and variance of equally likely distributions, with what else makes each unsure."""
    means = [part.mean() for part in parts]
    return float(np.mean(means)), float(np.mean([part.var() for part in parts]) + np.mean(errors) + np.var(means))


def shrunk_shares(frame: Frame) -> dict[str, dict[str, Any]]:
    """Shrink hits / trials; columns platform, hits, trials, effect (design effect), n; index community."""
    frame = frame.assign(hits=frame["hits"] / frame["effect"], trials=frame["trials"] / frame["effect"])
    priors = per_platform(frame, beta_prior)
    told = {}
    for community, row in frame[frame["trials"] > 0].iterrows():
        mean, nodes = priors[row["platform"]]

        def known(doubt: float, thin: float, row: Any = row, mean: float = mean, nodes: Any = nodes) -> tuple[float, float]:
            hits, trials = row["hits"] * thin, row["trials"] * thin
            parts = [stats.beta(mean * s / doubt + hits, (1 - mean) * s / doubt + trials - hits) for s, _ in nodes]
            return mixed(parts, [(s / doubt / (s / doubt + trials)) ** 2 * unsure for s, unsure in nodes])

        hits, misses = row["hits"] * thinned(row), (row["trials"] - row["hits"]) * thinned(row)
        lows, highs = [], []
        for doubt in (1, DOUBT):
            middle, variance = known(doubt, thinned(row))
            weight = max(middle * (1 - middle) / variance - 1, 1)
            a, b = middle * weight, (1 - middle) * weight
            lows.append(stats.beta(a, max(b, misses + 0.5)).ppf(0.05))
            highs.append(stats.beta(max(a, hits + 0.5), b).ppf(0.95))
        low = 0.0 if row["hits"] == 0 else min(lows)
        high = 1.0 if row["hits"] == row["trials"] else max(highs)
        told[str(community)] = estimate(known(1, 1)[0], low, high, n=row["n"])
    return told


def thinned(row: pd.Series) -> float:
    """Give the part of the evidence that counts for the limits, where it comes in clumps larger than its design effect."""
    return float(row["effect"] / max(row["effect"], row["clump"])) if row["clump"] > 0 else 1.0


def gamma_prior(seen: Frame) -> tuple[float, list[tuple[float, float]]]:
    """Fit a gamma prior: its mean by moments, rates weighted by precision, in two rounds; shape and variance of the mean by node."""
    rate, trials = seen["hits"] / seen["trials"], seen["trials"]
    edge, weight = 0.5 / trials.sum(), trials
    mean = max(np.average(rate, weights=weight), edge)
    if len(seen) < 3:
        return mean, [(0.5, 0.0)]
    for _ in range(2):
        mean = max(np.average(rate, weights=weight), edge)
        total, squares = weight.sum(), (weight**2).sum()
        noise = (weight * (total - weight) * mean / trials).sum()
        between = (total * (weight * (rate - mean) ** 2).sum() - noise) / (total**2 - squares)
        shape = min(max(mean**2 / between, 0.5), 1e3) if between > 0 else 1e3
        weight = 1 / (1 / trials + mean / shape)
    nodes = differences(trials * (rate - mean) ** 2 / mean, trials * mean, 2.0)
    return mean, [(1 / max(tau, 1e-9), mean / (trials / (1 + tau * trials * mean)).sum()) for tau in nodes]


def shrunk_rates(frame: Frame) -> dict[str, dict[str, Any]]:
    """Shrink hits per trial (exposure); columns as for :func:`shrunk_shares`, effect is the overdispersion."""
    frame = frame.assign(hits=frame["hits"] / frame["effect"], trials=frame["trials"] / frame["effect"])
    priors = per_platform(frame, gamma_prior)
    told = {}
    for community, row in frame[frame["trials"] > 0].iterrows():
        mean, nodes = priors[row["platform"]]

        def known(doubt: float, thin: float, row: Any = row, mean: float = mean, nodes: Any = nodes) -> tuple[float, float]:
            weights = [(shape / doubt, shape / doubt / mean + row["trials"] * thin) for shape, _ in nodes]
            parts = [stats.gamma(shape + row["hits"] * thin, scale=1 / weight) for shape, weight in weights]
            borrowed = [shape / mean / weight for shape, weight in weights]
            return mixed(parts, [part**2 * unsure for part, (_, unsure) in zip(borrowed, nodes, strict=True)])

        moments = [known(doubt, thinned(row)) for doubt in (1, DOUBT)]
        low = min(stats.gamma(m**2 / v, scale=v / m).ppf(0.05) for m, v in moments) if row["hits"] else 0.0
        most = row["hits"] * thinned(row) + 0.5
        high = max(stats.gamma(max(m**2 / v, most), scale=v / m).ppf(0.95) for m, v in moments)
        told[str(community)] = estimate(known(1, 1)[0], low, high, n=row["n"])
    return told


def shrunk_slopes(frame: Frame) -> dict[str, dict[str, Any]]:
    """Shrink values with standard errors (columns platform, value, error, n) to their mean by DerSimonian and Laird."""
    frame = frame.assign(trials=1)
    told = {}
    for community, row in frame.iterrows():
        known = teachers(frame, row["platform"])
        value, error = row["value"], row["error"]
        if len(known) >= 3:
            weight = 1 / known["error"] ** 2
            q = (weight * (known["value"] - np.average(known["value"], weights=weight)) ** 2).sum()
            between = max((q - len(known) + 1) / (weight.sum() - (weight**2).sum() / weight.sum()), 1e-12)
            mean = np.average(known["value"], weights=1 / (known["error"] ** 2 + between))
            normals, own = [], between / (between + error**2)
            for spread in (between, DOUBT * between):
                part = spread / (spread + row["clump"] ** 2)
                normals.append(stats.norm(part * value + (1 - part) * mean, math.sqrt(part) * row["clump"]))
            low, high = (pick(normal.ppf(tail) for normal in normals) for pick, tail in ((min, 0.05), (max, 0.95)))
            told[str(community)] = estimate(own * value + (1 - own) * mean, low, high, n=row["n"])
            continue
        told[str(community)] = estimate(value, value - Z * row["clump"], value + Z * row["clump"], n=row["n"])
    return told


def overdispersion(counts: pd.Series, units: float) -> float:
    """Give variance / mean of counts per unit, units without a count included; at least 1."""
    mean = counts.sum() / units
    return max(1.0, ((counts**2).sum() / units - mean**2) / mean) if mean > 0 else 1.0


def clump(each: pd.Series) -> float:
    """Give how many times more a sum varies if those who bring it are drawn with all they bring; at least 1."""
    return max(1.0, float((each.astype(float) ** 2).sum() / each.sum())) if each.sum() else 1.0


def design_effect(hits: pd.Series, trials: pd.Series) -> float:
    """Give how many times more hits / trials varies over authors than over trials, between 1 and all of an author's ending alike."""
    hits, trials = hits[trials > 0], trials[trials > 0]
    if trials.empty:
        return 1.0
    worst = max((trials**2).sum() / trials.sum(), 1.0)
    ratio, people = hits.sum() / trials.sum(), len(trials)
    if people < 2 or not 0 < ratio < 1:
        return worst
    residuals = ((hits - ratio * trials) ** 2).sum()
    return min(max(residuals / (ratio * (1 - ratio) * trials.sum()) * people / (people - 1), 1.0), worst)


def curve(times: np.ndarray, ended: np.ndarray) -> Frame:
    """Give the Kaplan–Meier curve at each time something ended: at_risk, ended, survival and Greenwood's sum."""
    steps = [(time, (times >= time).sum(), ((times == time) & ended).sum()) for time in np.unique(times[ended])]
    frame = pd.DataFrame(steps, columns=["time", "at_risk", "ended"])
    left = frame["at_risk"] - frame["ended"]
    frame["survival"] = (left / frame["at_risk"]).cumprod()
    with np.errstate(divide="ignore"):
        frame["greenwood"] = (frame["ended"] / (frame["at_risk"] * left)).cumsum()
    return frame
