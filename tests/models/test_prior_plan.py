"""Which prior each parameter gets."""

from __future__ import annotations

import numpy as np
import pytest

from placewise.errors import Problems
from placewise.models.design import Column, Design, Group
from placewise.models.prior_plan import check_collective_keys, check_prior_keys, plan_priors, scaled
from placewise.models.priors import Prior, parse_prior

ROLES = {"age": "other", "oac": "class", "region": "geography", "lad": "geography", "oa": "geography"}


@pytest.fixture
def design() -> Design:
    at = np.array([0, 1, 0, 1])
    groups = tuple(Group(name, role, ("a", "b"), at) for name, role in ROLES.items())
    return Design(True, (Column("x", at.astype(float)), Column("z", 1.0 - at)), groups, 4)


def test_defaults_are_the_documented_ones(design: Design) -> None:
    plan = plan_priors({}, None, design, "oa", "bernoulli")
    assert str(plan.intercept) == "normal(0, 3)"
    assert plan.cutpoints is None
    assert str(plan.slope_sd) == "half_normal(0.25)"
    assert plan.slopes == (None, None)
    assert str(plan.total) == "gamma(4, 25)"
    assert plan.shared == ("region", "lad", "oa")
    assert plan.concentration == (1.0, 1.0, 3.0)  # 1.5 for each of the two levels above the area
    assert {name: str(p) for name, p in plan.sds.items()} == {
        "age": "half_student_t(3, 0, 0.5)",
        "oac": "gamma(2, 10)",
    }
    assert plan.sigma is None


def test_the_area_takes_about_six_tenths_of_the_total_a_priori(design: Design) -> None:
    plan = plan_priors({}, None, design, "oa", "bernoulli")
    assert plan.concentration[-1] / sum(plan.concentration) == pytest.approx(0.6)


def test_a_prior_of_its_own_takes_a_level_out_of_the_total(design: Design) -> None:
    own = {"sd:lad": Prior("half_normal", (0.5,)), "var:oac": Prior("inv_gamma", (2.0, 0.1))}
    plan = plan_priors(own, 2.0, design, "oa", "bernoulli")
    assert plan.shared == ("region", "oa")
    assert plan.concentration == (1.0, 2.0)
    assert str(plan.sds["lad"]) == "half_normal(0.5)"
    assert plan.sds["oac"].on == "var"


def test_area_alone_has_the_whole_total() -> None:
    design = Design(True, (), (Group("oa", "geography", ("a", "b"), np.array([0, 1])),), 2)
    plan = plan_priors({}, None, design, "oa", "bernoulli")
    assert (plan.shared, plan.concentration) == (("oa",), (1.0,))
    assert plan.slope_sd is None


def test_sd_and_slope_cover_what_has_no_prior_of_its_own(design: Design) -> None:
    own = {key: Prior("half_normal", (1.0,)) for key in ("sd", "sd:classes")}
    own |= {"slope": Prior("normal", (0.0, 1.0)), "slope:z": Prior("normal", (0.0, 0.5))}
    plan = plan_priors(own, None, design, "oa", "bernoulli")
    assert [str(s) for s in plan.slopes] == ["normal(0, 1)", "normal(0, 0.5)"]
    assert plan.slope_sd is None
    assert str(plan.sds["age"]) == str(plan.sds["oac"]) == "half_normal(1)"
    assert str(plan.total) == "gamma(4, 25)"


def test_cumulative_model_has_cutpoints_and_no_intercept(design: Design) -> None:
    plan = plan_priors({}, None, design, "oa", "cumulative")
    assert plan.intercept is None
    assert str(plan.cutpoints) == "normal(0, 3)"


def test_gaussian_defaults_follow_the_units_of_y_and_written_priors_do_not(design: Design) -> None:
    own = {"sd:age": Prior("half_normal", (1.0,))}
    plan = plan_priors(own, None, design, "oa", "gaussian", y_mean=50.0, y_sd=10.0)
    assert str(plan.intercept) == "normal(50, 30)"
    assert str(plan.slope_sd) == "half_normal(2.5)"
    assert str(plan.total) == "gamma(4, 2.5)"
    assert str(plan.sds["oac"]) == "gamma(2, 1)"
    assert str(plan.sigma) == "half_student_t(3, 0, 10)"
    assert str(plan.sds["age"]) == "half_normal(1)"
    assert plan_priors({}, None, design, "oa", "gaussian", known_variance=True).sigma is None


@pytest.mark.parametrize("text", ["normal(1, 2)", "half_normal(2)", "half_student_t(3, 0, 2)", "gamma(4, 25)"])
def test_scaling_a_prior_scales_its_quantiles(text: str) -> None:
    from scipy import stats

    shapes = {
        "normal": lambda a: stats.norm(a[0], a[1]),
        "half_normal": lambda a: stats.halfnorm(scale=a[0]),
        "half_student_t": lambda a: stats.t(a[0], scale=a[2]),
        "gamma": lambda a: stats.gamma(a[0], scale=1 / a[1]),
    }
    prior = parse_prior(text, "test", Problems())
    assert prior is not None
    before, after = (shapes[p.name](p.args) for p in (prior, scaled(prior, 7.0)))
    assert after.ppf([0.6, 0.9]) == pytest.approx(7.0 * before.ppf([0.6, 0.9]), rel=1e-12)


def test_a_prior_for_a_group_that_does_not_exist_is_named() -> None:
    problems = Problems()
    own = {"sd:ladd": Prior("half_normal", (1.0,)), "slope:w": Prior("flat"), "sd:geography": Prior("flat")}
    check_prior_keys(own, ["lad", "age"], ["x"], "models/m.toml", problems)
    told = [str(p) for p in problems]
    assert len(told) == 2
    assert "did you mean 'lad'" in told[0]
    assert "no covariate 'w'" in told[1]


def test_a_collective_prior_that_no_group_takes_is_named(design: Design) -> None:
    flat = Prior("flat")
    collective = {"sd:geography": flat, "sd:classes": flat, "intercept": flat}
    problems = Problems()
    check_collective_keys(collective, 1.5, design, "models/m.toml", problems)
    assert not list(problems)
    own = {f"sd:{g.name}": flat for g in design.groups}
    check_collective_keys(collective | own, 1.5, design, "models/m.toml", problems)
    assert [p.where.removeprefix("models/m.toml: model.priors.") for p in problems] == [
        "'sd:geography'", "'split:geography'", "'sd:classes'",
    ]  # fmt: skip
