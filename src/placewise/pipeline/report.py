"""What the report of one outcome says, gathered from every stage."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from placewise.geography.areas import AreaTable
from placewise.models.card import ModelCard
from placewise.models.discrepancy import is_shift
from placewise.models.relation_table import relation_table
from placewise.models.sd_table import sd_table
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.pipeline import drivers
from placewise.pipeline.answers import asked_items, direct_table, responses, survey_uses
from placewise.pipeline.baselines import compare_baselines
from placewise.pipeline.fingerprint import library_versions
from placewise.pipeline.inputs import input_files
from placewise.pipeline.link_sensitivity import link_sensitivity
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.outcome import OutcomeRun
from placewise.pipeline.polygons import read_polygons
from placewise.publish.context import EstimandKind, ReportContext, SpecialTerms


def report_context(run: OutcomeRun) -> ReportContext:
    """Gather the report's context from data, posterior, diagnostics and estimates.

    Parameters
    ----------
    run : OutcomeRun
        Every stage before ``publish`` is finished.
    """
    data, spec, model = run.data, run.spec, run.model
    outcome = model.outcome
    estimand = outcome.estimands[0]
    estimates = pd.read_parquet(run.store.folder / "estimates.parquet")
    diagnostics = json.loads((run.store.folder / "diagnostics.json").read_text(encoding="utf-8"))
    compared = compare_baselines(diagnostics["baselines"], data, outcome, estimates)
    level = _middle_level(data.areas.levels, run)
    project = run.store.read("project")
    return ReportContext(
        project_title=spec.title,
        outcome=run.name,
        title=outcome.title,
        estimand=estimand_words(outcome, estimand),
        kind=estimand_kind(estimand),
        estimates=estimates,
        areas=data.areas.table[[data.areas.code, *data.areas.levels, *data.areas.classes]],
        code=data.areas.code,
        levels=data.areas.levels,
        classes=data.areas.classes,
        question=outcome.question,
        family=outcome.family,
        formula=" ".join(model.formula.split()),
        engine=run.posterior.engine,
        escalation=run.posterior.escalation,
        higher_is_better=outcome.higher_is_better,
        finite_population=run.predictor.finite_population and estimand.kind != "latent",
        has_frame=data.frame is not None,
        surveys=survey_uses(data, spec.surveys, outcome),
        asked=asked_items(data.response.instruments, outcome),
        draws=run.predictor.n_draws,
        seed=spec.seed,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=_command(run),
        versions=library_versions(),
        data_hashes=run.work.digests.of(input_files(spec, model)),
        diagnostics={"status": diagnostics["status"], "checks": diagnostics["checks"]},
        geometry=_polygons(run),
        slopes=drivers.slopes(run.posterior, data.design),
        sds=_sds(run),
        relations=_relations(run),
        special=_special(run),
        group_effects=_named(data.areas, drivers.group_effects(run.posterior, data.design), "level"),
        explained=drivers.explained_share(run.posterior, data.design, data.areas),
        chance_share=None if project is None else project.facts["chance_share"],
        baselines=compared.table,
        baselines_note=compared.note,
        fitted_error=compared.fitted_error,
        predictive=_predictive(data, diagnostics["predictive"]),
        direct=None if level is None else direct_table(data, estimand, level),
        direct_level=level or "",
        joint=_joint(run),
        benchmark=_benchmark(run),
        standing=None if project is None else project.facts["standing"],
        alternatives=diagnostics.get("sensitivity"),
        expected=diagnostics["prior"],
        conflicts=diagnostics["surveys"],
        sensitivity=_sensitivity_to_link(run, estimates, estimand),
        responses=responses(data),
        index_base=_base_words(run),
        notes=data.notes,
        good_uses=model.card.intended_use,
        forbidden_uses=model.card.forbidden_use,
        limits=model.card.limits,
        card=_card(model.card),
    )


def _card(card: ModelCard) -> dict[str, str]:
    """Further facts of a model's card; those not given are left out."""
    facts = {"Version of the model": card.version, "Contact": card.contact}
    return {name: text for name, text in facts.items() if text}


def _sensitivity_to_link(run: OutcomeRun, estimates: pd.DataFrame, estimand: EstimandSpec) -> pd.DataFrame | None:
    national = estimates.loc[estimates["area_level"] == "national", "mean"].iloc[0]
    return link_sensitivity(run.predictor, float(national), estimand_kind(estimand))


def _relations(run: OutcomeRun) -> pd.DataFrame:
    """What ties effects together; classes are told by name, levels of the geography tell who was asked."""
    scale, areas = run.data.design.area_scale, run.data.areas
    classes = scale is not None and scale.by in areas.classes
    table = relation_table(run.posterior, run.data.design, classes=classes)
    names = areas.names.get(scale.by, {}) if scale is not None else {}
    of_class = table["kind"] == "class"
    return table.assign(first=table["first"].where(~of_class, table["first"].map(lambda code: names.get(code, code))))


def _sds(run: OutcomeRun) -> pd.DataFrame:
    """Standard deviations; that of a survey's shift is the one of its prior and tells nothing."""
    table = sd_table(run.posterior)
    shifts = [group.name for group in run.data.design.groups if is_shift(group)]
    return table[~table["group"].isin(shifts)].reset_index(drop=True)


def _predictive(data: OutcomeData, found: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Tables of answers and predictions, without how many answered; none where every group is too small to be told."""
    tables = {name: pd.DataFrame(rows).drop(columns="n") for name, rows in found.items() if rows}
    return _named(data.areas, tables, "group")


def _special(run: OutcomeRun) -> SpecialTerms:
    design, scale = run.data.design, run.data.design.area_scale
    # the intercept of a correlated block stands first, where there is one
    tied = {k for positions in design.correlated if design.groups[positions[0]].by is None for k in positions}
    shrinkage, asked = run.posterior.priors.shrinkage, run.data.response.instruments
    return SpecialTerms(
        structures={g.name: g.structure.kind for g in design.groups if g.structure is not None},
        slopes=[
            (g.by.name, g.dim, k in tied) for k, g in enumerate(design.groups) if g.by is not None and not g.survey
        ],
        category_specific=[design.columns[k].name for k in design.category_specific],
        area_scale="" if scale is None else scale.by,
        declared=scale is not None and scale.multipliers is not None,
        shrinkage="" if shrinkage is None else str(shrinkage),
        items=() if asked is None or not asked.scale else asked.names,
    )


def _named(areas: AreaTable, tables: Mapping[str, pd.DataFrame], column: str) -> dict[str, pd.DataFrame]:
    """Tables by grouping with names in place of codes, where the project gives names."""
    found = {}
    for grouping, table in tables.items():
        names = areas.names.get(grouping.rpartition(" by ")[2], {})
        found[grouping] = table.assign(**{column: [names.get(code, code) for code in table[column]]})
    return found


def estimand_kind(estimand: EstimandSpec) -> EstimandKind:
    """On which kind of scale an estimand is shown."""
    return estimand.kind if estimand.kind != "score" else "mean"


def estimand_words(outcome: OutcomeSpec, estimand: EstimandSpec) -> str:
    """The estimand as a noun phrase without an article."""
    if estimand.kind == "latent":
        return "position on the model's scale"
    if outcome.family == "graded_response" and estimand.kind != "share":
        return "mean score over the items of the scale"
    if estimand.kind == "mean":
        return "mean score" if outcome.family == "cumulative" else "mean"
    chosen = estimand.categories or outcome.success
    if not chosen:
        return "share"
    to = f" to the item {estimand.item!r}" if estimand.item else ""
    return f"share who answer {' or '.join(repr(c) for c in chosen)}{to}"


def _middle_level(levels: tuple[str, ...], run: OutcomeRun) -> str | None:
    """Level at which direct figures stand beside modelled ones: the one next to the coarsest, or the only one."""
    table = run.data.areas.table
    many = [name for name in levels if table[name].nunique() >= 3]
    if not many:
        return None
    return many[-1] if len(many) < 2 or table[many[-1]].nunique() >= 20 else many[-2]


def _polygons(run: OutcomeRun) -> Any:
    areas = run.data.areas
    codes = {level: set(areas.table[level]) for level in (areas.code, *areas.levels)}
    return read_polygons(run.spec.areas.geometry, codes)


def _command(run: OutcomeRun) -> str:
    options = f"--engine {run.model.engine} --draws {run.work.draws} --seed {run.spec.seed}"
    return f"placewise run --outcome {run.name} {options}"


def _joint(run: OutcomeRun) -> Mapping[str, Any] | None:
    """What the coupling told, and the titles of the outcomes; None where the outcome is by itself."""
    record = run.record("joint") if run.together else None
    if record is None:
        return None
    titles = {name: run.spec.models[name].outcome.title for name in run.spec.joint}
    return {**{name: record.facts[name] for name in ("correlations", "people")}, "titles": titles}


def _benchmark(run: OutcomeRun) -> Any:
    path = run.store.folder / "benchmark.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _base_words(run: OutcomeRun) -> str:
    base = run.spec.index_base
    return "; ".join(f"{column}: {', '.join(values)}" for column, values in base.items()) or "all areas"
