"""Metadata of a run after CSV on the Web: what each file and column holds, how it was made, what it is not for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from placewise.publish.context import EstimandKind, ReportContext
from placewise.publish.uses import CAVEATS, FORBIDDEN_USES

_NUMBER = {"base": "double"}
_SHARE = {"base": "double", "minimum": "0", "maximum": "1"}

COLUMNS: tuple[tuple[str, str, Any, str], ...] = (
    ("area_code", "Area code", "string", "Code of the area; 'all' for the nation and the base."),
    ("area_name", "Area name", "string", "Name of the area, or its code where it has none."),
    ("area_level", "Level", "string", "Column of the areas table that holds the area; 'national' for the whole."),
    ("outcome", "Outcome", "string", "Name of the outcome."),
    ("population", "Population", _NUMBER, "People of the area."),
    ("mean", "Estimate", _NUMBER, "Posterior mean on the estimand's own scale; the figure to quote."),
    ("sd", "Standard deviation", _NUMBER, "Posterior standard deviation of the estimate."),
    ("ci50_lower", "50% interval, lower", _NUMBER, "Lower end of the 50% credible interval."),
    ("ci50_upper", "50% interval, upper", _NUMBER, "Upper end of the 50% credible interval."),
    ("ci90_lower", "90% interval, lower", _NUMBER, "Lower end of the 90% credible interval."),
    ("ci90_upper", "90% interval, upper", _NUMBER, "Upper end of the 90% credible interval."),
    ("ci95_lower", "95% interval, lower", _NUMBER, "Lower end of the 95% credible interval."),
    ("ci95_upper", "95% interval, upper", _NUMBER, "Upper end of the 95% credible interval."),
    ("index", "Index", _NUMBER, "Posterior mean of the index; above 0 is better."),
    ("index_sd", "Index, standard deviation", _NUMBER, "Posterior standard deviation of the index."),
    ("index_ci90_lower", "Index, 90% interval, lower", _NUMBER, "Lower end of the index's 90% credible interval."),
    ("index_ci90_upper", "Index, 90% interval, upper", _NUMBER, "Upper end of the index's 90% credible interval."),
    ("index_ci95_lower", "Index, 95% interval, lower", _NUMBER, "Lower end of the index's 95% credible interval."),
    ("index_ci95_upper", "Index, 95% interval, upper", _NUMBER, "Upper end of the index's 95% credible interval."),
    ("p_above_national", "P(above the nation)", _SHARE, "Probability that the index is above 0; empty for the nation."),
    ("p_top_decile", "P(top decile)", _SHARE, "Probability of being among the best tenth of the areas of its level."),
    ("p_bottom_decile", "P(bottom decile)", _SHARE, "Probability of being among the worst tenth of its level."),
    ("rank_median", "Rank, median", _NUMBER, "Posterior median of the rank within the level; 1 is best."),
    ("rank_ci90_lower", "Rank, 90% interval, lower", _NUMBER, "Lower end of the rank's 90% credible interval."),
    ("rank_ci90_upper", "Rank, 90% interval, upper", _NUMBER, "Upper end of the rank's 90% credible interval."),
    ("triple_goal", "Triple-goal estimate", _NUMBER, "Estimate with the right spread over areas; for histograms."),
    ("reliability", "Reliability", _SHARE, "max(0, 1 - variance of the index); below 0.3 the figure says little."),
    ("grade", "Grade", "string", "A to F by the width of the index's 90% interval: up to 1, 1.5, 2, 2.5, 3, more."),
    ("flag", "Flag", "string", "'ok', or small_population, low_reliability, extrapolated, imputed, joined by ';'; "
     "failed_checks in every row where the computation failed its own checks."),
    ("flag_reason", "Reason of the flag", "string", "What the flag means for this area."),
)  # fmt: skip

UNITS: Mapping[EstimandKind, str] = {"share": "share, 0 to 1", "mean": "score", "latent": "link scale"}

INDEX_FORMULA = (
    "In every posterior draw: index = polarity x (y - mean) / sd, with the population-weighted mean and sd of y over "
    "the small areas of the base in that draw; the index of a larger area is the population-weighted mean of its small "
    "areas' index; summarised over draws afterwards."
)


def outcome_metadata(context: ReportContext) -> dict[str, Any]:
    """The table of one outcome's estimates: columns, question, surveys, model, provenance.

    Returns
    -------
    dict
        A CSVW table description for ``<outcome>/estimates.csv``; JSON-able, the same for the same run.
    """
    return _table(context, "estimates", context.estimand, context.kind) | {
        "placewise:outcome": {
            "name": context.outcome,
            "question": context.question,
            "estimand": context.estimand,
            "scale": UNITS[context.kind],
            "orientation": "higher is better" if context.higher_is_better else "lower is better",
            "finite_population": context.finite_population,
            "surveys": [_survey(s.name, s.question, s.mode, s.years, s.respondents) for s in context.surveys],
            "items": [{**dataclasses.asdict(item), "levels": list(item.levels)} for item in context.asked],
            "respondents": context.respondents,
            "model": {"family": context.family, "formula": context.formula, "engine": context.engine}
            | ({"escalation": context.escalation} if context.escalation else {}),
            "benchmark": _benchmark(context),
            "joint": _joint(context),
            "draws": context.draws,
            "seed": context.seed,
            "date": context.date,
            "command": context.command,
            "status": context.status,
            "index": {"formula": INDEX_FORMULA, "base": context.index_base},
            "data_sha256": dict(sorted(context.data_hashes.items())),
            "versions": dict(sorted(context.versions.items())),
            "attribution": list(context.attribution),
            "notes": list(context.notes),
            "card": dict(context.card),
            "intended_uses": list(context.good_uses),
            "caveats": [*context.limits, *CAVEATS],
            "forbidden_uses": [*context.forbidden_uses, *FORBIDDEN_USES],
        },
    }


def _joint(context: ReportContext) -> dict[str, Any] | None:
    """With which outcomes it is modelled, and how far their places and people go together; None where by itself."""
    found = context.joint
    if not found:
        return None
    return {"outcomes": list(found["titles"]), "correlations": found["correlations"], "people": found["people"]}


def _benchmark(context: ReportContext) -> dict[str, Any] | None:
    """To what figures the estimates were moved; None where they were not."""
    found = context.benchmark
    return None if not found else {name: found[name] for name in ("level", "mode", "median_move", "largest_move")}


def further_metadata(context: ReportContext, name: str, estimand: str, kind: EstimandKind) -> dict[str, Any]:
    """The table of another estimand of the outcome.

    Parameters
    ----------
    name : str
        As the model file names it.
    estimand, kind
        As in the context, of this estimand.

    Returns
    -------
    dict
        A CSVW table description for ``<outcome>/estimates_<name>.csv``.
    """
    return _table(context, f"estimates_{name}", estimand, kind) | {"placewise:estimand": estimand}


def _table(context: ReportContext, stem: str, estimand: str, kind: EstimandKind) -> dict[str, Any]:
    """What CSVW says of any table of estimates."""
    columns = []
    for name, title, datatype, description in COLUMNS:
        column: dict[str, Any] = {"name": name, "titles": title, "datatype": datatype, "dc:description": description}
        if name.startswith(("mean", "sd", "ci", "triple_goal")):
            column["schema:unitText"] = UNITS[kind]
        elif name.startswith("index"):
            column["schema:unitText"] = "standard deviations between small areas of the base"
        columns.append(column)
    failed = context.status == "fail"
    warning = "NOT FOR USE: the computation failed its own checks. " if failed else ""
    return {
        "url": f"{context.outcome}/{stem}.csv",
        "dc:title": context.title,
        "dc:description": f"{warning}Modelled {estimand}, for every area and level.",
        "placewise:not_for_use": failed,
        "tableSchema": {"columns": columns, "primaryKey": ["area_level", "area_code"]},
    }


def _survey(name: str, question: str, mode: str, years: str, respondents: int) -> dict[str, Any]:
    return {"name": name, "question": question, "mode": mode, "years": years, "respondents": respondents}


def build_metadata(title: str, tables: Sequence[Mapping[str, Any]], licence: str = "") -> dict[str, Any]:
    """Metadata of a whole run.

    Parameters
    ----------
    title : str
        Title of the project.
    tables : sequence of mapping
        From ``outcome_metadata``, one an outcome, and from ``further_metadata``.
    licence : str
        Licence of the estimates, as the project states it.

    Returns
    -------
    dict
        A CSVW table group, to be written as JSON.
    """
    return {
        "@context": [
            "http://www.w3.org/ns/csvw",
            {"@language": "en", "placewise": "urn:placewise:metadata#"},
        ],
        "@type": "TableGroup",
        "dc:title": title,
        "dc:license": licence or "not stated by the project",
        "placewise:caveats": list(CAVEATS),
        "placewise:forbidden_uses": list(FORBIDDEN_USES),
        "tables": sorted((dict(t) for t in tables), key=lambda t: str(t["url"])),
    }
