"""Phrases: how each feature is put into words, high and low, so that a name or a sentence says what was measured."""

from __future__ import annotations

from typing import Literal, NamedTuple

Style = Literal["percent", "number"]


class Phrase(NamedTuple):
    """A feature in words. Features of one family say nearly the same thing; a text uses one of them."""

    family: str
    style: Style
    high: str
    """A clause in plain words for communities above the market; it follows "where", and begins in lower case."""
    low: str
    measured: str
    """The numbers behind the clause; holds ``{value}`` and ``{market}``, the value of the typical community."""


PHRASES: dict[str, Phrase] = {
    "posting_frequency": Phrase(
        "pace", "number", "more is posted", "less is posted", "{value} records a day, {market} in the typical community"
    ),
    "active_authors": Phrase(
        "size", "number", "more people take part", "fewer people take part",
        "{value} active people in 28 days, {market} in the typical community",
    ),
    "retention": Phrase(
        "staying", "percent", "more people come back", "fewer people come back",
        "{value} of a month's people act again in the next, {market} in the typical community",
    ),
    "churn": Phrase(
        "staying", "percent", "fewer people come back", "more people come back",
        "{value} of a month's people are silent in the next, {market} in the typical community",
    ),
    "rmst_90": Phrase(
        "staying", "number", "people stay longer", "people leave sooner",
        "{value} of their first 90 days, {market} in the typical community",
    ),
    "newcomer_share": Phrase(
        "newcomers", "percent", "more people are new", "fewer people are new",
        "{value} of a month's people, {market} in the typical community",
    ),
    "inequality": Phrase(
        "voices", "number", "a few people write much of it", "writing is shared evenly",
        "a Gini of {value} over authors, {market} in the typical community",
    ),
    "author_concentration": Phrase(
        "voices", "percent", "the busiest write much of it", "no one dominates",
        "the top hundredth of authors writes {value}, {market} in the typical community",
    ),
    "elephant_number": Phrase(
        "voices", "number", "more people carry it", "fewer people carry it",
        "{value} people write half of it, {market} in the typical community",
    ),
    "duplicate_share": Phrase(
        "copies", "percent", "people repeat themselves more", "people repeat themselves less",
        "{value} of the records are copies of the author's own, {market} in the typical community",
    ),
    "reciprocity": Phrase(
        "engagement", "percent", "more pairs answer each other", "fewer pairs answer each other",
        "{value} of the pairs in contact, {market} in the typical community",
    ),
    "survival_28": Phrase(
        "staying", "percent", "more people stay four weeks", "fewer people stay four weeks",
        "{value} of the people, {market} in the typical community",
    ),
    "survival_90": Phrase(
        "staying", "percent", "more people stay a quarter of a year", "fewer people stay a quarter of a year",
        "{value} of the people, {market} in the typical community",
    ),
    "product_hhi": Phrase(
        "products", "number", "people name the same few products", "people name many products",
        "a concentration of {value}, {market} in the typical community",
    ),
    "comments_per_post": Phrase(
        "talk", "number", "posts draw more replies", "posts draw fewer replies", "{value} for each post, {market} in the typical community"
    ),
    "discussants_per_thread": Phrase(
        "talk", "number", "more people join a thread", "fewer people join a thread",
        "{value} people in each, {market} in the typical community",
    ),
    "engaged_share": Phrase(
        "engagement", "percent", "more people are regulars", "fewer people are regulars",
        "{value} come on five days of a month or more, {market} in the typical community",
    ),
    "engagement": Phrase(
        "engagement", "number", "people talk with each other more", "people talk with each other less",
        "an engagement of {value}, {market} in the typical community",
    ),
    "reply_latency": Phrase(
        "answers", "number", "answers take longer", "answers come sooner",
        "{value} hours to the first reply, {market} in the typical community",
    ),
    "unanswered_48h": Phrase(
        "answers", "percent", "more posts go unanswered", "fewer posts go unanswered",
        "{value} have no reply after 48 hours, {market} in the typical community",
    ),
    "unsolved_share": Phrase(
        "solutions", "percent", "more calls for help stay unsolved", "more calls for help get solved",
        "{value} end without thanks or an accepted answer, {market} in the typical community",
    ),
    "growth": Phrase(
        "growth", "number", "more people join every month", "fewer people join every month",
        "a log change of {value} in 28 days, {market} in the typical community",
    ),
    "author_overlap": Phrase(
        "overlap", "percent", "more people are active elsewhere too", "people keep to one place",
        "{value} are active in another community, {market} in the typical one",
    ),
    "deleted_share": Phrase(
        "deletion", "percent", "more accounts are gone", "fewer accounts are gone",
        "{value} of the records have lost their author, {market} in the typical community",
    ),
    "lexical_diversity": Phrase(
        "vocabulary", "number", "words vary more", "words repeat more",
        "a lexical diversity of {value}, {market} in the typical community",
    ),
    "specificity": Phrase(
        "jargon", "number", "talk is more specialised", "talk is more general",
        "a specificity of {value}, {market} in the typical community",
    ),
    "question_share": Phrase(
        "questions", "percent", "more posts are questions", "fewer posts are questions", "{value}, {market} in the typical community"
    ),
    "seeking": Phrase(
        "seeking", "percent", "more people look for a solution", "fewer people look for a solution",
        "{value} ask for a tool or a way, {market} in the typical community",
    ),
    "pain": Phrase(
        "pain", "percent", "more people tell of trouble", "fewer people tell of trouble",
        "{value} tell of toil or frustration, {market} in the typical community",
    ),
    "workaround_rate": Phrase(
        "pain", "percent", "more people make do by hand", "fewer people make do by hand",
        "{value} describe a workaround, {market} in the typical community",
    ),
    "revealed_spend": Phrase(
        "money", "percent", "more people say what they paid", "fewer people say what they paid",
        "{value} of the authors, {market} in the typical community",
    ),
    "procurement": Phrase(
        "money", "percent", "more people want to buy or switch", "fewer people want to buy or switch",
        "{value} of the authors, {market} in the typical community",
    ),
    "hypothetical_pay": Phrase(
        "money", "percent", "more people say they would pay", "fewer people say they would pay",
        "{value} of the authors, {market} in the typical community",
    ),
    "money": Phrase(
        "money", "percent", "more people pay or want to buy", "fewer people pay or want to buy",
        "{value} of the people, counted by how strongly they say so, {market} in the typical community",
    ),
    "refusal": Phrase(
        "refusal", "percent", "more people refuse to pay", "fewer people refuse to pay",
        "{value} of the authors, {market} in the typical community",
    ),
    "price_sensitivity": Phrase(
        "refusal", "percent", "more people find it too expensive", "fewer people find it too expensive",
        "{value} of the authors, {market} in the typical community",
    ),
    "promotion": Phrase(
        "promotion", "percent", "more people promote their own work", "fewer people promote their own work",
        "{value} of the authors, {market} in the typical community",
    ),
    "need_concentration": Phrase(
        "needs", "number", "people want the same thing", "everyone wants something else",
        "an agreement of {value} from 0 to 1, {market} in the typical community",
    ),
    "product_mentions": Phrase(
        "products", "number", "more products are named", "fewer products are named",
        "{value} for each call for help, {market} in the typical community",
    ),
    "saturation": Phrase(
        "supply", "number", "more is on offer already", "less is on offer yet",
        "a saturation of {value} from 0 to 1, {market} in the typical community",
    ),
    "headroom": Phrase(
        "supply", "number", "less is on offer yet", "more is on offer already",
        "a headroom of {value} from 0 to 1, {market} in the typical community",
    ),
    "switching_wedge": Phrase(
        "switching", "number", "more people want to leave a product", "fewer people want to leave a product",
        "a switching wedge of {value} from 0 to 1, {market} in the typical community",
    ),
    "cross_promotion": Phrase(
        "portfolio", "number", "more people know your own communities", "fewer people know your own communities",
        "an overlap lift of {value}, {market} in the typical community",
    ),
}  # fmt: skip


def spoken(value: float, style: Style) -> str:
    """Write a value with three significant digits at most: a fraction as a percentage, the rest as a number."""
    if style == "percent":
        return f"{100 * value:.1f} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
