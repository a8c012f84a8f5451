from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placewise.estimates.draws import AreaDraws
from placewise.estimates.expected import expected_predictor
from placewise.estimates.predictor import Effect


@pytest.fixture(scope="module", params=[1, -1])
def predictor(request, make_predictor, with_slopes):
    return with_slopes(make_predictor(n_draws=80, polarity=request.param))


@pytest.fixture(scope="module")
def plain(predictor):
    """The same with the effects of places set to nought by hand."""
    still = []
    for effect in predictor.effects:
        if any(place in effect.name for place in ("region", "district", "oa")):
            shape = (len(effect.all_labels), predictor.n_draws)
            still.append(replace(effect, labels=effect.all_labels, draws=np.zeros(shape, np.float32), met=None))
        else:
            still.append(effect)
    return replace(predictor, effects=tuple(still))


def test_what_is_expected_knows_people_and_classes_but_no_place(predictor, plain):
    names = {effect.name for effect in expected_predictor(predictor).effects}
    assert names == {"kind", "age", "4|mode", "5|mode", "6|age", "7|age", "8|age"}
    assert np.abs(AreaDraws(predictor).expected().draws() - AreaDraws(plain, rate=True).draws()).max() < 1e-6


def test_distance_from_what_is_expected_is_that_of_brute_force(predictor, plain):
    found = AreaDraws(predictor).aggregate("district").beyond_expected().set_index("area_code")
    rates, hope = (AreaDraws(p, rate=True).aggregate("district").draws() for p in (predictor, plain))
    difference = rates - hope
    assert np.abs(found["rate"] - rates.mean(axis=0)).max() < 1e-10
    assert np.abs(found["difference"] - difference.mean(axis=0)).max() < 1e-6
    assert np.abs(found["sd"] - difference.std(axis=0, ddof=1)).max() < 1e-6
    assert np.abs(found["ci90_lower"] - np.quantile(difference, 0.05, axis=0)).max() < 1e-6
    assert np.allclose(found["p_better"], (predictor.polarity * difference > 0).mean(axis=0), atol=0.02)


def test_a_benchmark_is_of_the_measurement_and_not_of_the_place(make_predictor):
    p = make_predictor(n_draws=60, frame=False, people=False)
    targets = pd.DataFrame({"code": ["N", "M", "S"], "estimate": [0.5, 0.5, 0.5], "se": [0.01, 0.01, 0.01]})
    moved = AreaDraws(p).benchmark(targets)
    shift = moved._source.predictor.effects[-1]
    people = np.bincount(shift.area_index, p.population)
    mean = np.average(shift.draws, axis=0, weights=people)
    by_hand = replace(expected_predictor(p), intercept=p.intercept + mean)
    assert np.abs(moved.expected().draws() - AreaDraws(by_hand, rate=True).draws()).max() < 1e-6


@pytest.fixture(scope="module")
def twins():
    """Forty areas in twenty pairs of equal covariates; in three the outcome differs surely."""
    return _twins()


def _twins():
    from placewise.estimates.predictor import Estimand, Predictor

    rng, n, draws = np.random.default_rng(2), 40, 400
    codes = np.array([f"E{i:02d}" for i in range(n)], dtype=object)
    x = np.repeat(np.array([(i, j) for i in range(5) for j in range(4)]) * 1.0, 2, axis=0) + rng.normal(0, 0.02, (n, 2))
    effect = np.zeros(n)
    effect[[1, 8, 20]] = [1.5, -2.0, 1.0]
    values = (effect[:, None] + rng.normal(0, 0.1, (n, draws)) + rng.normal(0, 0.5, draws)).astype(np.float32)
    own = Effect(
        "oa", tuple(codes), values, np.full(draws, 0.3), tuple(codes), np.arange(n), None, np.arange(n)[:, None]
    )
    return Predictor(
        seed=3, codes=codes, code="oa", levels={"lad": np.array([f"L{i // 2 % 4}" for i in range(n)], dtype=object)},
        classes={}, population=rng.uniform(100, 200, n), base=np.ones(n, bool), intercept=np.zeros(draws),
        beta=np.full((2, draws), 0.2), area_x=x.astype(np.float32), cell_x=np.ones((1, 2)),
        area_varies=np.ones(2, bool), cell_varies=np.zeros(2, bool), effects=(own,), indptr=np.arange(n + 1),
        cell=np.zeros(n, np.int32), count=np.ones(n), finite_population=False, polarity=1,
        estimands=(Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=np.zeros((1, draws))),),
    )  # fmt: skip


def test_matched_pairs_are_alike_and_differ(twins):
    areas = AreaDraws(twins)
    found = areas.matched_pairs(3)
    assert {frozenset(pair) for pair in zip(found["a"], found["b"], strict=True)} == {
        frozenset(p) for p in (("E00", "E01"), ("E08", "E09"), ("E20", "E21"))
    }
    rates = pd.DataFrame(areas.draws(), columns=twins.codes)
    for _, row in found.iterrows():
        difference = rates[row["a"]] - rates[row["b"]]
        assert row["mean"] == pytest.approx(difference.mean(), abs=1e-10)
        assert row["sd"] == pytest.approx(difference.std(ddof=1), abs=1e-10)
        assert row["p_greater"] == (difference > 0).mean() > 0.99
        assert row["rate_a"] == pytest.approx(rates[row["a"]].mean())
        assert row["distance"] < 0.25


def test_pairs_share_the_classes_that_the_model_knows(twins):
    kind = np.array(["x", "y"] * 20, dtype=object)
    effect = Effect("kind", ("x", "y"), np.zeros((2, 400), np.float32), np.full(400, 0.1), ("x", "y"),
                    np.tile([0, 1], 20), None, np.array([[0], [1]]))  # fmt: skip
    apart = AreaDraws(replace(twins, classes={"kind": kind}, effects=(*twins.effects, effect))).matched_pairs(20)
    classes = dict(zip(twins.codes, kind, strict=True))
    assert all(classes[a] == classes[b] for a, b in zip(apart["a"], apart["b"], strict=True))
    assert AreaDraws(twins).aggregate("lad").matched_pairs(5)["distance"].le(0.25).all()
