"""Stack Exchange dumps: questions, answers and comments under their tags, and the rows that are no posts."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from discovery.sources import EVER, SourceError, UnknownSourceError, load
from discovery.sources.files import PAGE
from storage.records import Batch, Cursor, Record
from tests.factories import gather
from tests.shared_data import DATA

REAL = DATA / "stackexchange_coffee"
SITE = "bees.stackexchange.com"


def row(**attributes: object) -> str:
    """Write a row of a dump."""
    return "  <row " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items()) + " />\n"


def question(own: int, tags: str = "<hive><wood>", **overrides: object) -> str:
    """Write a question."""
    defaults = {"Id": own, "PostTypeId": 1, "CreationDate": "2015-01-27T20:09:32.720", "Score": 3, "Body": "<p>Why?</p>", "OwnerUserId": 4}
    return row(**{**defaults, "Title": "Hive?", "Tags": tags, "AnswerCount": 1, "CommentCount": 2, **overrides})


def answer(own: int, parent: int, **overrides: object) -> str:
    """Write an answer."""
    defaults = {"Id": own, "PostTypeId": 2, "ParentId": parent, "CreationDate": "2015-01-28T00:00:00.000", "Score": -1, "OwnerUserId": 5}
    return row(**{**defaults, "Body": "<p>Because.</p><pre>code</pre>", "CommentCount": 0, **overrides})


def comment(own: int, post: int, **overrides: object) -> str:
    """Write a comment."""
    return row(
        **{"Id": own, "PostId": post, "Score": 0, "Text": "Thanks <3", "CreationDate": "2015-01-29T00:00:00.000", "UserId": 4, **overrides}
    )


def dump(tmp_path: Path, posts: str, comments: str = "", *, folder: str = SITE) -> Path:
    """Write a dump's folder."""
    site = tmp_path / folder
    site.mkdir(parents=True)
    (site / "Posts.xml").write_text(f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n{posts}</posts>\n')
    if comments:
        (site / "Comments.xml").write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<comments>\n{comments}</comments>')
    (site / "Users.xml").write_text('<users>\n<row Id="4" DisplayName="secretname" />\n</users>')
    return site


def read(path: Path, options: str = "") -> Batch:
    """Read a dump of one page."""
    (page,) = load(f"stackexchange_dump:{path}{options}", credentials={}).batches(Cursor(), window=EVER)
    return page


def by_id(records: list[Record]) -> dict[str, Record]:
    """Index records by the end of their id."""
    return {record.id.rpartition("/")[2]: record for record in records}


def test_answers_and_comments_inherit_their_questions_tags(tmp_path: Path) -> None:
    """One question with two tags belongs, with all that answers it, to two communities, and is one record."""
    site = dump(tmp_path, question(1, AcceptedAnswerId=3) + answer(2, 1) + answer(3, 1), comment(1, 1) + comment(2, 3))
    page = read(site)
    records = by_id(page.records)
    home = f"stackexchange:{SITE}"
    assert list(records) == ["1", "2", "3", "c1", "c2"]
    assert {record.communities for record in page.records} == {(f"{home}/hive", f"{home}/wood")}
    assert {record.thread for record in page.records} == {f"{home}/1"}
    assert [record.parent for record in page.records] == [None, f"{home}/1", f"{home}/1", f"{home}/1", f"{home}/3"]
    assert [record.kind for record in page.records] == ["post"] + ["reply"] * 4
    assert [record.accepted for record in page.records] == [True, False, True, None, None]
    assert [record.replies for record in page.records] == [3, 0, 0, None, None]
    assert [community.key for community in page.communities] == [f"{home}/hive", f"{home}/wood"]
    assert page.communities[0].url == f"https://{SITE}/questions/tagged/hive"


def test_the_words_of_a_row(tmp_path: Path) -> None:
    """HTML becomes text, times are UTC, an author is known by site and number, and the link is built from ids."""
    first, second, third = read(dump(tmp_path, question(1) + answer(2, 1), comment(9, 2))).records
    assert (first.title, first.text, first.author) == ("Hive?", "Why?", f"{SITE}/4")
    assert (first.created_at, first.score, first.url) == (1_422_389_372, 3, f"https://{SITE}/q/1")
    assert (second.title, second.text, second.score, second.url) == ("", "Because.", -1, f"https://{SITE}/q/2")
    assert (third.text, third.author, third.url) == ("Thanks <3", f"{SITE}/4", f"https://{SITE}/q/1")


def test_wikis_and_notices_are_not_fetched(tmp_path: Path) -> None:
    """Rows of other types are the site's own; they are neither records nor lost."""
    wikis = "".join(
        row(Id=kind, PostTypeId=kind, CreationDate="2015-01-27T20:09:32.720", Score=0, Body="", CommentCount=0) for kind in (3, 4, 5, 7)
    )
    page = read(dump(tmp_path, question(1) + wikis))
    assert (page.fetched, len(page.records), page.quarantined) == (1, 1, [])


@pytest.mark.parametrize(("tags", "keys"), [("<a><b-c>", ["a", "b-c"]), ("|a|c#|", ["a", "c#"]), ("", ["untagged"])])
def test_tags_in_both_spellings(tmp_path: Path, tags: str, keys: list[str]) -> None:
    """Dumps wrote <tag> until 2024 and |tag| since."""
    (record,) = read(dump(tmp_path, question(1, tags))).records
    assert record.communities == tuple(f"stackexchange:{SITE}/{key}" for key in keys)


def test_a_site_as_one_community(tmp_path: Path) -> None:
    """By configuration the site is the community, under the name that is set."""
    page = read(dump(tmp_path, question(1) + answer(2, 1)), "?unit=site&site=tea.stackexchange.com")
    assert {record.communities for record in page.records} == {("stackexchange:tea.stackexchange.com/site",)}
    (community,) = page.communities
    assert (community.name, community.url) == ("tea.stackexchange.com", "https://tea.stackexchange.com/")


def test_a_folder_that_is_no_host_makes_no_links(tmp_path: Path) -> None:
    """A site known only by its folder's name has no address to link to."""
    page = read(dump(tmp_path, question(1), folder="My bees"))
    assert (page.records[0].id, page.records[0].url) == ("stackexchange:my_bees/1", None)


def test_two_sites_in_one_folder_do_not_mix(tmp_path: Path) -> None:
    """Equal ids on two sites are two posts; all posts are read before any comment."""
    dump(tmp_path, question(1, "<a>"), comment(1, 1), folder="a.stackexchange.com")
    dump(tmp_path, question(1, "<b>"), comment(1, 1), folder="b.stackexchange.com")
    found = {record.id: record.communities for record in read(tmp_path).records}
    assert found == {
        f"stackexchange:{x}.stackexchange.com/{own}": (f"stackexchange:{x}.stackexchange.com/{x}",) for own in ("1", "c1") for x in "ab"
    }


def test_people_who_are_gone_and_the_sites_own_account(tmp_path: Path) -> None:
    """A missing owner is nobody, and user -1 is a program."""
    gone = question(1).replace(' OwnerUserId="4"', ' OwnerDisplayName="secretname"')
    page = read(dump(tmp_path, gone + question(2, OwnerUserId=-1)))
    assert [(record.author, record.bot) for record in page.records] == [(None, False), (f"{SITE}/-1", True)]
    assert "secretname" not in str(page)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(question(2).replace(' Score="3"', ' Score="three"'), "wrong form", id="number"),
        pytest.param(question(2).replace(' CreationDate="2015-01-27T20:09:32.720"', ""), "no field CreationDate", id="no-time"),
        pytest.param(answer(2, 77), "its question is not in the dump", id="orphan"),
        pytest.param('  <row Id="2" PostTypeId="1" Body="&x;" />\n', "no XML row", id="entity"),
        pytest.param('  <row Id="2" PostTypeId="1\n', "no XML row", id="cut"),
        pytest.param('  <row Id="2" CreationDate="2015-01-27T20:09:32.720" />\n', "no field PostTypeId", id="no-type"),
    ],
)
def test_a_bad_row_is_quarantined(tmp_path: Path, bad: str, reason: str) -> None:
    """One bad row harms no other and is counted with its reason."""
    page = read(dump(tmp_path, question(1) + bad + question(3)))
    assert list(by_id(page.records)) == ["1", "3"]
    assert (page.fetched, page.quarantined[0].position) == (3, "Posts.xml:4")
    assert reason in page.quarantined[0].reason


def test_a_dump_without_its_end_is_cut_short(tmp_path: Path) -> None:
    """Even a plain file that lost its end in between two rows is known to be incomplete."""
    site = dump(tmp_path, question(1))
    (site / "Posts.xml").write_text((site / "Posts.xml").read_text().replace("</posts>\n", ""))
    with pytest.raises(SourceError, match="closing tag"):
        gather(load(f"stackexchange_dump:{site}", credentials={}))


def test_resuming_in_the_comments_knows_the_tags(tmp_path: Path) -> None:
    """A run that stopped among the comments passes through the posts again, for their tags alone."""
    site = dump(tmp_path, question(1), "".join(comment(own, 1) for own in range(PAGE + 5)))
    first, last = load(f"stackexchange_dump:{site}", credentials={}).batches(Cursor(), window=EVER)
    resumed = list(load(f"stackexchange_dump:{site}", credentials={}).batches(first.cursor, window=EVER))
    assert [record for page in resumed for record in page.records] == last.records


def test_an_unknown_setting_is_named_with_the_known_ones(tmp_path: Path) -> None:
    """A setting that does not exist is wrong use, and the error lists those that do."""
    with pytest.raises(UnknownSourceError, match=r"units.*Its settings are path, unit, site"):
        load(f"stackexchange_dump:{tmp_path}?units=tag", credentials={})


def test_characters_that_xml_forbids_cost_no_post(tmp_path: Path) -> None:
    """Old posts hold references to control characters; a blank stands for each, and the sound references stay."""
    posts = question(1, Body="<p>a@b$c</p>").replace("@", "&#xB;").replace("$", "&#x1F600;")
    (record,) = read(dump(tmp_path, posts)).records
    assert record.text == "a b\U0001f600c"


def test_rows_that_share_a_line_are_never_silent(tmp_path: Path) -> None:
    """A dump that some tool put on one line is no empty dump."""
    site = dump(tmp_path, "")
    (site / "Posts.xml").write_text("<posts>" + question(1).strip() + answer(2, 1).strip() + "</posts>")
    with pytest.raises(SourceError, match="each on its own line"):
        read(site)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the coffee dump is not beside the checkout")
def test_the_published_dump() -> None:
    """225 questions and 327 answers of 115 owners are read, and 40 wikis are not posts."""
    records = gather(load(f"stackexchange_dump:{REAL}", credentials={}))
    assert [record.kind for record in records].count("post") == 225
    assert [record.kind for record in records].count("reply") == 327
    assert len({record.author for record in records} - {None}) == 115
