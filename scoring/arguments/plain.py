"""What the score reads, in the words of an argument: what a quantity is called, and what a low value of it means."""

from __future__ import annotations

from typing import NamedTuple

from scoring.formula import COMPONENTS, INGREDIENTS, Reading

TITLES = {component.name: component.title for component in COMPONENTS}
READINGS = {reading.feature: reading for ingredient in INGREDIENTS for reading in ingredient.readings}
VERDICTS = {
    "pursue": "worth pursuing",
    "watch": "worth watching",
    "saturated": "crowded",
    "insufficient_evidence": "a case of too little evidence",
}
"""What an entity is said to be, where the name of its verdict is not plain words."""


class Plain(NamedTuple):
    """A quantity in plain words."""

    name: str
    low: tuple[str, str, str]
    """What little of it means, three ways; each may be followed by a colon and the figure."""


PLAIN: dict[str, Plain] = {
    "seeking": Plain(
        "the share of people who look for a solution",
        (
            "fewer people look for a solution than elsewhere",
            "asking for a tool or a way is rarer here",
            "others ask more for what is missing",
        ),
    ),
    "pain": Plain(
        "the share of people who describe a pain",
        (
            "fewer people describe a pain than elsewhere",
            "there is less complaint than elsewhere",
            "trouble is told less often than in other places",
        ),
    ),
    "need_concentration": Plain(
        "the agreement of needs (1: all want the same)",
        (
            "their needs agree less than elsewhere",
            "they want more different things than others do",
            "one product would serve fewer of them",
        ),
    ),
    "money": Plain(
        "the share of people who pay or want to buy",
        ("fewer people pay or want to buy than elsewhere", "money is seldom spoken of", "others spend more, or say so"),
    ),
    "rmst_90": Plain(
        "the time that people stay, of their first 90 days,",
        ("people leave sooner than elsewhere", "a customer won here is gone sooner", "newcomers stay less long than in other places"),
    ),
    "retention": Plain(
        "the share of people who return next month",
        (
            "fewer people return in the next month than elsewhere",
            "the crowd changes faster than others",
            "those who ask are less often there a month later",
        ),
    ),
    "active_authors": Plain(
        "the number of people active in 28 days",
        ("fewer people are active than elsewhere", "the crowd is small", "there are fewer people to sell to"),
    ),
    "engagement": Plain(
        "the liveliness of talk",
        (
            "people talk with each other less than elsewhere",
            "threads are shorter and regulars fewer",
            "there is less talk to join or to learn from",
        ),
    ),
    "unsolved_share": Plain(
        "the share of questions left unsolved",
        ("more of their questions end solved than elsewhere", "those who ask for help get it more often", "free help leaves less to sell"),
    ),
    "unanswered_48h": Plain(
        "the share of posts without a reply in 48 hours",
        ("fewer posts go unanswered than elsewhere", "whoever asks is answered more often", "neighbours answer before a product could"),
    ),
    "workaround_rate": Plain(
        "the share of people who make do by hand",
        ("fewer people make do by hand than elsewhere", "makeshift is mentioned less often", "spreadsheets and scripts are rarer here"),
    ),
    "headroom": Plain(
        "the room left in the market (1: all of it)",
        (
            "the field is fuller than elsewhere",
            "there is less room beside what is on offer",
            "more is sold and promoted here than in other places",
        ),
    ),
    "switching_wedge": Plain(
        "the pull away from one product (1: all buyers leave it)",
        ("fewer people want to leave what they use", "no one product drives its users away", "their present product is less disliked"),
    ),
    "growth": Plain(
        "the growth of active people",
        ("it grows less than others do", "the crowd gains people more slowly than most", "others win more new people"),
    ),
    "cross_promotion": Plain(
        "the overlap with your own communities",
        (
            "your own communities reach it less than others",
            "fewer of its people know your communities",
            "it would have to be won from outside",
        ),
    ),
    "specificity": Plain(
        "the distinctness of its words",
        ("its talk is less its own than elsewhere", "its subject is less of its own", "what it talks about, others talk about as well"),
    ),
    "homogeneity": Plain(
        "the likeness of its communities",
        ("its communities are not much alike", "one product may not fit all its communities", "it is held together loosely"),
    ),
}


def pictured(reading: Reading) -> bool:
    """Tell whether a value of this reading says something by itself; the others are on scales of ours."""
    return reading.feature == "money" or reading.unit in {"share", "days", "per 28 days"} or reading.unit.startswith("log points")


def figure(reading: Reading, value: float, *, digits: int = 3) -> str:
    """Print a value as an argument does: shares as per cent, growth per month, everything else as its own number."""
    if reading.feature == "money":
        return f"{100 * value:.{digits}g} %"
    if reading.unit.startswith("log points"):
        return f"{100 * value:+.{digits}g} % a month"
    if reading.unit in {"days", "share"}:
        return reading.words(value, digits=digits)
    return f"{value:,.{max(digits, len(str(int(abs(value)))))}g}"


def short(feature: str) -> str:
    """Name a quantity without the bracket that explains its scale."""
    return PLAIN[feature].name.partition(" (")[0].rstrip(",")


def verdict(name: str) -> str:
    """Say in plain words what an entity of a verdict is."""
    return VERDICTS.get(name, name)
