from __future__ import annotations

from typing import Any

import pytest

from placewise.errors import Problem, Problems
from placewise.models.prior_keys import read_priors
from placewise.models.priors import Prior
from placewise.schema import Place


def read(
    table: Any, family: str = "gaussian", known_variance: bool = False
) -> tuple[dict[str, Prior], float | None, list[Problem]]:
    problems = Problems()
    priors, split = read_priors(table, family, known_variance, Place("m.toml", problems, key="model.priors"))
    return priors, split, list(problems)


def test_every_key_that_this_version_honours_is_read() -> None:
    table = {
        "intercept": "normal(0, 3)",
        "slope": "normal(0, 1)",
        "slope:deprivation": "uniform(-1, 1)",
        "slope:log(density)": "fixed(0)",
        "sd": "half_student_t(3, 0, 0.5)",
        "sd:geography": "gamma(4, 25)",
        "sd:classes": "flat()",
        "sd:deprivation|lad22cd": "half_normal(0.2)",
        "cor:lad22cd": "lkj(4)",
        "sd:category_specific": "half_normal(0.1)",
        "sd:area_scale": "half_normal(0.3)",
        "sd:age:sex": "pc(1, 0.05)",
        "var:oa21cd": "inv_gamma(2, 0.1)",
        "sigma": "half_normal(1)",
        "split:geography": 2,
    }
    priors, split, problems = read(table)
    assert problems == []
    assert split == 2.0
    assert {k: str(p) for k, p in priors.items()} == {k: v for k, v in table.items() if k != "split:geography"}


@pytest.mark.parametrize(
    ("table", "family", "message"),
    [
        ({"slpoe": "normal(0, 1)"}, "gaussian", "model.priors.slpoe: there is no such prior (did you mean 'slope'?)"),
        ({"sds:lad": "half_normal(1)"}, "gaussian", "there is no such prior"),
        ({"sd:": "half_normal(1)"}, "gaussian", "there is no such prior"),
        ({"sd": {"lad22cd": "half_normal(1)"}}, "gaussian", 'a key with a colon stands in quotes: "sd:lad22cd"'),
        ({"sd": "normal(0, 1)"}, "gaussian", "'sd' cannot be negative, normal(0, 1) can"),
        ({"sd:age": "uniform(-1, 1)"}, "gaussian", "'sd:age' cannot be negative"),
        ({"var:age": "fixed(-1)"}, "gaussian", "'var:age' cannot be negative"),
        ({"sigma": "student_t(3, 0, 1)"}, "gaussian", "'sigma' cannot be negative"),
        ({"var:age": "pc(1, 0.05)"}, "gaussian", "pc(1, 0.05) is a prior of a standard deviation"),
        ({"var:classes": "inv_gamma(2, 1)"}, "gaussian", "write 'sd:classes'"),
        ({"slope": "half_normal(1)"}, "gaussian", "'slope' may be any number, half_normal(1) does not suit"),
        ({"intercept": "gamma(2, 1)"}, "gaussian", "'intercept' may be any number"),
        ({"cutpoints": "fixed(0)"}, "cumulative", "cutpoints are ordered numbers, fixed(0) does not suit"),
        ({"intercept": "normal(0, 1)"}, "cumulative", "a cumulative model has no intercept"),
        ({"cutpoints": "normal(0, 1)"}, "bernoulli", "a bernoulli model has no cutpoints"),
        ({"sigma": "half_normal(1)"}, "poisson", "a poisson model has no residual sd"),
        ({"cor": "lkj(2)"}, "gaussian", "there is no such prior"),
        (
            {"cor:lad": "normal(0, 1)"},
            "gaussian",
            "'cor:lad' takes the prior of a correlation matrix, got normal(0, 1)",
        ),
        ({"cor:lad": "lkj(0)"}, "gaussian", "lkj: eta must be above 0, got 0"),
        ({"cor:lad": "lkj()"}, "gaussian", "lkj(eta) takes 1 number, got 0"),
        ({"cor:lad": 2}, "gaussian", "expected a distribution, got the number 2"),
        ({"sd:lad": "lkj(2)"}, "gaussian", "lkj(2) is one of a correlation matrix"),
        ({"slope": "lkj(2)"}, "gaussian", "lkj(2) is one of a correlation matrix"),
        ({"split:geography": 0}, "gaussian", "expected a number above 0, got the number 0"),
        ({"split:geography": "1.5"}, "gaussian", "expected a number above 0, got the text '1.5'"),
        ({"sd:a": "half_normal(1)", "var:a": "gamma(2, 1)"}, "gaussian", "there is a prior for 'var:a' too"),
        ({"sd": "half_normal(-1)"}, "gaussian", "half_normal: sd must be above 0, got -1"),
        ({"slope": "r2d2"}, "gaussian", "expected a distribution, got 'r2d2'"),
        ({"slope": "r2d2(0.5)"}, "gaussian", "r2d2(mean_r2, precision) takes 2 numbers, got 1"),
        ({"slope": "r2d2(1, 2)"}, "gaussian", "mean_r2 is a share of variance and must be below 1, got 1"),
        ({"slope": "horseshoe(0)"}, "gaussian", "horseshoe: p0 must be above 0, got 0"),
        ({"slope:x": "horseshoe(3)"}, "gaussian", "horseshoe(3) is a prior of all slopes together"),
        ({"sd:age": "r2d2(0.5, 2)"}, "gaussian", "r2d2(0.5, 2) is a prior of all slopes together"),
        ({"var:area_scale": "gamma(2, 1)"}, "gaussian", "there is no such prior (write 'sd:area_scale')"),
        ({"sd:age": "beta(2, 2)"}, "gaussian", "beta(2, 2) is a prior of a share or a correlation"),
        ({"slope": "beta(2, 2)"}, "gaussian", "'slope' may be any number, beta(2, 2) does not suit"),
        ({"intercept": "beta(2, 2)"}, "gaussian", "'intercept' may be any number"),
        ({"rho:age": "normal(0, 1)"}, "gaussian", "'rho:age' lies between -1 and 1, normal(0, 1) does not"),
        ({"rho:age": "beta(0, 1)"}, "gaussian", "beta: a must be above 0"),
        ({"rho": "beta(1, 1)"}, "gaussian", "there is no such prior"),
        ("half_normal(1)", "gaussian", "expected a table"),
    ],
)
def test_a_prior_that_cannot_be_meant_is_refused(table: Any, family: str, message: str) -> None:
    _, _, problems = read(table, family)
    assert len(problems) == 1
    assert message in str(problems[0])
    assert problems[0].kind == "configuration"


def test_known_variances_leave_no_residual_sd() -> None:
    _, _, problems = read({"sigma": "half_normal(1)"}, known_variance=True)
    assert "the residual variances are known" in str(problems[0])


def test_nothing_is_checked_against_a_family_that_could_not_be_read() -> None:
    assert read({"cutpoints": "normal(0, 1)", "sigma": "half_normal(1)"}, "")[2] == []


@pytest.mark.parametrize("text", ["r2d2(0.5, 2)", "horseshoe(3)"])
def test_shrinkage_of_all_slopes_together_is_read(text: str) -> None:
    priors, _, problems = read({"slope": text, "slope:x": "normal(0, 1)"})
    assert problems == []
    assert str(priors["slope"]) == text


def test_priors_of_several_surveys_and_items_are_read() -> None:
    table = {"discrimination": "gamma(4, 4)", "shift": "normal(0, 0.3)", "discrepancy": "exponential(5)"}
    problems = Problems()
    priors, _ = read_priors(table, "cumulative", False, Place("m.toml", problems, key="model.priors"), 2)
    assert list(problems) == []
    assert {k: str(p) for k, p in priors.items()} == table


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("discrimination", "flat()", "flat() does not suit a factor"),
        ("discrimination", "normal(1, 0.5)", "'discrimination' cannot be negative"),
        ("discrepancy", "normal(0, 0.5)", "'discrepancy' cannot be negative"),
        ("shift", "student_t(3, 0, 1)", "a shift is normal about 0, student_t(3, 0, 1) is not"),
        ("shift", "normal(0.2, 1)", "a shift is normal about 0"),
    ],
)
def test_priors_that_such_parameters_cannot_have_are_refused(key: str, value: str, message: str) -> None:
    problems = Problems()
    read_priors({key: value}, "graded_response", False, Place("m.toml", problems, key="model.priors"), 2)
    assert [message in str(p) for p in problems] == [True]
