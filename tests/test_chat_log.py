"""Chat logs: both styles, what is a message and what is not, ids that two logs agree on, and no names in what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.sources import EVER, SourceError, UnknownSourceError, load
from storage.records import Cursor
from tests.factories import gather
from tests.shared_data import DATA

REAL = DATA
MIDNIGHT = 1_570_924_800
"""2019-10-13 00:00 UTC"""


def log(folder, text, name="raku/2019/2019-10-13"):
    """Write a log."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def read(path, options=""):
    """Read the records at a path."""
    return gather(load(f"chat_log:{path}{options}", credentials={}))


def test_daily_log(tmp_path):
    """A line is a message of its channel at its minute of the file's day; notices and actions are none and are not counted."""
    log(tmp_path, "[00:01] *** ana joined\n[00:02] <ana> hi: there\n\n[23:59] <bo|away> ok\n[23:59] * bo waves\n")
    (batch,) = load(f"chat_log:{tmp_path}", credentials={}).batches(Cursor(), window=EVER)
    first, second = batch.records
    assert batch.fetched == 2
    assert (first.created_at, first.text, first.author, first.bot) == (MIDNIGHT + 120, "hi: there", "irc/ana", False)
    assert (second.created_at, second.author) == (MIDNIGHT + 86_340, "irc/bo|away")
    assert {record.communities for record in batch.records} == {("chat:irc/raku",)}
    assert {(record.kind, record.thread, record.parent, record.score) for record in batch.records} == {("post", None, None, None)}
    assert [(community.key, community.name) for community in batch.communities] == [("chat:irc/raku", "#raku (irc)")]


def test_log_with_full_times(tmp_path):
    """A line without a time belongs to the message before it; the file's name, freed of its format, is the channel."""
    text = "[2016-11-21 08:47:30] <ana> first\nsecond\n[not a time] third\n[2016-11-21 08:47:31] <bo> next\n"
    log(tmp_path, text, "appium_appium_chatFormat.ascii.txt")
    first, second = read(tmp_path)
    assert first.text == "first\nsecond\n[not a time] third"
    assert (second.created_at - first.created_at, second.communities) == (1, ("chat:gitter/appium_appium",))


@pytest.mark.parametrize(
    ("options", "created_at", "key"),
    [
        pytest.param("", MIDNIGHT + 3600, "chat:irc/raku", id="utc"),
        pytest.param("?time_zone=Europe/Berlin", MIDNIGHT - 3600, "chat:irc/raku", id="summer-time"),
        pytest.param("?instance=libera&channel=other", MIDNIGHT + 3600, "chat:libera/other", id="named"),
    ],
)
def test_settings(tmp_path, options, created_at, key):
    """Zone, network and channel can be set."""
    (record,) = read(log(tmp_path, "[01:00:00] <ana> hi"), options)
    assert (record.created_at, record.communities) == (created_at, (key,))


@pytest.mark.parametrize(
    ("name", "below", "channel"),
    [
        pytest.param("raku/2019/2019-10-13", "", "raku", id="folder-above-the-year"),
        pytest.param("raku/2019/10/2019-10-13.log", "", "raku", id="and-month"),
        pytest.param("raku/2019/2019-10-13", "raku/2019", "raku", id="path-is-the-year"),
        pytest.param("raku/2019/2019-10-13", "raku/2019/2019-10-13", "raku", id="path-is-the-day"),
        pytest.param("logs/#perl6_2019-10-13.txt", "", "perl6", id="in-the-file-name"),
    ],
)
def test_channel_of_a_path(tmp_path, name, below, channel):
    """The channel is found wherever the path begins."""
    log(tmp_path, "[00:01] <ana> hi", name)
    assert [record.communities for record in read(tmp_path / below)] == [(f"chat:irc/{channel}",)]


def test_the_same_line_in_two_logs_is_one_record(tmp_path):
    """Ids depend on channel, time and text, not on the file; equal lines of a minute are told apart by their order."""
    text = "[00:01] <ana> yes\n[00:01] <bo> yes\n[00:02] <ana> yes\n[00:01] <cy> yes\n"
    ids = [record.id for record in read(log(tmp_path / "one", text))]
    again = [record.id for record in read(log(tmp_path / "two", "[00:00] *** cy joined\n" + text))]
    assert len(set(ids)) == 4
    assert ids == again


def test_relayed_messages_belong_to_who_wrote_them(tmp_path):
    """A bridge's message is the relayed person's, whose name is not left in the text; a program's own message is a program's."""
    relayed, own, code = read(log(tmp_path, "[00:01] <discord-bot> <Ana Li> hi <b>\n[00:01] <discord-bot> hello\n[00:02] <bo> <br> hi"))
    assert (relayed.author, relayed.text, relayed.bot) == ("irc/Ana Li", "hi <b>", False)
    assert (own.author, own.bot) == ("irc/discord-bot", True)
    assert (code.author, code.text, code.bot) == ("irc/bo", "<br> hi", False)


def test_names_that_notices_teach_are_replaced(tmp_path):
    """Somebody who only came and went is not named by a line that addresses them."""
    text = (
        "[00:01] *** ana joined\n[00:02] *** ana is now known as ana2\n[00:03] <bo> ana: hi\n[00:04] <bo> ana2, hi\n[00:05] <bo> note: hi"
    )
    assert [record.text for record in read(log(tmp_path, text))] == ["@someone: hi", "@someone, hi", "note: hi"]


STYLES = {
    "irssi": (
        "#bees.log",
        (
            "--- Log opened Sun Oct 13 00:00:00 2019\n00:01 -!- ana [~a@h] has joined #bees\n00:01 < ana> hi\n00:02 <@bo> ana: yes\n"
            "00:03  * ana waves\n--- Day changed Mon Oct 14 2019\n00:01 <+ana> late\n--- Log closed Mon Oct 14 00:09:00 2019\n"
        ),
    ),
    "eggdrop": (
        "bees.log",
        (
            "[00:00] --- Sun Oct 13 2019\n[00:01] ana (~a@h) joined #bees.\n[00:01] <ana> hi\n[00:02] <bo> ana: yes\n"
            "[00:03] Action: ana waves\n"
            "[00:00] --- Mon Oct 14 2019\n[00:01] <ana> late\n"
        ),
    ),
    "mirc": (
        "#bees.log",
        (
            "Session Start: Sun Oct 13 00:00:00 2019\nSession Ident: #bees\n[00:00] * Now talking in #bees\n"
            "[00:01] * ana (~a@h) has joined #bees\n"
            "[00:01] <ana> hi\n[00:02] <@bo> ana: yes\nSession Close: Sun Oct 13 01:00:00 2019\n\nSession Start: Mon Oct 14 00:00:00 2019\n"
            "[00:01] <ana> late\nSession Close: Mon Oct 14 01:00:00 2019\n"
        ),
    ),
    "weechat": (
        "bees.weechatlog",
        (
            "2019-10-13 00:01:00\t-->\tana (~a@h) has joined #bees\n2019-10-13 00:01:00\tana\thi\n2019-10-13 00:02:00\t@bo\tana: yes\n"
            "2019-10-13 00:03:00\t *\tana waves\n2019-10-13 00:03:00\t--\tMode #bees\n2019-10-14 00:01:00\tana\tlate\n"
        ),
    ),
    "hexchat": (
        "#bees.log",
        (
            "**** BEGIN LOGGING AT Sun Oct 13 00:00:00 2019\n\nOct 13 00:00:30 *\tNow talking on #bees\n"
            "Oct 13 00:01:00 *\tana (~a@h) has joined\nOct 13 00:01:00 <ana>\thi\nOct 13 00:02:00 <@bo>\tana: yes\n"
            "Oct 14 00:01:00 <ana>\tlate\n**** ENDING LOGGING AT Mon Oct 14 00:09:00 2019\n"
        ),
    ),
    "zoned": (
        "bees.log",
        "[2019-10-13T00:01:00Z] <ana> hi\n[2019-10-13T02:02:00+02:00] <bo> ana: yes\n[2019-10-14T00:01:00.000Z] <ana> late\n",
    ),
    "supybot": (
        "#bees.log",
        (
            "2019-10-13T00:01:00  *** ana <~a@h> has joined #bees\n2019-10-13T00:01:00  <ana> hi\n2019-10-13T00:02:00  <bo> ana: yes\n"
            "2019-10-14T00:01:00  <ana> late\n"
        ),
    ),
}


def test_a_year_turns_inside_a_log(tmp_path):
    """A log that tells its year where it begins is in the next one after December; without a beginning no day is known."""
    said = "Dec 31 23:59:00 <ana>\told\nJan 01 00:01:00 <ana>\tnew\n"
    records = read(log(tmp_path, f"**** BEGIN LOGGING AT Tue Dec 31 23:00:00 2019\n\n{said}", "bees.log"))
    assert [record.created_at for record in records] == [1_577_836_740, 1_577_836_860]
    with pytest.raises(SourceError, match="no date"):
        read(log(tmp_path, said, "bees.log"))


def test_a_day_in_several_files_has_ids_of_its_own(tmp_path):
    """A channel's day that is cut into two files gives each message one id, which further files and their order do not change."""
    log(tmp_path, "[10:00] <ana> hi\n[10:00] <bo> hi\n", "bees/2020/2020-01-01.log")
    first = {record.id for record in read(tmp_path)}
    log(tmp_path, "[10:01] <ana> hi\n[10:01] <bo> hi\n", "bees/2020/2020-01-01.2.log")
    both = {record.id for record in read(tmp_path, "?channel=bees")}
    assert (len(first), len(both)) == (2, 4)
    assert first < both


@pytest.mark.parametrize(("name", "text"), STYLES.values(), ids=STYLES)
def test_the_same_talk_in_every_style(tmp_path, name, text):
    """What clients and bots log of the same talk is the same: messages, days and people, the mark of a rank taken off."""
    (batch,) = load(f"chat_log:{log(tmp_path, text, name)}?instance=irc", credentials={}).batches(Cursor(), window=EVER)
    assert [(record.author, record.created_at - MIDNIGHT) for record in batch.records] == [
        ("irc/ana", 60),
        ("irc/bo", 120),
        ("irc/ana", 86_460),
    ]
    assert [record.text for record in batch.records] in (["hi", "@someone: yes", "late"], ["hi", "ana: yes", "late"])
    assert batch.quarantined == []
    assert {record.communities for record in batch.records} in ({("chat:irc/bees",)}, {("chat:irc/#bees",)})


@pytest.mark.parametrize("name", ["bees_20191013.log", "2019/10/13/#bees.txt", "#bees.2019-10-13.log"])
def test_a_day_is_found_wherever_the_path_tells_it(tmp_path, name):
    """The day stands in the file's name, with or without dashes, or in the folders above it."""
    assert [record.created_at for record in read(log(tmp_path, "[00:01] <ana> hi", name))] == [MIDNIGHT + 60]


def test_a_pasted_log_is_text(tmp_path):
    """A file is read in the style it begins with, so that another log's lines inside a message are its words."""
    text = "[2019-10-13 00:01:00] <ana> look:\n[00:01] <bo> hi\n00:02 <cy> hi\n[2019-10-13 00:02:00] <bo> so?\n"
    assert [record.text for record in read(log(tmp_path, text, "bees.txt"))] == ["look:\n[00:01] <bo> hi\n00:02 <cy> hi", "so?"]


def test_a_line_of_no_known_form_is_quarantined(tmp_path):
    """A line with a time that is neither said by anybody nor a notice that we know is no message and no silence."""
    log(tmp_path, "[00:01] ana: hi\n[00:02] <bo> hi\n[00:03] <a b> hi\n")
    (batch,) = load(f"chat_log:{tmp_path}", credentials={}).batches(Cursor(), window=EVER)
    assert [bad.position[-1] for bad in batch.quarantined] == ["1", "3"]
    assert len(batch.records) == 1


def test_old_encodings_and_control_codes(tmp_path):
    """Latin-1 is read where UTF-8 fails, colours and NUL are dropped."""
    (record,) = read(log(tmp_path, "[00:01] <ana> caf\xe9 \x0304,01red\x0f\x00 end".encode("latin-1")))
    assert record.text == "café red end"


def test_what_is_no_log_is_quarantined(tmp_path):
    """Text before the first message, or without any date, is quarantined; a file of nothing else is an error."""
    log(tmp_path, "welcome\n[2019-10-13 00:01] <ana> hi\n", "channel.txt")
    log(tmp_path, "[00:02] <bo> when?\n", "undated.txt")
    (batch,) = load(f"chat_log:{tmp_path}", credentials={}).batches(Cursor(), window=EVER)
    assert [rejected.reason for rejected in batch.quarantined] == [
        "neither a message nor a notice of a log",
        "no date, neither in the line nor in the file's name",
    ]
    assert (batch.fetched, len(batch.records)) == (3, 1)
    with pytest.raises(SourceError, match="None of the 1 items"):
        read(log(tmp_path / "other", "id,text\n1,hello\n", "table.txt"))


def test_unknown_zone_is_refused():
    """A zone that does not exist is an error that names it."""
    with pytest.raises(UnknownSourceError, match="Mars/Olympus"):
        load("chat_log:x?time_zone=Mars/Olympus", credentials={})


def test_resumes_with_what_it_had_learned(tmp_path):
    """From any cursor on, the rest is exactly what an undisturbed run gives."""
    log(tmp_path, "[00:01] *** ana joined\n[00:02] <bo> hi\n", "c/2019/2019-10-13")
    log(tmp_path, "[00:01] <bo> ana: hi\n[00:01] <bo> yes\n[00:01] <cy> yes\n", "c/2019/2019-10-14")
    whole = read(tmp_path)
    source = load(f"chat_log:{tmp_path}", credentials={})
    resumed = gather(source, cursor=Cursor(position='[1, 0, 2, "c/2019/2019-10-14"]'))
    assert resumed == whole[3:]
    assert [record.text for record in whole] == ["hi", "@someone: hi", "yes", "yes"]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("path", "channels", "messages"),
    [
        pytest.param("irc_raku/logs.tar.zst", 9, 419_704, id="irc", marks=pytest.mark.peers),
        pytest.param("gitter_livechat/appium_appium_chatFormat.ascii.txt.zst", 1, 24_883, id="appium"),
        pytest.param("gitter_livechat/gitter_gitter_chatFormat.ascii.txt.zst", 1, 14_854, id="gitter"),
    ],
)
def test_counts_of_real_logs(path, channels, messages):
    """The published counts come out, each message an id of its own."""
    if not (REAL / path).exists():
        pytest.skip("the real data is not here")
    records = read(REAL / path)
    assert len(records) == len({record.id for record in records}) == messages
    assert len({record.communities for record in records}) == channels
    authors = {"appium": 1_685, "gitter": 1_752}
    speakers = {record.author for record in records}
    assert len(speakers) == authors.get(Path(path).name[:6], len(speakers))
