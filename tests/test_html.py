"""HTML to words: what stays, what goes, and that nothing hostile takes long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.sources.html import LONGEST, plain_text


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One <b>two</b></p><p>three</p>", "One two\nthree"),
        ("a<br>b<br />c", "a\nb\nc"),
        ("<ul><li>x</li><li>y</li></ul>", "x\ny"),
        ("use <code>pip</code> and <a href='u'>this</a>", "use pip and this"),
        ("before<pre><code>x = 1</code></pre>after", "before\nafter"),
        ("<blockquote><p>theirs <blockquote>older</blockquote> words</p></blockquote><p>mine</p>", "mine"),
        ("<aside class='quote'>theirs</aside>mine", "mine"),
        ("<script>alert(1)</script>ok<style>p{}</style>", "ok"),
        ("5 &lt; 6 &amp;&amp; 7 &gt; 6 &nbsp; done", "5 < 6 && 7 > 6 done"),
        ("&lt;b&gt;shown&lt;/b&gt;", "<b>shown</b>"),
        ('<img alt="a > b" src="x">text', "text"),
        ("if a < b then", "if a < b then"),
        ("x<!-- <p>hidden</p> -->y", "xy"),
        ("<PRE>x</PRE>y", "y"),
        ("a &#0; &#xD800; b", "a \ufffd \ufffd b"),
        ("", ""),
    ],
)
def test_plain_text(markup: str, expected: str) -> None:
    """The author's words stay, a line to a block; code blocks, quotes, scripts and markup go."""
    assert plain_text(markup) == expected


@given(st.text())
def test_text_without_markup_is_kept_whole(text: str) -> None:
    """What holds no markup loses nothing but the shape of its white space."""
    kept = text.replace("<", "").replace("&", "")
    assert plain_text(kept).split() == kept.split()


@pytest.mark.parametrize("piece", ['<a "', "<!--", "<", "<a '", "&", "<pre>", "</p>", "&#x41"])
def test_hostile_markup_is_linear_and_bounded(piece: str) -> None:
    """A megabyte of half-open markup is read as its beginning, in text that can be stored."""
    assert len(plain_text(piece * (1_000_000 // len(piece)))) <= LONGEST
