"""One text, two forms: the contents become Markdown by templates, and that Markdown becomes a page that needs nothing from outside.

Every value that a template prints is escaped unless it is a ``Markdown`` of ours, so forgetting is safe.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from importlib import resources

import nh3
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from scoring.escape import Markdown, markdown_link, markdown_text
from scoring.formula import COMPONENTS
from scoring.report import words
from scoring.report.content import Contents

TEXT_TAGS = {"h1", "h2", "h3", "p", "a", "em", "strong", "ul", "ol", "li", "blockquote", "img"}
TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "th": {"class"}, "td": {"class"}}
PRINTED = (
    *("count", "counted", "amount", "measured", "measured_span", "percent", "chosen_again", "points", "span"),
    *("against_market", "day", "plain", "verdict_counts", "quoted"),
    *("source_name", "shows", "how", "listing", "unknown", "short_licence", "notes", "gaps"),
)
"""Functions of ``words`` that templates call."""


def markdown(contents: Contents, *, figures: Mapping[str, str]) -> str:
    """Write the report as Markdown.

    Args:
        contents: What it says.
        figures: File name beside the Markdown to caption.
    """
    missing = [row for row in contents.features if row["measured"] < row["communities"]]
    values = {field.name: getattr(contents, field.name) for field in fields(contents)}
    text = (
        _environment()
        .get_template("report.md.j2")
        .render(
            **values,
            figure=_figure(figures),
            voted=words.votes(contents.votes),
            tied=words.tied_with_first(contents.rankings[contents.kind]),
            shown_verdicts={verdict for counts in contents.verdicts.values() for verdict in counts},
            missing=missing,
            titles={row["feature"]: row["title"] for row in contents.features},
            components=COMPONENTS,
        )
    )
    return _tidy(text)


def page(text: str, *, figures: Mapping[str, str]) -> str:
    """Turn the report's Markdown into one HTML file that loads nothing and runs nothing.

    Args:
        text: The Markdown.
        figures: File name to SVG; they are put into the page.
    """
    style = _packaged("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    body = nh3.clean(
        _html(text), tags=TEXT_TAGS | TABLE_TAGS, attributes=ATTRIBUTES, url_schemes={"https"}, link_rel="noopener noreferrer nofollow"
    )
    for name, svg in figures.items():  # foreign text cannot hold this: its quotation marks are escaped
        body = body.replace(f'src="{name}"', f'src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"')
    environment = Environment(autoescape=True, loader=FunctionLoader(_packaged), undefined=StrictUndefined)
    # nh3 has cleaned the body, and the style is ours.
    return environment.get_template("page.html.j2").render(body=Markup(body), style=Markup(style), style_hash=f"sha256-{digest}")  # noqa: S704


def _html(text: str) -> str:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = renderer.parse(text)
    for token in tokens:
        if token.attrGet("style"):  # a column aligned to the right; the page allows no style attributes
            token.attrs = {"class": "number"}
    return str(renderer.renderer.render(tokens, renderer.options, {}))


@cache
def _environment() -> Environment:
    environment = Environment(  # noqa: S701 - `finalize` escapes for Markdown, which autoescape would not
        loader=FunctionLoader(_packaged),
        finalize=lambda value: value if isinstance(value, Markdown) else markdown_text(str(value)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update({name: getattr(words, name) for name in PRINTED})
    environment.globals.update(
        kinds=words.KINDS,
        verdict_words=words.VERDICTS,
        tier_words=words.TIERS,
        standing_words=words.STANDINGS,
        amount_of_points=lambda cost: f"{cost:.0f}" if cost >= 1 else "under 1",
        link=markdown_link,
    )
    return environment


def _figure(figures: Mapping[str, str]) -> Callable[[str], Markdown]:
    return lambda name: Markdown(f"![{markdown_text(figures[name])}]({name})" if name in figures else "")


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _packaged(name: str) -> str:
    return (resources.files("scoring.report") / "templates" / name).read_text(encoding="utf-8")
