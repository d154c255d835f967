"""Pseudonyms: keyed, stable, private; and texts that name nobody."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.pseudonyms import KEY_BYTES, PseudonymKeyError, Pseudonyms, candidates, without_names

KEY = bytes(range(KEY_BYTES))


def test_author_is_the_hmac_of_platform_and_case_folded_name():
    """A pseudonym is HMAC-SHA256 of `platform|case-folded author`, its first 63 bits, and nothing else."""
    expected = int.from_bytes(hmac.new(KEY, b"reddit|ana", hashlib.sha256).digest()[:8], "big") >> 1
    assert Pseudonyms(KEY).author("reddit", "ANA") == expected == Pseudonyms(KEY).author("reddit", "ana")


def test_platforms_and_keys_do_not_share_pseudonyms():
    """The same name on another platform, or under another key, is somebody else; a name is not its bearer's pseudonym."""
    ours, other = Pseudonyms(KEY), Pseudonyms(bytes(KEY_BYTES))
    assert (
        len({ours.author("reddit", "ana"), ours.author("discord", "ana"), other.author("reddit", "ana"), ours.name("reddit", "ana")}) == 4
    )
    assert ours.fingerprint() != other.fingerprint()
    assert ours.digest(("text", None)) != other.digest(("text", None))
    assert ours.digest(("text", None)) != ours.digest(("text", "None"))


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text())
def test_pseudonyms_fit_a_signed_column(platform, author):
    """Whatever a name holds, its pseudonym is in 0 .. 2^63 - 1 and its digest in 0 .. 2^64 - 1."""
    pseudonyms = Pseudonyms(KEY)
    if not _encodable(platform + author):
        return
    assert 0 <= pseudonyms.author(platform, author) < 2**63
    assert 0 <= pseudonyms.digest((platform, author)) < 2**64


def test_key_is_made_once_and_private(tmp_path):
    """The first opening makes a key only its owner can read, the second reads the same one, and a loosened mode is tightened."""
    path = tmp_path / "below" / "pseudonym.key"
    first = Pseudonyms.open(path)
    path.chmod(0o644)
    assert Pseudonyms.open(path).author("reddit", "ana") == first.author("reddit", "ana")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == KEY_BYTES
    assert os.listdir(path.parent) == ["pseudonym.key"]


def test_two_processes_agree_on_one_key(tmp_path):
    """However many start at once, there is one key, whole, and all use it."""
    program = (
        "import sys; from pathlib import Path; from storage.pseudonyms import Pseudonyms; "
        "print(Pseudonyms.open(Path(sys.argv[1])).fingerprint())"
    )
    path = tmp_path / "pseudonym.key"
    root = Path(__file__).parent.parent
    running = [subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, cwd=root) for _ in range(4)]
    printed = {process.communicate()[0] for process in running}
    assert printed == {b"%d\n" % Pseudonyms.open(path).fingerprint()}


def test_damaged_key_is_refused(tmp_path):
    """A key cut short is an error that says so, never a new key under which everybody is somebody else."""
    path = tmp_path / "pseudonym.key"
    path.write_bytes(KEY[:7])
    with pytest.raises(PseudonymKeyError, match="32 bytes, this one 7"):
        Pseudonyms.open(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("@ana hi, @bo.", "@someone hi, @someone.", id="at"),
        pytest.param('(@ana) .@bo "@cy"', '(@someone) .@someone "@someone"', id="at-in-punctuation"),
        pytest.param("@ana#1234 and <@123456789012345678>", "@someone and @someone", id="discord"),
        pytest.param("@ana@lemmy.example.org and @bo:matrix.example.org", "@someone and @someone", id="with-a-host"),
        pytest.param("U/ana, User/ana and @@ana", "@someone, @someone and @@someone", id="careless"),
        pytest.param("the end-user/customer, superuser/x", "the end-user/customer, superuser/x", id="no-person"),
        pytest.param("ask u/ana or /u/bo-1", "ask @someone or /@someone", id="reddit"),
        pytest.param("https://www.reddit.com/user/ana/comments", "https://www.reddit.com/@someone/comments", id="reddit-link"),
        pytest.param("https://forum.example.org/u/ana", "https://forum.example.org/@someone", id="forum-link"),
        pytest.param("https://x.stackexchange.com/users/115/ana", "https://x.stackexchange.com/@someone", id="stackexchange-link"),
        pytest.param("https://blog.example.org/@ana/post", "https://blog.example.org/@someone/post", id="blog-link"),
        pytest.param("@ünal und @Ольга", "@someone und @someone", id="beyond-ascii"),
        pytest.param("write to ana@example.org", "write to ana@example.org", id="mail-is-no-mention"),
        pytest.param("10 @5 each, @ noon", "10 @5 each, @ noon", id="price"),
        pytest.param("npm i @types/node", "npm i @types/node", id="package"),
        pytest.param("@everyone @here @someone", "@everyone @here @someone", id="no-person"),
        pytest.param("the menu/items and w/ this", "the menu/items and w/ this", id="inside-a-word"),
        pytest.param("ana: hello", "ana: hello", id="a-name-that-nobody-knows"),
    ],
)
def test_marked_mentions_are_replaced(text, expected):
    """What the platform's syntax marks as a mention is replaced, known or not, and what only looks like one stays."""
    assert without_names(text, chat=True) == expected
    assert without_names(expected, chat=True) == expected


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        pytest.param("ana: hello\nbo, yes", {"ana", "bo"}, "@someone: hello\n@someone, yes", id="every-line"),
        pytest.param("note: ana: hello", {"ana"}, "note: ana: hello", id="only-at-the-start"),
        pytest.param("ana:8080", {"ana"}, "ana:8080", id="only-before-a-space"),
        pytest.param("hi @Ana Maria Li, ok", {"Ana Maria Li", "Ana Maria"}, "hi @someone, ok", id="longest-spaced-name"),
        pytest.param("yes@ana, pkg@beta", {"ana"}, "yes@someone, pkg@beta", id="glued-to-a-word"),
        pytest.param("ana@example.org", {"example"}, "ana@example.org", id="mail"),
        pytest.param("hi @Ana Maria", {"Bo Li"}, "hi @someone Maria", id="unknown-spaced-name"),
    ],
)
def test_known_names_are_replaced(text, known, expected):
    """A name that only its place marks is replaced where it is known, and its candidates include it."""
    assert without_names(text, known=known, chat=True) == expected
    if expected.count("@someone") > text.count("@"):
        assert known <= set(candidates(text, chat=True))


def test_only_chat_lines_address_by_name():
    """Outside of chat, the word before a colon is a word."""
    assert without_names("ana: hello", known={"ana"}) == "ana: hello"
    assert list(candidates("ana: hello")) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["@", "u/", "/user/", "ana", "bo", ":", ",", " ", "\n", ".", "#1234", "/", "<@", "é"]), max_size=12).map(
        "".join
    )
)
def test_replacing_twice_is_replacing_once(text):
    """A text without names stays as it is, so that what was stored can be read again."""
    once = without_names(text, known={"ana", "bo"}, chat=True)
    assert without_names(once, known={"ana", "bo"}, chat=True) == once


def _encodable(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
