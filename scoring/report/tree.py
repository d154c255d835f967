"""The hierarchy above the kinds of community, in words and as lines to draw: merges flow in, nothing here is drawn or escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Node:
    """A kind of community, or several that were joined."""

    ranks: tuple[int, ...]
    name: str
    """Of a single kind; empty for several."""
    height: float
    """At which it was made; 0 for a single kind."""

    @property
    def title(self) -> str:
        """Name a kind by its rank and name, several by their ranks."""
        return f"{self.ranks[0]}. {self.name}" if len(self.ranks) == 1 else " + ".join(map(str, sorted(self.ranks)))


@dataclass(frozen=True)
class Join:
    """Two nodes that become one."""

    first: Node
    second: Node
    height: float
    share: float | None
    """Share of all that sets the kinds apart that is lost by it; None where nothing does."""

    @property
    def whole(self) -> Node:
        """Give the node that both become; its ranks stand as they are drawn, so that no two lines cross."""
        return Node((*self.first.ranks, *self.second.ranks), "", self.height)


def joins(merges: Sequence[Mapping[str, Any]], kinds: Mapping[str, tuple[int, str]]) -> list[Join]:
    """Read the merges of the hierarchy, the nearest first.

    Args:
        merges: Rows of ``archetype_hierarchy`` in the order of their steps.
        kinds: Archetype to its rank and name.
    """
    nodes = {identity: Node((rank,), name, 0.0) for identity, (rank, name) in kinds.items()}
    found = []
    for row in merges:
        join = Join(nodes[row["first_id"]], nodes[row["second_id"]], row["height"], row["share"])
        nodes[f"M{row['step']}"] = join.whole
        found.append(join)
    return found


def places(found: Sequence[Join]) -> dict[tuple[int, ...], float]:
    """Place every node on the axis of kinds, by its ranks: single kinds at 0, 1, 2, …, joined ones in the middle of their two."""
    placed: dict[tuple[int, ...], float] = {(rank,): float(at) for at, rank in enumerate(found[-1].whole.ranks)}
    for join in found:
        placed[join.whole.ranks] = (placed[join.first.ranks] + placed[join.second.ranks]) / 2
    return placed
