"""Simulate how often the intervals of shares hold, by how many communities there are: ``python -m benchmarks.priors`` prints a table.

Communities have shares from a known beta distribution and so many people each; what is estimated is what a run would estimate of them.
Few communities, and communities that look alike, are the hard cases: neither tells how much they differ.
"""

from __future__ import annotations

import argparse

import numpy as np

from discovery.features.estimation import proportions

COMMUNITIES = (4, 10, 30, 100)
TRIALS = ((10, 30), (10, 1_000), (300, 1_000))
"""Fewest and most people of a community, spread evenly over the logarithm."""
MEANS = (0.05, 0.3)
STRENGTHS = (3, 10, 30, 100, 1_000)
"""How alike communities are: the trials that the true prior is worth."""


def held(random: np.random.Generator, *, communities: int, prior: tuple[float, float], trials: tuple[int, int], runs: int) -> float:
    """Give the share of intervals that hold the truth."""
    mean, strength = prior
    hits = []
    for _ in range(runs):
        truth = random.beta(mean * strength, (1 - mean) * strength, communities)
        people = np.exp(random.uniform(np.log(trials[0]), np.log(trials[1] + 1), communities)).astype(int)
        told = proportions(random.binomial(people, truth).astype(float), people.astype(float), platforms=["x"] * communities)
        hits.append((told.low <= truth) & (truth <= told.high))
    return float(np.mean(hits))


def main() -> None:
    """Simulate as the arguments say, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.priors", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=12, help="[default: %(default)s]")
    parser.add_argument("--estimates", type=int, default=1_500, help="per cell, about [default: %(default)s]")
    told = parser.parse_args()
    random = np.random.default_rng(told.seed)
    print("| people | mean | strength | " + " | ".join(f"{number} communities" for number in COMMUNITIES) + " |")
    print("|---|---:|---:|" + "---:|" * len(COMMUNITIES))
    for trials in TRIALS:
        for prior in ((mean, strength) for mean in MEANS for strength in STRENGTHS):
            runs = {number: max(told.estimates // number, 20) for number in COMMUNITIES}
            cells = [held(random, communities=number, prior=prior, trials=trials, runs=runs[number]) for number in COMMUNITIES]
            print(f"| {trials[0]} to {trials[1]:,} | {prior[0]} | {prior[1]:,} | " + " | ".join(f"{cell:.0%}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
