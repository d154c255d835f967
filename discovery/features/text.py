"""Words: what counts as text, where sentences end, which words carry content, which language it is. Strings in, strings out."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator
from functools import lru_cache

import py3langid

WORDS = "CASE WHEN title = '' THEN text WHEN text = '' THEN title ELSE title || chr(10) || text END"
"""What a record says, in SQL: its title, a line break, its body."""
NOT_PROSE = r"```[\s\S]*?```|`[^`\n]{1,200}`|\bhttps?://\S+|(?m:^[ \t]*>.*$)"
"""Code, links and quoted lines, for RE2 and Python alike: not the author's own words."""
MENTION = r"@\w+|\b/?[ur]/\w+|&#?\w+;"
WORD = r"[\p{L}\p{M}]+(?:'[\p{L}\p{M}]+)*"
"""A word in RE2: letters with their marks, inner apostrophes; no digits."""
TOKENS = "regexp_extract_all(lower(replace(nfc_normalize({text}), '’', '''')), $word)"
"""The words of a text in SQL, ``$word`` being a WORD; :func:`words` gives the same ones."""
SHORTEST, LONGEST = 2, 40
"""Letters of a word of content."""
SHORTEST_PART = 3
"""Letters of a part of a compound."""
SENTENCE_END = re.compile(r"[.!?\n](?:(?<=\n)\n*|(?<!\n)[.!?]*(?=\s|$))")
"""Begins with all it can begin with, so that the engine skips what it cannot."""
BREAK = "!"
"""Stands for what is not prose: no pattern crosses it, so nothing can match across a link that does not match beside it."""
THANKS = (
    r"\b(?:thanks|thank (?:you|u)|thx|tysm|cheers|much appreciated"
    r"|that(?:['’]s| is)? (?:worked|works|helps|helped|did (?:it|the trick)|fixed it|solved it)|works now|problem solved"
    r"|(?:is |it['’]?s )?(?:solved|fixed|resolved) now|got it (?:working|to work)"
    r"|you(?:['’]re| are) (?:a|the) (?:best|lifesaver))\b|\[solved\]"
)
"""What an asker writes who has been helped."""
UNSPACED = frozenset({"zh", "ja", "th", "lo", "km"})
"""Languages written without spaces, whose words this tokeniser cannot tell."""
ENGLISH_STOP_SHARE = 0.2
"""Share of English stop words from which a text is English, whatever its names and jargon look like to the identifier."""
LEAST_LETTERS = 200
REMEMBERED = 1 << 16
"""Words whose stems are kept at hand: people say few words, many times."""

STOP_WORDS = frozenset(
    """a about above across after again against ain't all along already also although always am among an and another any anybody anyone
    anything are aren't around as at away back be became because been before behind being below between both but by came can can't
    cannot come could couldn't did didn't do does doesn't doing don't done down during each either else enough even ever every everyone
    everything few first for from further get gets getting go goes going gonna got gotten had hadn't has hasn't have haven't having he
    he'd he'll he's her here here's hers herself him himself his how how's however i i'd i'll i'm i've if in inside instead into is
    isn't it it'd it'll it's its itself just keep know last least less let let's like lot lots made make makes making many may maybe me
    might mine more most much must my myself need needs never new next no nobody none nor not nothing now of off often oh ok okay on
    once one one's only or onto other others ought our ours ourselves out outside over own people per perhaps please pretty put quite
    rather really right said same say says see seem seems seen several shall she she'd she'll she's should shouldn't since so some
    somebody someone something sometimes still such sure take than thank thanks that that'd that'll that's the their theirs them
    themselves then there there's these they they'd they'll they're they've thing things think this those though through thus till to
    together too took toward towards try trying two under until up upon us use used using very via want wants was wasn't way ways we
    we'd we'll we're we've well went were weren't what what's whatever when when's where where's whether which while who who's whole
    whom whose why why's will with within without won't would wouldn't yeah yes yet you you'd you'll you're you've your yours yourself
    yourselves im ive dont doesnt didnt cant wont isnt arent wasnt couldnt wouldnt shouldnt youre theyre thats whats lets id ill hes
    shes itd edit etc lol amp nbsp gt lt http https www com deleted removed""".split()  # noqa: SIM905 - four hundred quoted words would fill a page
)
GENERIC = frozenset(
    """good better best great decent nice free cheap simple easy quick similar different reliable affordable perfect right kind sort
    type stuff help advice idea ideas recommendation recommendations recommend suggestion suggestions suggest question questions anyone
    guys folks hello hi hey tool tools app apps software saas service services plugin plugins plug-in extension extensions addon add-on
    program programs platform platforms product products solution solutions website websites site device gadget option options
    alternative alternatives looking searching find finding found spend spent spending waste wasted wasting hour hours day days time week
    weeks month months year years tired sick fed hate frustrated frustrating frustration painful tedious clunky nightmare pain hassle money
    work works worked working feel feeling start started day night today tomorrow wish hope wondering able actually basically currently
    literally probably usually absolutely little long big someone's recently bit part point end super tell told deal situation
    experience understand process change changes come came times read whole hard bad worst worse issue issues problem problems post
    posts comment comments info information example reason thought thoughts slow difficult complicated annoying relief helps lets allow
    allows""".split()  # noqa: SIM905 - as above
)
"""Words of a request that do not say what is needed."""


@lru_cache(maxsize=1)
def prose(text: str) -> str:
    """Blank code, links and quoted lines, keeping every position; a record is read for several things, one after the other."""
    if "`" not in text and "http" not in text and ">" not in text:  # most texts have none, and this is seen at once
        return text
    return _NOT_PROSE.sub(lambda found: BREAK * len(found[0]), text)


_NOT_PROSE = re.compile(NOT_PROSE, re.ASCII)


class Sentences:
    """Where the sentences of a text end, to tell which of them a position stands in."""

    def __init__(self, text: str) -> None:
        self._text = text

    def number(self, position: int) -> int:
        """Give the number of the sentence a position stands in."""
        return bisect_right(_ends(self._text), position)

    def bounds(self, position: int) -> tuple[int, int]:
        """Give begin and end of the sentence a position stands in."""
        ends, number = _ends(self._text), self.number(position)
        return (ends[number - 1] if number else 0), (ends[number] if number < len(ends) else len(self._text))


@lru_cache(maxsize=1)
def _ends(text: str) -> list[int]:
    return [found.end() for found in SENTENCE_END.finditer(text)]


def words(text: str) -> Iterator[str]:
    """Yield the words of a text that are no stop words, lower case, in order: those that the vocabulary counts, letter by letter."""
    for found in _WORD.finditer(unicodedata.normalize("NFC", text).translate(_LETTERS)):
        if SHORTEST <= len(found[0]) <= LONGEST and found[0] not in STOP_WORDS:
            yield found[0]


class _Letters(dict[int, str]):
    """Lower case of each letter or mark as DuckDB has it, which looks at no neighbours; a blank for what is neither."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        self[code] = letter.lower()[0] if unicodedata.category(letter)[0] in "LM" else " "
        return self[code]


_LETTERS = _Letters({ord("'"): "'", ord("’"): "'"})
_WORD = re.compile(r"[^ ']+(?:'[^ ']+)*")


def content_words(text: str) -> Iterator[str]:
    """Yield the words that say what it is about, lower case, in order: no stop words, nothing generic, no numbers."""
    for found in _CONTENT.finditer(text.lower().replace("’", "'")):
        word = found[0]
        if word not in STOP_WORDS and word not in GENERIC:
            yield word


_CONTENT = re.compile(r"[^\W\d_]{3,30}(?:[-'][^\W\d_]{1,20}){0,2}")
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ings", ""), ("ing", ""), ("ers", ""), ("er", ""), ("ed", ""), ("es", "e"), ("s", ""))


@lru_cache(maxsize=REMEMBERED)
def stem(word: str) -> str:
    """Cut an English ending, so that "printers", "printer" and "printing" meet; short words keep theirs."""
    for ending, kept in _ENDINGS:
        least = 3 if ending in {"s", "ing", "ings"} else 4
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            cut = word[: len(word) - len(ending)] + kept
            if ending in {"ing", "ings", "ed"} and cut.endswith("er") and len(cut) >= 6:
                return cut[:-2]  # "ordering" as "order", which ends as "printer" does
            return cut[:-1] if len(cut) > 3 and cut[-1] == cut[-2] and cut[-1] not in "lsz" else cut.removesuffix("e")
    return word.removesuffix("e") if len(word) > 3 else word


def taken_apart(word: str, known: Collection[str]) -> tuple[str, ...]:
    """Take a compound apart into known words, the fewest there are: "fountainpens" is "fountain" and "pens"; () where that fails.

    Parts have three letters or more.
    """
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        ways = [
            (*before, word[start:end])
            for start in range(end - SHORTEST_PART + 1)
            if (before := best[start]) is not None and word[start:end] in known
        ]
        best.append(min(ways, key=lambda way: (len(way), way), default=None))
    return best[-1] or ()


def language(tokens: str) -> str | None:
    """Tell the language of lower-case words that blanks part, two letters; None where they are too short to tell."""
    words = tokens.split()
    if sum(map(len, words)) < LEAST_LETTERS:
        return None
    if sum(map(STOP_WORDS.__contains__, words)) >= ENGLISH_STOP_SHARE * len(words):
        return "en"
    return str(py3langid.classify(tokens)[0])
