"""Phrases: how each feature is put into words, high and low, so that a name or a sentence says what was measured."""

from __future__ import annotations

from typing import Literal, NamedTuple

Style = Literal["percent", "number"]


class Side(NamedTuple):
    """One side of a feature: an adjective for a kind, a comparative for a part of a continuum, and a sentence."""

    adjective: str
    comparative: str
    sentence: str
    """Holds ``{value}`` and ``{market}``; begins in lower case, so that it can follow other words."""


class Phrase(NamedTuple):
    """A feature in words. Features of one family say nearly the same thing; a text uses one of them."""

    family: str
    style: Style
    high: Side
    low: Side


def _phrase(family: str, style: Style, high: tuple[str, str], low: tuple[str, str], sentence: str) -> Phrase:
    """Build a phrase whose two sides share a sentence; ``{side}`` in it becomes the comparative."""
    sides = (Side(adjective, comparative, sentence.replace("{side}", comparative)) for adjective, comparative in (high, low))
    return Phrase(family, style, *sides)


PHRASES: dict[str, Phrase] = {
    "posting_frequency": _phrase(
        "pace", "number", ("busy", "busier"), ("quiet", "quieter"), "the pace is {side}: {value} records a day, {market} in the market"
    ),
    "active_authors": _phrase(
        "size", "number", ("large", "larger"), ("small", "smaller"),
        "the circle is {side}: {value} active authors in 28 days, {market} in the market"
    ),
    "retention": _phrase(
        "staying", "percent", ("loyal", "more retained"), ("passing", "less retained"),
        "its authors are {side}: {value} of a month's authors act again in the next, {market} in the market",
    ),
    "churn": _phrase(
        "staying", "percent", ("passing", "less retained"), ("loyal", "more retained"),
        "its authors are {side}: {value} of a month's authors are silent in the next, {market} in the market",
    ),
    "rmst_90": _phrase(
        "staying", "number", ("lasting", "longer-lived"), ("brief", "shorter-lived"),
        "stays are {side}: {value} of the first 90 days, {market} in the market",
    ),
    "newcomer_share": _phrase(
        "newcomers", "percent", ("newcomer-fed", "more newcomer-fed"), ("settled", "more settled"),
        "the circle is {side}: {value} of the authors are new, {market} in the market",
    ),
    "inequality": _phrase(
        "voices", "number", ("core-led", "more core-led"), ("evenly voiced", "more evenly voiced"),
        "it is {side}: a Gini of {value} over authors, {market} in the market",
    ),
    "author_concentration": _phrase(
        "voices", "percent", ("few-voiced", "fewer-voiced"), ("many-voiced", "more many-voiced"),
        "it is {side}: the top hundredth of authors writes {value}, {market} in the market",
    ),
    "comments_per_post": _phrase(
        "talk", "number", ("talkative", "more talkative"), ("terse", "terser"),
        "posts are {side}: {value} comments each, {market} in the market"
    ),
    "discussants_per_thread": _phrase(
        "talk", "number", ("many-sided", "more many-sided"), ("solitary", "more solitary"),
        "threads are {side}: {value} people in each, {market} in the market",
    ),
    "engaged_share": _phrase(
        "engagement", "percent", ("engaged", "more engaged"), ("casual", "more casual"),
        "its authors are {side}: {value} of them act on five days of a month or more, {market} in the market",
    ),
    "engagement": _phrase(
        "engagement", "number", ("engaged", "more engaged"), ("casual", "more casual"),
        "participation is {side}: an engagement score of {value}, {market} in the market",
    ),
    "reply_latency": _phrase(
        "answers", "number", ("slow-answering", "slower to answer"), ("quick-answering", "quicker to answer"),
        "people are {side}: {value} hours to the first reply, {market} in the market",
    ),
    "unanswered_48h": _phrase(
        "answers", "percent", ("unanswered", "less answered"), ("answered", "better answered"),
        "posts are {side}: {value} have no reply after 48 hours, {market} in the market",
    ),
    "unsolved_share": _phrase(
        "solutions", "percent", ("unsolved", "less solved"), ("problem-solving", "better solved"),
        "requests are {side}: {value} of the calls for help end without thanks or an accepted answer, {market} in the market",
    ),
    "growth": _phrase(
        "growth", "number", ("fast-growing", "faster-growing"), ("slow-growing", "slower-growing"),
        "it is {side}: a log change of {value} in 28 days, {market} in the market",
    ),
    "author_overlap": _phrase(
        "overlap", "percent", ("well-connected", "better connected"), ("closed", "more closed"),
        "it is {side}: {value} of its authors are active elsewhere too, {market} in the market",
    ),
    "deleted_share": _phrase(
        "deletion", "percent", ("often-deleted", "more often deleted"), ("rarely deleted", "more rarely deleted"),
        "accounts are {side}: {value} of the records have lost their author, {market} in the market",
    ),
    "lexical_diversity": _phrase(
        "vocabulary", "number", ("wide-worded", "wider-worded"), ("plain-worded", "plainer-worded"),
        "speech is {side}: a lexical diversity of {value}, {market} in the market",
    ),
    "specificity": _phrase(
        "jargon", "number", ("specialist", "more specialist"), ("general", "more general"),
        "its words are {side}: a specificity of {value}, {market} in the market",
    ),
    "question_share": _phrase(
        "questions", "percent", ("asking", "more asking"), ("telling", "more telling"),
        "posts are {side}: {value} are questions, {market} in the market",
    ),
    "seeking": _phrase(
        "seeking", "percent", ("solution-seeking", "more solution-seeking"), ("self-sufficient", "more self-sufficient"),
        "people are {side}: {value} of the authors look for a tool or a way, {market} in the market",
    ),
    "pain": _phrase(
        "pain", "percent", ("burdened", "more burdened"), ("seldom burdened", "less burdened"),
        "people are {side}: {value} of the authors tell of toil, {market} in the market",
    ),
    "workaround_rate": _phrase(
        "pain", "percent", ("improvising", "more improvising"), ("well-equipped", "better equipped"),
        "people are {side}: {value} of the authors describe a workaround, {market} in the market",
    ),
    "revealed_spend": _phrase(
        "money", "percent", ("paying", "more paying"), ("seldom paying", "less paying"),
        "money is spent by {value} of the authors, {market} in the market: a {side} public",
    ),
    "procurement": _phrase(
        "money", "percent", ("buying", "more buying"), ("settled-in", "less buying"),
        "buying or switching is on the mind of {value} of the authors, {market} in the market: a {side} public",
    ),
    "hypothetical_pay": _phrase(
        "money", "percent", ("willing-to-pay", "more willing to pay"), ("seldom willing-to-pay", "less willing to pay"),
        "{value} of the authors say they would pay, {market} in the market: people {side}",
    ),
    "money": _phrase(
        "money", "number", ("money-minded", "more money-minded"), ("money-shy", "less money-minded"),
        "talk is {side}: {value} on the money axis per author, {market} in the market",
    ),
    "refusal": _phrase(
        "refusal", "percent", ("pay-averse", "more pay-averse"), ("seldom pay-averse", "less pay-averse"),
        "it is {side}: {value} of the authors refuse to pay, {market} in the market",
    ),
    "price_sensitivity": _phrase(
        "refusal", "percent", ("price-sensitive", "more price-sensitive"), ("price-calm", "less price-sensitive"),
        "it is {side}: {value} of the authors complain about a price, {market} in the market",
    ),
    "promotion": _phrase(
        "promotion", "percent", ("promoted", "more promoted"), ("seldom promoted", "less promoted"),
        "it is {side}: {value} of the authors promote something of their own, {market} in the market",
    ),
    "need_concentration": _phrase(
        "needs", "number", ("one-need", "more single-minded in its needs"), ("many-need", "more scattered in its needs"),
        "it is {side}: a concentration of {value}, {market} in the market",
    ),
    "product_mentions": _phrase(
        "products", "number", ("product-naming", "more product-naming"), ("seldom product-naming", "less product-naming"),
        "talk is {side}: {value} mentions of products per call for help, {market} in the market",
    ),
    "saturation": _phrase(
        "supply", "number", ("well-served", "better served"), ("under-served", "less served"),
        "it is {side}: a saturation of {value}, {market} in the market",
    ),
    "headroom": _phrase(
        "supply", "number", ("under-served", "less served"), ("well-served", "better served"),
        "it is {side}: a headroom of {value}, {market} in the market",
    ),
    "switching_wedge": _phrase(
        "switching", "number", ("switching", "more switching"), ("product-loyal", "less switching"),
        "it is {side}: a switching wedge of {value}, {market} in the market",
    ),
    "cross_promotion": _phrase(
        "portfolio", "number", ("near to the portfolio", "nearer to the portfolio"),
        ("far from the portfolio", "farther from the portfolio"),
        "it is {side}: an overlap lift of {value}, {market} in the market",
    ),
}  # fmt: skip


def spoken(value: float, style: Style) -> str:
    """Write a value with three significant digits at most: a fraction as a percentage, the rest as a number."""
    if style == "percent":
        return f"{100 * value:.1f} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
