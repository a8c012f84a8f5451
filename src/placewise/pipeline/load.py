"""From a project's files to what the model of one outcome needs; all problems of the data at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from placewise.errors import Problems
from placewise.frame.spec import RakedFrameSpec
from placewise.models.formula import parse_formula
from placewise.models.prior_plan import check_collective_keys, check_prior_keys
from placewise.models.questions import ORDERED
from placewise.models.spec import ModelSpec
from placewise.models.structured import check_structures, possible_groups
from placewise.models.survey_terms import check_survey_terms
from placewise.models.terms import Formula
from placewise.pipeline.project_spec import ProjectSpec

if TYPE_CHECKING:
    from placewise.frame.cells import Frame
    from placewise.geography.areas import AreaTable
    from placewise.geography.spec import AreasSpec
    from placewise.models.design import Design
    from placewise.models.priors import Prior
    from placewise.pipeline.answered import Answered
    from placewise.pipeline.kept_frame import KeptFrame
    from placewise.surveys.outcome import Response
    from placewise.surveys.respondents import Respondents


@dataclass(frozen=True, eq=False, repr=False)
class OutcomeData:
    """The data of one outcome, read and checked.

    Parameters
    ----------
    areas : AreaTable
        Every area to be estimated.
    frame : Frame or None
        Who lives in each area, where the project says.
    respondents : Respondents
        Those with an answer and every covariate.
    design : Design
        The formula on the respondents, areas and cells.
    response : Response
        Their answers, encoded.
    parts : tuple of Respondents
        Those of each survey on its own, the reference's first, in the order in which they stand in ``respondents``.
    """

    areas: AreaTable
    frame: Frame | None
    respondents: Respondents
    design: Design
    response: Response
    parts: tuple[Respondents, ...]

    def codes_of(self, column: str) -> np.ndarray | None:
        """Level or class of each respondent, object (n,); None where the place they are linked by does not tell it."""
        from placewise.models.linking import codes_at

        return codes_at(column, self.respondents.link, self.respondents.area, self.respondents.codes, self.areas)

    @property
    def notes(self) -> tuple[str, ...]:
        """What reading left out or found worth knowing, each sentence once."""
        frame = self.frame.notes if self.frame is not None else ()
        design = (*self.design.dropped, *self.design.notes)
        found = (*self.areas.notes, *frame, *self.respondents.notes, *self.response.notes, *design)
        return tuple(dict.fromkeys(found))


class ProjectInputs:
    """Areas and frame of a project, read when first needed and kept, and the data of each outcome.

    Problems of areas and frame are told with every outcome that needs them.

    Parameters
    ----------
    spec : ProjectSpec
        The project.
    skip_absent : bool
        Files that are not there are passed over: reading the project has told of them.
    kept : KeptFrame, optional
        Where a raked frame is kept between runs.
    all_cells : bool
        Keep every column of a frame of cells, not only those that formulas use.
    """

    def __init__(
        self,
        spec: ProjectSpec,
        skip_absent: bool = False,
        kept: KeptFrame | None = None,
        all_cells: bool = False,
    ) -> None:
        self.spec = spec
        self._skip_absent = skip_absent
        self._kept = kept
        self._all_cells = all_cells

    @cached_property
    def formulas(self) -> Mapping[str, tuple[Formula | None, Problems]]:
        """Each model's formula with its problems, by outcome."""
        return {name: _parsed(model) for name, model in self.spec.models.items()}

    @cached_property
    def areas(self) -> tuple[AreaTable | None, Problems]:
        """The areas with their problems; the covariates of every model have been checked."""
        from placewise.geography.reading import read_areas

        problems = Problems()
        if self._absent(self.spec.areas.table, *(join.table for join in self.spec.areas.join)):
            return None, problems
        return read_areas(self.spec.areas, self.spec.index_base, problems, self._columns()), problems

    @cached_property
    def frame(self) -> tuple[Frame | None, Problems]:
        """Who lives in each area, with the problems; None where the project does not say."""
        from placewise.frame.reading import read_frame

        problems = Problems()
        spec, columns = self.spec.frame, self._columns()
        if spec is None or self._absent(*spec.files):
            return None, problems
        if isinstance(spec, RakedFrameSpec):
            return self._raked(spec, columns, problems), problems
        wanted = None if self._all_cells else columns
        return read_frame(spec, self.areas[0], self.spec.areas.code, wanted, problems), problems

    def _raked(self, spec: RakedFrameSpec, columns: set[str], problems: Problems) -> Frame | None:
        """The frame from its margins, or as an earlier run raked it."""
        from placewise.frame.raking import read_raked_frame

        areas = self.areas[0]
        kept = None if self._kept is None or areas is None else self._kept.read(spec, columns)
        if kept is not None:
            return kept
        frame = read_raked_frame(spec, areas, self.spec.areas.code, columns, problems)
        if frame is not None and self._kept is not None:
            self._kept.write(spec, columns, frame)
        return frame

    def outcome(self, model: ModelSpec) -> OutcomeData:
        """The data of one outcome.

        Raises
        ------
        DataError, ConfigurationError
            All that is wrong with it.
        """
        problems = Problems()
        data = self.collect(model, problems)
        problems.raise_if_any()
        if data is None:
            raise AssertionError("data without problems are there")
        return data

    def collect(self, model: ModelSpec, problems: Problems, only_check: bool = False) -> OutcomeData | None:
        """The data of one outcome, noting every problem.

        Parameters
        ----------
        problems : Problems
            Takes everything that is wrong.
        only_check : bool
            Accept what can be checked but not fitted: a frame that cannot be read.

        Returns
        -------
        OutcomeData or None
            None where a problem was noted, or the data can only be checked.
        """
        before = len(problems)
        formula, formula_problems = self.formulas[model.outcome.name]
        (areas, area_problems), (frame, frame_problems) = self.areas, self.frame
        for found in (formula_problems, area_problems, frame_problems):
            problems.extend(found)
        answers = self._answers(model, formula, areas, problems)
        if answers is None or areas is None or formula is None or len(problems) > before:
            _check_priors_by_formula(model, formula, self.spec.areas.code, problems)
            _check_structure_by_formula(model, formula, self.spec.areas, problems)
            if formula is not None:
                self._check_names(model, formula, problems)
            return None
        if only_check and frame is None and "frame" in self.spec.raw:
            return None
        design = self._design(model, formula, answers.respondents, answers.response, areas, frame, problems)
        if design is None:
            return None
        return OutcomeData(areas, frame, answers.respondents, design, answers.response, answers.parts)

    def _absent(self, *files: Path) -> bool:
        return self._skip_absent and not all(file.exists() for file in files)

    def _columns(self) -> set[str]:
        return {name for formula, _ in self.formulas.values() if formula is not None for name in formula.variables()}

    def _check_names(self, model: ModelSpec, formula: Formula, problems: Problems) -> None:
        """Where the data could not be read whole, look the formula's names up among the columns of the files."""
        from placewise.geography.tables import open_table
        from placewise.models.variables import note_unknown
        from placewise.surveys.readers import known_names
        from placewise.surveys.stacking import SURVEY

        surveys = [self.spec.surveys[name] for name in model.outcome.surveys if name in self.spec.surveys]
        files = [self.spec.areas.table, *(join.table for join in self.spec.areas.join)]
        files += [survey.path for survey in surveys if not survey.path.is_dir()]
        files += self.spec.frame.files if self.spec.frame is not None else []
        opened = [open_table(file, "", Problems()) for file in files]
        areas = self.spec.areas  # what it declares and lacks is told already
        known = [areas.code, *areas.levels, *areas.classes, *([SURVEY] if len(model.outcome.surveys) > 1 else [])]
        known += [column for table in opened if table is not None for column in table.columns]
        own = [known_names(survey) for survey in surveys]
        known += [name for names in own for name in names or ()]
        if None not in own and all(table is not None for table in opened):
            unknown = [name for name in formula.variables() if name not in known]
            note_unknown(unknown, known, "any of the files", f"{_file(model)}: model.formula", problems)

    def _answers(
        self, model: ModelSpec, formula: Formula | None, areas: AreaTable | None, problems: Problems
    ) -> Answered | None:
        """Respondents who answered and have every covariate, and their answers."""
        from placewise.pipeline.answered import read_answers

        surveys = [self.spec.surveys.get(name) for name in model.outcome.surveys]
        found = [survey for survey in surveys if survey is not None and not self._absent(survey.path)]
        used = formula.variables() if formula is not None else ()
        answered = read_answers(model, found, areas, used, _file(model), problems)
        return answered if len(found) == len(surveys) else None

    def _design(
        self,
        model: ModelSpec,
        formula: Formula,
        respondents: Respondents,
        response: Response,
        areas: AreaTable,
        frame: Frame | None,
        problems: Problems,
    ) -> Design | None:
        from placewise.models.area_scale import with_area_scale
        from placewise.models.averaging import with_average
        from placewise.models.build import build_design
        from placewise.models.linking import check_link, link_rows, with_below_link
        from placewise.models.specific import with_specific
        from placewise.models.survey_terms import with_survey_reference

        outcome, before = model.outcome, len(problems)
        reference = with_survey_reference(model.reference, formula, outcome.surveys, _file(model), problems)
        link, above = None, respondents.link != areas.code
        if above:
            check_link(respondents.link, areas, f"survey.{outcome.surveys[0]}.area", problems)
            link = link_rows(respondents.link, respondents.codes, areas)
        design = build_design(
            formula,
            respondents=respondents.table,
            area=respondents.area,
            areas=areas,
            frame=frame,
            reference=reference,
            orders=self.spec.variables,
            standardise=model.standardise,
            cumulative=outcome.family in ORDERED,
            problems=problems,
            elsewhere=[*areas.available, *(frame.available if frame is not None else ()), *respondents.available],
            structure=model.structure,
            neighbours=areas.neighbours,
            link=link,
        )
        if design is None:
            _check_priors_by_formula(model, formula, areas.code, problems)
            return None
        where = f"{_file(model)}: model"
        specific, here = model.category_specific, f"{where}.category_specific"
        design = with_specific(design, specific, formula, response, here, problems)
        design = with_below_link(design, model.below_link, model.split, model.priors, areas, where, problems)
        design = with_area_scale(design, model.area_scale, areas, f"{where}.area_scale", problems)
        design = _with_discrepancies(design, model, respondents, response, areas, f"{where}.discrepancy", problems)
        groups, columns = [*(g.name for g in design.groups), areas.code], [c.name for c in design.columns]
        priors = _of_what_is_there(model.priors, where, problems)
        check_prior_keys(priors, groups, columns, _file(model), problems)
        check_collective_keys(priors, model.split, design, _file(model), problems)
        return with_average(design, response, model.outcome.family) if len(problems) == before else None


def _of_what_is_there(priors: Mapping[str, Prior], where: str, problems: Problems) -> dict[str, Prior]:
    """Priors without those of a part of the model that a problem keeps out of the design: they may well be right."""
    told = {problem.where for problem in problems}
    lost = [part for part in ("discrepancy", "area_scale", "category_specific") if f"{where}.{part}" in told]
    return {key: prior for key, prior in priors.items() if not {*key.split(":")} & {*lost}}


def _with_discrepancies(
    design: Design,
    model: ModelSpec,
    respondents: Respondents,
    response: Response,
    areas: AreaTable,
    where: str,
    problems: Problems,
) -> Design:
    """The design with how each survey but the reference departs from it."""
    from placewise.models.discrepancy import with_discrepancies
    from placewise.models.linking import codes_at

    people, places = respondents, {}
    for column in (*areas.levels, *areas.classes) if response.instruments is not None else ():
        codes = codes_at(column, people.link, people.area, people.codes, areas)
        if codes is not None:
            places[column] = codes
    return with_discrepancies(design, response.instruments, areas, places, model.discrepancy, where, problems)


def _file(model: ModelSpec) -> str:
    return f"models/{model.outcome.name}.toml"


def _parsed(model: ModelSpec) -> tuple[Formula | None, Problems]:
    problems = Problems()
    formula = parse_formula(model.formula, f"{_file(model)}: model.formula", problems)
    if formula is not None:
        check_survey_terms(formula, model.outcome.surveys, problems)
    return formula, problems


def _check_priors_by_formula(model: ModelSpec, formula: Formula | None, code: str, problems: Problems) -> None:
    """Where there is no design to compare with, note the priors of groups that the formula cannot have."""
    if formula is None:
        return
    groups = {*possible_groups(formula), code}
    # which columns there are is known from the data alone, those whose slopes vary too
    spreads = {key: prior for key, prior in model.priors.items() if not key.startswith("slope:") and "|" not in key}
    check_prior_keys(spreads, sorted(groups), [], _file(model), problems)


def _check_structure_by_formula(
    model: ModelSpec, formula: Formula | None, areas: AreasSpec, problems: Problems
) -> None:
    """Where there is no design, note structures of groups that the formula cannot have, or without neighbours."""
    if formula is not None:
        groups = [*possible_groups(formula), areas.code]
        check_structures(model.structure, groups, areas.neighbours, f"{_file(model)}: model.formula", problems)
