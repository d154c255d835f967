"""One run at a time: a lock on the data directory that the kernel frees when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILES, FOLDERS = ("subcurrent.db", "activity.duckdb", "pseudonym.key"), ("work", "spill", "vectors")
"""What a run needs in a data directory, so that nothing else is taken for it; a report can fail on its own."""


class RunLockedError(RuntimeError):
    """Another run holds the data directory."""


class DataDirError(ValueError):
    """The data directory cannot be one."""


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data directory, making it if it is not there.

    Raises:
        DataDirError: something else stands there, or it may not be written.
        RunLockedError: another run holds it; the message names its process.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataDirError(f"data_dir {data_dir} cannot be used as a folder ({error.strerror}): name another in config.yaml.") from None
    _orderly(data_dir)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read(20).strip() or "unknown"
            raise RunLockedError(
                f"Process {holder} is running on {data_dir}: wait for it, or use another --config with its own data_dir."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _orderly(data_dir: Path) -> None:
    """Refuse a directory in which a folder stands where a file belongs, or the other way round."""
    for name in FILES:
        if (data_dir / name).is_dir():
            raise DataDirError(f"{data_dir / name} is a folder, where a file of ours belongs: move it away, or restore the file.")
    for name in FOLDERS:
        if (data_dir / name).exists() and not (data_dir / name).is_dir():
            raise DataDirError(f"{data_dir / name} is a file, where a folder of ours belongs: move it away.")
