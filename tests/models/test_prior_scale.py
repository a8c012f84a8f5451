import numpy as np
import pytest
from scipy import stats

from placewise.models import inference
from placewise.models.design import Design, Group
from placewise.models.engines import FitOptions
from placewise.models.fit import Posterior
from placewise.models.hyperprior import log_density
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.prior_scale import rescaled, set_by_prior, with_scaled
from placewise.models.priors import Prior
from placewise.models.refit import refit, scaled_weights
from placewise.surveys.outcome import Response


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_density_of_a_multiple(sd_prior, factor):
    x = np.array([0.03, 0.2, 0.9])
    expected = log_density(sd_prior, x / factor) - np.log(factor)
    np.testing.assert_allclose(log_density(rescaled(sd_prior, factor), x), expected, rtol=1e-10)


def test_flat_priors_have_no_scale():
    with pytest.raises(ValueError, match="no scale"):
        rescaled(Prior("flat"), 2.0)


def _plan(**changes):
    given = {
        "intercept": Prior("normal", (0.0, 3.0)), "cutpoints": None, "slope_sd": None, "slopes": (), "total": None,
        "shared": (), "concentration": (), "sds": {}, "sigma": None,
    }  # fmt: skip
    return PriorPlan(**given | changes)


def test_one_prior_of_a_plan_is_changed_and_the_others_are_not():
    total, own = SdPrior(Prior("gamma", (4.0, 22.0))), SdPrior(Prior("inv_gamma", (2.0, 0.1)), "var")
    plan = _plan(total=total, shared=("lad", "oa"), concentration=(1.0, 1.5), sds={"type": own})
    assert with_scaled(plan, "geography", 2.0).total == SdPrior(Prior("gamma", (4.0, 11.0)))
    assert with_scaled(plan, "geography", 2.0).sds == plan.sds
    assert with_scaled(plan, "type", 2.0).sds["type"] == SdPrior(Prior("inv_gamma", (2.0, 0.4)), "var")
    with pytest.raises(ValueError, match="nothing"):
        with_scaled(plan, "nothing", 2.0)


def test_levels_that_share_a_total_are_told_once():
    rng = np.random.default_rng(2)
    total, share = rng.gamma(4, 1 / 22, (1, 4000)), rng.beta(1.0, 1.5, (1, 4000))
    draws = {"sd_lad": total * np.sqrt(share), "sd_oa": total * np.sqrt(1 - share)}
    draws["sd_type"] = rng.lognormal(-2, 0.01, (1, 4000))
    plan = _plan(
        total=SdPrior(Prior("gamma", (4.0, 22.0))),
        shared=("lad", "oa"),
        concentration=(1.0, 1.5),
        sds={"type": SdPrior(Prior("gamma", (2.0, 10.0)))},
    )
    assert set_by_prior(Posterior(inference.build(draws, {}, {}), plan)) == ("geography",)


GROUPS, EACH = 6, 4


def _few_answers():
    rng = np.random.default_rng(8)
    index = np.repeat(np.arange(GROUPS), EACH)
    y = 0.4 * rng.standard_normal(GROUPS)[index] + rng.standard_normal(GROUPS * EACH)
    group = Group("g", "other", tuple("abcdef"), index)
    return Design(True, (), (group,), len(y)), Response(y, np.ones(len(y), dtype=bool), variance=np.ones(len(y)))


def _exact(y, prior):
    """Mean of the group sd with known variances, by quadrature over it; the intercept is integrated out."""
    grid = np.exp(np.linspace(np.log(1e-4), np.log(8.0), 1500))
    member = np.kron(np.eye(GROUPS), np.ones((EACH, 1)))
    log = []
    for sd in grid:
        cov = np.eye(len(y)) + sd**2 * member @ member.T + 9.0
        log.append(stats.multivariate_normal(np.zeros(len(y)), cov).logpdf(y))
    log = np.array(log) + log_density(prior, grid) + np.log(grid)
    weight = np.exp(log - log.max())
    return float(weight @ grid / weight.sum())


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_refits_with_the_prior_halved_and_doubled_are_the_exact_posteriors(factor):
    design, response = _few_answers()
    plan = with_scaled(_plan(sds={"g": SdPrior(Prior("half_normal", (0.5,)))}), "g", factor)
    found = refit(design, response, "gaussian", plan, "laplace", FitOptions(draws=4000, seed=1))
    exact = _exact(response.y, Prior("half_normal", (0.5 * factor,)))
    assert found.draws("sd_g").mean() == pytest.approx(exact, rel=0.04)


def test_equal_weights_change_no_draw_and_unequal_ones_do():
    design, response = _few_answers()
    plan = _plan(sds={"g": SdPrior(Prior("half_normal", (0.5,)))})
    options = FitOptions(draws=200, seed=1)
    plain = refit(design, response, "gaussian", plan, "laplace", options)
    equal = refit(design, response, "gaussian", plan, "laplace", options, scaled_weights(np.full(design.n, 0.37)))
    for name in ("intercept", "sd_g", "effect_g"):
        assert np.array_equal(plain.draws(name), equal.draws(name))
    unequal = scaled_weights(np.where(response.y > 0, 3.0, 1.0))
    assert unequal.sum() == pytest.approx(design.n)
    other = refit(design, response, "gaussian", plan, "laplace", options, unequal)
    assert other.draws("intercept").mean() > plain.draws("intercept").mean()
