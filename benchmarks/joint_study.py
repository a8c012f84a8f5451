"""Several outcomes together against each by itself, where the truth is known: error, coverage, correlations.

A cell is a world: how far the places and the people of three outcomes go together, and whether the generator is that of
the model. Every survey has new effects, people and answers; its three outcomes are fitted by the fast engine, and then
coupled. Errors are of local authorities' shares. Runs in two processes and goes on where it stopped.

    python benchmarks/joint_study.py --surveys 40
    python benchmarks/joint_study.py --surveys 40 --worlds "people only"
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from common.joint_worlds import AGE_EFFECTS, LEVEL, JointSurvey, JointWorld, make_joint_survey
from common.page import Section, write_page
from common.study import page_path
from common.world_study import Limits, pick, rms, run_worlds, show, summary_of_worlds, world_parser
from scipy.special import expit

from placewise.models.engines import FitOptions
from placewise.models.engines.laplace.fit import fit
from placewise.models.fit import Posterior
from placewise.models.joint.couple import Member, couple

WORLDS = {
    "places": JointWorld("places"),
    "people only": JointWorld("people only", area_correlation=0.0, person_correlation=0.4, same_people=True),
    "places, unlike": JointWorld("places, unlike", probit=True, degrees=4.0, curved=True),
    "people only, unlike": JointWorld(
        "people only, unlike", area_correlation=0.0, person_correlation=0.4, same_people=True, probit=True, degrees=4.0
    ),
}
PAIRS = tuple(combinations(range(3), 2))
KEYS = ("world", "weakest", "others", "areas", "draws", "survey")
MEASURES = (
    "ratio_weakest", "ratio_others", "rmse_weakest", "cov_weakest", "cov_others", "cov_alone", "cov_correlation",
    "correlation", "person", "ess", "khat", "shift", "seconds", "seconds_fits",
)  # fmt: skip
# goals: error of the weakest outcome beside its separate fit, coverage of the correlations' 90% intervals
MOST_ERROR = {0.0: 1.01, 0.6: 0.93}
COVERAGE = (0.85, 0.95)


def one_survey(cell: Mapping[str, Any]) -> dict[str, float]:
    """Make a survey, fit its outcomes, couple them, and compare with the truth."""
    sizes = (cell["weakest"], cell["others"], cell["others"])
    world = replace(WORLDS[cell["world"]], respondents=sizes, areas=cell["areas"])
    survey = make_joint_survey(world, cell["survey"])
    began = time.perf_counter()
    members = []
    for o, problem in enumerate(survey.problems):
        idata = fit(problem, FitOptions(draws=cell["draws"], seed=cell["survey"] + 1000 * o, jobs=1))
        members.append(Member(str(o), problem, Posterior(idata, problem.priors), survey.people[o]))
    fitted = time.perf_counter()
    found = couple(members, [LEVEL], seed=cell["survey"], jobs=1)
    ended = time.perf_counter()
    alone = [_errors(m.posterior, survey, o) for o, m in enumerate(members)]
    coupled = [_errors(found.posteriors[m.name], survey, o) for o, m in enumerate(members)]
    data = found.idata["posterior"]
    correlation = data[f"cor_{LEVEL}"].to_numpy()[0]
    held = []
    for i, j in PAIRS:
        low, high = np.quantile(correlation[:, i, j], (0.05, 0.95))
        held.append(low <= world.area_correlation <= high)
    people = [row["value"] for row in json.loads(data.attrs["people"])]
    return {
        "ratio_weakest": coupled[0][0] / alone[0][0],
        "ratio_others": float(np.mean([coupled[o][0] / alone[o][0] for o in (1, 2)])),
        "rmse_weakest": coupled[0][0],
        "cov_weakest": coupled[0][1],
        "cov_others": float(np.mean([coupled[o][1] for o in (1, 2)])),
        "cov_alone": alone[0][1],
        "cov_correlation": float(np.mean(held)),
        "correlation": float(np.mean([np.median(correlation[:, i, j]) for i, j in PAIRS])),
        "person": float(np.mean(people)) if people else float("nan"),
        "ess": data.attrs["joint_importance_ess"],
        "khat": data.attrs["joint_khat"],
        "shift": data.attrs["joint_shift"],
        "seconds": ended - fitted,
        "seconds_fits": fitted - began,
    }


def _errors(posterior: Posterior, survey: JointSurvey, number: int) -> tuple[float, float]:
    """Root mean square error of the places' shares, and how many 90% intervals hold the truth."""
    level = posterior.draws("intercept")[:, None] + posterior.draws("slopes") @ survey.covariate[None]
    level = level + posterior.draws(f"effect_{LEVEL}")
    ages = posterior.draws("effect_age")
    share = np.mean([expit(level + ages[:, [a]]) for a in range(len(AGE_EFFECTS))], axis=0)
    truth = survey.share[number]
    low, high = np.quantile(share, (0.05, 0.95), axis=0)
    return rms(share.mean(axis=0) - truth), float(np.mean((low <= truth) & (truth <= high)))


def limits_of(row: Mapping[str, Any]) -> Limits:
    """Error beside separate fits, coverage of shares, and of correlations where places go apart."""
    apart = WORLDS[row["world"]].area_correlation
    limits = {"ratio_weakest": (0.0, MOST_ERROR[apart]), "cov_weakest": (0.87, 0.93)}
    return limits if apart else limits | {"cov_correlation": COVERAGE}


def summary_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean of every measure over the surveys of a cell with its Monte-Carlo error, and which goals are missed."""
    return summary_of_worlds(rows, KEYS[:-1], MEASURES, limits_of)


def sections_of(table: pd.DataFrame) -> list[Section]:
    """The page's parts."""

    by = ("world", "repeats")
    error = pick(table, by, ("ratio_weakest", "ratio_others", "rmse_weakest"))
    fit = pick(table, by, ("ess", "khat", "shift", "seconds", "seconds_fits"))
    coverage = pick(table, by, ("cov_weakest", "cov_others", "cov_alone", "cov_correlation"))
    found = pick(table, by, ("correlation", "person"))
    return [
        Section("Goals missed", "By more than two Monte-Carlo errors.", table=table[["world", "missed"]]),
        Section("Error", "Of authorities' shares, over that of separate fits; root mean square.", table=error),
        Section(
            "Coverage",
            "Of 90% intervals: authorities' shares, with their separate fits' beside them; correlations of places.",
            table=coverage,
        ),
        Section("Correlations", "Of places, and of people on normal scores: medians.", table=found),
        Section("Fit", "Coupling by importance weights, seconds of it and of the separate fits.", table=fit),
    ]


def main() -> None:
    parser = world_parser(__doc__, "joint", WORLDS, surveys=10)
    parser.add_argument("--weakest", type=int, default=5_000, help="respondents of the weakest outcome")
    parser.add_argument("--others", type=int, default=30_000, help="respondents of each of the others")
    parser.add_argument("--areas", type=int, default=331)
    args = parser.parse_args()
    rows = run_worlds(args, KEYS, MEASURES, one_survey)
    table = summary_of(rows)
    show(table.drop(columns=list(KEYS[1:-1])).set_index("world").T)
    lead = (
        f"{args.weakest:,} respondents of the weakest outcome, {args.others:,} of each of the other two, {args.areas} "
        "authorities; ± is the Monte-Carlo error over surveys."
    )
    write_page(page_path(args), "Several outcomes together", lead, sections_of(table), rows)


if __name__ == "__main__":
    main()
