"""Opening what a user holds: a path goes in, its members come out one by one as byte streams, and damage raises.

A path is a file, a folder or a tar archive, plain or compressed (.zst .gz .bz2 .xz). Nothing is extracted, nothing is
held whole, and a member that is cut short or fails its checksum raises instead of ending early.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Self, cast

import zstandard

from discovery.sources import SourceError


class ForeignFormatError(OSError):
    """The bytes are of a format that nothing here opens. Its message says which, and what to do about it."""


DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, tarfile.TarError, OSError)
"""What reading a member raises where the file is cut, altered or unreadable."""

_WINDOW = 2**31  # Pushshift's frames need it: the one exception to the memory bound, so members are read one at a time
_STEP = 1024  # compressed bytes decoded at once: a frame expands at most 2^15 times, so one step yields at most 32 MiB
_FRAME_HEADER = 18  # longest header of a zstd frame
_BUFFER = 1 << 20

_COMPRESSIONS = (".zst", ".gz", ".bz2", ".xz")
_FOREIGN = {
    b"PK\x03\x04": "it is a ZIP archive: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "it is a 7z archive: unpack it first",
    b"Rar!\x1a\x07": "it is a RAR archive: unpack it first",
    b"\xff\xfe": "it is UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "it is UTF-16 text: save it as UTF-8",
}
"""First bytes of what is often handed over by mistake. Read line by line, a ZIP without compression would look half right."""
_MAGIC = {b"\x28\xb5\x2f\xfd": ".zst", b"\x1f\x8b\x08": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\x00": ".xz"}
_PACKED = frozenset({".zip", ".7z", ".rar"})
_ARCHIVES = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}


class Member(NamedTuple):
    """One file inside the path, open for reading from its beginning."""

    name: str
    """Path below the folder or archive (the file's own name for a single file), without a compression's suffix."""
    stream: BinaryIO
    path: Path
    """File on disk: the member itself or, where ``packed``, what is around it."""
    packed: bool
    """Compressed or inside an archive, so that only ``stream`` gives the member's bytes."""
    place: tuple[int, int]
    """Ordinal of the file in the path and of the member in the file."""

    @property
    def stem(self) -> str:
        """Name without folders and suffix, for example ``RC_2012-01``."""
        return PurePosixPath(self.name).stem

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders above it inside the path, outermost first."""
        return PurePosixPath(self.name).parent.parts


class Wanted(NamedTuple):
    """Which files of a folder or an archive are read."""

    accepts: Callable[[str], bool]
    """Tells by its name whether a file is wanted."""
    order: Callable[[str], tuple[int, str]]
    """Sort key of the names in a folder; an archive keeps its own order."""
    named: str
    """The names that are wanted, in words, for whoever has none."""


def members(path: Path, *, wanted: Wanted, begin: int, unchecked: Callable[[str], None]) -> Iterator[Member]:
    """Open the members of a path one after the other; each is closed when the next is asked for.

    Args:
        path: A file (always read), a folder (read recursively) or a tar archive (streamed).
        wanted: Which files of a folder or archive to open.
        begin: Ordinal of the first file to open.
        unchecked: Called with the name of each file whose bytes no checksum covered.

    Raises:
        SourceError: nothing is there to read.
        DAMAGE: a file is cut, altered or unreadable.
    """
    if path.is_dir():
        files = _files(path, wanted)
    elif path.exists():
        files = [(plain(path.name), path)]
    else:
        asked = "In config.yaml, settings stand beside `path`, not in it behind a `?`." if "?" in str(path) else ""
        raise SourceError(f"There is no file or folder `{path}`. {asked or 'Check the path after the colon of --source KIND:PATH.'}")
    opened_any = begin > 0
    for number, (name, file) in enumerate(files[begin:], begin):
        with ExitStack() as stack:
            raw = stack.enter_context(io.BufferedReader(io.FileIO(file), _BUFFER))
            _recognise(file.name, raw.peek(_FRAME_HEADER))
            stream, checked = _decompressed(file.name, raw)
            if _is_archive(file.name):
                archive = stack.enter_context(tarfile.open(fileobj=stream, mode="r|", tarinfo=_Entry))
                folder = f"{name}/" if path.is_dir() else ""
                for inner, (entry, opened) in enumerate(_archived(archive, wanted.accepts)):
                    opened_any = True
                    yield Member(folder + entry, opened, file, packed=True, place=(number, inner))
            else:
                opened_any = True
                yield Member(name, stream, file, packed=stream is not raw, place=(number, 0))
            while stream.read(_BUFFER):  # a checksum stands at the end
                pass
            if not checked():
                unchecked(file.name)
    if not opened_any:
        packed = next((f" `{file.name}` must be unpacked first." for file in sorted(path.rglob("*")) if file.suffix.lower() in _PACKED), "")
        raise SourceError(
            f"`{path}` holds no file of this kind, which reads {wanted.named}.{packed} Name the file itself, or another --source kind."
        )


def _recognise(name: str, begin: bytes) -> None:
    """Refuse bytes that are plainly of another format than the file's name says.

    Raises:
        ForeignFormatError: they are.
        EOFError: nothing is there to decompress.
    """
    for magic, fault in _FOREIGN.items():
        if begin.startswith(magic):
            raise ForeignFormatError(fault)
    suffix = PurePosixPath(name.lower()).suffix
    named = _ARCHIVES.get(suffix, suffix)
    found = next((ending for magic, ending in _MAGIC.items() if begin.startswith(magic)), "")
    if found and found != named:
        raise ForeignFormatError(f"it is compressed: give its name the ending {found}")
    if not begin and named in _COMPRESSIONS:
        raise EOFError("it is cut short: it holds not one byte")
    if begin and not found and named in {".gz", ".bz2", ".xz"}:
        raise ForeignFormatError(f"it is not compressed as its ending {suffix} says: rename it")


def _files(path: Path, wanted: Wanted) -> list[tuple[str, Path]]:
    """List the wanted files below a folder under their member names, in order; hidden ones are skipped."""
    found = []
    for file in path.rglob("*"):
        relative = file.relative_to(path)
        if not _hidden(relative) and file.is_file():
            name = relative.as_posix()
            if wanted.accepts(name) or _is_archive(name):
                found.append((plain(name), file))
    return sorted(found, key=lambda entry: (wanted.order(entry[0]), entry[1].as_posix()))


def _archived(archive: tarfile.TarFile, accepts: Callable[[str], bool]) -> Iterator[tuple[str, BinaryIO]]:
    """Stream the wanted files of an archive in its own order."""
    while (entry := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # a stream is never rewound, and the list would grow with it
        path = PurePosixPath(entry.name)
        if entry.isreg() and not _hidden(path) and accepts(path.as_posix()):
            opened = archive.extractfile(entry)
            yield plain(path.as_posix()), _decompressed(path.name, cast("BinaryIO", opened))[0]


def _decompressed(name: str, file: BinaryIO) -> tuple[BinaryIO, Callable[[], bool]]:
    """Decode a file as its suffix says; also give what tells, after reading, whether a checksum covered it."""
    suffix = PurePosixPath(name.lower()).suffix
    match _ARCHIVES.get(suffix, suffix):
        case ".zst":
            frames = _Frames(file)
            return io.BufferedReader(frames, _BUFFER), lambda: frames.checked
        case ".gz":
            return cast("BinaryIO", gzip.GzipFile(fileobj=file)), lambda: True
        case ".bz2":
            return cast("BinaryIO", bz2.BZ2File(file)), lambda: True
        case ".xz":
            return cast("BinaryIO", lzma.LZMAFile(file)), lambda: True
        case _:
            return file, lambda: False


def plain(name: str) -> str:
    """Name of a file without the suffix of its compression."""
    return name[: -len(suffix)] if (suffix := PurePosixPath(name).suffix).lower() in _COMPRESSIONS else name


def _is_archive(name: str) -> bool:
    return PurePosixPath(plain(name).lower()).suffix in {".tar", *_ARCHIVES}


def _hidden(path: PurePosixPath | Path) -> bool:
    return any(part.startswith(".") and part not in {".", ".."} for part in path.parts)


class _Entry(tarfile.TarInfo):
    """An entry of an archive. Python takes an archive that is cut between or inside headers for one that ends there."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError):  # type: ignore[attr-defined]  # typeshed leaves them out
            raise EOFError("the archive is cut short: it has no end mark") from None


class _Frames(io.RawIOBase):
    """Zstandard frames as one stream. A frame that ends early raises, which the decoder alone does not do."""

    def __init__(self, file: BinaryIO) -> None:
        self.checked = True
        self._file = file
        self._decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._frames = 0
        self._rest = b""
        self._decoded = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io's own buffers hand a memoryview
        while not self._decoded:
            if not self._decode():
                return 0
        count = min(len(buffer), len(self._decoded))
        buffer[:count] = self._decoded[:count]
        self._decoded = self._decoded[count:]
        return count

    def _decode(self) -> bool:
        """Decode one step; tell whether anything was left to decode."""
        step = self._rest or self._file.read(_STEP)
        self._rest = b""
        if not step:
            if self._frame is not None or not self._frames:
                raise EOFError("the last zstd frame is cut short")
            return False
        if self._frame is None:
            if len(step) < _FRAME_HEADER:
                step += self._file.read(_FRAME_HEADER)
            skippable = step[1:4] == b"\x2a\x4d\x18"
            self.checked &= skippable or zstandard.get_frame_parameters(step).has_checksum
            self._frame = self._decoder.decompressobj()
            self._frames += 1
        self._decoded = memoryview(self._frame.decompress(step))
        if self._frame.eof:
            self._rest, self._frame = self._frame.unused_data, None
        return True
