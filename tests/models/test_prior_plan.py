"""Which prior each parameter gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.errors import Problems
from placewise.models.design import AreaScale, Column, Design, Group
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
    assert str(plan.total) == "gamma(4, 22)"
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
    assert str(plan.total) == "gamma(4, 22)"


def test_cumulative_model_has_cutpoints_and_no_intercept(design: Design) -> None:
    plan = plan_priors({}, None, design, "oa", "cumulative")
    assert plan.intercept is None
    assert str(plan.cutpoints) == "normal(0, 3)"


def test_gaussian_defaults_follow_the_units_of_y_and_written_priors_do_not(design: Design) -> None:
    own = {"sd:age": Prior("half_normal", (1.0,))}
    plan = plan_priors(own, None, design, "oa", "gaussian", y_mean=50.0, y_sd=10.0)
    assert str(plan.intercept) == "normal(50, 30)"
    assert str(plan.slope_sd) == "half_normal(2.5)"
    assert str(plan.total) == "gamma(4, 2.2)"
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


SCALE = AreaScale("oa", "oac", ("a", "b"), np.array([0, 1]))


def test_special_terms_have_documented_defaults_and_keys_of_their_own(design: Design) -> None:
    assert plan_priors({}, None, design, "oa", "cumulative").deviation_sd is None
    assert plan_priors({}, None, design, "oa", "cumulative").area_scale_sd is None
    special = replace(design, category_specific=(0,), area_scale=SCALE)
    plan = plan_priors({}, None, special, "oa", "cumulative")
    assert (str(plan.deviation_sd), str(plan.area_scale_sd)) == ("half_normal(0.1)", "half_normal(0.3)")
    own = {"sd:category_specific": Prior("exponential", (5.0,)), "sd:area_scale": Prior("half_normal", (0.1,))}
    plan = plan_priors(own, None, special, "oa", "cumulative")
    assert (str(plan.deviation_sd), str(plan.area_scale_sd)) == ("exponential(5)", "half_normal(0.1)")
    declared = replace(special, area_scale=replace(SCALE, multipliers=np.array([1.0, 2.0])))
    assert plan_priors({}, None, declared, "oa", "cumulative").area_scale_sd is None


@pytest.mark.parametrize("text", ["r2d2(0.5, 2)", "horseshoe(1)"])
def test_shrinkage_takes_the_slopes_without_a_prior_of_their_own(design: Design, text: str) -> None:
    shrinkage = parse_prior(text, "slope", Problems())
    assert shrinkage is not None
    plan = plan_priors({"slope": shrinkage}, None, design, "oa", "bernoulli")
    assert (plan.shrinkage, plan.slope_sd, plan.slopes) == (shrinkage, None, (None, None))
    own = Prior("normal", (0.0, 1.0))
    plan = plan_priors({"slope": shrinkage, "slope:z": own}, None, design, "oa", "bernoulli")
    assert (plan.shrinkage, plan.slopes) == (shrinkage, (None, own))
    problems = Problems()
    check_collective_keys({"slope": shrinkage}, None, design, "m", problems)
    assert not problems


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ({"sd:category_specific": "half_normal(1)"}, "no slope may differ by cutpoint"),
        ({"sd:area_scale": "half_normal(1)"}, "no multipliers of the area's sd are learned"),
        ({"slope": "horseshoe(2)"}, "below the 2 there are, got horseshoe(2)"),
        ({"slope": "r2d2(0.5, 2)", "slope:x": "normal(0, 1)"}, "is for several slopes, 1 have no prior of their own"),
    ],
)
def test_priors_of_special_terms_that_the_model_lacks_are_told(
    design: Design, priors: dict[str, str], message: str
) -> None:
    problems = Problems()
    parsed = {key: parse_prior(text, key, problems) for key, text in priors.items()}
    check_prior_keys(parsed, list(ROLES), ["x", "z"], "m", problems)  # type: ignore[arg-type]
    check_collective_keys(parsed, None, design, "m", problems)  # type: ignore[arg-type]
    assert [message in str(p) for p in problems] == [True]


@pytest.fixture
def varying(design: Design) -> Design:
    """x and z vary over lad, correlated with its intercept; x over age, on its own."""
    lad, age = design.groups[3], design.groups[0]
    slopes = [
        replace(base, name=f"{column.name}|{base.name}", role="other", by=column, factor=base.name)
        for base, column in ((lad, design.columns[0]), (lad, design.columns[1]), (age, design.columns[0]))
    ]
    return replace(design, groups=(*design.groups, *slopes), correlated=((3, 5, 6),))


def test_varying_slopes_have_sds_of_their_own_and_leave_the_total_alone(varying: Design, design: Design) -> None:
    plan = plan_priors({"sd:x|lad": Prior("half_normal", (0.2,))}, None, varying, "oa", "bernoulli")
    before = plan_priors({}, None, design, "oa", "bernoulli")
    assert (plan.total, plan.shared, plan.concentration) == (before.total, before.shared, before.concentration)
    assert "lad" not in plan.sds
    assert str(plan.sds["x|lad"]) == "half_normal(0.2)"
    assert str(plan.sds["z|lad"]) == str(plan.sds["x|age"]) == "half_student_t(3, 0, 0.5)"
    scaled_plan = plan_priors({}, None, varying, "oa", "gaussian", y_sd=10.0)
    assert str(scaled_plan.sds["z|lad"]) == "half_student_t(3, 0, 5)"


def test_correlations_have_lkj_2_unless_written(varying: Design, design: Design) -> None:
    assert plan_priors({}, None, design, "oa", "bernoulli").cor == {}
    assert plan_priors({}, None, varying, "oa", "bernoulli").cor == {"lad": 2.0}
    assert plan_priors({"cor:lad": Prior("lkj", (4.0,))}, None, varying, "oa", "gaussian", y_sd=9.0).cor == {"lad": 4.0}


def test_priors_of_correlations_that_are_not_there_are_named(varying: Design) -> None:
    lkj = Prior("lkj", (2.0,))
    names = [g.name for g in varying.groups]
    problems = Problems()
    own = {"cor:lad": lkj, "sd:x|lad": Prior("half_normal", (1.0,)), "cor:ladd": lkj, "cor:geography": lkj}
    own |= {"sd:w|lad": Prior("half_normal", (1.0,))}
    check_prior_keys(own, names, ["x", "z"], "models/m.toml", problems)
    assert [p.where.rpartition("priors.")[2] for p in problems] == ["'cor:ladd'", "'cor:geography'", "'sd:w|lad'"]
    assert "did you mean 'lad'" in str(next(iter(problems)))
    found = Problems()
    check_collective_keys({"cor:lad": lkj, "cor:age": lkj}, None, varying, "models/m.toml", found)
    (problem,) = found
    assert "no effects over 'age' are correlated" in problem.message
