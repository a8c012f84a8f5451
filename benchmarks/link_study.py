"""Respondents linked above the area: coverage and bias of small areas where the truth is known.

A cell is a world (how areas inside the linked groups differ, and what the fit takes for granted); its sds and slopes
are fixed, its effects, respondents and answers new in every survey. Respondents tell their group only; the fit is
projected to every area inside. Runs in two processes and goes on where it stopped.

    python benchmarks/link_study.py --surveys 100
    python benchmarks/link_study.py --surveys 20 --worlds "ratio right" "ratio half" "ratio double"
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from common.country import CODE
from common.known_truth import truth_table
from common.linked import AREAS, LINK, LinkedSurvey, linked_worlds, make_linked_survey
from common.page import Section, write_page
from common.study import page_path
from common.world_study import Limits, pick, run_worlds, show, summary_of_worlds, world_parser

from placewise.diagnostics.score import score_tables
from placewise.errors import ModelError
from placewise.estimates.summarise import summarise
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.fit import Posterior
from placewise.models.link_scale import with_area_sd
from placewise.models.predict import build_predictor
from placewise.models.spec import EstimandSpec, OutcomeSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEYS = ("world", "engine", "respondents", "areas", "draws", "survey")
FAMILY = "bernoulli"
STEPS = (CODE, LINK, "district")
MEASURES = (
    *(f"cov_{name}" for name in STEPS), "bias", "bias_z", *(f"rmse_{name}" for name in STEPS), "width", "averaged",
    "ess", "seconds",
)  # fmt: skip
# coverage of 90% at the small area
RIGHT, WRONG = (0.87, 0.93), (0.85, 1.0)
# national bias, in posterior sds
MOST_BIAS = 0.1
OUTCOME = OutcomeSpec(
    "made-up", "Made-up", ("survey",), FAMILY, estimands=(EstimandSpec("", "share"),), finite_population=False
)


def one_survey(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Make a survey, fit, project, score; figures of a row, or the error of an engine that failed."""
    world = linked_worlds()[cell["world"]]
    own = make_linked_survey(world, cell["respondents"], cell["survey"], n_areas=cell["areas"])
    options = FitOptions(draws=cell["draws"], seed=cell["survey"], jobs=1)
    start = time.perf_counter()
    try:
        idata = engine_named(cell["engine"])(FitProblem(own.design, own.response, FAMILY, own.plan), options)
    except ModelError as error:
        return {"error": str(error)}
    seconds = time.perf_counter() - start
    posterior = Posterior(with_area_sd(idata, own.plan), own.plan)
    predictor = build_predictor(OUTCOME, own.design, posterior, own.areas, None, seed=cell["survey"])
    row = _scores(summarise(predictor, threads=1).estimates, own)
    assert own.design.link is not None
    ess = float(idata.posterior.attrs.get("importance_ess", np.nan))
    return row | {"averaged": float(own.design.link.places is not None), "ess": ess, "seconds": seconds}


def _scores(estimates: pd.DataFrame, own: LinkedSurvey) -> dict[str, Any]:
    score = score_tables(estimates, truth_table(own.areas, own.share))
    nation = estimates[estimates["area_level"] == "national"].iloc[0]
    bias = float(nation["mean"] - score["national"]["truth"])
    row = {f"cov_{name}": score["levels"][name]["cov90"] for name in STEPS}
    row |= {f"rmse_{name}": score["levels"][name]["rmse"] for name in STEPS}
    return row | {"bias": bias, "bias_z": bias / float(nation["sd"]), "width": score["levels"][CODE]["width90"]}


def bar_of(world: str) -> tuple[float, float]:
    """Within which coverage of small areas should lie: anywhere where the fit is told what is not so."""
    wanted = linked_worlds()[world]
    if wanted.taken != 1.0 or not wanted.averaged:
        return 0.0, 1.0
    unlike = wanted.probit or np.isfinite(wanted.degrees) or wanted.curved
    return WRONG if unlike else RIGHT


def limits_of(row: Mapping[str, Any]) -> Limits:
    """Coverage, and bias where the fit is of the truth's kind or has its means."""
    wanted = linked_worlds()[row["world"]]
    limits = {f"cov_{CODE}": bar_of(row["world"])}
    unbiased = wanted.averaged and not (wanted.probit or wanted.curved)
    return limits | {"bias_z": (-MOST_BIAS, MOST_BIAS)} if unbiased else limits


def summary_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of every measure over the surveys of a cell with its Monte-Carlo error, and which goals are missed."""
    return summary_of_worlds(rows, KEYS[:-1], MEASURES, limits_of)


def coverage_plot(table: pd.DataFrame) -> Figure:
    """Coverage of small areas by world."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 0.45 * len(table) + 1.0), layout="constrained")
    axes = figure.subplots()
    at = np.arange(len(table))
    for k, name in enumerate(table["world"]):
        low, high = bar_of(name)
        if high - low < 1.0:
            axes.fill_betweenx([k - 0.4, k + 0.4], low, high, color="0.9", linewidth=0)
    error = 2.0 * table[f"cov_{CODE}_se"].fillna(0.0)
    axes.errorbar(table[f"cov_{CODE}"], at, xerr=error, fmt="o", color="black", markersize=4)
    axes.set_yticks(at, list(table["world"]))
    axes.invert_yaxis()
    axes.set_xlabel("Share of small areas whose 90% interval holds the truth")
    return figure


def sections_of(table: pd.DataFrame) -> list[Section]:
    """The page's parts."""

    by = ("world", "repeats")
    return [
        Section("Goals missed", "By more than two Monte-Carlo errors.", table=table[["world", "missed"]]),
        Section("Coverage of small areas", "", coverage_plot(table), "Grey: what is wanted. Bars: two errors."),
        Section("Coverage", "Of 90% intervals.", table=pick(table, by, (*(f"cov_{name}" for name in STEPS), "width"))),
        Section(
            "Bias and error",
            "National error of the share, and in posterior sds; root mean squares.",
            table=pick(table, by, ("bias", "bias_z", *(f"rmse_{name}" for name in STEPS))),
        ),
        Section("Fit", "", table=pick(table, by, ("averaged", "ess", "seconds"))),
    ]


def main() -> None:
    parser = world_parser(__doc__, "link", linked_worlds(), surveys=100)
    parser.add_argument("--engine", default="laplace")
    parser.add_argument("--respondents", type=int, default=8_000)
    parser.add_argument("--areas", type=int, default=AREAS)
    args = parser.parse_args()
    rows = run_worlds(args, KEYS, (*MEASURES, "error"), one_survey)
    table = summary_of(rows)
    show(pick(table, ("world", "repeats"), (f"cov_{CODE}", "bias", "bias_z", "width", "missed")))
    lead = (
        f"{args.respondents} respondents who tell one of {args.areas // 5} groups of {args.areas} areas; ± is the "
        "Monte-Carlo error over surveys."
    )
    write_page(page_path(args), "Respondents linked above the area", lead, sections_of(table), rows)


if __name__ == "__main__":
    main()
