"""Items of a scale against another program: Stan sampled every person's trait for the same answers and priors.

Stan by PyStan 3.10, four chains of 4,000 draws after 1,000 of warm-up, R-hat 1.011 or less in every row. Its program:
y[i, m] ~ ordered_logistic(a[m] * (slope * x[i] + u[area[i]] + z[i]), c[m]), z ~ std_normal(), u ~ normal(0, sd_oa),
sd_oa ~ gamma(4, 22), slope ~ normal(0, tau), tau ~ normal(0, 0.25) above 0, a ~ lognormal(0, 0.5), c / a ~
normal(0, 3).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.fit import plan_of
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

N, AREAS = 900, 60
DISCRIMINATION = np.array([0.8, 1.4, 2.0])
CUTS = (np.array([-1.2, 0.1, 1.3]), np.array([0.4]), np.array([-2.0, -0.5, 0.8, 2.2]))


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariate, area and answers of 900 people."""
    rng = np.random.default_rng(20261122)
    x, at = rng.normal(size=N), np.sort(rng.integers(0, AREAS, N))
    t = 0.4 * x + rng.normal(0.0, 0.3, AREAS)[at] + rng.normal(size=N)
    answers = np.column_stack(
        [np.searchsorted(c, a * t + rng.logistic(size=N)) for a, c in zip(DISCRIMINATION, CUTS, strict=True)]
    ).astype(np.int8)
    answers[rng.random(N) < 0.2, 1] = -1
    return x, at, answers


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    """By row: mean, sd and quantiles of both programs, and the distance of means in posterior sds."""
    x, at, answers = data()
    levels = tuple(tuple(str(k) for k in range(len(own) + 1)) for own in CUTS)
    own = Instruments(("1", "2", "3"), levels, answers, ("one",), np.zeros(N, dtype=np.int64), True)
    labels = tuple(map(str, range(AREAS)))
    design = Design(False, (Column("x", x),), (Group("oa", "geography", labels, at, labels),), N)
    response = Response(answers.max(axis=1).astype(np.int64), np.ones(N, dtype=bool), levels[0], instruments=own)
    plan = plan_of(design, response, "graded_response", priors={}, area_group="oa")
    problem = FitProblem(design, response, "graded_response", plan)
    fit = engine_named("laplace")(problem, FitOptions(draws=8000, seed=1, jobs=2)).posterior
    each = {"slope": "slopes", "tau": "slope_sd", "sd_oa": "sd_oa", "a": "discrimination", "u": "effect_oa"}
    found = {name: np.asarray(fit[variable])[0].reshape(8000, -1) for name, variable in each.items()}
    cuts = np.split(np.asarray(fit["cutpoints"])[0], own.cuts[1:-1], axis=1)
    found |= {f"c{m + 1}": part for m, part in enumerate(cuts)}
    table = pd.read_csv(Path(__file__).with_name("scale_by_stan.csv"), index_col="row")
    ours = pd.DataFrame({f"{name}[{k}]": draws[:, k] for name, draws in found.items() for k in range(draws.shape[1])})
    ours = ours[table.index]
    table["our_mean"], table["our_sd"] = ours.mean(), ours.std()
    for q in (5, 50, 95):
        table[f"our_q{q:02d}"] = ours.quantile(q / 100)
    table["apart"] = (table["our_mean"] - table["mean"]).abs() / table["sd"]
    table["error"] = np.sqrt(1.0 / table["ess"] + 1.0 / fit.attrs["design_ess"])
    return table


def test_means_are_those_of_stan(compared: pd.DataFrame) -> None:
    assert (compared["apart"] <= 4.7 * compared["error"]).all(), compared.nlargest(5, "apart").to_string()
    assert compared["apart"].mean() <= 0.05
    assert compared["apart"].max() <= 0.2


def test_sds_and_quantiles_are_those_of_stan(compared: pd.DataFrame) -> None:
    ratio = compared["our_sd"] / compared["sd"]
    assert 0.95 <= ratio.median() <= 1.05
    assert ((ratio > 0.85) & (ratio < 1.15)).all()
    for row, most in (("sd_oa[0]", (0.10, 0.05, 0.10)), ("a[0]", (0.02, 0.02, 0.02)), ("a[2]", (0.03, 0.03, 0.05))):
        for q, limit in zip(("q05", "q50", "q95"), most, strict=True):
            assert abs(np.log(compared.loc[row, f"our_{q}"] / compared.loc[row, q])) <= limit, (row, q)
