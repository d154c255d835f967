"""The report: a published run flows in from SQLite; Markdown, one HTML page and SVG figures flow out into a folder.

The folder is written beside its place and renamed, so that a reader never sees half a report. Nothing in it depends on when it was
written: the same published run gives the same bytes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from errno import EEXIST
from pathlib import Path

from scoring.report import content, render
from storage.results_file import read_only

TOP = 5
SHOWN = 25


def write_report(database: Path, reports: Path) -> Path:
    """Write the report of the published run to ``reports/<run>/`` and point ``reports/latest`` to it.

    Returns:
        The folder, which holds report.md, report.html and the figures.

    Raises:
        ResultsFileError: The results are missing, foreign, damaged or newer.
        LookupError: Nothing has been published yet.
    """
    with read_only(database) as connection:
        contents = content.read(connection, top=TOP, shown=SHOWN)
    from scoring.report import figures  # noqa: PLC0415 - matplotlib takes a second to import, which other commands need not pay

    drawn = figures.draw(contents)
    captions = {name: caption for name, caption in figures.captions(contents).items() if name in drawn}
    text = render.markdown(contents, figures=captions)
    return _place(reports / contents.run["run_id"], {"report.md": text, "report.html": render.page(text, figures=drawn), **drawn})


def _place(folder: Path, files: dict[str, str]) -> Path:
    """Put the files into a folder at once, then move the pointer to it."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    latest = folder.parent / "latest"
    if latest.is_dir() and not latest.is_symlink():
        raise FileExistsError(EEXIST, "a folder stands where the link to the newest report belongs: move it away", str(latest))
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, text in files.items():
            (fresh / name).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(fresh / "replaced")
        fresh.rename(folder)
        shutil.rmtree(folder / "replaced", ignore_errors=True)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    pointer = folder.parent / f".latest.{os.getpid()}"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(folder.name)
    pointer.replace(latest)
    return folder
