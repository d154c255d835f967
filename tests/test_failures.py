"""What goes wrong is one line, an exit code, and a log without anything that people wrote."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from discovery import failures
from discovery.config import ConfigError
from discovery.lock import RunLockedError
from storage.database import open_database
from storage.errors import ResultsAccessError, ResultsFileError

SAID = "call me at 555-0199, says ana"


def raised() -> KeyError:
    """An error of a library that quotes what it choked on, on its way through two of our functions."""
    try:
        {}[SAID]
    except KeyError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("c.yaml, line 2: no."), 2, "c.yaml, line 2: no."),
        (RunLockedError("Process 7 is running."), 75, "Process 7 is running."),
        (ResultsFileError("x.db is damaged."), 1, "x.db is damaged."),
        (PermissionError(13, "Permission denied", "/data/x"), 1, "/data/x: Permission denied."),
    ],
)
def test_a_foreseen_error_says_the_fact(error: Exception, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Our own errors leave with their code and their own words, the system's with the path."""
    with pytest.raises(SystemExit) as end:
        failures.leave(error)
    assert end.value.code == code
    assert capsys.readouterr().err == f"subcurrent: {said}\n"


def test_a_database_error_keeps_its_values_to_itself(tmp_path: Path) -> None:
    """What SQLite says is told, without the statement and without its values."""
    with open_database(tmp_path / "results.db").connect() as connection, pytest.raises(ResultsAccessError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE a = :said"), {"said": SAID})
    assert failures.told(caught.value).startswith("SQLite says: no such table: nowhere.")
    assert failures.exit_code(caught.value) == 1
    assert SAID not in failures.told(caught.value)


def test_an_unforeseen_error_is_a_line_and_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the type, the place and the log; the log has the frames; neither quotes the message."""
    error = raised()
    failures.unforeseen(tmp_path)(KeyError, error, error.__traceback__)
    line = capsys.readouterr().err
    log = (tmp_path / failures.LOG).read_text()
    assert re.fullmatch(
        rf"subcurrent: KeyError in tests/test_failures.py, line \d+\. .* The details are in {tmp_path}/errors.log\.\n", line
    )
    assert "KeyError" in log
    assert "test_failures.py:" in log
    assert "555-0199" not in line + log
    assert stat.S_IMODE((tmp_path / failures.LOG).stat().st_mode) == 0o600


def test_the_log_names_what_led_to_it(tmp_path: Path) -> None:
    """Causes stand below the error, each with its type."""
    error = ValueError(SAID)
    error.__cause__ = raised()
    failures.unforeseen(tmp_path)(ValueError, error, None)
    log = (tmp_path / failures.LOG).read_text()
    assert log.index("ValueError") < log.index("KeyError")
    assert "555-0199" not in log


def test_without_a_folder_there_is_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the data directory is known, or where there is none, the line stands alone."""
    for folder in (None, tmp_path / "absent"):
        failures.unforeseen(folder)(KeyError, raised(), None)
    assert "details" not in capsys.readouterr().err


def test_memory_has_a_remedy() -> None:
    """Running out of memory says what to change."""
    assert "limits.memory" in failures.told(MemoryError())
    assert "limits.memory" in failures.told(type("OutOfMemoryException", (Exception,), {})(SAID))
