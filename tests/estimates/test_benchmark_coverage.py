"""Over many made-up surveys with known truth: does benchmarking cover, and is it free where it is not needed?"""

import numpy as np
import pytest
from scipy import special

from placewise.estimates.benchmark import benchmark
from placewise.estimates.draws import AreaDraws
from placewise.estimates.predictor import Effect, Estimand, Predictor
from placewise.estimates.targets import Targets

LADS, INSIDE, DRAWS, SURVEYS = 30, 12, 400, 30
LAD_SD, AREA_SD, ERROR = 0.3, 0.3, 0.15
CODES = np.array([f"L{i:02d}" for i in range(LADS)], dtype=object)


def _survey(rng, bias):
    """A calibrated posterior, its local authorities moved by a bias it knows nothing of, and the truth."""
    lad = np.repeat(np.arange(LADS), INSIDE)
    effect = rng.normal(0, LAD_SD, LADS)
    truth = special.expit(0.3 + effect[lad] + rng.normal(0, AREA_SD, LADS * INSIDE))
    # normal prior and a normal measurement: the posterior is known
    keep = LAD_SD**2 / (LAD_SD**2 + ERROR**2)
    middle = keep * (effect + rng.normal(0, ERROR, LADS)) + bias * rng.normal(0, 1, LADS)
    draws = middle[:, None] + np.sqrt(keep) * ERROR * rng.normal(size=(LADS, DRAWS))
    n = LADS * INSIDE
    codes = np.array([f"E{i:04d}" for i in range(n)], dtype=object)

    def one(name, labels, values, sd, index, every):
        lookup = np.arange(len(every))[:, None]
        return Effect(name, labels, values.astype(np.float32), np.full(DRAWS, sd), every, index, None, lookup)

    predictor = Predictor(
        seed=int(rng.integers(1 << 40)), codes=codes, code="oa", levels={"lad": CODES[lad]}, classes={},
        population=rng.integers(100, 300, n).astype(float), base=np.ones(n, bool), intercept=np.full(DRAWS, 0.3),
        beta=np.empty((0, DRAWS)), area_x=np.empty((n, 0), np.float32), cell_x=np.empty((1, 0)),
        area_varies=np.empty(0, bool), cell_varies=np.empty(0, bool),
        effects=(
            one("lad", tuple(CODES), draws, LAD_SD, lad, tuple(CODES)),
            one("oa", (), np.empty((0, DRAWS)), AREA_SD, np.arange(n), tuple(codes)),
        ),
        indptr=np.arange(n + 1), cell=np.zeros(n, np.int32), count=np.ones(n),
        estimands=(Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=np.zeros((1, DRAWS))),),
        finite_population=False, polarity=1,
    )  # fmt: skip
    people = np.bincount(lad, predictor.population)
    return predictor, truth, np.bincount(lad, predictor.population * truth) / people


def _study(mode, bias, se, seed=1):
    """Coverage of 90% intervals and RMSE, before and after, of small areas and local authorities."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(SURVEYS):
        predictor, truth, of_lads = _survey(rng, bias)
        targets = Targets(CODES, of_lads + rng.normal(0, se, LADS), np.full(LADS, se))
        moved = benchmark(predictor, targets, "lad", mode).predictor
        row = []
        for p in (predictor, moved):
            areas = AreaDraws(p)
            for values, true in ((areas.draws(), truth), (areas.aggregate("lad").draws(), of_lads)):
                low, high = np.quantile(values, [0.05, 0.95], axis=0)
                row += [np.mean((low <= true) & (true <= high)), np.mean((values.mean(axis=0) - true) ** 2)]
        rows.append(row)
    mean = np.mean(rows, axis=0)
    names = [f"{when} {level}" for when in ("before", "after") for level in ("oa", "lad")]
    return {n: mean[2 * k] for k, n in enumerate(names)}, {n: np.sqrt(mean[2 * k + 1]) for k, n in enumerate(names)}


@pytest.mark.parametrize("mode", ["drawn", "update"])
def test_a_biased_model_covers_again_once_benchmarked(mode):
    covered, rmse = _study(mode, bias=0.25, se=0.02)
    assert covered["before lad"] < 0.75
    assert covered["after lad"] == pytest.approx(0.90, abs=0.03)
    assert covered["after oa"] >= covered["before oa"] - 0.005
    assert rmse["after lad"] < 0.6 * rmse["before lad"]
    assert rmse["after oa"] < rmse["before oa"]


def test_a_right_model_loses_nothing_by_independent_targets():
    covered, rmse = _study("update", bias=0.0, se=0.03)
    assert covered["before lad"] == pytest.approx(0.90, abs=0.03)
    assert covered["after lad"] == pytest.approx(0.90, abs=0.03)
    assert rmse["after oa"] <= 1.01 * rmse["before oa"]
    assert rmse["after lad"] <= 1.01 * rmse["before lad"]
    _, drawn = _study("drawn", bias=0.0, se=0.03)
    assert drawn["after oa"] <= 1.01 * drawn["before oa"]


def test_meeting_noisy_figures_as_if_they_were_certain_does_not_cover():
    """The control: why standard errors are asked for."""
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(5):
        predictor, _, of_lads = _survey(rng, 0.0)
        targets = Targets(CODES, of_lads + rng.normal(0, 0.03, LADS), np.zeros(LADS))
        values = AreaDraws(benchmark(predictor, targets, "lad").predictor).aggregate("lad").draws()
        low, high = np.quantile(values, [0.05, 0.95], axis=0)
        inside.append(np.mean((low <= of_lads) & (of_lads <= high)))
    assert np.mean(inside) < 0.02
