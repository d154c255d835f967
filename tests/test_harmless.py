"""What communities call themselves is shown everywhere, so it is made harmless where it enters."""

from __future__ import annotations

import pytest

from storage.records import Community


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("r/place", "r/place", id="plain"),
        pytest.param("Help (forum.example.org)", "Help (forum.example.org)", id="host"),
        pytest.param("a < b and c > d <3", "a < b and c > d <3", id="no-markup"),
        pytest.param("C++ & 漢字", "C++ & 漢字", id="signs"),
        pytest.param("<b onclick=alert(1)>Bees</b>", "[markup]Bees[markup]", id="markup"),
        pytest.param("![x](https://evil.example/p.png) bees", "![x[link] bees", id="image"),
        pytest.param("see https://evil.example/?q=1 now", "see [link] now", id="address"),
        pytest.param("javascript:alert(1)", "[link]", id="script"),
        pytest.param("bees\u202e\u200b\n\x1b[31m and  wasps", "bees [31m and wasps", id="invisible"),
    ],
)
def test_a_community_is_called_by_harmless_words(said: str, shown: str) -> None:
    """A name or description is one line without markup, addresses to follow, and what no eye sees; ordinary signs stay."""
    community = Community(key="made:bees", name=said, description=said)
    assert (community.name, community.description) == (shown, shown)
