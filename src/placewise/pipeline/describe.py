"""`placewise survey describe`: how each survey of a project was read and what it is like, as pages and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placewise.errors import Problems, nearest
from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import library_versions
from placewise.pipeline.finish import SURVEYS
from placewise.pipeline.inputs import Digests
from placewise.pipeline.kept_frame import KeptFrame
from placewise.pipeline.load import ProjectInputs
from placewise.pipeline.lock import locked
from placewise.pipeline.progress import Reporter
from placewise.pipeline.project_file import MODELS_FOLDER, collect
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.run import require_project
from placewise.surveys.disclosure import told, told_or_withheld

if TYPE_CHECKING:
    from placewise.diagnostics.survey import SurveyDescription
    from placewise.models.spec import OutcomeSpec
    from placewise.surveys.spec import SurveySpec

ROOM = 20_000_000


@dataclass(frozen=True)
class DescribeReport:
    """The surveys that were described and the files that say so.

    Parameters
    ----------
    surveys : mapping of str to SurveyDescription
        By name.
    written : tuple of Path
        A page and a JSON file each, and the mappings in force as a recode file where there are any.
    """

    surveys: Mapping[str, SurveyDescription]
    written: tuple[Path, ...]

    @property
    def exit_status(self) -> int:
        """0, or 1 where a survey failed a check."""
        return int(any(c.verdict == "fail" for d in self.surveys.values() for c in d.checks))

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "status": "failed" if self.exit_status else "done",
            "exit_status": self.exit_status,
            "surveys": {name: described.to_json() for name, described in self.surveys.items()},
            "written": [str(path) for path in self.written],
        }

    def text(self) -> str:
        """A few lines a survey for a person."""
        lines = [line for described in self.surveys.values() for line in _lines(described)]
        pages = [str(path) for path in self.written if path.suffix == ".html"]
        return "\n".join([*lines, f"Open {', '.join(pages)} in a browser."])


def describe_folder(
    folder: Path, names: Sequence[str] = (), out: Path | None = None, quiet: bool = False
) -> DescribeReport:
    """Describe surveys of a project folder, and write a page and a JSON file of each.

    Parameters
    ----------
    folder : Path
        The project's.
    names : sequence of str
        Keys of the surveys; none stands for all.
    out : Path, optional
        Folder of results instead of the project's.
    quiet : bool
        Do not tell what is being done.

    Raises
    ------
    PlacewiseError
        Every problem of the project file and of the data at once; what is wrong with models alone is passed over.
    """
    require_project(folder)
    spec, found = collect(folder, out=out)
    problems = Problems()
    problems.extend(p for p in found if not p.where.startswith(f"{MODELS_FOLDER}/"))
    known = list(spec.surveys) if spec is not None else list(names)
    for name in names:
        if name not in known and not problems:
            problems.add("--survey", f"there is no survey {name!r}", nearest(name, known))
    problems.raise_if_any()
    assert spec is not None
    atomic.check_writable(spec.out, ROOM)
    with locked(spec.out):
        described = _describe(spec, tuple(dict.fromkeys(names)) or tuple(spec.surveys), Reporter(quiet))
        written = [path for name, survey in described.items() for path in _write(spec, name, survey)]
    return DescribeReport(described, tuple(written))


def _describe(spec: ProjectSpec, names: Sequence[str], reporter: Reporter) -> dict[str, SurveyDescription]:
    """Read areas, frame and surveys, and describe each; raises all that is wrong with them."""
    from placewise.diagnostics.survey import describe_survey
    from placewise.surveys.readers import READERS

    problems = Problems()
    kept = KeptFrame(spec, Digests(spec.root), reporter.warn)
    inputs = ProjectInputs(spec, kept=kept, all_cells=True)
    reporter.say("reading the areas and who lives in them")
    (areas, of_areas), (frame, of_frame) = inputs.areas, inputs.frame
    problems.extend(of_areas)
    problems.extend(of_frame)
    described = {}
    for name in names:
        survey, outcomes = spec.surveys[name], _outcomes(spec, name)
        first = [column for outcome in outcomes for column in _answers(outcome, name)]
        reporter.say(f"{name}: reading and describing")
        cells = frame.cells.columns if frame is not None else ()
        # in one order, as readers keep it
        wanted = dict.fromkeys((*first, *_columns(inputs), *cells, *_recoded(survey)))
        respondents = READERS[survey.reader](survey, areas, tuple(wanted), problems)
        if respondents is not None and areas is not None:
            without = {survey.person, survey.weight, survey.psu, survey.strata, survey.area_column}
            orders = {**spec.variables, **{q.column: q.levels for o in outcomes for q in o.questions.get(name, ())}}
            scales = {o.name: tuple(_answers(o, name)) for o in outcomes if len(_answers(o, name)) > 1}
            described[name] = describe_survey(respondents, areas, frame, first, without, orders, scales)
    problems.raise_if_any()
    return described


def _outcomes(spec: ProjectSpec, name: str) -> list[OutcomeSpec]:
    return [model.outcome for model in spec.models.values() if name in model.outcome.surveys]


def _answers(outcome: OutcomeSpec, survey: str) -> list[str]:
    """Columns of a survey that hold an outcome's answers."""
    asked = [question.column for question in outcome.questions.get(survey, ())]
    return asked or [column for column in (outcome.response,) if column]


def _columns(inputs: ProjectInputs) -> list[str]:
    """Names that the formulas use."""
    return [name for formula, _ in inputs.formulas.values() if formula is not None for name in formula.variables()]


def _recoded(survey: SurveySpec) -> tuple[str, ...]:
    """Variables of the survey's recode file."""
    from placewise.surveys.recode.parse import read_recoding

    recoding = None if survey.recode is None else read_recoding(survey.recode, Problems())
    return () if recoding is None else recoding.names()


def _write(spec: ProjectSpec, name: str, described: SurveyDescription) -> list[Path]:
    """The page, the JSON file and the recode file of a survey."""
    from placewise.publish.survey import render_survey
    from placewise.surveys.recode.write import write_recoding

    folder, version = spec.out / SURVEYS, library_versions()["placewise"]
    page, data = atomic.inside(folder, f"{name}.html"), atomic.inside(folder, f"{name}.json")
    atomic.write_text(page, render_survey(described, spec.title, version))
    document = {"project": spec.title, "placewise": version, **described.to_json()}
    atomic.write_text(data, json.dumps(document, indent=1, allow_nan=False) + "\n")
    recode = atomic.inside(folder, f"{name}.recode.toml")
    if described.account.recoding is None:
        atomic.remove(recode)
        return [page, data]
    atomic.write_text(recode, write_recoding(described.account.recoding))
    return [page, data, recode]


def _lines(described: SurveyDescription) -> list[str]:
    """What a terminal shows of one survey."""
    account = described.account
    files = ", ".join(file.name for file in account.files)
    rows = account.told_rows(account.read)
    lines = [f"{account.survey}: {told(account.kept)} respondents kept of {told(rows)} rows in {files}"]
    counts = told_or_withheld([d.count for d in account.dropped])
    for dropped, count in zip(account.dropped, counts, strict=True):
        column = f"{dropped.column}: " if dropped.column else ""
        lines.append(f"  left out: {column}{dropped.reason} ({count})")
    absent = [v.name for v in account.variables if not v.column]
    made = len({v.name for v in account.variables if v.column})
    lines.append(f"  {made} variables read" + (f"; not in the files: {', '.join(absent)}" if absent else ""))
    lines.append(f"  {_precision(described)}")
    for verdict, what in (("fail", "FAILED"), ("warn", "warning")):
        lines += [f"  {what}: {c.name}: {c.message}" for c in described.checks if c.verdict == verdict]
    passed = sum(c.verdict == "pass" for c in described.checks)
    return [*lines, f"  {passed} of {len(described.checks)} checks passed"] if described.checks else lines


def _precision(described: SurveyDescription) -> str:
    weights, clusters = described.weights, described.clusters
    parts = ["no weight" if weights is None else f"design effect of the weights {weights.deff:.2f}"]
    if clusters is not None and clusters.units is not None:
        parts.append(f"{clusters.units:,} sampling units")
    if clusters is not None and clusters.strata is not None:
        parts.append(f"{clusters.strata:,} strata" + (f" ({clusters.lonely} with one unit)" if clusters.lonely else ""))
    if described.deff is not None:
        parts.append(f"median design effect {described.deff:.2f}")
    return ", ".join(parts)
