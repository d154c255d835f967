"""What the score is made of, declared once: ingredients, and the components they make. Report, SQL and sentences read it.

Nothing here computes, so that who only reads results loads nothing that does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Reading(NamedTuple):
    """A feature that an ingredient is read from, with the plain words a sentence uses."""

    feature: str
    title: str
    unit: str
    """Empty for a plain number; ``share`` is printed as per cent."""

    def words(self, value: float, *, digits: int = 3) -> str:
        """Print a value in the feature's own unit, with so many significant digits."""
        if self.unit == "share":
            return f"{100 * value:.{digits}g} %"
        return f"{value:,.{max(digits, len(str(int(abs(value)))))}g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Ingredient:
    """A measured quantity that stands in exactly one component. More of it is always better."""

    readings: tuple[Reading, ...]
    """In order of preference: the first that is measured is read, on its own panel."""
    weight: float
    """Prior weight inside the component."""
    meaning: str
    cap: float = 1.0
    """Highest percentile it can earn."""
    group_only: bool = False
    """Exists for archetypes and niches only, as a share between 0 and 1 that needs no panel."""
    needs_portfolio: bool = False
    """Not applicable, so not missing either, where the user names no communities of their own."""

    @property
    def name(self) -> str:
        """The feature it is named for."""
        return self.readings[0].feature


@dataclass(frozen=True)
class Component:
    """One factor of the score: ``S = 100 · Π g^weight`` with ``g = 0.02 + 0.98 · component``."""

    name: str
    title: str
    weight: float
    """Prior weight; Dirichlet(40 · weight) in the replicates."""
    meaning: str
    ingredients: tuple[Ingredient, ...]


COMPONENTS: tuple[Component, ...] = (
    Component(
        "demand",
        "demand",
        0.22,
        "People say that something is missing, and they say the same thing.",
        (
            Ingredient((Reading("seeking", "share of authors who look for a solution", "share"),), 0.5, "asking for a tool or a way"),
            Ingredient((Reading("pain", "share of authors who describe a pain", "share"),), 0.25, "hours lost, manual work, frustration"),
            Ingredient(
                (Reading("need_concentration", "concentration of needs", ""),), 0.25, "many ask for one thing, not each for another"
            ),
        ),
    ),
    Component(
        "money",
        "money",
        0.22,
        "People speak of money they spend or mean to spend.",
        (
            Ingredient(
                (Reading("money", "money signals per author", ""),),
                1.0,
                "revealed spend 1, procurement .6, hypothetical pay .25, refusal −.4, per distinct author",
            ),
        ),
    ),
    Component(
        "retained_reach",
        "retained reach",
        0.15,
        "Enough people are there, they come back, and they talk with each other.",
        (
            Ingredient(
                (
                    Reading("rmst_90", "days that authors stay, of the first 90", "days"),
                    Reading("retention", "share of authors who return next month", "share"),
                ),
                0.5,
                "authors stay; where survival cannot be measured, monthly retention stands in",
            ),
            # Clipped, not rescaled: small size costs, great size buys nothing, and .75 stays a percentile like every other.
            # The clip takes the same constant from all that reach it, so it moves no order among them.
            Ingredient(
                (Reading("active_authors", "active authors", "per 28 days"),),
                0.25,
                "size, which counts up to the panel's upper quarter",
                cap=0.75,
            ),
            Ingredient(
                (Reading("engagement", "engagement", "(principal component)"),), 0.25, "depth of talk, people per thread, daily regulars"
            ),
        ),
    ),
    Component(
        "unmet",
        "unmet need",
        0.13,
        "What people ask for is not solved for them today.",
        (
            Ingredient(
                (Reading("unsolved_share", "share of questions left unsolved", "share"),),
                0.5,
                "help threads without an acknowledged answer",
            ),
            Ingredient((Reading("unanswered_48h", "share of posts without a reply in 48 hours", "share"),), 0.3, "nobody answers at all"),
            Ingredient(
                (Reading("workaround_rate", "share of authors who work around it", "share"),),
                0.2,
                "spreadsheets, scripts and other makeshift",
            ),
        ),
    ),
    Component(
        "headroom",
        "headroom",
        0.10,
        "The field is not full, or people want to leave what fills it.",
        (
            Ingredient(
                (Reading("headroom", "headroom", ""),), 0.7, "one minus saturation by product mentions, promotion and satisfied answers"
            ),
            Ingredient((Reading("switching_wedge", "switching wedge", ""),), 0.3, "one product dominates, and people ask for alternatives"),
        ),
    ),
    Component(
        "growth",
        "growth",
        0.08,
        "More people take part from month to month.",
        (Ingredient((Reading("growth", "growth of active authors", "log points per 28 days"),), 1.0, "slope of active authors, shrunk"),),
    ),
    Component(
        "cross_promotion",
        "cross-promotion fit",
        0.05,
        "Its people already meet the user's own communities.",
        (
            Ingredient(
                (Reading("cross_promotion", "author overlap with your communities", "(log lift)"),),
                1.0,
                "author-overlap lift",
                needs_portfolio=True,
            ),
        ),
    ),
    Component(
        "focus",
        "focus",
        0.05,
        "It is about something of its own, and its parts are alike.",
        (
            Ingredient((Reading("specificity", "topical specificity", "nats"),), 0.6, "words that set it apart from the market"),
            Ingredient(
                (Reading("homogeneity", "likeness of its communities", ""),),
                0.4,
                "one minus spread inside over spread of the market",
                group_only=True,
            ),
        ),
    ),
)
INGREDIENTS: tuple[Ingredient, ...] = tuple(ingredient for component in COMPONENTS for ingredient in component.ingredients)
FEATURES: tuple[str, ...] = tuple(reading.feature for item in INGREDIENTS if not item.group_only for reading in item.readings)
"""The community features that the score reads."""
