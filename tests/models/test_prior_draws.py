"""Draws from the priors against scipy's distributions and the marginals that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from placewise.models.design import AreaScale, Column, Design, Group
from placewise.models.engines.shrinkage import ShrinkageScales
from placewise.models.prior_draws import draw_from_priors, draw_prior, improper_priors
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior

# each prior beside scipy's distribution of the same meaning
TWINS = [
    (Prior("normal", (1.0, 2.0)), stats.norm(1, 2)),
    (Prior("student_t", (4.0, 1.0, 2.0)), stats.t(4, 1, 2)),
    (Prior("half_normal", (0.25,)), stats.halfnorm(scale=0.25)),
    (Prior("half_cauchy", (0.5,)), stats.halfcauchy(scale=0.5)),
    (Prior("gamma", (4.0, 25.0)), stats.gamma(4, scale=1 / 25)),
    (Prior("inv_gamma", (3.0, 0.2)), stats.invgamma(3, scale=0.2)),
    (Prior("exponential", (2.0,)), stats.expon(scale=0.5)),
    (Prior("pc", (1.0, 0.05)), stats.expon(scale=1 / -np.log(0.05))),
    (Prior("uniform", (0.2, 2.0)), stats.uniform(0.2, 1.8)),
    (Prior("lognormal", (-1.0, 0.5)), stats.lognorm(0.5, scale=np.exp(-1))),
]


@pytest.mark.parametrize(("prior", "twin"), TWINS, ids=lambda p: str(p) if isinstance(p, Prior) else "")
def test_draws_follow_the_prior(prior: Prior, twin: stats.rv_continuous) -> None:
    assert stats.kstest(draw_prior(prior, np.random.default_rng(1), 5000), twin.cdf).pvalue > 0.001


def test_half_student_t_is_a_folded_one() -> None:
    drawn = draw_prior(Prior("half_student_t", (3.0, 0.0, 0.5)), np.random.default_rng(1), 5000)
    assert stats.kstest(drawn, lambda x: 2 * stats.t.cdf(x / 0.5, 3) - 1).pvalue > 0.001


def test_a_flat_prior_is_refused_and_named() -> None:
    with pytest.raises(ValueError, match="flat"):
        draw_prior(Prior("flat"), np.random.default_rng(1), 2)
    flat = Prior("flat")
    plan = _plan(intercept=flat, slopes=(flat, None), sds={"g": SdPrior(flat)}, slope_sd=Prior("half_normal", (1.0,)))
    assert improper_priors(_design(2), plan) == ["intercept", "slope:x0", "g"]


def _plan(**changes: object) -> PriorPlan:
    given = {
        "intercept": None, "cutpoints": None, "slope_sd": None, "slopes": (), "total": None, "shared": (),
        "concentration": (), "sds": {}, "sigma": None,
    }  # fmt: skip
    return PriorPlan(**given | changes)  # type: ignore[arg-type]


def _design(columns: int, **changes: object) -> Design:
    made = tuple(Column(f"x{k}", np.zeros(3)) for k in range(columns))
    return Design(True, made, **{"groups": (), "n": 3} | changes)  # type: ignore[arg-type]


def test_cutpoints_of_several_questions_are_ordered_in_each_and_named_in_turn() -> None:
    plan = _plan(cutpoints=Prior("normal", (0.0, 3.0)), discrimination=Prior("lognormal", (0.0, 0.5)))
    found = draw_from_priors(_design(0), plan, [2, 1, 3], np.random.default_rng(1), 4000, instruments=3, surveys=2)
    cuts = found["cutpoints"]
    assert cuts.shape == (4000, 6)
    assert (np.diff(cuts[:, :2]) > 0).all()
    assert (np.diff(cuts[:, 3:]) > 0).all()
    assert (cuts[:, 2] < cuts[:, 1]).any(), "one question's cutpoints say nothing of another's"
    assert found["discrimination"].shape == (4000, 3)
    assert found["survey_scale"].shape == (4000, 1)
    assert stats.kstest(found["survey_scale"][:, 0], stats.lognorm(0.5).cdf).pvalue > 0.001
    assert "survey_scale" not in draw_from_priors(_design(0), plan, [2], np.random.default_rng(1), 5)


def test_correlations_have_the_marginals_of_lkj() -> None:
    groups = tuple(Group(name, "other", ("a",), np.zeros(3, dtype=np.int64), factor="g") for name in "abc")
    design = _design(0, groups=groups, correlated=((0, 1, 2),))
    sds = {name: SdPrior(Prior("fixed", (1.0,))) for name in "abc"}
    found = draw_from_priors(design, _plan(cor={"g": 2.0}, sds=sds), [], np.random.default_rng(2), 4000)["cor_g"]
    np.testing.assert_allclose(np.diagonal(found, axis1=1, axis2=2), 1.0)
    # (1 + r) / 2 ~ beta(η - 1 + k / 2, the same)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert stats.kstest((1 + found[:, i, j]) / 2, stats.beta(2.5, 2.5).cdf).pvalue > 0.001


def test_deviations_and_class_multipliers_scale_with_their_own_sd() -> None:
    scale = AreaScale("oa", "kind", ("a", "b"), np.zeros(1, dtype=np.int64))
    design = _design(2, category_specific=(1,), area_scale=scale)
    half = Prior("half_normal", (0.3,))
    plan = _plan(slopes=(None, None), slope_sd=half, deviation_sd=half, area_scale_sd=half)
    found = draw_from_priors(design, plan, [3], np.random.default_rng(5), 4000)
    assert found["slope_deviations"].shape == (4000, 1, 3)
    each = found["slope_deviations"][:, 0, 2] / found["deviation_sd"]
    assert stats.kstest(each, "norm").pvalue > 0.001
    assert stats.kstest(np.log(found["area_scale"][:, 1]) / found["area_scale_sd"], "norm").pvalue > 0.001


def test_shrunk_slopes_explain_what_r2d2_says_they_do() -> None:
    plan = _plan(slopes=(None,) * 4, shrinkage=Prior("r2d2", (0.5, 4.0)))
    found = draw_from_priors(_design(4), plan, [], np.random.default_rng(4), 6000, scales=ShrinkageScales(2.0, 0.01))
    # E[R² / (1 - R²)] for beta(2, 2) has no second moment; its median is 1, so that of the summed variance is unit²
    total = np.median((found["slopes"] ** 2).sum(axis=1) / 4.0)
    assert 0.3 < total < 1.2
    shy = _plan(slopes=(None,) * 4, shrinkage=Prior("horseshoe", (1.0,)))
    narrow = draw_from_priors(_design(4), shy, [], np.random.default_rng(4), 6000, scales=ShrinkageScales(1.0, 0.01))[
        "slopes"
    ]
    # half the mass near zero, tails to the slab
    assert np.median(np.abs(narrow)) < 0.02
    assert np.quantile(np.abs(narrow), 0.995) > 0.1
