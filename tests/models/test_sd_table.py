import numpy as np
import pytest
from scipy import stats

from placewise.models import inference
from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan, SdPrior
from placewise.models.priors import Prior
from placewise.models.sd_table import draw_sd, sd_table

# (prior, median by scipy)
MEDIANS = [
    (Prior("half_normal", (0.5,)), stats.halfnorm(scale=0.5).median()),
    (Prior("half_cauchy", (0.5,)), stats.halfcauchy(scale=0.5).median()),
    (Prior("half_student_t", (3.0, 0.0, 0.5)), stats.t(3).ppf(0.75) * 0.5),
    (Prior("gamma", (4.0, 25.0)), stats.gamma(4, scale=1 / 25).median()),
    (Prior("inv_gamma", (2.0, 0.1)), stats.invgamma(2, scale=0.1).median()),
    (Prior("exponential", (2.0,)), np.log(2) / 2),
    (Prior("pc", (1.0, 0.05)), np.log(2) / -np.log(0.05)),
    (Prior("uniform", (1.0, 3.0)), 2.0),
    (Prior("lognormal", (-1.0, 0.5)), np.exp(-1.0)),
]


@pytest.mark.parametrize(("prior", "median"), MEDIANS, ids=[p.name for p, _ in MEDIANS])
@pytest.mark.parametrize("on", ["sd", "var"])
def test_prior_draws_have_the_prior_s_median(prior, median, on):
    draws = draw_sd(SdPrior(prior, on), np.random.default_rng(1))
    assert np.median(draws) == pytest.approx(median if on == "sd" else np.sqrt(median), rel=0.04)


@pytest.mark.parametrize("prior", [Prior("flat"), Prior("fixed", (0.3,))])
def test_priors_without_a_spread_are_never_marked(prior):
    assert draw_sd(SdPrior(prior), np.random.default_rng(1)).size == 0


def _posterior(prior_like, taught):
    """Two groups that share a total: one group's sd as the prior has it, the other's sharply known."""
    rng = np.random.default_rng(2)
    total, share = rng.gamma(4, 1 / 25, (4, 500)), rng.beta(1.0, 1.5, (4, 500))
    sds = {prior_like: total * np.sqrt(share), taught: rng.lognormal(-2, 0.05, (4, 500))}
    idata = inference.build({f"sd_{name}": draws for name, draws in sds.items()}, {}, {})
    plan = PriorPlan(None, None, None, (), SdPrior(Prior("gamma", (4.0, 25.0))), ("lad", "oa"), (1.0, 1.5), {}, None)
    return Posterior(idata, plan)


def test_what_the_survey_taught_is_told_from_what_the_prior_set():
    table = sd_table(_posterior("lad", "oa")).set_index("group")
    assert bool(table.loc["lad", "set_by_prior"])
    assert not bool(table.loc["oa", "set_by_prior"])
    assert table.loc["oa", "mean"] == pytest.approx(np.exp(-2), rel=0.01)
    assert table.loc["oa", "q05"] < table.loc["oa", "q50"] < table.loc["oa", "q95"]
    assert "Dirichlet weight 1.5 of 2.5" in table.loc["oa", "prior"]


def test_sds_of_no_group_have_their_rows():
    rng = np.random.default_rng(3)
    draws = {"deviation_sd": rng.lognormal(-2, 0.05, (4, 500)), "area_scale_sd": np.abs(rng.normal(0, 0.3, (4, 500)))}
    plan = PriorPlan(
        None, None, None, (), None, (), (), {}, None,
        deviation_sd=Prior("half_normal", (0.1,)), area_scale_sd=Prior("half_normal", (0.3,)),
    )  # fmt: skip
    table = sd_table(Posterior(inference.build(draws, {}, {}), plan)).set_index("group")
    assert table["prior"].to_dict() == {"category_specific": "half_normal(0.1)", "area_scale": "half_normal(0.3)"}
    assert table["set_by_prior"].to_dict() == {"category_specific": False, "area_scale": True}
    fixed = PriorPlan(None, None, None, (), None, (), (), {}, None, deviation_sd=Prior("fixed", (0.1,)))
    assert sd_table(Posterior(inference.build({"slopes": draws["deviation_sd"]}, {}, {}), fixed)).empty
