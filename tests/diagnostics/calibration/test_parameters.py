from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from placewise.diagnostics.calibration.parameters import check_can_simulate, draw_parameters
from placewise.errors import ConfigurationError
from placewise.models.design import Column, Design, Group, Structure
from placewise.models.prior_plan import PriorPlan, SdPrior, plan_priors
from placewise.models.priors import Prior


def _drawn(design: Design, plan: PriorPlan, times: int, n_categories: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    drawn = [draw_parameters(design, plan, n_categories, rng) for _ in range(times)]
    return {name: np.concatenate([d[name] for d in drawn]) for name in drawn[0]}


def test_default_priors_of_an_ordered_outcome() -> None:
    index = np.array([0, 1])
    groups = [Group(g, "geography", ("a", "b"), index, ("a", "b", "c")) for g in ("region", "district", "area")]
    design = Design(True, (Column("x", np.array([0.0, 1.0])),), tuple(groups), 2)
    found = _drawn(design, plan_priors({}, None, design, "area", "cumulative"), 3000, 4)
    assert "intercept" not in found
    assert found["cutpoints"].shape == (3000, 3)
    assert (np.diff(found["cutpoints"]) > 0).all()
    # the largest of three independent draws
    assert stats.kstest(found["cutpoints"][:, 2], lambda x: stats.norm.cdf(x, 0, 3) ** 3).pvalue > 0.001
    assert stats.kstest(found["sd_total"], stats.gamma(4, scale=1 / 22).cdf).pvalue > 0.001
    share = found["sd_area"] ** 2 / found["sd_total"] ** 2
    assert stats.kstest(share, stats.beta(3, 2).cdf).pvalue > 0.001  # Dirichlet(1, 1, 3)
    assert stats.kstest(found["slope_sd"], stats.halfnorm(scale=0.25).cdf).pvalue > 0.001
    assert stats.kstest(found["slopes"][:, 0] / found["slope_sd"], "norm").pvalue > 0.001
    assert found["effect_area"].shape == (3000, 3)
    assert stats.kstest(found["effect_area"][:, 2] / found["sd_area"], "norm").pvalue > 0.001


def test_variances_may_have_the_prior() -> None:
    design = Design(True, (), (Group("g", "other", ("a",), np.array([0])),), 1)
    sds = {"g": SdPrior(Prior("inv_gamma", (2.0, 0.1)), "var")}
    plan = PriorPlan(Prior("normal", (0.0, 1.0)), None, None, (), None, (), (), sds, None)
    found = _drawn(design, plan, 3000)
    assert stats.kstest(found["sd_g"] ** 2, stats.invgamma(2, scale=0.1).cdf).pvalue > 0.001


def _structured(kind: str, rho: float | None, edges: np.ndarray, n: int) -> np.ndarray:
    labels = tuple(map(str, range(n)))
    design = Design(
        True, (), (Group("g", "other", labels, np.array([0]), labels, structure=Structure(kind, edges)),), 1
    )
    own = {} if rho is None else {"g": Prior("fixed", (rho,))}
    plan = PriorPlan(None, None, None, (), None, (), (), {"g": SdPrior(Prior("fixed", (2.0,)))}, None, rho=own)
    return _drawn(design, plan, 4000)["effect_g"] / 2.0


def test_autoregression_has_its_correlations() -> None:
    drawn = _structured("ar1", 0.7, np.empty((0, 2), dtype=np.int64), 4)
    expected = 0.7 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    assert np.cov(drawn.T) == pytest.approx(expected, abs=0.1)


def test_random_walk_sums_to_zero_and_has_independent_steps() -> None:
    drawn = _structured("rw1", None, np.empty((0, 2), dtype=np.int64), 5)
    assert np.abs(drawn.sum(axis=1)).max() < 1e-12
    steps = np.cov(np.diff(drawn, axis=1).T)
    assert steps / steps[0, 0] == pytest.approx(np.eye(4), abs=0.1)
    assert np.exp(np.log(drawn.var(axis=0)).mean()) == pytest.approx(1.0, abs=0.05)


def test_neighbours_are_alike_and_islands_apart() -> None:
    drawn = _structured("bym2", 0.5, np.array([[0, 1], [1, 2], [2, 3]]), 5)
    covariance = np.cov(drawn.T)
    assert covariance[4] == pytest.approx([0, 0, 0, 0, 1], abs=0.08)
    # half of the variance is independent, half a scaled random walk over the four
    walk = np.cov(_structured("rw1", None, np.empty((0, 2), dtype=np.int64), 4).T)
    assert covariance[:4, :4] == pytest.approx(0.5 * np.eye(4) + 0.5 * walk, abs=0.1)


def test_every_prior_that_cannot_be_drawn_is_named_at_once() -> None:
    group = Group("g", "other", ("a",), np.array([0]))
    design = Design(True, (Column("x", np.zeros(1)),), (group,), 1, category_specific=(0,))
    flat = Prior("flat", ())
    plan = PriorPlan(flat, None, None, (flat,), None, (), (), {"g": SdPrior(flat)}, None)
    with pytest.raises(ConfigurationError) as error:
        check_can_simulate(design, plan)
    text = str(error.value)
    assert all(name in text for name in ("intercept", "slope:x", "prior of g", "category-specific"))
