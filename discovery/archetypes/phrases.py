"""Phrases: how each feature is put into words, high and low, so that a name or a sentence says what was measured."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Style = Literal["percent", "number", "change"]


class Phrase(NamedTuple):
    """A feature in words. Features of one family say nearly the same thing; a text uses one of them."""

    family: str
    style: Style
    high: str
    """A clause in plain words for communities above the market; it follows "where", and begins in lower case."""
    low: str
    fact: str = ""
    """The same as a sentence that holds ``{value}``; empty where the value is on a scale of ours that nobody can picture."""


UNTOLD = frozenset(
    {
        *("bot_share", "burst_share", "crosspost_share", "deleted_share", "domain_concentration", "duplicate_share", "mattr", "mtld"),
        "participation",
    }
)
"""Features that tell how sound records and member counts are, or once more how words vary: nothing is named after them."""
PHRASES: dict[str, Phrase] = {
    "posting_frequency": Phrase("pace", "number", "more is posted", "less is posted", "{value} posts and replies are written a day"),
    "burstiness": Phrase("rhythm", "number", "talk comes in bursts", "talk flows more evenly"),
    "active_authors": Phrase("size", "number", "more people take part", "fewer people take part", "{value} people are active in 28 days"),
    "retention": Phrase(
        "staying", "percent", "more people come back", "fewer people come back",
        "{value} of a month's people act again in the next",
    ),
    "equal_retention": Phrase(
        "staying", "percent", "more people come back, however much they write", "fewer people come back, however much they write",
        "{value} of people come back in the next month, compared among those who write equally much",
    ),
    "loyalty": Phrase(
        "overlap", "percent", "busy people keep to this place", "busy people go elsewhere too",
        "{value} of the busy people write most of what they write here, month after month",
    ),
    "churn": Phrase(
        "staying", "percent", "fewer people come back", "more people come back",
        "{value} of a month's people are silent in the next",
    ),
    "rmst_90": Phrase("staying", "number", "people stay longer", "people leave sooner", "people stay for {value} of their first 90 days"),
    "newcomer_share": Phrase("newcomers", "percent", "more people are new", "fewer people are new", "{value} of a month's people are new"),
    "newcomer_conversion": Phrase(
        "newcomers", "percent", "more new people act again", "fewer new people act again", "{value} of new people act again in four weeks",
    ),
    "welcome_ratio": Phrase("newcomers", "number", "new people are answered more often", "new people are answered less often"),
    "inequality": Phrase("voices", "number", "a few people write more of it", "writing is shared more evenly"),
    "author_concentration": Phrase(
        "voices", "percent", "the busiest write much of it", "more people share the writing",
        "the busiest hundredth of the authors writes {value} of it",
    ),
    "elephant_number": Phrase(
        "voices", "number", "more people carry it", "fewer people carry it", "{value} people write half of it",
    ),
    "reciprocity": Phrase(
        "engagement", "percent", "more pairs answer each other", "fewer pairs answer each other",
        "{value} of the pairs in contact answer each other",
    ),
    "survival_28": Phrase(
        "staying", "percent", "more people stay four weeks", "fewer people stay four weeks", "{value} of the people stay four weeks",
    ),
    "survival_90": Phrase(
        "staying", "percent", "more people stay a quarter of a year", "fewer people stay a quarter of a year",
        "{value} of the people stay a quarter of a year",
    ),
    "product_hhi": Phrase("products", "number", "people name the same few products", "people name many products"),
    "comments_per_post": Phrase("talk", "number", "posts draw more replies", "posts draw fewer replies", "each post draws {value} replies"),
    "discussants_per_thread": Phrase(
        "talk", "number", "more people join a thread", "fewer people join a thread",
        "{value} people join a thread",
    ),
    "engaged_share": Phrase(
        "engagement", "percent", "more people are regulars", "fewer people are regulars",
        "{value} of the people come on five days of a month or more",
    ),
    "engagement": Phrase("engagement", "number", "people talk with each other more", "people talk with each other less"),
    "reply_latency": Phrase("answers", "number", "answers take longer", "answers come sooner", "the first reply takes {value} hours"),
    "unanswered_48h": Phrase(
        "answers", "percent", "more posts go unanswered", "fewer posts go unanswered",
        "{value} of the posts have no reply after 48 hours",
    ),
    "unsolved_share": Phrase(
        "solutions", "percent", "more calls for help stay unsolved", "more calls for help get solved",
        "{value} of the calls for help end without thanks or an accepted answer",
    ),
    "median_score": Phrase("applause", "number", "posts get more votes", "posts get fewer votes"),
    "growth": Phrase(
        "growth", "change", "the crowd grows faster", "the crowd grows less",
        "the number of active people changes by {value} a month",
    ),
    "author_overlap": Phrase(
        "overlap", "percent", "more people are active elsewhere too", "people keep to one place",
        "{value} of the people are active in another community",
    ),
    "lexical_diversity": Phrase("vocabulary", "number", "words vary more", "words repeat more"),
    "dynamicity": Phrase("vocabulary", "number", "the words change more from month to month", "the words change less from month to month"),
    "specificity": Phrase("jargon", "number", "talk is more specialised", "talk is more general"),
    "question_share": Phrase(
        "questions", "percent", "more posts are questions", "fewer posts are questions",
        "{value} of the posts are questions",
    ),
    "seeking": Phrase(
        "seeking", "percent", "more people look for a solution", "fewer people look for a solution",
        "{value} of the people ask for a tool or a way",
    ),
    "pain": Phrase(
        "pain", "percent", "more people tell of trouble", "fewer people tell of trouble",
        "{value} of the people tell of toil or frustration",
    ),
    "workaround_rate": Phrase(
        "pain", "percent", "more people make do by hand", "fewer people make do by hand",
        "{value} of the people describe a workaround",
    ),
    "revealed_spend": Phrase(
        "money", "percent", "more people say what they paid", "fewer people say what they paid",
        "{value} of the people say what they paid",
    ),
    "procurement": Phrase(
        "money", "percent", "more people want to buy or switch", "fewer people want to buy or switch",
        "{value} of the people want to buy or switch",
    ),
    "hypothetical_pay": Phrase(
        "money", "percent", "more people say they would pay", "fewer people say they would pay",
        "{value} of the people say they would pay",
    ),
    "amount_paid": Phrase(
        "money", "number", "people pay more a month", "people pay less a month", "those who say so pay {value} dollars a month",
    ),
    "money": Phrase(
        "money", "percent", "more people pay or want to buy", "fewer people pay or want to buy",
        "{value} of the people pay or want to buy",
    ),
    "refusal": Phrase(
        "refusal", "percent", "more people refuse to pay", "fewer people refuse to pay",
        "{value} of the people refuse to pay",
    ),
    "price_sensitivity": Phrase(
        "refusal", "percent", "more people find it too expensive", "fewer people find it too expensive",
        "{value} of the people find it too expensive",
    ),
    "promotion": Phrase(
        "promotion", "percent", "more people promote their own work", "fewer people promote their own work",
        "{value} of the people promote their own work",
    ),
    "need_concentration": Phrase("needs", "number", "more people want the same thing", "wishes differ more"),
    "product_mentions": Phrase("products", "number", "more products are named", "fewer products are named"),
    "saturation": Phrase("supply", "number", "more is on offer already", "less is on offer yet"),
    "headroom": Phrase("supply", "number", "less is on offer yet", "more is on offer already"),
    "switching_wedge": Phrase("switching", "number", "more people want to leave a product", "fewer people want to leave a product"),
    "cross_promotion": Phrase("portfolio", "number", "more people know your own communities", "fewer people know your own communities"),
    "portfolio_fit": Phrase(
        "portfolio", "number", "people and neighbours are more like those of your own communities",
        "people and neighbours are less like those of your own communities",
    ),
    "link_fit": Phrase(
        "portfolio", "percent", "more links lead to your own sites", "fewer links lead to your own sites",
        "{value} of the links lead to your own sites",
    ),
    "specialisation": Phrase("overlap", "number", "people write in places that are alike", "people write in places of many kinds"),
}  # fmt: skip


def spoken(value: float, style: Style) -> str:
    """Write a value with three significant digits at most: a fraction and a log change as a percentage, the rest as a number."""
    if style == "change":
        return f"{100 * math.expm1(value):+.1f} %"
    if style == "percent":
        return f"{100 * value:.1f} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
