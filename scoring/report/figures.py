"""Figures where looking beats reading: values of the report flow in, SVG text flows out.

Same values, same bytes: no dates, no random ids, letters drawn as paths. Foreign text is reduced to letters that the font has.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import MaxNLocator

from scoring.escape import terminal_text
from scoring.report.content import Contents, Row
from scoring.report.tree import places
from scoring.report.words import CRITERIA, KINDS, VERDICTS, plain

INK, FAINT, ACCENT = "#1f2933", "#9aa5b1", "#0072b2"
VERDICT_MARKS = {
    "pursue": ("#0072b2", "o"),
    "watch": ("#56b4e9", "s"),
    "saturated": ("#e69f00", "D"),
    "shallow": ("#999999", "v"),
    "insufficient_evidence": ("#cccccc", "^"),
}
"""Colours that colour-blind readers can tell apart, and a mark for each."""
CLASSES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#882255", "#44aa99", "#999933")
COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
"""matplotlib repeats every text in one."""
MAPS = {
    "pca": "Communities by how they behave, on the two main directions of difference (PCA): near means alike",
    "umap": "Communities by how they behave (UMAP): neighbours are alike, how far groups lie apart tells little",
}
MOST_ROWS, MOST_FEATURES, MOST_PLACES = 15, 14, 3000
STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "white",
}


def draw(contents: Contents) -> dict[str, str]:
    """Draw every figure the run has values for: file name to SVG."""
    painters: dict[str, Callable[[Contents], Figure | None]] = {
        "ranking.svg": ranking,
        "profiles.svg": profiles,
        "criteria.svg": criteria,
        "hierarchy.svg": hierarchy,
        "map.svg": community_map,
    }
    drawn = {}
    for name, paint in painters.items():
        with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
            figure = paint(contents)
            if figure is not None:
                target = io.StringIO()
                figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
                drawn[name] = COMMENT.sub("", target.getvalue())
    return drawn


def ranking(contents: Contents) -> Figure | None:
    """Scores with their intervals, in the order of the ranking."""
    rows = [row for row in contents.rankings[contents.kind] if row["score"] is not None][:MOST_ROWS]
    if not rows:
        return None
    figure, axes = _canvas(10.0, 1.1 + 0.36 * len(rows))
    for verdict, (colour, mark) in VERDICT_MARKS.items():
        chosen = [(place, row) for place, row in enumerate(rows) if row["verdict"] == verdict]
        for place, row in chosen:
            if row["score_low"] is not None:
                axes.plot([row["score_low"], row["score_high"]], [place, place], color=colour, linewidth=4, alpha=0.4)
        if chosen:
            places, scores = [place for place, _ in chosen], [row["score"] for _, row in chosen]
            axes.scatter(scores, places, color=colour, marker=mark, zorder=3, label=VERDICTS[verdict][0])
    axes.set_yticks(range(len(rows)), [f"{label(row['name'], 60)}   {row['rank']}" for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Opportunity score, 0 to 100; the bar is the 90 % interval")
    axes.grid(axis="x", color="#e4e7eb")
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=9)
    return figure


def profiles(contents: Contents) -> Figure | None:
    """How each archetype differs from the market, feature by feature."""
    names = {row["rank"]: row["name"] for row in contents.profiles}
    if len(names) < 2:
        return None
    titles = {row["feature"]: row["title"] for row in contents.profiles}
    z = {(row["rank"], row["feature"]): row["z"] for row in contents.profiles}
    spread = {feature: np.ptp([z.get((rank, feature), 0.0) for rank in names]) for feature in titles}
    telling = sorted(spread, key=lambda feature: (-spread[feature], feature))[:MOST_FEATURES]
    values = np.array([[z.get((rank, feature), np.nan) for rank in names] for feature in telling])
    figure, axes = _canvas(5.6 + 0.75 * len(names), 2.5 + 0.34 * len(telling))
    axes.pcolormesh(values, cmap="RdBu_r", vmin=-3, vmax=3, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{round(value, 1) + 0.0:+.1f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if abs(value) > 1.8 else INK,
            )
    axes.set_yticks(np.arange(len(telling)) + 0.5, [label(plain(titles[feature]), 52) for feature in telling])
    axes.set_xticks(
        np.arange(len(names)) + 0.5, [f"{rank}. {label(_difference(name), 36)}" for rank, name in names.items()], rotation=35, ha="left"
    )
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.set_xlabel("Above (+) or below (−) the market,\nin robust standard deviations", fontsize=9)
    axes.spines[:].set_visible(False)
    return figure


def criteria(contents: Contents) -> Figure | None:
    """The curves that chose how many groups there are."""
    curves = [(name, list(rows)) for name, rows in groupby(contents.criteria, key=lambda row: str(row["criterion"]))]
    curves = [(name, rows) for name, rows in curves if len(rows) > 1 and name in CRITERIA]
    if not curves:
        return None
    columns = min(3, len(curves))
    lines = -(-len(curves) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.1 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place < len(curves):
            name, rows = curves[place]
            _curve(axes, name, rows, chosen=contents.run["n_clusters"], voted=contents.votes.get(name))
        else:
            axes.set_visible(False)
    figure.supxlabel(
        "Number of groups. Dashed: the number chosen. Diamond: what the measure alone would choose. Band: standard error", fontsize=8.5
    )
    return figure


def _curve(axes: Axes, name: str, rows: Sequence[Row], *, chosen: int | None, voted: int | None) -> None:
    k = [row["k"] for row in rows]
    values = np.array([row["value"] for row in rows])
    errors = np.array([row["error"] or 0.0 for row in rows])
    axes.fill_between(k, values - errors, values + errors, color=ACCENT, alpha=0.18, linewidth=0)
    axes.plot(k, values, color=ACCENT, marker="o", markersize=3)
    if voted is not None and voted in k:
        axes.plot([voted], [values[k.index(voted)]], color="#d55e00", marker="D", markersize=6)
    if chosen is not None:
        axes.axvline(chosen, color=INK, linestyle="--", linewidth=1)
    axes.set_title(CRITERIA[name], fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=8)


def hierarchy(contents: Contents) -> Figure | None:
    """Which kinds of community are near each other, as a tree that lies on its side; of two there is nothing to tell."""
    if len(contents.joins) < 2:
        return None
    placed = places(contents.joins)
    leaves = {node.ranks: node for join in contents.joins for node in (join.first, join.second) if len(node.ranks) == 1}
    figure, axes = _canvas(9.0, 1.2 + 0.4 * len(leaves))
    for join in contents.joins:
        first, second = placed[join.first.ranks], placed[join.second.ranks]
        ends = [join.first.height, join.height, join.height, join.second.height]
        axes.plot(ends, [first, first, second, second], color=ACCENT, linewidth=1.6, solid_joinstyle="miter")
    ordered = sorted(leaves, key=lambda ranks: placed[ranks])
    named = [f"{ranks[0]}. {label(_difference(leaves[ranks].name), 52)}" for ranks in ordered]
    axes.set_yticks([placed[ranks] for ranks in ordered], named)
    axes.set_ylim(len(leaves) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("Height at which kinds join (Ward)")
    axes.tick_params(axis="y", length=0)
    return figure


def community_map(contents: Contents) -> Figure | None:
    """Where communities stand to each other."""
    if len(contents.places) < 3:
        return None
    places = contents.places[:: -(-len(contents.places) // MOST_PLACES)]
    figure, axes = _canvas(9.5, 6.0)
    ranked = sorted({(row["rank"], row["name"]) for row in places if row["rank"] is not None})[: len(CLASSES)]
    coloured = {rank for rank, _ in ranked}
    groups = [(f"{rank}. {label(_difference(name), 44)}", colour, {rank}) for (rank, name), colour in zip(ranked, CLASSES, strict=False)]
    rest = {row["rank"] for row in places} - coloured
    for title, colour, ranks in [*groups, ("in none of these" if ranked else "communities", "#c4cad0", rest)]:
        x, y = [row["x"] for row in places if row["rank"] in ranks], [row["y"] for row in places if row["rank"] in ranks]
        if x:
            axes.plot(x, y, linestyle="", marker="o", markersize=4, color=colour, alpha=0.55, markeredgewidth=0, label=title)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    if contents.run["map_method"] == "umap":
        axes.set_xlabel("Neighbours are alike; directions mean nothing, and distances between groups little")
    else:
        axes.set_xlabel("First main direction of difference")
        axes.set_ylabel("Second main direction")
    return figure


def _difference(name: str) -> str:
    """Leave of a name like "The part where more people pay" what sets it apart."""
    return name.rpartition(" where ")[2]


def captions(contents: Contents) -> dict[str, str]:
    """Say in words what each figure shows, for readers who cannot see it."""
    many = KINDS[contents.kind][1]
    return {
        "ranking.svg": f"Scores of the top {many} with their 90 % intervals: where bars overlap, the order is not certain",
        "profiles.svg": "How each kind of community differs from the market: red is above, blue is below",
        "criteria.svg": "The measures that chose the number of groups, for each number that was tried",
        "hierarchy.svg": "Which kinds of community are near each other, as a tree; the table says the same",
        "map.svg": MAPS[contents.run["map_method"] or "pca"],
    }


def label(text: str, longest: int) -> str:
    """Make text fit to be drawn: one line, letters of the font only, no formula, cut where it is too long."""
    known = get_font(findfont(FontProperties(family="DejaVu Sans"))).get_char_index
    fit = "".join(letter if known(ord(letter)) else "·" for letter in terminal_text(text))
    return fit if len(fit) <= longest else fit[: longest - 1].rstrip() + "…"


def _canvas(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()
