"""Coverage, error and calibration where the truth is known: made-up countries, surveyed again and again.

A cell is a world (how areas differ) under a prior; hyperparameters and slopes of a world are fixed, its effects,
respondents and answers new in every survey. The oracle is the same model with true sds and slopes. Both are fitted by
the same engine and projected to all areas. Runs in two processes and goes on where it stopped.

    python benchmarks/coverage_study.py --surveys 100
    python benchmarks/coverage_study.py --surveys 100 --total "gamma(4, 22)" --split 1 --worlds "heavy tails"
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from common.country import CODE, KIND
from common.exceedance import expected_ece, gap_columns, gaps_of, with_pooled_ece
from common.known_truth import mean_and_cover, of_level, truth_table
from common.page import Section, write_page
from common.study import mean_error, page_path
from common.world_study import Limits, pick, rms, run_worlds, show, with_missed, world_parser
from common.worlds import AREAS, CLASSES, FAMILY, LEVELS, Survey, make_survey, worlds
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from placewise.diagnostics.score import score_tables
from placewise.errors import ModelError, Problems
from placewise.estimates.predictor import Predictor
from placewise.estimates.summarise import Summary, summarise
from placewise.models.design import Design
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.fit import Posterior
from placewise.models.predict import build_predictor
from placewise.models.prior_plan import PriorPlan
from placewise.models.priors import parse_prior
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.surveys.outcome import Response

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEYS = ("world", "total", "split", "engine", "respondents", "areas", "draws", "survey")
STEPS = (CODE, *(name for name, _ in reversed(LEVELS)))
SCORES = (
    "cov_index",
    "cov_oracle",
    "slope",
    "ece",
    "ece_expected",
    "nation_z",
    "rmse_ratio",
    "rmse_ratio_district",
    "area_sd",
    "ratio",
)
RIVALS = ("oracle", "direct", "classes", "synthetic")
MEASURES = (
    *(f"cov_{name}" for name in STEPS), *(f"cov_k{k}" for k in range(CLASSES)), *SCORES, "rmse", "rmse_district",
    *(f"rmse_{rival}" for rival in RIVALS), "rmse_oracle_district", "sd_area_mean", "seconds", "oracle_seconds",
)  # fmt: skip
# coverage of 90% by the kind of truth
BARS = {"prior": (0.885, 0.915), "fixed": (0.87, 0.93), "weak": (0.85, 0.96), "wrong": (0.85, 1.0)}
STRONG = 0.3  # area sd / sampling sd from which the narrower bar holds
CALIBRATION = (
    "National error in posterior sds; slope of truth on estimate; calibration error of the probability of lying above "
    "the nation, over all surveys together, in single ones, and in single ones were every probability right."
)
OUTCOME = OutcomeSpec(
    "made-up", "Made-up", ("survey",), FAMILY, estimands=(EstimandSpec("", "share"),), finite_population=False
)


def one_survey(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Make a survey, fit, project, score; figures of a row, or the error of an engine that failed."""
    found = Problems()
    total = parse_prior(cell["total"], "--total", found)
    found.raise_if_any()
    assert total is not None
    world = worlds()[cell["world"]]
    own = make_survey(
        world, {"sd:geography": total}, cell["split"], cell["respondents"], cell["survey"], n_areas=cell["areas"]
    )
    try:
        posterior, seconds = _fit(cell, own.design, own.response, own.plan)
        oracle, oracle_seconds = _fit(cell, own.oracle_design, own.response, own.oracle)
    except ModelError as error:
        return {"error": str(error)}
    predictor = _predictor(own, own.design, posterior, cell["survey"])
    fitted = summarise(predictor, threads=1)
    best, cover = mean_and_cover(_predictor(own, own.oracle_design, oracle, cell["survey"]), own.share)
    row = _scores(fitted, truth_table(own.areas, own.share), own) | _rival_errors(own)
    row |= {
        "rmse_oracle": rms(best - own.share),
        "rmse_oracle_district": rms(of_level(own.areas, "district", best - own.share).to_numpy()),
        "cov_oracle": cover,
    }
    for level in ("", "_district"):
        row[f"rmse_ratio{level}"] = row[f"rmse{level}"] / row[f"rmse_oracle{level}"]
    row |= {"area_sd": own.area_sd, "ratio": own.area_sd / own.sampling_sd}
    row |= {"sd_area_mean": float(posterior.draws(f"sd_{CODE}").mean()), "ece_expected": expected_ece(predictor)}
    return row | {"seconds": seconds, "oracle_seconds": oracle_seconds}


def _fit(cell: Mapping[str, Any], design: Design, response: Response, plan: PriorPlan) -> tuple[Posterior, float]:
    """The posterior, and the seconds it took."""
    options = FitOptions(draws=cell["draws"], seed=cell["survey"], jobs=1)
    start = time.perf_counter()
    idata = engine_named(cell["engine"])(FitProblem(design, response, FAMILY, plan), options)
    return Posterior(idata, plan), time.perf_counter() - start


def _predictor(own: Survey, design: Design, posterior: Posterior, seed: int) -> Predictor:
    return build_predictor(OUTCOME, design, posterior, own.areas, None, seed=seed)


def _scores(fitted: Summary, truth: pd.DataFrame, own: Survey) -> dict[str, Any]:
    score = score_tables(fitted.estimates, truth, minimum=500)
    levels, index = score["levels"], score["index"]
    nation = fitted.level("national").iloc[0]
    small = fitted.level(CODE)
    mean, above = (small[name].to_numpy(dtype=np.float64) for name in ("mean", "p_above_national"))
    row = {f"cov_{name}": levels[name]["cov90"] for name in STEPS}
    row |= {f"cov_{kind}": share for kind, share in levels[CODE]["cov90_by"].get(KIND, {"all": {}})["all"].items()}
    row |= gaps_of(above, own.share > score["national"]["truth"])
    return row | {
        "cov_index": index["cov90"],
        "ece": index["p_above_national"]["ece"],
        "slope": float(np.polyfit(mean, own.share, 1)[0]),
        "nation_z": (nation["mean"] - score["national"]["truth"]) / nation["sd"],
        "rmse": levels[CODE]["rmse"],
        "rmse_district": levels["district"]["rmse"],
    }


def _rival_errors(own: Survey) -> dict[str, float]:
    """Error of simple estimates: means of the sampled areas themselves, means of classes, regression alone."""
    y, table = own.response.y, own.areas.table
    kind, kinds = pd.factorize(table[KIND])

    def means(group: np.ndarray, size: int) -> np.ndarray:
        count = np.bincount(group, minlength=size)
        return np.where(count > 0, np.bincount(group, y, size) / np.maximum(count, 1), np.nan)

    x = np.column_stack([np.ones(len(table)), *(table[c.name] for c in own.design.columns)])
    synthetic = GLM(y, x[own.area], families.Binomial()).fit().predict(x)
    rivals = {
        "direct": means(own.area, len(table)),
        "classes": means(kind[own.area], len(kinds))[kind],
        "synthetic": synthetic,
    }
    return {f"rmse_{name}": rms(guess - own.share) for name, guess in rivals.items()}


def bar_of(world: str, ratio: float) -> tuple[float, float]:
    """Within which coverage of 90% should lie."""
    wanted = worlds()[world]
    if not wanted.sds:
        return BARS["prior"]
    if np.isfinite(wanted.degrees) or wanted.omitted:
        return BARS["wrong"]
    return BARS["fixed" if ratio >= STRONG else "weak"]


def limits_of(row: Mapping[str, Any]) -> Limits:
    """What a cell should reach; under a wrong model coverage alone."""
    held = bar_of(row["world"], row["ratio"])
    limits = {f"cov_{CODE}": held, "cov_index": held}
    if held == BARS["wrong"]:
        return limits
    limits |= {f"cov_k{k}": (0.86, 0.94) for k in range(CLASSES)} | {"cov_region": (0.85, 0.95)}
    limits |= {"rmse_ratio": (0.0, 1.05), "rmse_ratio_district": (0.0, 1.05), "nation_z": (-0.1, 0.1)}
    return limits | {"slope": (0.95, 1.05), "ece_pooled": (0.0, 0.02)}


def summary_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of every measure over the surveys of a cell with its Monte-Carlo error, and which goals are missed."""
    done = rows[rows["error"].isna()]
    return with_missed(with_pooled_ece(mean_error(done, KEYS[:-1], MEASURES), done, KEYS[:-1]), limits_of)


def coverage_plot(table: pd.DataFrame) -> Figure:
    """Coverage of small areas in every world, one colour a prior, bars of two Monte-Carlo errors."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(table["world"]))
    figure = Figure(figsize=(8.5, 0.42 * len(names) + 1.4))
    axes = figure.subplots()
    for place, name in enumerate(names):
        low, high = bar_of(name, float(table.loc[table["world"] == name, "ratio"].mean()))
        axes.fill_betweenx([place - 0.4, place + 0.4], low, min(high, 0.99), color="#e8e8e8", lw=0)
    groups = list(table.groupby(["total", "split", "engine"], sort=False))
    for k, (key, own) in enumerate(groups):
        at = [names.index(w) + 0.6 * ((k + 1) / (len(groups) + 1) - 0.5) for w in own["world"]]
        error = 2.0 * own[f"cov_{CODE}_se"].fillna(0.0)
        axes.errorbar(own[f"cov_{CODE}"], at, xerr=error, fmt="o", ms=4, label=f"{key[0]}, split {key[1]:g}, {key[2]}")
    axes.axvline(0.9, color="#888", lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("Share of small areas whose 90% interval holds the truth")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def sections_of(table: pd.DataFrame) -> list[Section]:
    """The page's parts."""

    by = ("world", "total", "split", "repeats")
    levels = (f"cov_{n}" for n in STEPS)
    coverage = pick(table, by, (*levels, "cov_index", "cov_oracle", *(f"cov_k{k}" for k in range(CLASSES))))
    errors = pick(table, by, ("rmse", *(f"rmse_{r}" for r in RIVALS), "rmse_ratio", "rmse_ratio_district"))
    rest = pick(
        table,
        by,
        ("nation_z", "slope", "ece_pooled", "ece", "ece_expected", "area_sd", "sd_area_mean", "ratio", "seconds"),
    )
    return [
        Section(
            "Goals missed", "By more than two Monte-Carlo errors.", table=table[["world", "total", "split", "missed"]]
        ),
        Section(
            "Coverage of small areas", "", coverage_plot(table), "Grey: what is wanted. Bars: two Monte-Carlo errors."
        ),
        Section("Coverage", "Of 90% intervals: levels, the index, classes of at least 500 areas.", table=coverage),
        Section("Error", "Root mean square; ratios to the oracle. Direct: sampled areas only.", table=errors),
        Section("Bias and calibration", CALIBRATION, table=rest),
    ]


def main() -> None:
    parser = world_parser(__doc__, "coverage", worlds(), surveys=100)
    parser.add_argument("--total", default="gamma(4, 22)", help="prior of the geography's total sd")
    parser.add_argument("--split", type=float, default=1.5, help="weight of the area in the split of the total")
    parser.add_argument("--engine", default="laplace")
    parser.add_argument("--respondents", type=int, default=10_000)
    parser.add_argument("--areas", type=int, default=AREAS)
    args = parser.parse_args()
    rows = run_worlds(args, KEYS, (*MEASURES, *gap_columns(), "error"), one_survey)
    table = summary_of(rows)
    shown = (f"cov_{CODE}", "cov_index", "rmse_ratio", "ece_pooled", "ece", "ece_expected", "missed")
    show(pick(table, ("world", "total", "split", "repeats"), shown))
    lead = (
        f"{args.respondents} respondents, {args.areas} areas, 90% intervals; ± is the Monte-Carlo error over surveys."
    )
    write_page(page_path(args), "Coverage where the truth is known", lead, sections_of(table), rows)


if __name__ == "__main__":
    main()
