"""The command line: one verb a command. Rows go to standard output, everything else to standard error."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from discovery.config import Config, ConfigError, read_config
from discovery.console import Format, Progress, Row, show
from discovery.lock import RunLockedError
from discovery.sources import UnknownSourceError, find, kinds
from scoring import explanation
from scoring.explanation import UnknownEntityError
from scoring.report import write_report
from scoring.report.escape import terminal_text
from storage.database import ResultsFileError
from storage.reading import QueryError, ask

FAILED, MISUSED, LOCKED = 1, 2, 75

app = typer.Typer(
    name="subcurrent",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find the kinds of online community there are, rank them as product opportunities, and show the evidence.",
    epilog="First steps: `subcurrent run` (an invented world, offline), then `subcurrent ranking` and `subcurrent report`. "
    "Exit codes: 0 published, or honestly too little data; 1 failed; 2 wrong use; 3 published, but a source failed; "
    "4 held by the gate; 75 another run holds the lock; 130 and 143 stopped by a signal.",
)
explain_app = typer.Typer(no_args_is_help=True, help="Say why something is where it is, and what would move it.")
app.add_typer(explain_app, name="explain")

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Configuration file; without it ./config.yaml, else the invented world.")]
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="KIND:PATH", help="Read this instead of the configured sources; may be given again."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Short for --format json.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Most rows.")]


class Of(StrEnum):
    """What a ranking is of."""

    archetypes = "archetypes"
    niches = "niches"
    communities = "communities"


ENTITY = {Of.archetypes: "archetype", Of.niches: "niche", Of.communities: "community"}
BRIEF = ("rank", "archetype_id", "niche_id", "community_id", "name", "verdict", "score", "score_low", "score_high", "rank_low", "rank_high", "p_top5", "communities", "active_authors", "top_need")
"""Columns that fit on a terminal; the other forms print all."""


class Stopped(BaseException):  # noqa: N818 - not an error: somebody asked us to stop
    """A signal asked the run to stop."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


def main() -> NoReturn:
    """Run the command line; every error of ours is a line on standard error and an exit code, never a traceback."""
    try:
        app()
    except (ConfigError, UnknownSourceError, UnknownEntityError, QueryError, ResultsFileError) as error:
        _fail(error, MISUSED)
    except RunLockedError as error:
        _fail(error, LOCKED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has seen enough
    sys.exit(0)


def _fail(error: Exception, code: int) -> NoReturn:
    for line in str(error).splitlines():
        sys.stderr.write(f"subcurrent: {terminal_text(line)}\n")
    sys.exit(code)


def _night(config_file: Path | None, source: Sequence[str] | None, *, until: str = "publish", quiet: bool = False, force: bool = False) -> NoReturn:
    """Run stages up to ``until`` and leave with the run's exit code."""
    from discovery import night  # noqa: PLC0415 - pandas and scikit-learn take seconds that `--help` does not have

    config = read_config(config_file)
    sources = config.open_sources(list(source or []))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    progress = Progress(quiet=quiet)
    try:
        outcome = night.run(config, sources, until=until, force=force, progress=progress, clock=lambda: int(time.time()))
    except Stopped as stopped:
        sys.stderr.write("subcurrent: stopped; the same command goes on from the last page.\n")
        sys.exit(stopped.exit_code)
    finally:
        progress.close()
    sys.stderr.write(f"{terminal_text(outcome.message)}\n")
    sys.exit(outcome.exit_code)


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(number)


@app.command()
def run(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Do one run end to end: collect, measure, cluster, interpret, rank, judge, publish, report."""
    _night(config, source)


@app.command()
def collect(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Read the sources into the activity store, and stop there."""
    _night(config, source, until="collect")


@app.command()
def measure(config: ConfigOption = None, source: SourceOption = None) -> None:
    """Go on to the features of each community, and stop there."""
    _night(config, source, until="measure")


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
    """Go on to the end and publish, also what the gate would hold."""
    _night(config, source, force=True)


@app.command()
def nightly(
    config: ConfigOption = None,
    source: SourceOption = None,
    cron: Annotated[bool, typer.Option("--cron", help="Print the line for crontab, and do nothing else.")] = False,
) -> None:
    """Do the unattended run: plain lines, one at a time by a lock, going on where a killed night stopped."""
    if cron:
        given = f" --config {config.resolve()}" if config else ""
        print(f"15 3 * * * cd {Path.cwd()} && {Path(sys.argv[0]).resolve()} nightly{given} >> subcurrent-nightly.log 2>&1")
        return
    _night(config, source, quiet=True)


@app.command()
def ranking(
    config: ConfigOption = None,
    limit: LimitOption = 20,
    of: Annotated[Of, typer.Option("--of", help="Archetypes, the niches inside them, or single communities.")] = Of.archetypes,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="RUN", help="An earlier run instead of the published one.")] = None,
    form: FormatOption = Format.table,
    as_json: JsonOption = False,
) -> None:
    """Print the published ranking: what to look at first, and how sure that is."""
    rows = explanation.ranking(_results(config), ENTITY[of], limit=limit, as_of=as_of)
    plain = form is Format.table and not as_json
    shown = [{name: row[name] for name in BRIEF if name in row} for row in rows] if plain else rows
    _show(shown, form, as_json, f"No {of} in this run: `subcurrent report` says why; try --of communities.")


@explain_app.command("archetype")
def explain_archetype(archetype_id: str, config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """Say why an archetype has its place: components, ingredients, needs, evidence, what would change it."""
    _explain("archetype", archetype_id, config, form, as_json)


@explain_app.command("niche")
def explain_niche(niche_id: str, config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """Say why a niche has its place."""
    _explain("niche", niche_id, config, form, as_json)


@explain_app.command("community")
def explain_community(key: str, config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """Say why a community has its place: each feature with its interval, or why it is missing."""
    _explain("community", key, config, form, as_json)


@app.command()
def sql(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT over the views; try: SELECT * FROM ranked_archetypes")],
    config: ConfigOption = None,
    form: FormatOption = Format.table,
    as_json: JsonOption = False,
) -> None:
    """Ask the results in SQL, read-only."""
    answer = ask(_results(config), text)
    _show([dict(zip(answer.columns, row, strict=True)) for row in answer.rows], form, as_json, "No rows.")
    if answer.truncated:
        sys.stderr.write(f"Only the first {len(answer.rows):,} rows are shown: add LIMIT and OFFSET.\n")


@app.command()
def report(
    config: ConfigOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write to [default: data_dir/reports].")] = None,
) -> None:
    """Write the published run as Markdown and HTML with figures, and print where."""
    settings = read_config(config)
    written = write_report(settings.data_dir / "subcurrent.db", out or settings.data_dir / "reports")
    print(written)


@app.command()
def runs(config: ConfigOption = None, limit: LimitOption = 20, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """List the runs, newest first."""
    answer = ask(_results(config), f"SELECT * FROM runs ORDER BY sequence DESC LIMIT {limit}")  # noqa: S608 - a whole number
    _show([dict(zip(answer.columns, row, strict=True)) for row in answer.rows], form, as_json, "No runs yet.")


@app.command()
def rollback(run_id: Annotated[str, typer.Argument(metavar="RUN")], config: ConfigOption = None) -> None:
    """Show an earlier published run to readers again."""
    from discovery.lock import locked  # noqa: PLC0415
    from storage.results import Results  # noqa: PLC0415

    data_dir = read_config(config).data_dir
    with locked(data_dir), Results.open(data_dir / "subcurrent.db") as results:
        try:
            results.rollback(run_id)
        except ValueError as error:
            _fail(error, MISUSED)
    sys.stderr.write(f"{run_id} is published again.\n")


@app.command()
def sources(config: ConfigOption = None, form: FormatOption = Format.table, as_json: JsonOption = False) -> None:
    """List the configured sources, then every kind there is with its settings."""
    settings = read_config(config)
    rows: list[Row] = [_source_row(kind, "configured: " + entry.path) for entry in settings.sources for kind in [entry.kind]]
    rows += [_source_row(kind, f"{kind}:…") for kind in kinds()]
    _show(rows, form, as_json, "No sources.")


def _source_row(kind: str, what: str) -> Row:
    source = find(kind)
    about = (source.__doc__ or "").strip().splitlines()[0]
    return {"kind": kind, "source": what, "reads": "a platform" if source.live else "files", "settings": ", ".join(source.model_fields), "about": about}


def _explain(entity: str, entity_id: str, config: Path | None, form: Format, as_json: bool) -> None:
    _show(explanation.explain(_results(config), entity, entity_id), form, as_json, "Nothing is known.")


def _results(config_file: Path | None) -> Path:
    settings: Config = read_config(config_file)
    return settings.data_dir / "subcurrent.db"


def _show(rows: Sequence[Row], form: Format, as_json: bool, empty: str) -> None:
    show(rows, form=Format.json if as_json else form, empty=empty)


if __name__ == "__main__":
    main()
