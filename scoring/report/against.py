"""What speaks against a single community: a published run keeps no sentence for it, so its numbers are told when it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scoring.arguments.against import FEW, few
from scoring.arguments.telling import Claim, worded

LEAST_POINTS = 0.5


def against(facts: Mapping[str, Any], costs: Mapping[str, float]) -> list[Claim]:
    """Order what the parts of a score cost, how far chance may move it and how few people it rests on, the weightiest first.

    Args:
        facts: The community's row in the ranking.
        costs: Points that the score would gain if a part were the best possible, by the part's title.
    """
    score, people = facts["score"] or 0.0, max(facts["active_authors"] or 0, 1)
    claims = [_part(title, cost, score) for title, cost in costs.items() if cost >= LEAST_POINTS]
    if people < FEW:
        forms = (
            "all that is known of it comes from {n:,} people",
            "{n:,} people are no market yet",
            "what {n:,} people write decides everything here",
        )
        claims.append(Claim(few(people), worded("people", forms, n=people)))
    if facts["score_low"] is not None and facts["rank_high"] is not None and facts["rank_high"] > facts["rank_low"]:
        forms = (
            "by chance alone its place may be {rank:,}, with a score of {low:.0f}",
            "resampled, it falls as low as rank {rank:,} and {low:.0f} points",
            "another draw could leave it {low:.0f} points and place {rank:,}",
        )
        lost = 1 - facts["score_low"] / score if score else 0.0
        claims.append(Claim(lost, worded("spread", forms, rank=facts["rank_high"], low=facts["score_low"])))
    return sorted(claims, key=lambda claim: -claim.strength)


def _part(title: str, cost: float, score: float) -> Claim:
    forms = (
        "{title} is what it lacks most, {cost:.0f} points of it",
        "{cost:.0f} points are missing for want of {title}",
        "with the best {title} it would stand {cost:.0f} points higher",
    )
    return Claim(cost / (score + cost), worded(title, forms, title=title, cost=cost))
