"""Discord exports: JSON as a stream, both dialects of CSV, what is a message, who wrote it, and what an interrupted export gives."""

from __future__ import annotations

import json
import tarfile
import tracemalloc

import pytest

from discovery.sources import EVER, SourceError, UnknownSourceError, load
from discovery.sources.discord_json import messages
from storage.records import Batch, Cursor, Record
from tests.factories import gather
from tests.shared_data import DATA

REAL = DATA / "discord_komodo" / "csv_exports.tar.zst"
GUILD, CHANNEL = "100000000000000001", "200000000000000002"
HEADS = {";": "AuthorID;Author;Date;Content;Attachments;Reactions;\r\n", ",": "AuthorID,Author,Date,Content,Attachments,Reactions\r\n"}


def message(number, **overrides):
    """A message as the exporter writes it."""
    author = {"id": "77", "name": "ana", "discriminator": "0000", "nickname": "Ana Li", "isBot": False, **overrides.pop("author", {})}
    said = {"id": str(300 + number), "type": "Default", "timestamp": "2020-09-13T14:26:40.123+02:00", "content": f"text {number}"}
    return {**said, "author": author, "reactions": [], "mentions": [], **overrides}


def export(*messages, **overrides):
    """An export of a channel."""
    guild = {"id": GUILD, "name": "Bees"}
    channel = {"id": CHANNEL, "type": "GuildTextChat", "categoryId": "9", "category": "Talk", "name": "hives", "topic": "Ask here"}
    head = {"guild": guild, "channel": channel, "dateRange": {"after": None}, "exportedAt": "2021-01-01T00:00:00+00:00"}
    return {**head, "messages": list(messages), "messageCount": len(messages), **overrides}


def save(folder, value, name="export.json"):
    """Write an export, as JSON unless it is text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((value if isinstance(value, str) else json.dumps(value, indent=2)).encode("utf-8", "surrogatepass"))
    return folder


def table(*cells, dialect=";"):
    """CSV of one dialect: author id, author, date, content, reactions."""
    end = ";\r\n" if dialect == ";" else "\r\n"
    rows = ((author_id, author, date, content.replace('"', '""'), "", reactions) for author_id, author, date, content, reactions in cells)
    return HEADS[dialect] + "".join(dialect.join(f'"{cell}"' for cell in row) + end for row in rows)


def read(path, options="") -> Batch:
    """Read exports of one page."""
    (page,) = load(f"discord_export:{path}{options}", credentials={}).batches(Cursor(), window=EVER)
    return page


def partial(path, fault) -> list[Record]:
    """Read exports that are not whole: their records, after which the source says its fault."""
    records: list[Record] = []
    pages = load(f"discord_export:{path}", credentials={}).batches(Cursor(), window=EVER)
    with pytest.raises(SourceError, match=fault):
        records.extend(record for page in pages for record in page.records)
    return records


def test_json_message(tmp_path):
    """A message becomes a post of its channel with its author's id, its time in UTC, the sum of its reactions and its link."""
    reactions = [{"emoji": {"name": "👍"}, "count": 2}, {"emoji": {"name": "x"}, "count": 3}]
    page = read(save(tmp_path, export(message(1, reactions=reactions))))
    assert page.records == [
        Record(
            id="discord:301",
            communities=(f"discord:{GUILD}/{CHANNEL}",),
            kind="post",
            author="77",
            author_name="Ana Li",
            created_at=1_600_000_000,
            text="text 1",
            score=5,
            url=f"https://discord.com/channels/{GUILD}/{CHANNEL}/301",
            retrieved_at=1_609_459_200,
        )
    ]
    (community,) = page.communities
    assert (community.key, community.name, community.description) == (f"discord:{GUILD}/{CHANNEL}", "#hives (Bees)", "Ask here")
    assert (read(tmp_path, "?unit=server").records[0].communities, page.fetched) == ((f"discord:{GUILD}/server",), 1)


def test_json_replies_notices_and_mentions(tmp_path):
    """A reply points to what it answers, notices are not counted, and whom a message mentions is not left in it."""
    mentions = [{"id": "88", "name": "bo", "nickname": "Bo the Keeper"}]
    answer = message(2, type="Reply", reference={"messageId": "301"}, content="@Bo the Keeper yes, @bo", mentions=mentions)
    page = read(save(tmp_path, export(message(1), answer, message(3, type="GuildMemberJoin"), message(4, type="ChannelPinnedMessage"))))
    assert page.fetched == 2
    assert [(each.kind, each.parent, each.thread, each.text) for each in page.records] == [
        ("post", None, None, "text 1"),
        ("reply", "discord:301", None, "@someone yes, @someone"),
    ]


def test_json_threads(tmp_path):
    """A thread belongs to its channel's community; the message that bears its id opens it, the others reply."""
    channel = {"id": "301", "type": "GuildPublicThread", "categoryId": CHANNEL, "category": "hives", "name": "Why?", "topic": None}
    page = read(save(tmp_path, export(message(1), message(2), channel=channel)))
    first, second = page.records
    assert {each.communities for each in page.records} == {(f"discord:{GUILD}/{CHANNEL}",)}
    assert (first.kind, first.title, first.thread, first.parent) == ("post", "Why?", "discord:301", None)
    assert (second.kind, second.title, second.thread, second.parent) == ("reply", "", "discord:301", "discord:301")
    assert page.communities[0].name == "#hives (Bees)"


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        pytest.param({}, ("77", False), id="person"),
        pytest.param({"name": "talbot"}, ("77", False), id="name-like-a-program"),
        pytest.param({"isBot": True, "discriminator": "1234"}, ("77", True), id="program"),
        pytest.param({"isBot": True, "name": "relay"}, (f"{GUILD}/relay", True), id="webhook"),
        pytest.param({"id": "456226577798135808", "name": "Deleted User"}, (None, False), id="deleted"),
    ],
)
def test_json_authors(tmp_path, author, expected):
    """Members are their ids, webhooks their names, deleted users nobody; what the export marks as a program is one."""
    (record,) = read(save(tmp_path, export(message(1, author=author)))).records
    assert (record.author, record.bot) == expected


def test_direct_messages_are_refused(tmp_path):
    """Private conversations are counted and not kept."""
    channel = {"id": "5", "type": "DirectTextChat", "name": "ana", "categoryId": None, "category": None, "topic": None}
    page = read(save(tmp_path, export(message(1), guild={"id": "0", "name": "Direct Messages"}, channel=channel)))
    assert (page.records, page.communities, page.refused, page.fetched) == ([], [], 1, 1)


def test_bad_messages_do_not_stop_the_others(tmp_path):
    """A message of the wrong form is quarantined with its place and reason."""
    bad = [message(1, timestamp="yesterday"), message(2, content="\ud800"), {"id": "1"}, "no object"]
    page = read(save(tmp_path, export(*bad, message(5))))
    assert len(page.records) == 1
    assert [(each.position, each.reason) for each in page.quarantined] == [
        ("export.json:1", "a time of unknown form"),
        ("export.json:2", "text: the text holds bytes that are not UTF-8, or a lone surrogate, at position 0"),
        ("export.json:3", "no field type"),
        ("export.json:4", "a field of the wrong form (TypeError)"),
    ]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.999])
def test_interrupted_export_keeps_its_whole_messages(tmp_path, kept):
    """An export cut anywhere gives every message that is whole, goes on with the other files, then says that it is partial."""
    whole = json.dumps(export(*(message(number) for number in range(50))), indent=2)
    text = whole[: int(len(whole) * kept)]
    save(tmp_path, text, "a.json")
    save(tmp_path, export(message(900)), "b.json")
    records = partial(tmp_path, r"1 of its files ends before its end; the first is `a.json`")
    finished = text.count('"mentions": []\n    }')
    assert [each.id for each in records] == [*(f"discord:{300 + number}" for number in range(finished)), "discord:1200"]


def test_a_resumed_run_still_knows_what_was_cut(tmp_path):
    """A run that is resumed after such a source was read to its end says again that it is partial, and reads nothing twice."""
    save(tmp_path, json.dumps(export(message(1), message(2)))[:-40])
    cursors: list[Cursor] = []
    with pytest.raises(SourceError) as first:
        cursors.extend(page.cursor for page in load(f"discord_export:{tmp_path}", credentials={}).batches(Cursor(), window=EVER))
    with pytest.raises(SourceError) as again:
        list(load(f"discord_export:{tmp_path}", credentials={}).batches(cursors[-1], window=EVER))
    assert cursors[-1].exhausted
    assert str(again.value) == str(first.value)


def test_message_count_is_compared(tmp_path):
    """An export that says another number of messages than it holds is partial."""
    with pytest.raises(SourceError, match="holds 9 messages and holds 1"):
        read(save(tmp_path, export(message(1), messageCount=9)))


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Reading 32 MB of JSON takes a few MB: messages come one by one, whatever the file's size."""
    with (tmp_path / "export.json").open("w") as file:
        head, tail = json.dumps(export(message(0))).split(json.dumps(message(0)))
        file.write(head + ",".join(json.dumps(message(number, content="x" * 16_000)) for number in range(2_000)))
        file.write(tail.replace('"messageCount": 1', '"messageCount": 2000'))
    tracemalloc.start()
    with (tmp_path / "export.json").open("rb") as stream:
        assert sum(1 for _ in messages(stream)) == 2_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000


@pytest.mark.parametrize("dialect", [";", ","])
def test_csv_dialects(tmp_path, dialect):
    """Both dialects give the same records: cells over several lines, quotes inside, 12-hour times, sums of reactions."""
    text = table(
        ("77", "ana#1234", "12-Jul-19 08:37 AM", 'two\nlines; "quoted", more\rand a third', "👍 (2),troll_hurt (1)"),
        ("88", "bo#0001", "12-Jul-19 12:05 AM", "midnight", ""),
        ("88", "bo#0001", "12-Jul-19 12:05 PM", "noon", ""),
        dialect=dialect,
    )
    first, midnight, noon = read(save(tmp_path, text, "bees/csv/talk/hives/1.csv")).records
    assert first.text == 'two\nlines; "quoted", more\nand a third'
    assert (first.author, first.author_name, first.created_at, first.score, first.kind) == ("77", "ana", 1_562_920_620, 3, "post")
    assert (midnight.created_at, noon.created_at) == (1_562_889_900, 1_562_889_900 + 43_200)
    assert midnight.score == 0
    assert first.communities == (f"discord:{tmp_path.name}/talk/hives",)


@pytest.mark.parametrize(
    ("name", "options", "key"),
    [
        pytest.param("csv/talk/hives/3.csv", "?guild=Bees", "discord:Bees/talk/hives", id="folders"),
        pytest.param("2019-Dec-11/csv/talk/hives/part.csv", "?guild=Bees", "discord:Bees/talk/hives", id="folders-of-days"),
        pytest.param("hives.csv", "?guild=Bees", "discord:Bees/hives", id="a-file-a-channel"),
        pytest.param("The Bees - Talk - hives [200000000000000002].csv", "", "discord:The-Bees/200000000000000002", id="exporter's-name"),
        pytest.param("The Bees - hives [200000000000000002] (after 2019).csv", "", "discord:The-Bees/200000000000000002", id="no-category"),
        pytest.param("csv/talk/hives/3.csv", "?guild=Bees&unit=server", "discord:Bees/server", id="server"),
    ],
)
def test_channel_of_a_path(tmp_path, name, options, key):
    """The channel of a CSV file is found in its name or its folders."""
    (record,) = read(save(tmp_path, table(("77", "ana#1234", "12-Jul-19 08:37 AM", "hi", "")), name), options).records
    assert record.communities == (key,)


@pytest.mark.parametrize(
    ("date", "zone", "expected"),
    [
        pytest.param("12-Jul-19 08:37 AM", "Europe/Berlin", 1_562_920_620 - 7_200, id="zone"),
        pytest.param("7/12/2019 8:37 AM", "UTC", 1_562_920_620, id="american"),
        pytest.param("7/12/2019 8:37\u202fAM", "UTC", 1_562_920_620, id="american-narrow-space"),
        pytest.param("2019-07-12T08:37:00.0000000+00:00", "Europe/Berlin", 1_562_920_620, id="iso"),
    ],
)
def test_csv_times(tmp_path, date, zone, expected):
    """The exporter's forms of time are read, in the zone that is set where they name none."""
    folder = save(tmp_path, table(("77", "ana", date, "hi", "")), "hives.csv")
    (record,) = read(folder, f"?time_zone={zone}").records
    assert record.created_at == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param(("77", "ana#1234", "hi"), ("77", False, "hi"), id="person"),
        pytest.param(("9", "relay#0000", "hi"), ("Bees/relay", False, "hi"), id="webhook"),
        pytest.param(("9", "GitHub#0000", "pushed"), ("Bees/GitHub", True, "pushed"), id="service"),
        pytest.param(("9", "KMD TipBot#0077", "hi"), ("9", True, "hi"), id="program"),
        pytest.param(("456", "Deleted User#0000", "hi"), (None, False, "hi"), id="deleted"),
        pytest.param(("9", "Gateway#3763", "[slack] <Bo Li> hi <b>"), ("Bees/Bo Li", False, "hi <b>"), id="relayed"),
        pytest.param(("9", "Gateway#3763", "<system> too big"), ("Bees/system", False, "too big"), id="relayed-without-network"),
        pytest.param(("77", "ana#1234", "<br> hi"), ("77", False, "<br> hi"), id="markup"),
    ],
)
def test_csv_authors(tmp_path, cells, expected):
    """Members are their ids, webhooks their names, relayed people themselves, and no relayed name is left in the text."""
    author_id, author, content = cells
    text = table((author_id, author, "12-Jul-19 08:37 AM", content, ""))
    (record,) = read(save(tmp_path, text, "hives.csv"), "?guild=Bees").records
    assert (record.author, record.bot, record.text) == expected


@pytest.mark.parametrize("date", ["12/07/2019 8:37 AM", "7/12/2019 08:37", "12.07.2019 08:37"])
def test_times_of_other_countries_are_no_guess(tmp_path, date):
    """Zeros before day or month, or a clock of 24 hours, are not American English: day and month may stand the other way round."""
    page = read(save(tmp_path, table(("77", "ana#1", date, "hi", ""), ("77", "ana#1", "12-Jul-19 08:37 AM", "hi", "")), "c.csv"))
    assert [bad.reason for bad in page.quarantined] == ["a time of unknown form"]
    assert len(page.records) == 1


def test_csv_without_author_ids(tmp_path):
    """The oldest exports name authors alone; two of one name differ by their tag."""
    text = 'Author;Date;Content;\r\n"ana#1234";"12-Jul-19 08:37 AM";"hi";\r\n"ana#5678";"12-Jul-19 08:38 AM";"ho";\r\n'
    assert [record.author for record in read(save(tmp_path, text, "bees/c.csv"), "?guild=Bees").records] == [
        "Bees/ana#1234",
        "Bees/ana#5678",
    ]


@pytest.mark.parametrize("value", [{}, {"post_stream": {"posts": []}}, {"guild": {"id": "1"}, "channel": {}}])
def test_json_without_messages_is_no_export(tmp_path, value):
    """Some other program's JSON is told as such, not read as a quiet channel."""
    assert partial(save(tmp_path, value), "it is no export of DiscordChatExporter: it has no list of messages") == []


def test_the_same_message_in_two_exports_is_one_record(tmp_path):
    """Ids depend on channel, minute and text, and on the order of authors who wrote the same, also over the end of a file."""
    at = "12-Jul-19 08:37 AM"
    rows = [("77", "ana#1", at, "yes", ""), ("77", "ana#1", at, "yes", ""), ("88", "bo#2", at, "yes", ""), ("99", "cy#3", at, "yes", "")]
    save(tmp_path, table(*rows[:3]), "one/csv/talk/hives/2.csv")
    save(tmp_path, table(*rows[3:]), "one/csv/talk/hives/10.csv")
    save(tmp_path, table(*rows, dialect=","), "two/csv/talk/hives/1.csv")
    records = read(tmp_path, "?guild=Bees").records
    assert len(records) == 8
    by_id = {record.id: record.author for record in records}
    assert sorted(by_id.values()) == ["77", "88", "99"]
    save(tmp_path, table(rows[0]), "other/csv/talk/wood/1.csv")
    assert len({record.id for record in read(tmp_path, "?guild=Bees&unit=server").records}) == 4


def test_quiet_days_and_short_rows(tmp_path):
    """An empty file or a header alone is a quiet day; a row with too few cells is quarantined."""
    save(tmp_path, "", "a.csv")
    save(tmp_path, HEADS[","], "b.csv")
    save(tmp_path, table(("77", "ana#1", "12-Jul-19 08:37 AM", "hi", "")) + '"77";"ana"\r\n', "c.csv")
    page = read(tmp_path)
    assert (len(page.records), [each.reason for each in page.quarantined]) == (1, ["fewer cells than columns"])


def test_cut_csv_is_partial(tmp_path):
    """A CSV export that ends inside a cell gives the rows before it and says so."""
    text = table(("77", "ana#1", "12-Jul-19 08:37 AM", "hi", ""), ("77", "ana#1", "12-Jul-19 08:38 AM", "a long text", ""))
    records = partial(save(tmp_path, text[:-20], "hives.csv"), "ends inside a cell")
    assert [each.text for each in records] == ["hi"]


def test_archives_and_resuming(tmp_path):
    """A tar archive gives what the folder gives, and from any cursor on the rest is the same."""
    folder = save(tmp_path / "bees", table(*(("77", "ana#1", "12-Jul-19 08:37 AM", f"t{n}", "") for n in range(5))), "csv/talk/hives/1.csv")
    save(folder, table(("88", "bo#1", "12-Jul-19 08:37 AM", "t4", "")), "csv/talk/hives/2.csv")
    with tarfile.open(tmp_path / "bees.tar", "w") as archive:
        archive.add(folder / "csv", "csv")
    whole = read(folder).records
    assert sorted(each.id for each in read(tmp_path / "bees.tar").records) == sorted(each.id for each in whole)
    resumed = gather(load(f"discord_export:{folder}", credentials={}), cursor=Cursor(position='[0, 0, 3, "csv/talk/hives/1.csv"]'))
    assert resumed == whole[3:]


def test_disco_xml_undoes_what_printing_did(tmp_path):
    """Texts of the data set were printed as Python prints strings: its escapes are characters, and a doubled backslash is one."""
    said = r"<message><ts>2020-01-01T06:41:00</ts><user>ana</user><text>it\'s\ta \\text C:\\new\xa0and \u200dmore \q</text></message>"
    save(tmp_path, f"<discord><team_domain>R</team_domain><channel_name>g</channel_name>{said}</discord>", "one.xml")
    assert read(tmp_path).records[0].text == "it's\ta \\text C:\\new\xa0and \u200dmore \\q"


def test_disco_xml(tmp_path):
    """The data set's XML gives its channel's messages; a name in two files is two people, and a file cut short is partial."""
    said = "<message>\n  <ts>2020-08-02T06:41:50.103000</ts>\n  <user>ana</user>\n  <text>a &lt; b</text>\n</message>"
    text = f"<discord><team_domain>Racket</team_domain><channel_name>general</channel_name>{said}{said}</discord>"
    save(tmp_path, text, "one.xml")
    save(tmp_path, text.replace("06:41", "07:41"), "two.xml")
    records = read(tmp_path).records
    assert {(each.communities, each.text) for each in records} == {(("discord:Racket/general",), "a < b")}
    assert [each.created_at for each in records] == [1_596_350_510, 1_596_350_510, 1_596_354_110, 1_596_354_110]
    assert (len({each.id for each in records}), len({each.author for each in records})) == (4, 2)
    assert len(partial(save(tmp_path / "cut", text[:-30], "one.xml"), "no XML of the DISCO data set")) == 1


def test_unknown_zone_is_refused():
    """A zone that does not exist is an error that names it."""
    with pytest.raises(UnknownSourceError, match="Mars/Olympus"):
        load("discord_export:x?time_zone=Mars/Olympus", credentials={})


@pytest.mark.real_data
@pytest.mark.peers
def test_counts_of_a_real_archive():
    """430,069 messages come out, 427,651 of them distinct, in 65 channels, none of a deleted user's under a name."""
    if not REAL.exists():
        pytest.skip("the real data is not here")
    ids, channels, members, fetched = set(), set(), set(), 0
    for page in load(f"discord_export:{REAL}", credentials={}).batches(Cursor(), window=EVER):
        fetched += page.fetched
        ids.update(record.id for record in page.records)
        channels.update(record.communities for record in page.records)
        members.update(record.author for record in page.records if record.author and record.author.isdigit())
    assert (fetched, len(ids), len(channels)) == (430_069, 427_651, 65)
    assert len(members) == 3_357 - 8
