"""From raw counts to estimates, one community at a time: priors by moments, beta, gamma and normal intervals, survival curves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

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


def per_platform(frame: Frame, fit: Any) -> dict[str, tuple[float, float]]:
    """Fit a prior for each platform."""
    return {platform: fit(teachers(frame, platform)) for platform in frame["platform"].unique() if (frame["trials"] > 0).any()}


def beta_prior(seen: Frame) -> tuple[float, float]:
    """Fit a beta prior by Kleinman's moments, in two rounds of weights; give its mean and strength."""
    rate, trials = seen["hits"] / seen["trials"], seen["trials"]
    if len(seen) < 3:
        return (seen["hits"].sum() + 0.5) / (trials.sum() + 1), 2.0
    edge, weight = 0.5 / (trials.sum() + 1), trials
    mean = rho = math.nan
    for _ in range(2):
        mean = min(max(np.average(rate, weights=weight), edge), 1 - edge)
        total, squares = weight.sum(), (weight**2).sum()
        spread = (weight * (rate - mean) ** 2).sum()
        noise = (weight * (1 - weight / total) / trials).sum()
        room = total - squares / total - noise
        rho = min(max((spread / (mean * (1 - mean)) - noise) / (room or 1.0), 1e-4), 0.5)
        weight = trials / (1 + rho * (trials - 1).clip(lower=0))
    return mean, 1 / rho - 1


def shrunk_shares(frame: Frame) -> dict[str, dict[str, Any]]:
    """Shrink hits / trials; columns platform, hits, trials, effect (design effect), n; index community."""
    frame = frame.assign(hits=frame["hits"] / frame["effect"], trials=frame["trials"] / frame["effect"])
    priors = per_platform(frame, beta_prior)
    told = {}
    for community, row in frame[frame["trials"] > 0].iterrows():
        mean, strength = priors[row["platform"]]
        hits, misses, thin = row["hits"], row["trials"] - row["hits"], thinned(row)
        value = (mean * strength + hits) / (strength + row["trials"])
        posteriors = [stats.beta(mean * s + hits * thin, (1 - mean) * s + misses * thin) for s in (strength, strength / DOUBT)]
        low = 0.0 if hits == 0 else min(posterior.ppf(0.05) for posterior in posteriors)
        high = 1.0 if misses == 0 else max(posterior.ppf(0.95) for posterior in posteriors)
        told[str(community)] = estimate(value, low, high, n=row["n"])
    return told


def thinned(row: pd.Series) -> float:
    """Give the part of the evidence that counts for the limits, where it comes in clumps larger than its design effect."""
    return float(row["effect"] / max(row["effect"], row["clump"])) if row["clump"] > 0 else 1.0


def gamma_prior(seen: Frame) -> tuple[float, float]:
    """Fit a gamma prior by moments, each rate weighted by its precision, in two rounds; give its shape and rate."""
    rate, trials = seen["hits"] / seen["trials"], seen["trials"]
    edge, weight, shape = 0.5 / trials.sum(), trials, 0.5
    mean = max(np.average(rate, weights=weight), edge)
    for _ in range(2 if len(seen) >= 3 else 0):
        mean = max(np.average(rate, weights=weight), edge)
        total, squares = weight.sum(), (weight**2).sum()
        noise = (weight * (total - weight) * mean / trials).sum()
        between = (total * (weight * (rate - mean) ** 2).sum() - noise) / (total**2 - squares)
        shape = min(max(mean**2 / between, 0.5), 1e3) if between > 0 else 1e3
        weight = 1 / (1 / trials + mean / shape)
    return shape, shape / mean


def shrunk_rates(frame: Frame) -> dict[str, dict[str, Any]]:
    """Shrink hits per trial (exposure); columns as for :func:`shrunk_shares`, effect is the overdispersion."""
    frame = frame.assign(hits=frame["hits"] / frame["effect"], trials=frame["trials"] / frame["effect"])
    priors = per_platform(frame, gamma_prior)
    told = {}
    for community, row in frame[frame["trials"] > 0].iterrows():
        shape, rate = priors[row["platform"]]
        thin, value = thinned(row), (shape + row["hits"]) / (rate + row["trials"])
        posteriors = [stats.gamma(shape / d + row["hits"] * thin, scale=1 / (rate / d + row["trials"] * thin)) for d in (1, DOUBT)]
        low = min(posterior.ppf(0.05) for posterior in posteriors) if row["hits"] else 0.0
        told[str(community)] = estimate(value, low, max(posterior.ppf(0.95) for posterior in posteriors), n=row["n"])
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
