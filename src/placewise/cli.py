"""The command line: options and exit statuses; the work is done elsewhere and imported when it is needed."""

from __future__ import annotations

import functools
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from placewise.errors import ConfigurationError, PlacewiseError, Problem

if TYPE_CHECKING:
    from placewise.pipeline.stages import Stage

FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)

PROJECT_OPTIONS = (
    click.option("--project", type=FOLDER, default=".", help="Folder of placewise.toml (default: here)."),
    click.option("--outcome", "outcomes", multiple=True, metavar="NAME", help="Only this one; repeatable."),
    click.option("--engine", metavar="NAME", help="laplace, nuts or auto, instead of the model file's."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed instead of the project's."),
    click.option("--out", type=FOLDER, help="Folder of results instead of the project's."),
    click.option("--json", "as_json", is_flag=True, help="Machine-readable summary on standard output."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
)
RUN_OPTIONS = (
    click.option(
        "--draws", type=click.IntRange(min=4), default=2000, show_default=True, help="Posterior draws to keep."
    ),
    click.option("--fresh", is_flag=True, help="Compute everything again."),
    click.option("--allow-fail", is_flag=True, help="Publish, watermarked, although diagnostics fail."),
    click.option("--jobs", type=click.IntRange(min=1), help="Processes at the same time (default: all cores)."),
    click.option("--scheduler", metavar="ADDRESS", help="Estimate areas on dask workers: tcp://host:port, or local."),
    click.option("--quiet", is_flag=True, help="Say only what went wrong."),
)
OUTPUT_OPTIONS = PROJECT_OPTIONS[-2:]


def options(*chosen: Callable[..., Any]) -> Callable[..., Any]:
    """Put several options on a command, shown in this order."""
    return lambda command: functools.reduce(lambda c, option: option(c), reversed(chosen), command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="placewise", message="placewise %(version)s")
def cli() -> None:
    """Small-area estimates with honest uncertainty, from a project folder to a report.

    Start with `placewise init --example` in an empty folder, then `placewise run`.
    """


def _run(until: Stage, project: Path, outcomes: tuple[str, ...], as_json: bool, debug: bool, **chosen: Any) -> None:
    from placewise.pipeline.run import RunOptions, run_folder

    quiet = chosen.pop("quiet")
    summary = run_folder(project, RunOptions(until=until, outcomes=outcomes, quiet=quiet or as_json, **chosen))
    text = summary.wrong() if quiet else summary.text()
    if as_json or text:
        click.echo(json.dumps(summary.as_dict(), indent=1) if as_json else text)
    if summary.exit_status:
        raise click.exceptions.Exit(summary.exit_status)


def _stage_command(name: str, until: Stage, summary: str) -> None:
    @cli.command(name, help=summary)
    @options(*PROJECT_OPTIONS, *RUN_OPTIONS)
    def command(**chosen: Any) -> None:
        _run(until, **chosen)


_stage_command("run", "publish", "Everything, from data to report; only what is out of date is computed.")
_stage_command("fit", "fit", "Read the data and fit the model.")
_stage_command("diagnose", "diagnose", "Fit where needed, then check convergence and compare with baselines.")
_stage_command("project", "project", "Fit and diagnose where needed, then write estimates for every area.")


@cli.command()
@options(*PROJECT_OPTIONS, *RUN_OPTIONS)
def check(project: Path, as_json: bool, debug: bool, **chosen: Any) -> None:
    """List every problem of the project; nothing is computed or written."""
    from placewise.pipeline.check import check_folder
    from placewise.pipeline.run import RunOptions

    found = check_folder(project, RunOptions(**chosen))
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=1))
    elif not chosen["quiet"]:
        click.echo(found.text())


@cli.command()
@click.option("--example", is_flag=True, help="A made-up country with a survey and known truth.")
@click.option("--size", type=click.Choice(["small", "standard", "national"]), default="standard", show_default=True)
@click.option("--areas", type=FILE, help="With --size national: the areas in which the example's surveys are drawn.")
@click.option(
    "--format", "form", type=click.Choice(["tab", "sav", "dta"]), default="tab", help="Of the example's panel files."
)
@click.option("--project", type=FOLDER, default=".", help="Folder to write to (default: here).")
@options(*OUTPUT_OPTIONS)
def init(example: bool, size: str, areas: Path | None, form: str, project: Path, as_json: bool, debug: bool) -> None:
    """Start a project: an annotated placewise.toml and model file, or the whole example."""
    from placewise.pipeline.init import init_project

    written = init_project(project, example=example, size=size, form=form, areas=areas)
    names = [p.relative_to(project).as_posix() for p in written]
    where, here = ("this folder", "") if project == Path() else (str(project), f" --project {project}")
    text = f"Wrote {', '.join(names)} in {where}.\nNext: placewise check{here}, then placewise run{here}."
    click.echo(json.dumps({"status": "done", "exit_status": 0, "written": names}) if as_json else text)


@cli.command()
@click.option("--estimates", type=FILE, required=True, help="estimates.csv or .parquet.")
@click.option("--truth", type=FILE, required=True, help="area_code, area_level and the truth; or counts, see below.")
@click.option("--truth-column", "column", default="truth", show_default=True, help="Column to score against.")
@click.option("--truth-code", help="The truth is counts of small areas: the code column.")
@click.option("--truth-count", help="Column of those who count.")
@click.option("--truth-total", help="Column of all.")
@click.option("--areas", type=FILE, help="Table of the small areas: their code, levels and groupings.")
@click.option("--by", multiple=True, metavar="COLUMN", help="Coverage by this column of --areas; repeatable.")
@click.option("--outcome", help="Which outcome, where the estimates hold several.")
@click.option(
    "--level", "levels", multiple=True, help="Score these levels only, the small areas' among them; repeatable."
)
@click.option("--bar", "bars", multiple=True, metavar="EXPR", help="Must hold, e.g. 'oa.rmse<=.05'; repeatable.")
@click.option("--bars", "bar_files", type=FILE, multiple=True, help="JSON file of bars; repeatable.")
@click.option("--min-group", "minimum", default=30, show_default=True, help="Groups with fewer areas are left out.")
@click.option("--brief", is_flag=True, help="Leave out the coverage of every single group.")
@click.option("--allow-missing", is_flag=True, help="Areas without an estimate do not fail the score.")
@options(*OUTPUT_OPTIONS)
def score(as_json: bool, debug: bool, **chosen: Any) -> None:
    """Score estimates against a known truth; exit status 1 where a bar does not hold."""
    from placewise.diagnostics.score import run_score, score_text

    result, status = run_score(**chosen)
    click.echo(json.dumps(result) if as_json else score_text(result))
    if status:
        raise click.exceptions.Exit(status)


@cli.command()
@click.option("--release", type=FOLDER, required=True, help="<outcome>/release of a run.")
@click.option("--codes", default="", help="Areas to be taken together, of any level: A,B,C.")
@click.option("--groups", type=FILE, help="Table of an area code and a group, an area for each group.")
@click.option("--postcodes", type=FILE, help="Table of postcodes, with a group where there are several areas.")
@click.option("--postcode-lookup", type=FILE, help="Table of postcodes and small-area codes, for --postcodes.")
@click.option("--polygons", type=FILE, help="GeoJSON or GeoPackage: the areas whose centroid lies inside.")
@click.option("--weights", metavar="COLUMN", help="Column of people in --groups or --postcodes (default: population).")
@click.option("--compare", is_flag=True, help="Differences instead: each with the nation, and each pair.")
@options(*OUTPUT_OPTIONS)
def aggregate(release: Path, codes: str, compare: bool, as_json: bool, debug: bool, **chosen: Any) -> None:
    """Estimate areas of your own: a row of estimates each, as CSV."""
    from placewise.pipeline.from_release import Request, own_areas
    from placewise.publish.tables import DIGITS, safe_cells

    listed = tuple(code.strip() for code in codes.split(",") if code.strip())
    table, notes = own_areas(release, Request(codes=listed, **chosen), compare)
    for note in notes:
        click.echo(note, err=True)
    if as_json:
        click.echo(table.to_json(orient="records", indent=1))
    else:
        click.echo(safe_cells(table).to_csv(index=False, float_format=f"%.{DIGITS}g").rstrip())


@cli.command()
@click.option("--release", type=FOLDER, required=True, help="<outcome>/release of a run.")
@click.option("--index", is_flag=True, help="In units of the index, above 0 is better.")
@click.argument("a")
@click.argument("b")
@options(*OUTPUT_OPTIONS)
def compare(release: Path, a: str, b: str, index: bool, as_json: bool, debug: bool) -> None:
    """Posterior of the difference between two areas of one level, A minus B: codes, or names that one area has."""
    from placewise.pipeline.from_release import compare as difference

    found = difference(release, a, b, index)
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else found.text())


def _unavailable(group: click.Group, name: str, works: str) -> None:
    @group.command(
        name,
        hidden=True,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def command() -> None:
        full = name if group is cli else f"{group.name} {name}"
        raise ConfigurationError(Problem(f"placewise {full}", "not available in this version", works, "unavailable"))


@cli.group()
def survey() -> None:
    """Look at a survey, and bring in its published tables."""


@survey.command()
@click.option("--project", type=FOLDER, default=".", help="Folder of placewise.toml (default: here).")
@click.option("--survey", "surveys", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option("--out", type=FOLDER, help="Folder of results instead of the project's.")
@options(*OUTPUT_OPTIONS)
def describe(project: Path, surveys: tuple[str, ...], out: Path | None, as_json: bool, debug: bool) -> None:
    """How surveys were read, beside the population: a page and JSON of each; exit status 1 where a check fails."""
    from placewise.pipeline.describe import describe_folder

    found = describe_folder(project, surveys, out, quiet=as_json)
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else found.text())
    if found.exit_status:
        raise click.exceptions.Exit(found.exit_status)


@survey.command("import-workbook")
@click.argument("workbook", type=FILE)
@click.option("--sheet", required=True, help="B1c belonging, B15c satisfaction, C6c chatting to neighbours.")
@click.option("--level", required=True, help="Level of the areas that are local authorities; it needs areas.names.")
@click.option("--out", type=FILE, required=True, help="CSV file: code, name, estimate, se, n.")
@click.option("--year", default="2023/24", show_default=True, help="Whose columns to read.")
@click.option("--design-effect", type=float, help="Needed only where the sheet has no bounds.")
@click.option("--project", type=FOLDER, default=".", help="Folder of placewise.toml (default: here).")
@options(*OUTPUT_OPTIONS)
def import_workbook(project: Path, out: Path, as_json: bool, debug: bool, **chosen: Any) -> None:
    """Published local-authority tables of the Community Life Survey, as targets of a benchmark."""
    from placewise.pipeline.published_tables import import_workbook as bring_in

    found = bring_in(project, out=out, **chosen)
    text = "\n".join([f"Wrote {out}: {found.notes[0]}", *found.notes[1:]])
    summary = {
        "status": "done",
        "exit_status": 0,
        "areas": len(found.table),
        "standard_error": found.standard_error,
        "unmatched": found.unmatched,
        "absent": found.absent,
        "suppressed": found.suppressed,
    }
    click.echo(json.dumps(summary, indent=1) if as_json else text)


OPEN_DATA_OPTIONS = (
    click.option("--project", type=FOLDER, default=".", help="Folder of the project (default: here)."),
    click.option("--folder", type=FOLDER, help="Folder of the open data (default: data/open in the project)."),
    click.option("--catalogue", "catalogue_file", type=FILE, help="A catalogue of your own instead of placewise's."),
    click.option("--quiet", is_flag=True, help="Say only what went wrong."),
)


@cli.group()
def data() -> None:
    """Open data for England and Wales: list, fetch, check, and make the areas table from them."""


def _tell_data(result: Any, quiet: bool, as_json: bool) -> None:
    if as_json or not quiet:
        click.echo(json.dumps(result.as_dict(), indent=1) if as_json else result.text())


def _data_folder(project: Path, folder: Path | None) -> Path:
    from placewise.pipeline.open_data.store import DEFAULT_FOLDER

    return folder if folder is not None else project / DEFAULT_FOLDER


@data.command("list")
@options(*OPEN_DATA_OPTIONS[:-1], *OUTPUT_OPTIONS)
def list_data(project: Path, folder: Path | None, as_json: bool, debug: bool, **chosen: Any) -> None:
    """What there is, from whom, under which licence; + marks what is in the folder."""
    from placewise.pipeline.open_data.listing import list_sources

    _tell_data(list_sources(_data_folder(project, folder), **chosen), False, as_json)


@data.command("fetch")
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--from", "origin", type=FOLDER, help="Take the files from this folder instead of their publishers.")
@click.option("--accept-new", is_flag=True, help="Fetch again, and take files that have changed.")
@options(*OPEN_DATA_OPTIONS, *OUTPUT_OPTIONS)
def fetch_data(project: Path, folder: Path | None, as_json: bool, debug: bool, quiet: bool, **chosen: Any) -> None:
    """Bring sources into the folder, all or those named; each is checked and its checksum recorded."""
    from placewise.pipeline.open_data.fetch import fetch_sources

    _tell_data(fetch_sources(_data_folder(project, folder), quiet=quiet or as_json, **chosen), quiet, as_json)


@data.command("check")
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@options(*OPEN_DATA_OPTIONS, *OUTPUT_OPTIONS)
def check_data(project: Path, folder: Path | None, as_json: bool, debug: bool, quiet: bool, **chosen: Any) -> None:
    """Whether the files are there, unchanged, and right inside; nothing is written."""
    from placewise.pipeline.open_data.check import check_sources

    _tell_data(check_sources(_data_folder(project, folder), quiet=quiet or as_json, **chosen), quiet, as_json)


@data.command("areas")
@click.option("--out", type=FOLDER, help="Folder to write to (default: data in the project).")
@options(*OPEN_DATA_OPTIONS, *OUTPUT_OPTIONS)
def build_data(
    project: Path, folder: Path | None, out: Path | None, as_json: bool, debug: bool, quiet: bool, **chosen: Any
) -> None:
    """Make the areas table, a page that describes it, outlines and neighbours."""
    from placewise.pipeline.open_data.areas import build_folder

    target = out if out is not None else project / "data"
    found = build_folder(_data_folder(project, folder), target, project=project, quiet=quiet or as_json, **chosen)
    _tell_data(found, quiet, as_json)


_unavailable(cli, "validate", "placewise score compares estimates with a known truth")
_unavailable(cli, "publish", "placewise run writes the internal report; keep it with whoever holds the survey")
_unavailable(cli, "explore", "open index.html, which placewise run writes")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status is 0 done, 1 a check failed, 2 wrong usage, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return int(cli.main(args=given, prog_name="placewise", standalone_mode=False) or 0)
    except PlacewiseError as error:
        return _tell(error, given)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        return _tell(ConfigurationError(Problem("", error.format_message(), _usage_hint(error))), given)
    except (KeyboardInterrupt, click.Abort):
        print("interrupted: the next run goes on from the last finished stage", file=sys.stderr, flush=True)
        if arguments is None:
            # an engine's threads may still run, and would crash an orderly end of the interpreter
            os._exit(130)
        return 130
    except OSError as error:
        if error.strerror is None:
            raise
        where = str(error.filename or "")
        return _tell(PlacewiseError(Problem(where, error.strerror, "nothing half-written was kept", "data")), given)


def _usage_hint(error: click.UsageError) -> str:
    return f"see {error.ctx.command_path} --help" if error.ctx is not None else "see placewise --help"


def _tell(error: PlacewiseError, given: list[str]) -> int:
    if "--debug" in given:
        traceback.print_exc(file=sys.stderr)
    if "--json" in given:
        problems = [{"where": p.where, "message": p.message, "hint": p.hint, "kind": p.kind} for p in error.problems]
        print(json.dumps({"status": "error", "exit_status": error.exit_status, "problems": problems}, indent=1))
    print(f"error: {error}", file=sys.stderr)
    return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
