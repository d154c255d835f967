"""One run at a time."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from discovery.lock import DataDirError, RunLockedError, locked

ROOT = Path(__file__).parents[1]
HOLD = (
    "import sys\nfrom pathlib import Path\nfrom discovery.lock import locked\n"
    "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
)


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds a folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_it(tmp_path: Path) -> None:
    """While one process holds the folder, another is refused at once with the holder's number; afterwards it gets in."""
    with holder(tmp_path) as process:
        with pytest.raises(RunLockedError, match=f"Process {process.pid} is running on {tmp_path}"), locked(tmp_path):
            pass
        process.communicate()
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """SIGKILL frees the lock; the number it left behind is overwritten."""
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """A data directory that is made can be read by nobody else, nor can the lock."""
    with locked(tmp_path / "deep" / "data"):
        assert stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "deep" / "data" / "lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_is_no_folder(tmp_path: Path, place: str) -> None:
    """Where a file stands, the message says that it cannot be a folder, and the file stays."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataDirError, match=r"cannot be used as a folder .*: name another in config\.yaml"), locked(tmp_path / place):
        pass
    assert (tmp_path / "file").read_text() == "mine"
