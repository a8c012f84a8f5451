"""What the pages of a run need to know, as plain data: the report knows nothing of models or projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

EstimandKind = Literal["share", "mean", "latent"]
Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, kw_only=True)
class SurveyUse:
    """One survey as it was used.

    Parameters
    ----------
    name : str
        As a reader would call it.
    respondents : int
        People whose answers entered the model.
    question, years, mode, weight : str
        Wording of the question, years of fieldwork, mode of interview, weight column; empty where not known.
    dropped : sequence of (str, int)
        Why rows were left out, and how many.
    checks : sequence of (str, str, str)
        What was checked as the survey was read: name, verdict (pass, warn, fail) and what was found.
    """

    name: str
    respondents: int
    question: str = ""
    years: str = ""
    mode: str = ""
    weight: str = ""
    dropped: Sequence[tuple[str, int]] = ()
    checks: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class AskedItem:
    """One question whose answers the model takes.

    Parameters
    ----------
    name : str
        As checks name it.
    survey, column : str
        Where its answers stand.
    wording : str
        As it was put; empty where the model file does not say.
    levels : sequence of str
        Answers, lowest first.
    """

    name: str
    survey: str
    column: str
    wording: str = ""
    levels: Sequence[str] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Shapes:
    """Polygons of one level, for maps only.

    Parameters
    ----------
    codes : sequence of str
        One code a polygon (several polygons of one area come as one multipolygon).
    wkb : sequence of bytes
        Polygon or MultiPolygon as well-known binary, in degrees or in metres.
    """

    codes: Sequence[str]
    wkb: Sequence[bytes]


@dataclass(frozen=True, kw_only=True)
class SpecialTerms:
    """What the model has beyond fixed terms and independent effects.

    Parameters
    ----------
    structures : mapping of str to str
        Grouping to ``rw1``, ``ar1`` or ``bym2``.
    slopes : sequence of (str, str, bool)
        Column, grouping over which its slope varies, and whether it goes with the grouping's intercept.
    category_specific : sequence of str
        Columns whose slope differs by cutpoint.
    area_scale : str
        Class by which the area's own sd differs; empty where it does not.
    declared : bool
        Whether its multipliers were declared.
    shrinkage : str
        Prior of all slopes together; empty for the default.
    items : sequence of str
        Questions of a scale.
    """

    structures: Mapping[str, str] = field(default_factory=dict)
    slopes: Sequence[tuple[str, str, bool]] = ()
    category_specific: Sequence[str] = ()
    area_scale: str = ""
    declared: bool = False
    shrinkage: str = ""
    items: Sequence[str] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportContext:
    """Everything the report of one outcome says. What is None or empty is told as not known in this run.

    Parameters
    ----------
    project_title, outcome, title : str
        Title of the project, name of the outcome (the model file's stem) and its title.
    estimand : str
        Noun phrase without an article, e.g. "share of adults who answer 'fairly strongly' or 'very strongly'".
    kind : {"share", "mean", "latent"}
        A share is shown in per cent.
    estimates : DataFrame
        Rows of every level, columns of the interface.
    areas : DataFrame
        One row a small area: the code column, the level columns, the class columns. Text.
    code, levels, classes
        Column names in ``areas``; levels finest first. ``code`` is also the small areas' ``area_level``.
    higher_is_better : bool
        Polarity; ``index`` and ``p_above_national`` are oriented by it.
    surveys : sequence of SurveyUse
        The first is the reference.
    asked : sequence of AskedItem
        Questions with answers in order, the reference's first; empty where the answers are no categories.
    engine, escalation : str
        Engine that made the draws, and a sentence on why another was set aside, empty where none was.
    date : str
        ISO date of the run. Versions, hashes, command and seed: provenance as text.
    data_hashes : mapping of str to str
        File (relative to the project) to SHA-256.
    diagnostics : mapping
        ``status`` and ``checks``: mappings with ``name``, ``value``, ``threshold``, ``verdict`` and, where there is
        one, ``sentence``.
    geometry : mapping of level to Shapes
        The finest level present is mapped.
    slopes : DataFrame or None
        ``name, mean, q05, q95``: on standardised covariates, link scale.
    sds : DataFrame or None
        ``group, prior, mean, q05, q95, set_by_prior``.
    relations : DataFrame or None
        ``kind, group, first, second, prior, mean, q05, q95, set_by_prior``: what ties effects together.
    special : SpecialTerms
        Structures, varying slopes and the like.
    group_effects : mapping of group to DataFrame
        ``level, mean, q05, q95``: link scale, one table a grouping.
    explained : float or None
        Share of the variance between small areas that the covariates explain.
    chance_share : float or None
        Share of the variance between small areas' true figures that is chance in who happens to live there.
    baselines : DataFrame or None
        ``method, error, coverage`` on areas that the method was not fitted to; coverage may be NaN. ``baselines_note``
        says against what they were scored.
    fitted_error : float or None
        Error of the model on the respondents it was fitted to, which no method's in ``baselines`` compares with.
    direct : DataFrame or None
        ``area_code, direct, lower, upper`` of ``direct_level``: what respondents alone say, 90% interval.
    predictive : mapping of grouping to DataFrame
        ``group, observed, predicted, lower, upper`` on the estimand's scale, ``p_value`` the probability of lower
        answers. Under ``item by grouping`` where several questions are asked, then on the scale of 1..K.
    accuracy : DataFrame or None
        Where truth is known: ``level, areas, rmse, correlation, coverage``.
    sensitivity : DataFrame or None
        ``setting, quantity, value``: what changes when a prior does.
    conflicts : mapping of survey to mapping
        How each survey but the reference departs from it: ``surveys`` of ``diagnostics.json``.
    expected : mapping or None
        What the priors said of areas before any answer, beside the posterior: ``prior`` of ``diagnostics.json``.
    alternatives : mapping or None
        ``sensitivity.json``: what changes with survey weights, and with other priors of how much groups differ.
    joint : mapping or None
        ``titles`` of the outcomes it is modelled with, itself among them, by name; ``correlations`` and ``people`` as
        the stage ``joint`` tells them.
    benchmark : mapping or None
        ``benchmark.json``: what benchmarking to published figures moved.
    standing : mapping or None
        What stands out at the ranked level given who lives there, as ``placewise.estimates.notable`` tells it.
    responses : mapping of variable to DataFrame
        ``category, respondents, survey_share, frame_share``; frame share may be NaN. Counts below 10 are not shown.
    notes : sequence of str
        Sentences of the run worth telling, e.g. categories drawn from their prior.
    good_uses, forbidden_uses, limits : sequence of str
        Of this outcome, beside what holds for all. ``card``: further facts of the model's card, name and text.
    attribution : sequence of str
        Licences and attribution of the data.
    level_names : mapping of column to (one, many)
        How to call a level, where the usual name does not fit.
    """

    project_title: str
    outcome: str
    title: str
    estimand: str
    kind: EstimandKind
    estimates: pd.DataFrame
    areas: pd.DataFrame
    code: str
    levels: Sequence[str]
    classes: Sequence[str] = ()
    question: str = ""
    family: str = ""
    formula: str = ""
    engine: str = ""
    escalation: str = ""
    higher_is_better: bool = True
    finite_population: bool = True
    has_frame: bool = False
    people: str = "people"
    surveys: Sequence[SurveyUse] = ()
    asked: Sequence[AskedItem] = ()
    draws: int = 0
    seed: int = 0
    date: str = ""
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    data_hashes: Mapping[str, str] = field(default_factory=dict)
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    geometry: Mapping[str, Shapes] = field(default_factory=dict)
    slopes: pd.DataFrame | None = None
    sds: pd.DataFrame | None = None
    relations: pd.DataFrame | None = None
    special: SpecialTerms = field(default_factory=SpecialTerms)
    group_effects: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    explained: float | None = None
    chance_share: float | None = None
    baselines: pd.DataFrame | None = None
    baselines_note: str = ""
    fitted_error: float | None = None
    direct: pd.DataFrame | None = None
    direct_level: str = ""
    predictive: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    accuracy: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    conflicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expected: Mapping[str, Any] | None = None
    alternatives: Mapping[str, Any] | None = None
    joint: Mapping[str, Any] | None = None
    benchmark: Mapping[str, Any] | None = None
    standing: Mapping[str, Any] | None = None
    responses: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    index_base: str = "all areas"
    notes: Sequence[str] = ()
    good_uses: Sequence[str] = ()
    forbidden_uses: Sequence[str] = ()
    limits: Sequence[str] = ()
    card: Mapping[str, str] = field(default_factory=dict)
    attribution: Sequence[str] = ()
    licence: str = ""
    level_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Status of the diagnostics, ``pass``, ``warn`` or ``fail``; empty where they were not run."""
        return str(self.diagnostics.get("status", ""))

    @property
    def respondents(self) -> int:
        """People whose answers entered the model, over all surveys."""
        return sum(s.respondents for s in self.surveys)

    def rows(self, level: str) -> pd.DataFrame:
        """Rows of ``estimates`` of one level, in the order of the table."""
        return self.estimates[self.estimates["area_level"] == level].reset_index(drop=True)

    def words(self, level: str) -> tuple[str, str]:
        """How one area and many areas of a level are called, e.g. ("local authority", "local authorities")."""
        from placewise.publish.wording import level_words

        return self.level_names.get(level) or level_words(level)


@dataclass(frozen=True, kw_only=True)
class OutcomeSummary:
    """One outcome on the index page; plain data, so that it can be kept beside the report as JSON.

    Parameters
    ----------
    sentence : str
        The headline in words.
    counts : sequence of int
        Small areas clearly below, probably below, not told apart, probably above, clearly above the nation.
    strip : sequence of (str, float, float, float)
        Name, mean, lower and upper end of the 90% interval of the largest areas.
    """

    name: str
    title: str
    question: str
    estimand: str
    kind: EstimandKind
    status: str
    reason: str
    sentence: str
    respondents: int
    people: str
    areas: int
    areas_called: str
    national: tuple[float, float, float]
    counts: Sequence[int]
    strip: Sequence[tuple[str, float, float, float]]
    strip_called: str


@dataclass(frozen=True, kw_only=True)
class IndexContext:
    """The first page of a run: all outcomes at a glance.

    ``surveys``: name and relative address of the page of each survey that has one.
    """

    title: str
    date: str
    outcomes: Sequence[OutcomeSummary]
    version: str = ""
    notes: Sequence[str] = ()
    surveys: Sequence[tuple[str, str]] = ()
