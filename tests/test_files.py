"""Opening and paging files: every way a user may hold them, damage, resuming, and the count of every item."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from discovery.sources import EVER, Source, SourceError, UnknownSourceError, Window, load
from discovery.sources.files import PAGE, json_value
from discovery.sources.items import MalformedItemError
from discovery.sources.pushshift import Pushshift
from storage.records import Batch, Cursor
from tests.factories import gather

BEGIN = 1_500_000_000
WIDE = bytes.fromhex("28b52ffd 00 a8")
"""A zstd frame's header that asks for a window of 2^31, as Pushshift's do; one raw block follows."""


def rows(count: int, *, first: int = 1) -> bytes:
    """Write posts of one subreddit as a dump does, one a line, a second apart."""
    made = (
        {
            "id": f"a{number}",
            "subreddit": "bees",
            "author": "ana",
            "created_utc": BEGIN + number,
            "title": f"Post {number}",
            "selftext": "x",
        }
        for number in range(first, first + count)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


def zst(data: bytes, *, checksum: bool = True) -> bytes:
    """Compress as dumps are compressed, with the checksum that they often lack."""
    return zstandard.ZstdCompressor(write_checksum=checksum).compress(data)


def tar(members: dict[str, bytes]) -> bytes:
    """Pack files into a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def dump(path: Path) -> Source:
    """Name a path as a dump, as the command line does."""
    return load(f"pushshift:{path}", credentials={})


def pages(source: Source, cursor: Cursor | None = None, window: Window = EVER) -> Iterator[Batch]:
    """Read a source page by page."""
    return source.batches(cursor or Cursor(), window=window)


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        pytest.param("RS.ndjson", lambda data: data, id="plain"),
        pytest.param("RS.zst", zst, id="zst"),
        pytest.param("RS.zst", lambda data: zst(data[:500]) + b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + zst(data[500:]), id="zst-frames"),
        pytest.param("RS.zst", lambda data: WIDE + (len(data) << 3 | 1).to_bytes(3, "little") + data, id="zst-window-of-2-GiB"),
        pytest.param("RS.gz", gzip.compress, id="gz"),
        pytest.param("RS.bz2", bz2.compress, id="bz2"),
        pytest.param("RS.xz", lzma.compress, id="xz"),
        pytest.param("all.tar", lambda data: tar({"RS.ndjson": data}), id="tar"),
        pytest.param("all.tar.zst", lambda data: zst(tar({"RS.ndjson": data})), id="tar.zst"),
        pytest.param("all.tgz", lambda data: gzip.compress(tar({"in/RS.ndjson": data, ".hidden/RS.ndjson": data})), id="tgz"),
        pytest.param("all.tar", lambda data: tar({"RS.zst": zst(data), "readme.md": b"#"}), id="zst-in-tar"),
    ],
)
def test_every_way_to_hold_a_file(tmp_path: Path, name: str, packed: Callable[[bytes], bytes]) -> None:
    """The same records come out of a file however it is compressed or packed, named alone or by its folder."""
    (tmp_path / name).write_bytes(packed(rows(30)))
    expected = [f"reddit:t3_a{number}" for number in range(1, 31)]
    assert [record.id for record in gather(dump(tmp_path / name))] == expected
    assert [record.id for record in gather(dump(tmp_path))] == expected


def test_folder_is_read_recursively_in_order_of_names(tmp_path: Path) -> None:
    """Files come sorted by their path, hidden ones and those of other kinds are passed over."""
    for name, first in {"b/RS_1.ndjson": 3, "a/RS_2.ndjson": 2, "RS_0.ndjson": 1, ".git/RS.ndjson": 8, "b/.RS.ndjson": 9}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(rows(1, first=first))
    (tmp_path / "notes.md").write_text("no dump")
    assert [record.id for record in gather(dump(tmp_path))] == ["reddit:t3_a1", "reddit:t3_a2", "reddit:t3_a3"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: path / "gone.zst", "There is no file or folder", id="missing"),
        pytest.param(lambda path: path / "RS.zst?unit=site", "stand beside `path`, not in it behind a `\\?`", id="settings-in-a-path"),
        pytest.param(lambda path: path, r"holds no file of this kind, which reads \*.json, .*RC_", id="empty-folder"),
        pytest.param(lambda path: _written(path / "a.tar", tar({"readme.md": b"#"})), "holds no file of this kind", id="empty-archive"),
        pytest.param(lambda path: _written(path / "x.zst", b""), "cut short", id="zero-bytes"),
        pytest.param(lambda path: _written(path / "x.gz", b""), "cut short", id="zero-bytes-gz"),
        pytest.param(lambda path: _written(path / "x.zst", b"no zstd at all, far from it"), "cannot be read", id="not-zstd"),
        pytest.param(lambda path: _written(path / "x.json", b"\xff\xd8\xff\xe0 a picture\n"), "None of the 1 items", id="other-kind"),
    ],
)
def test_nothing_to_read_is_an_error_with_a_remedy(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    """A path that holds nothing of the kind ends in an error that names it, not in an empty result."""
    with pytest.raises(SourceError, match=message):
        gather(Pushshift(path=make(tmp_path)))


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_no_path_is_wrong_use() -> None:
    """A kind without a path does not fall back to the working directory."""
    with pytest.raises(UnknownSourceError, match="names no path"):
        load("pushshift:", credentials={})


@pytest.mark.parametrize(
    ("name", "packed"), [("RS.zst", zst), ("RS.gz", gzip.compress), ("RS.xz", lzma.compress), ("RS.bz2", bz2.compress)]
)
@pytest.mark.parametrize("share", [0.999, 0.5, 0.1])
def test_a_file_cut_short_is_never_silent(tmp_path: Path, name: str, packed: Callable[[bytes], bytes], share: float) -> None:
    """What could be read of a truncated file is delivered as pages; then the error says that and where it ended."""
    data = packed(rows(5_000))
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    read = []
    with pytest.raises(SourceError, match="cannot be read further"):
        read.extend(pages(dump(tmp_path / name)))
    found = [record.id for page in read for record in page.records]
    assert found == [f"reddit:t3_a{number}" for number in range(1, len(found) + 1)]
    assert not any(page.cursor.exhausted for page in read)


@pytest.mark.parametrize("packed", [lambda data: data, zst])
def test_a_last_line_that_is_cut_makes_a_partial(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    """A dump without its end ends in half a line: that is said, also by a resumed run, and the other files are read."""
    (tmp_path / "RS_1.zst" if packed is zst else tmp_path / "RS_1.ndjson").write_bytes(packed(rows(3)[:-9]))
    (tmp_path / "RS_2.ndjson").write_bytes(rows(PAGE, first=9))
    read = []
    with pytest.raises(SourceError, match=r"1 of its files ends before its end; the first is `RS_1.*`: its last line, 3, is cut short"):
        read.extend(pages(dump(tmp_path)))
    assert [(len(page.records), len(page.quarantined)) for page in read] == [(PAGE - 1, 1), (3, 0)]
    for page in read:
        with pytest.raises(SourceError, match="its last line, 3, is cut short"):
            gather(dump(tmp_path), cursor=page.cursor)


@pytest.mark.parametrize("end", [b'{"title": "x"}', b"{broken\n"])
def test_a_last_line_that_is_whole_makes_none(tmp_path: Path, end: bytes) -> None:
    """A last line that parses, or that has its end, is malformed and no sign of more."""
    (tmp_path / "RS.ndjson").write_bytes(rows(2) + end)
    (page,) = pages(dump(tmp_path))
    assert (len(page.records), len(page.quarantined)) == (2, 1)


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    """A zstd frame that carries a checksum cannot be altered unseen, wherever its bit is flipped."""
    data = bytearray(zst(rows(200)))
    for place in range(6, len(data), 97):
        flipped = data.copy()
        flipped[place] ^= 0x10
        (tmp_path / "RS.zst").write_bytes(flipped)
        with pytest.raises(SourceError):
            gather(dump(tmp_path / "RS.zst"))


@pytest.mark.parametrize(("checksum", "doubt"), [(True, None), (False, "1 of its files carry no checksum")])
def test_unverified_where_no_checksum_is(tmp_path: Path, checksum: bool, doubt: str | None) -> None:
    """A source whose file has no checksum says so after reading, and only then."""
    (tmp_path / "RS.zst").write_bytes(zst(rows(3), checksum=checksum))
    source = dump(tmp_path / "RS.zst")
    gather(source)
    assert (source.unverified() is None) if doubt is None else (doubt in str(source.unverified()))


def test_pages_balance_and_a_resumed_run_reads_the_rest(tmp_path: Path) -> None:
    """From the cursor of any page, what follows is exactly what an undisturbed run reads after it."""
    (tmp_path / "RS_1.ndjson").write_bytes(rows(PAGE - 5) + b"{broken\n")
    (tmp_path / "RS_2.tar").write_bytes(tar({"RS_2a.ndjson": rows(PAGE, first=PAGE), "RS_2b.ndjson": rows(7, first=3 * PAGE)}))
    whole = list(pages(dump(tmp_path)))
    assert [page.fetched for page in whole] == [PAGE, PAGE, 3]
    assert all(page.fetched == len(page.records) + len(page.quarantined) + page.refused for page in whole)
    assert [page.cursor.exhausted for page in whole] == [False, False, True]
    for done, page in enumerate(whole, 1):
        rest = list(pages(dump(tmp_path), page.cursor))
        assert [record.id for page in rest for record in page.records] == [record.id for page in whole[done:] for record in page.records]


def test_a_file_replaced_under_a_resumed_run_is_refused(tmp_path: Path) -> None:
    """A cursor counts items of a certain file; under another name it does not resume."""
    (tmp_path / "RS_1.ndjson").write_bytes(rows(PAGE + 1))
    cursor = next(pages(dump(tmp_path))).cursor
    (tmp_path / "RS_1.ndjson").rename(tmp_path / "RS_0.ndjson")
    with pytest.raises(SourceError, match="has been replaced"):
        list(pages(dump(tmp_path), cursor))


def test_records_outside_the_window_are_refused_and_counted(tmp_path: Path) -> None:
    """The window is half open: its end is outside."""
    (tmp_path / "RS.ndjson").write_bytes(rows(10))
    (page,) = pages(dump(tmp_path), window=Window(BEGIN + 3, BEGIN + 6))
    assert [record.created_at - BEGIN for record in page.records] == [3, 4, 5]
    assert (page.fetched, page.refused) == (10, 7)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b'{"id": "a1"', "not JSON", id="cut"),
        pytest.param(b'{"id": "\xff"}', "not JSON", id="not-utf-8"),
        pytest.param(b'{"id": NaN}', "not JSON", id="nan"),
        pytest.param(b'{"id": "\\ud800"}', "not JSON", id="lone-surrogate"),
        pytest.param(b'{"id":' + b"[" * 70 + b"]" * 70 + b"}", "nested deeper than 64", id="deep"),
        pytest.param(b"[" * 100_000, "not JSON", id="bomb"),
        pytest.param(b'{"secretname": "' + b"x" * (1 << 20) + b'"}', "a line longer than", id="long"),
        pytest.param(b'{"title": "secretname"}', "no field id", id="no-id"),
        pytest.param(rows(1).replace(b'"ana"', b"7"), "a field of the wrong form", id="type"),
        pytest.param(rows(1).replace(b"1500000001", b"1e999"), "a field of the wrong form", id="infinite"),
        pytest.param(rows(1).replace(b"1500000001", b"9" * 30), "created_at: less_than", id="huge"),
        pytest.param(rows(1).replace(b"Post", b"secretname\\u0000"), "title: the text holds a NUL character", id="nul"),
        pytest.param(rows(1).replace(b"bees", b"../../secretname"), "a subreddit's name of the wrong form", id="path"),
    ],
)
def test_a_bad_line_is_quarantined_without_its_words(tmp_path: Path, line: bytes, reason: str) -> None:
    """One bad line harms no other, and says where it stood and why but nothing of what it held."""
    (tmp_path / "RS.ndjson").write_bytes(b"\xef\xbb\xbf" + rows(1) + b"\r\n" + line.rstrip(b"\n") + b"\n" + rows(1, first=2).rstrip(b"\n"))
    (page,) = pages(dump(tmp_path))
    assert [record.id for record in page.records] == ["reddit:t3_a1", "reddit:t3_a2"]
    (bad,) = page.quarantined
    assert bad.position == "RS.ndjson:3"
    assert reason in bad.reason
    assert "secretname" not in bad.model_dump_json()
    assert len(bad.sha256) == 64


def test_nesting_of_64_is_allowed() -> None:
    """The depth that is allowed is exactly 64, however many brackets stand side by side."""
    deep = b"[" * 64 + b"]" * 64
    assert json_value(b"[" * 63 + b"[],[]" + b"]" * 63)
    assert json_value(deep)
    with pytest.raises(MalformedItemError):
        json_value(b"[" + deep + b"]")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Four pages need no more memory than two, and a bomb of zeros in a line is passed over in pieces."""

    def peak(path: Path) -> int:
        tracemalloc.start()
        for page in pages(dump(path)):
            assert sum(len(record.text) for record in page.records) < 80 << 20
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    line = rows(1).replace(b'"x"', b'"' + b"x" * 900_000 + b'"')
    for count in (160, 320):
        (tmp_path / f"{count}.zst").write_bytes(zst(line * count))
    assert peak(tmp_path / "320.zst") < 1.3 * peak(tmp_path / "160.zst")
    (tmp_path / "bomb.zst").write_bytes(zst(rows(1) + b"\0" * (1 << 28) + b"\n"))
    assert peak(tmp_path / "bomb.zst") < 128 << 20


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        pytest.param("RS.ndjson", b"PK\x03\x04\n" + rows(3), "ZIP archive: unpack it first", id="zip-stored-without-compression"),
        pytest.param("RS.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40), "7z archive: unpack it first", id="7z"),
        pytest.param("RS.ndjson", rows(3).decode().encode("utf-16"), "UTF-16 text: save it as UTF-8", id="utf-16"),
        pytest.param("RS.ndjson", gzip.compress(rows(3)), "ending .gz", id="gz-without-its-ending"),
        pytest.param("RS.ndjson", zst(rows(3)), "ending .zst", id="zst-without-its-ending"),
        pytest.param("RS.gz", rows(3), "rename it", id="plain-with-an-ending"),
    ],
)
def test_bytes_of_another_format_than_named_are_an_error_with_a_remedy(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    """A file in a format that nothing here opens is not read half right, and fetching it again is not what helps."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=message) as caught:
        list(pages(dump(tmp_path / name)))
    assert "fetch" not in str(caught.value)


def test_a_folder_of_archives_still_packed_says_so(tmp_path: Path) -> None:
    """A download as it came is told to be unpacked, not that there is nothing."""
    (tmp_path / "coffee.stackexchange.com.7z").touch()
    with pytest.raises(SourceError, match=r"`coffee\.stackexchange\.com\.7z` must be unpacked first"):
        list(pages(load(f"stackexchange_dump:{tmp_path}", credentials={})))


@pytest.mark.parametrize("cut", [1024, 1300])
def test_an_archive_without_its_end_is_cut_short(tmp_path: Path, cut: int) -> None:
    """An archive that ends after a member or inside the next one's header is no whole archive; what came before is kept."""
    whole = tar({"RS_1.ndjson": rows(1), "RS_2.ndjson": rows(1, first=1)})
    assert len(rows(1)) <= 512
    (tmp_path / "all.tar").write_bytes(whole[:cut])
    read = []
    with pytest.raises(SourceError, match=r"after item 1 of `RS_1\.ndjson`: the archive is cut short"):
        read.extend(pages(dump(tmp_path / "all.tar")))
    assert [record.id for page in read for record in page.records] == ["reddit:t3_a1"]
