"""The command line as a user calls it, without waiting seconds for its imports: a server imports once, then forks for each call.

:func:`subcurrent` runs a command in a process of its own and tells its exit code and what it wrote. ``python -m tests.command_line`` is
the server: a JSON line per call on standard input, a JSON line per answer on standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, cast


class Said(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


def subcurrent(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Said:
    """Run a command to its end."""
    server = _server()
    call = {"arguments": [str(each) for each in arguments], "cwd": str(cwd or Path.cwd()), "env": env or {}}
    cast("IO[str]", server.stdin).write(json.dumps(call) + "\n")
    cast("IO[str]", server.stdin).flush()
    answer = cast("IO[str]", server.stdout).readline()
    assert answer, "the server has died"
    return Said(**json.loads(answer))


def configured(folder: Path, *sources: str, **settings: Any) -> Path:
    """Write a configuration with a data directory beside it."""
    path = folder / "config.yaml"
    path.write_text(json.dumps({"data_dir": str(folder / "data"), **settings, "sources": [source_settings(each) for each in sources]}))
    return path


def source_settings(argument: str) -> dict[str, str]:
    """Turn ``KIND:PATH?option=value`` into the keys of a configured source."""
    kind, _, rest = argument.partition(":")
    path, _, options = rest.partition("?")
    return {"kind": kind, "path": path, **dict(option.split("=", 1) for option in options.split("&") if option)}


def hobbies(folder: Path, names: tuple[str, str]) -> Path:
    """Lay out two tables of posts in ``folder/posts``; their names say in which order they are read."""
    (folder / "posts").mkdir(parents=True)
    for name, subject in zip(names, ("hives", "mites"), strict=True):
        rows = [
            f"{subject},p{at % 60},2025-{1 + at % 9:02}-{1 + at % 28:02}T{at % 24:02}:00:00Z,I would pay {at} for what counts {subject}"
            for at in range(400)
        ]
        (folder / "posts" / name).write_text("\n".join(["community,author,created_at,text", *rows, ""]))
    return folder


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.command_line"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


def load() -> None:
    """Import what every command would import."""
    from discovery import commands, night  # noqa: F401, PLC0415 - only in the server
    from scoring.report import figures  # noqa: F401, PLC0415


def become(arguments: list[str]) -> NoReturn:
    """Do in this forked process what ``subcurrent ARGUMENTS`` does, and end it."""
    from discovery.__main__ import main  # noqa: PLC0415

    sys.argv = ["subcurrent", *arguments]
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        sys.excepthook(*cast("Any", sys.exc_info()))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    load()
    for line in sys.stdin:
        call = json.loads(line)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = os.fork()
            if not child:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                os.chdir(call["cwd"])
                os.environ.update(call["env"])
                become(call["arguments"])
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            out.seek(0)
            err.seek(0)
            sys.stdout.write(json.dumps({"code": code, "out": out.read(), "err": err.read()}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _serve()
