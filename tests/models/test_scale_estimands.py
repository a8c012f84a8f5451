"""What is published of a scale, against sums over a fine grid of what persons have of their own, in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from placewise.estimates.predictor import Estimand, Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.reach import reach_of_eta
from placewise.estimates.scale import scale_of_estimand
from placewise.models import inference
from placewise.models.design import Column, Group
from placewise.models.fit import Posterior
from placewise.models.predict import build_estimand, build_predictor
from placewise.models.prior_plan import PriorPlan
from placewise.models.scale_estimands import scale_estimands
from placewise.models.spec import EstimandSpec, OutcomeSpec
from placewise.surveys.instruments import Instruments

DRAWS = 40
LEVELS = (("1", "2", "3", "4", "5"), ("no", "yes"), ("low", "mid", "high"), ("a", "b", "c"))
SCORE, LATENT = EstimandSpec("", "score"), EstimandSpec("latent", "latent")
SHARE = EstimandSpec("top", "share", ("4", "5"), "trust")
REACH = (-3.0, 4.0)


def _instruments(n: int = 6) -> Instruments:
    """Three items of the reference survey, of which the other asks one, and one of its own."""
    answers = np.zeros((n, 4), dtype=np.int8)
    survey = np.arange(n) % 2
    answers[survey == 0, 3] = -1
    answers[np.ix_(survey == 1, [0, 2])] = -1
    return Instruments(("ref:trust", "help", "ref:talk", "two:trust"), LEVELS, answers, ("ref", "two"), survey, True)


def _parameters(steep: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    a = np.exp(np.log(steep) + rng.normal(0, 0.3, 4) + rng.normal(0, 0.05, (1, DRAWS, 4)))
    b = np.concatenate([np.sort(rng.normal(0, 1.5, len(own) - 1)) for own in LEVELS])
    own = [len(levels) - 1 for levels in LEVELS]
    return {"discrimination": a, "cutpoints": (b + rng.normal(0, 0.02, (1, DRAWS, 9))) * np.repeat(a, own, axis=2)}


def _posterior(**values: np.ndarray) -> Posterior:
    dims = {name: [f"{name}_{k}" for k in range(v.ndim - 2)] for name, v in values.items()}
    plan = PriorPlan(None, None, None, (), None, (), (), {}, None)
    return Posterior(inference.build(values, dims, {}), plan)


def _over_persons(eta: np.ndarray, s: int, posterior: Posterior, spec: EstimandSpec) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean square of what a person is expected to answer, in draw s, from the definition."""
    z = np.arange(-9.0, 9.0, 0.05)
    weight = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    cuts = np.split(posterior.draws("cutpoints")[s], [4, 5, 7])
    t = np.asarray(eta)[..., None] + z
    above = [expit(a * t[..., None] - c) for a, c in zip(posterior.draws("discrimination")[s], cuts, strict=True)]
    value = above[0][..., 2] if spec.kind == "share" else 1.0 + sum(item.sum(axis=-1) for item in above[:3]) / 3.0
    return value @ weight, value**2 @ weight


def _value(estimand: Estimand, eta: np.ndarray, s: int, second: bool = False) -> np.ndarray:
    weights = estimand.weights2 if second else estimand.weights
    constant = estimand.constant2 if second else estimand.constant
    below = expit(estimand.cuts[:, s] - estimand.slope * eta[:, None])
    return np.asarray(constant + below @ weights[:, s])


@pytest.mark.parametrize("steep", [0.2, 1.3, 4.0])
@pytest.mark.parametrize("spec", [SCORE, SHARE], ids=["score", "share"])
def test_values_are_averages_over_persons(steep: float, spec: EstimandSpec) -> None:
    posterior = _posterior(**_parameters(steep))
    (estimand,) = scale_estimands((spec,), _instruments(), posterior, REACH)
    size = estimand.upper - estimand.lower
    eta, outside = np.linspace(*REACH, 97), np.array([-5.0, -4.0, 5.0, 6.0])
    for s in (0, 17, 39):
        mean, square = _over_persons(eta, s, posterior, spec)
        assert _value(estimand, eta, s) == pytest.approx(mean, abs=5e-7 * size)
        assert _value(estimand, outside, s) == pytest.approx(_over_persons(outside, s, posterior, spec)[0], abs=1e-3)
        far = _value(estimand, np.array([-60.0, 60.0]), s)
        assert far == pytest.approx([estimand.lower, estimand.upper], abs=1e-9)
        if spec is SCORE:
            assert _value(estimand, eta, s, second=True) == pytest.approx(square, abs=4e-5)
    assert (estimand.lower, estimand.upper) == pytest.approx((1.0, 10.0 / 3.0) if spec is SCORE else (0.0, 1.0))


def test_shares_of_one_items_categories_add_up_to_1() -> None:
    posterior = _posterior(**_parameters(1.3))
    specs = [EstimandSpec(c, "share", (c,), "trust") for c in LEVELS[0]]
    eta = np.linspace(*REACH, 30)
    found = scale_estimands(specs, _instruments(), posterior, REACH)
    assert sum(_value(e, eta, 3) for e in found) == pytest.approx(np.ones(30), abs=2e-6)
    assert [scale_of_estimand(e).direction for e in found] == [-1, 0, 0, 0, 1]


def test_no_more_cutpoints_than_a_reach_needs() -> None:
    posterior = _posterior(**_parameters(1.3))
    count = [
        len(scale_estimands((SCORE,), _instruments(), posterior, (-half, half))[0].cuts) for half in (1.0, 3.0, 8.0)
    ]
    assert count[0] <= 16
    assert count == sorted(count)


def test_draws_of_wide_priors_have_curves_too() -> None:
    rng = np.random.default_rng(8)
    steep = rng.lognormal(0.0, 0.5, (1, DRAWS, 4))
    turns = np.concatenate([np.sort(rng.normal(0, 3, (DRAWS, len(own) - 1)), axis=1) for own in LEVELS], axis=1)
    cuts = turns[None] * np.repeat(steep, [len(own) - 1 for own in LEVELS], axis=2)
    posterior = _posterior(discrimination=steep, cutpoints=cuts)
    (estimand,) = scale_estimands((SCORE,), _instruments(), posterior, (-400.0, 90.0))
    eta = np.linspace(-25.0, 25.0, 51)
    assert _value(estimand, eta, 5) == pytest.approx(_over_persons(eta, 5, posterior, SCORE)[0], abs=2e-6)
    assert _value(estimand, np.array([-400.0, 400.0]), 5) == pytest.approx([1.0, 10.0 / 3.0], abs=1e-9)


@pytest.fixture(scope="module")
def fitted(country: Any) -> tuple[Predictor, Posterior]:
    """A scale over a small country, some areas without respondents, with a survey that departs by district."""
    design = country.build("deprivation + deprivation:sex + (1 | age) + (1 | district) + (1 | code)", cumulative=True)
    labels = tuple(f"D{k}" for k in range(6))
    index = np.arange(design.n) % 6
    by = Column("survey:two", np.arange(design.n) % 2.0)
    apart = Group("discrepancy:two", "other", labels, index, labels, by=by, factor="district", survey="two")
    design = replace(design, groups=(*design.groups, apart))
    rng = np.random.default_rng(1)
    values = _parameters(1.3) | {"slopes": rng.normal(0.02, 0.01, (1, DRAWS, len(design.columns)))}
    for group in design.groups:
        values[f"effect_{group.name}"] = rng.normal(0, 0.4, (1, DRAWS, len(group.labels)))
        values[f"sd_{group.name}"] = np.full((1, DRAWS), 0.4)
    values["survey_scale"] = np.full((1, DRAWS, 1), 0.5)
    posterior = _posterior(**values)
    outcome = OutcomeSpec("o", "O", ("ref", "two"), "graded_response", estimands=(SCORE, SHARE, LATENT))
    instruments = _instruments(design.n)
    predictor = build_predictor(
        outcome, design, posterior, country.areas, country.frame, seed=1, instruments=instruments
    )
    return predictor, posterior


def _eta_by_cell(predictor: Predictor) -> np.ndarray:
    """η of every area, cell and draw, by the latent estimand of frames with one cell."""
    areas = len(predictor.codes)
    found = []
    for c in range(len(predictor.cell_x)):
        cell = np.full(areas, c, dtype=np.int32)
        one = replace(predictor, indptr=np.arange(areas + 1), cell=cell, count=np.ones(areas))
        found.append(Projector(one, 2, people=False).block(np.arange(areas)).values)
    return np.stack(found, axis=1).astype(np.float64)


def test_areas_equal_brute_force(fitted: tuple[Predictor, Posterior]) -> None:
    predictor, posterior = fitted
    eta, areas = _eta_by_cell(predictor), np.arange(len(predictor.codes))
    weight = predictor.count.reshape(len(areas), -1)
    weight = weight / weight.sum(axis=1, keepdims=True)
    low, high = reach_of_eta(predictor)
    assert low < eta.min()
    assert high > eta.max()
    for k, spec in enumerate((SCORE, SHARE)):
        projector = Projector(predictor, k, people=False)
        found = projector.block(areas).values
        chance = Projector(predictor, k).block(areas).chance
        variances = []
        for s in range(DRAWS):
            mean, square = _over_persons(eta[:, :, s], s, posterior, spec)
            size = predictor.estimands[k].upper - predictor.estimands[k].lower
            assert found[:, s] == pytest.approx((weight * mean).sum(axis=1), abs=1e-6 * size)
            spread = (mean if spec.kind == "share" else square) - mean**2
            variances.append((weight * spread).sum(axis=1) / predictor.population)
        assert chance == pytest.approx(np.mean(variances, axis=0), rel=5e-4)


def test_latent_is_the_linear_predictor_and_a_surveys_own_part_is_none_of_it(
    fitted: tuple[Predictor, Posterior],
) -> None:
    predictor, posterior = fitted
    assert [e.name for e in predictor.effects] == ["age", "district", "code"]
    latent = predictor.estimands[2]
    assert (latent.kind, latent.slope, latent.link) == ("latent", 1.0, "identity")
    age = next(e for e in predictor.effects if e.name == "age")
    assert pytest.approx(posterior.draws("effect_age"), abs=1e-6) == age.draws.T


def test_order_of_areas_changes_no_bit(fitted: tuple[Predictor, Posterior]) -> None:
    predictor, _ = fitted
    projector, order = Projector(predictor), np.random.default_rng(2).permutation(len(predictor.codes))
    assert np.array_equal(projector.block(order).values, projector.block(np.arange(len(order))).values[order])


def test_one_question_of_several_surveys_is_the_references() -> None:
    names, levels = ("one:x", "two:y"), (("a", "b", "c"), ("low", "high"))
    answers = np.array([[0, -1], [-1, 1], [2, -1]], dtype=np.int8)
    instruments = Instruments(names, levels, answers, ("one", "two"), np.array([0, 1, 0]), False)
    cuts = np.array([[[-1.0, 0.5, 9.0], [-0.8, 0.7, 9.0]]])
    outcome = OutcomeSpec("o", "O", ("one", "two"), "cumulative", order=("a", "b", "c"))
    found = build_estimand(EstimandSpec("", "mean"), outcome, _posterior(cutpoints=cuts), instruments)
    assert np.array_equal(found.cuts, cuts[0, :, :2].T)
    assert (found.lower, found.upper) == (1.0, 3.0)
