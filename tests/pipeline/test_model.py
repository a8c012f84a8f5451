import numpy as np
import pandas as pd
import pytest

import placewise as pw
from placewise.errors import ConfigurationError, PlacewiseError
from placewise.models.terms import Formula


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=80)
    group = np.array(list("abcd"))[rng.integers(4, size=80)]
    return pd.DataFrame({"y": 2.0 + 0.5 * x + rng.normal(size=80), "x": x, "g": group, "v": 1.0})


@pytest.fixture(scope="module")
def fit(data):
    model = pw.Model(
        "y ~ x", variance="v", priors={"intercept": "normal(0, 10)", "slope": "normal(0, 1)"}, standardise=False
    )
    return model.fit(data, draws=2000, seed=4, jobs=2)


def test_a_conjugate_model_agrees_with_its_closed_form(data, fit):
    x = np.column_stack([np.ones(len(data)), data["x"]])
    precision = x.T @ x + np.diag([1 / 100, 1.0])
    mean = np.linalg.solve(precision, x.T @ data["y"])
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    table = fit.summary()
    found = table.loc[["intercept", "slopes[x]"]]
    np.testing.assert_allclose(found["mean"], mean, atol=4 * found["mcse"].max())
    np.testing.assert_allclose(found["sd"], sd, rtol=0.08)


def test_the_fit_diagnoses_itself(fit):
    found = fit.diagnose()
    assert found.status == "pass"
    checks = {check.name: check for check in found.checks}
    assert checks["khat"].value < 0.5
    assert checks["importance_ess"].value > 1000


def test_the_posterior_is_readable_inference_data(fit):
    posterior = fit.posterior["posterior"]
    assert posterior["slopes"].dims == ("chain", "draw", "covariate")
    assert list(posterior["covariate"].to_numpy()) == ["x"]
    assert posterior.sizes["chain"] * posterior.sizes["draw"] == 2000
    assert "observed_data" not in fit.posterior.groups()


def test_what_is_shown_at_a_prompt_holds_no_data(fit):
    assert repr(fit) == "<Fit of y: gaussian, 80 rows, 2,000 draws>"
    for part in (fit.design, fit.response, *fit.design.columns):
        assert "array" not in repr(part)


def test_there_is_nothing_to_project_to_without_areas(fit):
    with pytest.raises(ConfigurationError, match="no areas table"):
        fit.project()


def test_an_unknown_variable_is_told_with_its_nearest(fit):
    with pytest.raises(ConfigurationError, match="did you mean 'slopes'"):
        fit.summary(["slope"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"formula": "x"}, "no response"),
        ({"formula": "y ~ x", "family": "gausian"}, "did you mean 'gaussian'"),
        ({"formula": "y ~ x", "priors": {"slope": "norml(0, 1)"}}, "norml"),
        ({"formula": "y ~ x", "engine": "hmc"}, "not available in this version"),
        ({"formula": "y ~ __import__('os')"}, "formula"),
        ({"formula": "y ~ x", "family": "binomial"}, "trials"),
        ({"formula": "y ~ x", "family": "graded_response"}, "not available without an areas table"),
    ],
)
def test_what_cannot_be_a_model_is_told(given, words):
    with pytest.raises(PlacewiseError, match=words):
        pw.Model(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"formula": "y ~ xx"}, "did you mean 'x'"),
        ({"formula": "z ~ x"}, "no column 'z'"),
        ({"formula": "y ~ x + (1 | g)", "priors": {"sd:h": "half_normal(1)"}}, "no group 'h'"),
        ({"formula": "g ~ x"}, "finite numbers"),
    ],
)
def test_what_does_not_fit_the_data_is_told(data, given, words):
    with pytest.raises(PlacewiseError, match=words):
        pw.Model(**given).fit(data)


def test_what_is_not_built_yet_says_what_works():
    with pytest.raises(ConfigurationError, match="not available in this version") as caught:
        _ = pw.FayHerriot
    assert "placewise.Model" in str(caught.value)
    with pytest.raises(AttributeError):
        _ = pw.Modell


def test_public_names_are_there():
    assert {"Fit", "Model", "Project"} <= set(dir(pw))
    assert isinstance(pw.Model("y ~ x")._formula, Formula)


def test_covariates_with_slopes_by_cutpoint_are_named_or_measured():
    rng = np.random.default_rng(6)
    table = pd.DataFrame({"x": rng.normal(size=900), "z": rng.normal(size=900)})
    noise = rng.logistic(size=900)
    table["y"] = np.select([noise < -1, noise < 1 + table["x"]], ["low", "mid"], "high")
    given = {"family": "cumulative", "order": ["low", "mid", "high"]}
    named, _ = pw.Model("y ~ x + z", category_specific=["z"], **given)._prepare(table)
    assert named.category_specific == (1,)
    measured, _ = pw.Model("y ~ x + z", category_specific="auto", **given)._prepare(table)
    assert measured.category_specific == (0, 1)
    assert "proportional odds (score statistic on degrees of freedom): x (" in measured.notes[-1]
    with pytest.raises(ConfigurationError, match="'zz' is not a covariate of the formula"):
        pw.Model("y ~ x + z", category_specific=["zz"], **given)._prepare(table)


def test_answers_that_a_covariate_separates_fail_the_checks_by_name():
    x = np.linspace(-1, 1, 60)
    table = pd.DataFrame({"y": (x > 0).astype(int), "x": x, "z": np.random.default_rng(1).normal(size=60)})
    fit = pw.Model("y ~ x + z", family="bernoulli").fit(table, draws=400, seed=2, jobs=1)
    found = fit.diagnose()
    (check,) = [c for c in found.checks if c.name == "separation"]
    assert found.status == "fail"
    assert "x" in check.where
    assert "Leave" in check.sentence


def test_what_the_engine_cannot_carry_is_told_with_the_engine_that_can(data):
    with pytest.raises(ConfigurationError, match="engine = 'nuts' or 'auto'"):
        pw.Model("y ~ x + v + g", priors={"slope": "horseshoe(1)"}).fit(data.assign(v=data["x"] ** 2))
