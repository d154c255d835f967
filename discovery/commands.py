"""The command line: one verb a command. Rows go to standard output, everything else to standard error."""

from __future__ import annotations

import gc
import os
import shlex
import sys
import textwrap
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from discovery import failures
from discovery.config import Config, read_config
from discovery.console import Format, Progress, show
from discovery.lock import locked
from discovery.sources import find, kinds
from discovery.stopping import Stopped
from scoring import explanation
from scoring.escape import terminal_text
from scoring.explanation import UnknownEntityError
from storage.reading import Answer, ask
from storage.results_file import identify

if TYPE_CHECKING:
    from discovery.night import Stage

app = typer.Typer(
    name="subcurrent",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find the kinds of online community there are, rank them as product opportunities, and show the evidence.",
    epilog="First steps: `subcurrent run` (an invented world, offline), then `subcurrent ranking` and `subcurrent report`. "
    "Exit codes: 0 published, or honestly too little data; 1 failed, nothing published; 2 wrong use or configuration; "
    "3 published, but a source or the report failed; 4 held by the gate; 75 another run holds the lock; 130 and 143 stopped by a signal.",
)
explain_app = typer.Typer(no_args_is_help=True, help="Say why something is where it is, and what would move it.")
app.add_typer(explain_app, name="explain")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file; without it ./config.yaml, else the invented world.")
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="KIND:PATH", help="Read this instead of the configured sources; may be given again."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Most rows.")]


class Engine(StrEnum):
    """Where exported activity is measured."""

    duckdb = "duckdb"
    spark = "spark"


class Of(StrEnum):
    """What a ranking is of."""

    archetypes = "archetypes"
    niches = "niches"
    communities = "communities"


ENTITY = {Of.archetypes: "archetype", Of.niches: "niche", Of.communities: "community"}
BRIEF = frozenset(
    [
        *("rank", "archetype_id", "niche_id", "community_id", "name", "verdict", "score", "score_low", "score_high"),
        *("rank_low", "rank_high", "p_top5", "communities", "active_authors", "top_need"),
    ]
)
"""Columns of a ranking that fit on a terminal; the other forms print all."""
NOTE_WIDTH = 100
"""Characters of a note that a terminal has room for."""
RUNS_BRIEF = """
SELECT run_id, CASE WHEN is_published THEN 'shown' ELSE status END AS status, datetime(started_at, 'unixepoch') AS started_utc,
    finished_at - started_at AS seconds, records, communities, structure, n_clusters, reason
FROM runs ORDER BY sequence DESC LIMIT {}
"""


def main() -> NoReturn:
    """Run the command line; whatever goes wrong is a line on standard error and an exit code, never a traceback."""
    sys.excepthook = failures.unforeseen(None)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal of another alphabet
    try:
        typer.main.get_command(app)(prog_name="subcurrent")
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
    except failures.FORESEEN as error:
        failures.leave(error)
    sys.exit(0)


def _settings(config_file: Path | None) -> Config:
    """Read the configuration; from here on it is known where the log of a fault belongs."""
    settings = read_config(config_file)
    sys.excepthook = failures.unforeseen(settings.data_dir)
    return settings


def _night(config_file: Path | None, source: list[str] | None, *, until: Stage | None = None, quiet: bool = False) -> NoReturn:
    """Run stages up to ``until`` and leave with the run's exit code."""
    from discovery import night  # noqa: PLC0415 - takes a second that reading the results does not have

    config = _settings(config_file)
    sources = config.open_sources(source or [])
    progress = Progress(quiet=quiet)
    gc.set_threshold(100_000)  # records come by the ten thousand and hold no cycles: collecting less often saves a quarter of ingest
    try:
        outcome = night.run(config, sources, until=until, progress=progress, clock=lambda: int(time.time()))
    except Stopped:
        sys.stderr.write("subcurrent: stopped; the same command goes on from there.\n")
        raise
    finally:
        progress.close()
    for line in outcome.message.splitlines():
        sys.stderr.write(f"{terminal_text(line)}\n")
    sys.exit(outcome.exit_code)


@app.command()
def run(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Do one run end to end: collect, measure, cluster, interpret, rank, judge, publish, report."""
    _night(config, source)


@app.command()
def collect(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Read the sources into the activity store, and stop there."""
    _night(config, source, until="collect")


@app.command()
def measure(  # noqa: PLR0913, PLR0917 - one parameter an option
    config: ConfigOption = None,
    source: SourceOption = None,
    activity: Annotated[
        str | None, typer.Option("--activity", metavar="FOLDER", help="Measure an exported activity instead, and print its features.")
    ] = None,
    engine: Annotated[Engine, typer.Option("--engine", help="Where an exported activity is measured: here, or on Spark.")] = Engine.duckdb,
    form: FormatOption = Format.table,
    as_json: JsonOption = False,
) -> None:
    """Go on to the features of each community, and stop there."""
    if activity is None:
        if engine is not Engine.duckdb:
            raise typer.BadParameter("it reads an exported activity: name its folder with --activity.", param_hint="--engine")
        _night(config, source, until="measure")
    from discovery import exchange  # noqa: PLC0415 - takes a second that reading the results does not have

    _show(exchange.answer(exchange.measured(_settings(config), activity, spark=engine is Engine.spark)), form, as_json)


@app.command()
def export(folder: Annotated[Path, typer.Argument(metavar="FOLDER")], config: ConfigOption = None) -> None:
    """Write the activity store as Parquet files, to be measured elsewhere; as private as the store itself."""
    from discovery import exchange  # noqa: PLC0415 - takes a second that reading the results does not have

    sys.stderr.write(f"{exchange.export(_settings(config), folder):,} records are in {folder}.\n")


@app.command()
def cluster(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Go on to the kinds of community there are, and stop there."""
    _night(config, source, until="cluster")


@app.command()
def rank(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Go on to the scores, saved but not shown to readers yet, and stop there."""
    _night(config, source, until="rank")


@app.command()
def publish(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Publish the run that was held or waits after `rank`, as it is; without one, do a run and publish it whatever the gate says."""
    _night(config, source, until="publish")


@app.command()
def nightly(
    config: ConfigOption = None,
    source: SourceOption = None,
    cron: Annotated[bool, typer.Option("--cron", help="Print the line for crontab, and do nothing else.")] = False,
) -> None:
    """Do the unattended run: plain lines, one at a time by a lock, going on where a killed night stopped."""
    if not cron:
        _night(config, source, quiet=True)
    given = ["--config", str(config.resolve())] if config else []
    words = [str(Path(sys.argv[0]).resolve()), "nightly", *given, *(word for name in source or [] for word in ("--source", name))]
    line = f"cd {shlex.quote(os.getcwd())} && {shlex.join(words)} >> subcurrent-nightly.log 2>&1"
    print("15 3 * * * " + line.replace("%", r"\%"))  # cron reads a bare % as the end of the line


@app.command()
def ranking(  # noqa: PLR0913, PLR0917 - one parameter an option
    config: ConfigOption = None,
    limit: LimitOption = 20,
    of: Annotated[Of, typer.Option("--of", help="Archetypes, the niches inside them, or single communities.")] = Of.archetypes,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="RUN", help="An earlier run instead of the published one.")] = None,
    form: FormatOption = Format.table,
    as_json: JsonOption = False,
) -> None:
    """Print the published ranking: what to look at first, and how sure that is."""
    answer = explanation.ranking(_results(config), ENTITY[of], limit=limit, as_of=as_of)
    if form is Format.table and not as_json:
        answer = _brief(answer)
    others = " or ".join(f"`--of {other}`" for other in reversed(Of) if other is not of)
    _show(answer, form, as_json, f"This run has no {of}: {others} may have some, and `subcurrent report` says why.")


def _brief(answer: Answer) -> Answer:
    places = [place for place, column in enumerate(answer.columns) if column in BRIEF]
    return Answer([answer.columns[place] for place in places], [tuple(row[place] for place in places) for row in answer.rows], False)


@explain_app.command("archetype")
def explain_archetype(
    archetype_id: str, config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False
) -> None:
    """Say why an archetype has its place: components, ingredients, needs, evidence, what would change it."""
    _show(explanation.explain(_results(config), "archetype", archetype_id), form, as_json)


@explain_app.command("niche")
def explain_niche(niche_id: str, config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """Say why a niche has its place."""
    _show(explanation.explain(_results(config), "niche", niche_id), form, as_json)


@explain_app.command("community")
def explain_community(key: str, config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """Say why a community has its place: each feature with its interval, or why it is missing."""
    _show(explanation.explain(_results(config), "community", key), form, as_json)


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='In plain words, for instance "people who restore fountain pens".')],
    config: ConfigOption = None,
    limit: Annotated[
        int, typer.Option("--limit", "-k", min=1, max=1000, help="Most communities and most records; a third as many groups.")
    ] = 10,
    form: FormatOption = Format.table,
    as_json: JsonOption = False,
) -> None:
    """Find who speaks of something: archetypes and niches, then communities, then records."""
    from discovery.search import search as find_text  # noqa: PLC0415 - takes a second that reading the results does not have

    found = find_text(_results(config), text, k=limit)
    for note in found.notes:
        sys.stderr.write(f"{terminal_text(note)}\n")
    answer = found.answer
    if form is Format.table and not as_json:
        answer = _glance(answer)
    _show(answer, form, as_json, "Nothing here speaks of that.")


def _glance(answer: Answer) -> Answer:
    """Leave addresses and long notes to the other forms, so that a row fits on a terminal."""
    note, url = answer.columns.index("note"), answer.columns.index("url")
    rows = [(*row[:url], textwrap.shorten(row[note], NOTE_WIDTH, placeholder=" …")) for row in answer.rows]
    return Answer([*answer.columns[:url], "note"], rows, truncated=False)


@app.command()
def sql(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT over the views; try: SELECT * FROM ranked_archetypes")],
    config: ConfigOption = None,
    form: FormatOption = Format.table,
    as_json: JsonOption = False,
) -> None:
    """Ask the results in SQL, read-only."""
    answer = ask(_results(config), text)
    _show(answer, form, as_json)
    if answer.truncated:
        sys.stderr.write(f"Only the first {len(answer.rows):,} rows are shown: add LIMIT and OFFSET.\n")


@app.command()
def report(
    config: ConfigOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write to [default: data_dir/reports].")] = None,
) -> None:
    """Write the published run as Markdown and HTML with figures, and print where."""
    from scoring.report import write_report  # noqa: PLC0415 - so that reading the results does not pay for drawing them

    path = _results(config)
    try:
        print(write_report(path, out or path.parent / "reports"))
    except LookupError as error:
        raise UnknownEntityError(str(error)) from error


@app.command()
def science_check(config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """Say which relations that others published hold in the published run: rank correlations with intervals, nothing tuned."""
    from discovery import science  # noqa: PLC0415 - so that reading the results does not pay for computing with them

    _show(science.science_check(_results(config)), form, as_json)


@app.command()
def runs(config: ConfigOption = None, limit: LimitOption = 20, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """List the runs, newest first; the one that readers see is `shown`."""
    brief = form is Format.table and not as_json
    query = RUNS_BRIEF if brief else "SELECT * FROM runs ORDER BY sequence DESC LIMIT {}"
    _show(ask(_results(config), query.format(limit), limit=limit), form, as_json, "There are no runs yet: `subcurrent run` makes one.")


@app.command()
def rollback(run_id: Annotated[str, typer.Argument(metavar="RUN")], config: ConfigOption = None) -> None:
    """Show an earlier published run to readers again."""
    from storage.results import Results  # noqa: PLC0415 - so that reading the results does not pay for writing them

    path = _results(config)
    identify(path)
    with locked(path.parent), Results.open(path) as results:
        try:
            results.rollback(run_id)
        except ValueError as error:
            raise UnknownEntityError(str(error)) from error
    sys.stderr.write(f"{run_id} is published again.\n")


@app.command()
def sources(config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """List the configured sources, then every kind there is with its settings."""
    listed = [(entry.kind, f"configured: {entry.path}") for entry in _settings(config).sources]
    listed += [(kind, f"{kind}:…") for kind in kinds()]
    _show(Answer(["kind", "source", "reads", "settings", "about"], [_described(*each) for each in listed], False), form, as_json)


def _described(kind: str, what: str) -> tuple[str, ...]:
    source = find(kind)
    about = (source.__doc__ or "").strip().splitlines()[0]
    return kind, what, "a platform" if source.live else "files", ", ".join(source.model_fields), about


def _results(config_file: Path | None) -> Path:
    """Find the results that reading commands read.

    Raises:
        UnknownEntityError: there are none yet.
    """
    path = _settings(config_file).data_dir / "subcurrent.db"
    if not path.exists():
        raise UnknownEntityError(f"There are no results at {path}: `subcurrent run` makes them.")
    return path


def _show(answer: Answer, form: Format, as_json: bool, empty: str = "No rows.") -> None:
    try:
        show(answer, form=Format.json if as_json else form, empty=empty)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
