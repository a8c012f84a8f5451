"""Hyperpriors draw by draw, and power-scaling against a conjugate posterior whose scaled form is known."""

import numpy as np
import pytest
from scipy import integrate, stats

from placewise.models import inference
from placewise.models.fit import Posterior
from placewise.models.hyperprior import log_density, log_hyperprior
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior


def test_a_density_adds_up_to_one(sd_prior):
    whole = integrate.quad(lambda x: float(np.exp(log_density(sd_prior, np.array(x)))), 0, np.inf, limit=200)[0]
    assert whole == pytest.approx(1, abs=1e-6)


def test_a_penalised_prior_exceeds_its_upper_value_as_often_as_it_says():
    above = integrate.quad(lambda x: float(np.exp(log_density(Prior("pc", (1.0, 0.05)), np.array(x)))), 1, np.inf)[0]
    assert above == pytest.approx(0.05, rel=1e-6)


def test_priors_of_effects_have_no_part_and_a_prior_of_slopes_is_refused():
    assert (log_density(Prior("uniform", (0.0, 2.0)), np.array([0.1, 1.9])) == 0).all()
    with pytest.raises(ValueError, match="hyperparameter"):
        log_density(Prior("normal", (0.0, 1.0)), np.zeros(2))


def _plan(**changes):
    given = {
        "intercept": None, "cutpoints": None, "slope_sd": None, "slopes": (), "total": None, "shared": (),
        "concentration": (), "sds": {}, "sigma": None,
    }  # fmt: skip
    return PriorPlan(**given | changes)


def test_total_and_split_are_found_from_the_sds_whichever_engine_drew_them():
    rng = np.random.default_rng(1)
    total, split = rng.gamma(4, 1 / 22, 300), rng.dirichlet([1, 1, 3], 300)
    names = ("region", "lad", "oa")
    draws = {f"sd_{n}": (total * np.sqrt(split[:, k]))[None] for k, n in enumerate(names)}
    draws["sd_type"], draws["effect_type"] = rng.gamma(2, 0.1, (1, 300)), rng.standard_normal((1, 300, 4))
    plan = _plan(
        total=SdPrior(Prior("gamma", (4.0, 22.0))),
        shared=names,
        concentration=(1.0, 1.0, 3.0),
        sds={"type": SdPrior(Prior("inv_gamma", (2.0, 0.1)), "var")},
    )
    found = log_hyperprior(Posterior(inference.build(draws, {}, {}), plan))
    assert set(found) == {"sd_total", "split", "sd_type"}
    np.testing.assert_allclose(found["sd_total"], stats.gamma(4, scale=1 / 22).logpdf(total), rtol=1e-10)
    dirichlet = np.array([stats.dirichlet([1, 1, 3]).logpdf(s / s.sum()) for s in split])
    np.testing.assert_allclose(np.diff(found["split"]), np.diff(dirichlet), atol=1e-8)
    square = draws["sd_type"][0] ** 2
    np.testing.assert_allclose(found["sd_type"], stats.invgamma(2, scale=0.1).logpdf(square), rtol=1e-10)


@pytest.mark.parametrize(("n", "leans"), [(2, True), (2000, False)])
def test_power_scaling_of_a_normal_mean_finds_where_the_prior_matters(n, leans):
    rng = np.random.default_rng(n)
    mean = n * 2.0 / (n + 1)
    mu = mean + rng.standard_normal(4000) / np.sqrt(n + 1)
    other = rng.standard_normal(4000)
    found = inference.power_sensitivity({"mu": mu, "other": other, "fixed": np.ones(4000)}, -0.5 * mu**2)
    assert (found["mu"] > 0.05) == leans
    assert found["fixed"] == 0
    assert found["other"] < 0.05


@pytest.mark.parametrize("power", [0.8, 1.25])
def test_smoothed_weights_of_a_power_reproduce_the_conjugate_posterior(power):
    # y ~ N(mu, 1), 10 of them with mean 1.5; mu ~ N(0, .5²): the prior to a power is N(0, .5² / power)
    n, mean, prior = 10, 1.5, 0.25
    precision = n + 1 / prior
    rng = np.random.default_rng(3)
    mu = n * mean / precision + rng.standard_normal(40_000) / np.sqrt(precision)
    log_prior = log_density(Prior("half_normal", (0.5,)), np.abs(mu))
    logs, khat = inference.smooth_weights((power - 1) * log_prior)
    weight = np.exp(logs - np.logaddexp.reduce(logs))
    scaled = n + power / prior
    assert khat < 0.5
    assert weight @ mu == pytest.approx(n * mean / scaled, abs=0.004)
    assert weight @ mu**2 - (weight @ mu) ** 2 == pytest.approx(1 / scaled, rel=0.04)
