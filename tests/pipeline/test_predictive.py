import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from placewise.estimates.predictor import Estimand
from placewise.estimates.projector import Projector
from placewise.geography.areas import AreaTable
from placewise.models import inference
from placewise.models.design import AreaScale, Column, Design, Group
from placewise.models.fit import Posterior
from placewise.models.predict import build_predictor
from placewise.models.prior_plan import PriorPlan
from placewise.models.spec import EstimandSpec, ModelSpec, OutcomeSpec
from placewise.pipeline.answers import direct_table, values_of
from placewise.pipeline.baselines import baseline_rows, compare_baselines, fit_baselines
from placewise.pipeline.drivers import explained_share, group_effects, slopes
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.predictive import _expected, linear_predictor, predictive_checks
from placewise.surveys.outcome import Response
from placewise.surveys.respondents import Respondents

N, AREAS, LEVELS = 600, 30, ("no", "rather", "yes")
CUTS = np.array([-0.5, 1.0])
SHARE = EstimandSpec("", "share", ("yes",))


def _category(eta, rng):
    below = 1 / (1 + np.exp(-(CUTS[:, None] - eta)))
    return (rng.uniform(size=len(eta)) > below).sum(axis=0)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    x = rng.normal(size=AREAS)
    table = pd.DataFrame({
        "oa": [f"E{i:02d}" for i in range(AREAS)],
        "lad": [f"L{i % 10}" for i in range(AREAS)],
        "kind": ["ab"[i % 2] for i in range(AREAS)],
        "x": x,
    })  # fmt: skip
    areas = AreaTable(table, "oa", ("lad",), ("kind",), None, np.ones(AREAS, dtype=bool))
    row = rng.integers(AREAS, size=N)
    kind = (row % 2).astype(np.int64)
    y = _category(0.8 * x[row] + np.array([0.3, -0.3])[kind], rng)
    people = Respondents("s", pd.DataFrame({"answer": y}), "oa", areas.codes[row], row, None, None, None, N)
    design = Design(
        True,
        (Column("x", x[row], x),),
        (Group("kind", "class", ("a", "b"), kind, ("a", "b"), np.arange(AREAS) % 2, None, np.arange(2)[:, None]),),
        N,
    )
    return OutcomeData(areas, None, people, design, Response(y, np.ones(N, dtype=bool), LEVELS), (people,))


@pytest.fixture(scope="module")
def posterior():
    rng = np.random.default_rng(6)

    def around(values, spread=0.05):
        return np.asarray(values) + spread * rng.normal(size=(2, 300, *np.shape(values)))

    idata = inference.build(
        {"cutpoints": around(CUTS, 0.01), "slopes": around([0.8]), "effect_kind": around([0.3, -0.3]),
         "sd_kind": np.abs(around(0.3))},
        {"cutpoints": ["cutpoint"], "slopes": ["covariate"], "effect_kind": ["kind"]},
        {"cutpoint": ["1", "2"], "covariate": ["x"], "kind": ["a", "b"]},
    )  # fmt: skip
    return Posterior(idata, PriorPlan(None, None, None, (None,), None, (), (), {}, None))


def model_of(estimand):
    outcome = OutcomeSpec("o", "O", ("s",), "cumulative", "answer", order=LEVELS, estimands=(estimand,))
    return ModelSpec(outcome, "x + (1 | kind)")


def test_the_linear_predictor_is_the_sum_of_its_parts(data, posterior):
    eta = linear_predictor(data.design, posterior, np.array([0, 450]))
    x, kind = data.design.columns[0].values, data.design.groups[0].index
    for row, draw in enumerate([(0, 0), (1, 150)]):
        beta = posterior.idata["posterior"]["slopes"].to_numpy()[draw][0]
        effect = posterior.idata["posterior"]["effect_kind"].to_numpy()[draw]
        np.testing.assert_allclose(eta[row], beta * x + effect[kind], rtol=1e-12)


@pytest.mark.parametrize("estimand", [SHARE, EstimandSpec("", "mean")])
def test_answers_of_the_model_s_own_kind_pass_and_shifted_ones_do_not(data, posterior, estimand):
    found = {check.grouping: check for check in predictive_checks(model_of(estimand), data, posterior, 1)}
    assert set(found) == {"lad", "kind"}
    table = found["kind"].table
    observed = pd.Series(values_of(data, estimand)).groupby(data.design.groups[0].index).mean()
    np.testing.assert_allclose(table["observed"], observed)
    assert table["inside"].all()
    np.testing.assert_allclose(table["predicted"], observed, atol=0.08 if estimand.kind == "share" else 0.15)
    wrong = dataclasses.replace(data, response=dataclasses.replace(data.response, y=2 - data.response.y))
    shifted = {c.grouping: c for c in predictive_checks(model_of(estimand), wrong, posterior, 1)}
    assert not shifted["kind"].table["inside"].any()


def test_what_an_answer_contributes(data):
    y = data.response.y
    np.testing.assert_array_equal(values_of(data, SHARE), y == 2)
    np.testing.assert_array_equal(values_of(data, EstimandSpec("", "mean")), y + 1)
    assert values_of(data, EstimandSpec("", "latent")) is None
    trials = dataclasses.replace(data.response, levels=(), trials=np.full(N, 4.0))
    np.testing.assert_array_equal(values_of(dataclasses.replace(data, response=trials), SHARE), y / 4)


def test_direct_figures_are_means_of_areas_with_enough_respondents(data):
    table = direct_table(data, SHARE, "lad")
    codes = data.areas.table["lad"].to_numpy()[data.respondents.area]
    expected = pd.Series(data.response.y == 2).groupby(codes).mean()
    np.testing.assert_allclose(table.set_index("area_code")["direct"], expected)
    assert (table["lower"] >= 0).all()
    few = np.flatnonzero(codes == "L3")[9:]
    kept = np.setdiff1d(np.arange(N), few)
    response = dataclasses.replace(data.response, y=data.response.y[kept])
    fewer = dataclasses.replace(data, respondents=data.respondents.take(kept), response=response)
    assert "L3" not in set(direct_table(fewer, SHARE, "lad")["area_code"])


def test_the_model_s_error_on_its_own_respondents_is_kept_apart_from_the_baselines(data):
    outcome = model_of(SHARE).outcome
    rows = baseline_rows(fit_baselines(data, outcome))
    assert [r["title"] for r in rows] == [
        "National mean for every area", "Mean of the area's class", "Regression without area effects"
    ]  # fmt: skip
    assert rows[2]["rmse"] < rows[0]["rmse"], "the covariate matters"
    truth = pd.Series(data.response.y == 2).groupby(data.respondents.area).mean().reindex(range(AREAS)).fillna(0.3)
    estimates = pd.DataFrame({"area_level": "oa", "area_code": data.areas.codes, "mean": truth.to_numpy()})
    found = compare_baselines(rows, data, outcome, estimates)
    assert list(found.table["method"]) == [r["title"] for r in rows]
    assert found.fitted_error == pytest.approx(0, abs=1e-12), "these are the respondents' own means"
    assert "10 larger areas" in found.note


def test_how_groups_differ_is_told_without_what_they_share_with_the_intercept(data, posterior):
    own = posterior.draws("effect_kind")
    shared = np.random.default_rng(4).normal(0, 3, (len(own), 1))
    table = group_effects(SimpleNamespace(draws=lambda name: own + shared), data.design)["kind"].set_index("level")
    half = (own[:, 0] - own[:, 1]) / 2
    assert table.loc["a", "mean"] == pytest.approx(half.mean())
    assert table.loc["a", "q05"] == pytest.approx(np.quantile(half, 0.05))
    assert table.loc["a", "q05"] > 0 > table.loc["b", "q95"]


def test_what_drives_it(data, posterior):
    assert slopes(posterior, data.design).loc[0, "mean"] == pytest.approx(0.8, abs=0.02)
    effects = group_effects(posterior, data.design)["kind"].set_index("level")["mean"]
    assert effects["a"] == pytest.approx(0.3, abs=0.02)
    fixed = 0.64 * data.design.columns[0].area.var(ddof=1)
    expected = fixed / (fixed + 0.09)
    assert explained_share(posterior, data.design, data.areas) == pytest.approx(expected, abs=0.04)
    bare = dataclasses.replace(data.design, columns=())
    assert explained_share(posterior, bare, data.areas) is None


@pytest.fixture(scope="module")
def varying(data):
    """The slope of x varies over kind, correlated with its intercept, and over lad, whose levels are areas."""
    x, row = data.areas.table["x"].to_numpy(), data.respondents.area
    column, (kind,) = Column("x", x[row], x), data.design.groups
    over_kind = dataclasses.replace(kind, name="x|kind", role="other", by=column, factor="kind")
    labels = tuple(f"L{i}" for i in range(10))
    lad, at = np.arange(10)[:, None], np.arange(AREAS) % 10
    over_lad = Group("x|lad", "other", labels, row % 10, labels, at, None, lad, None, column, "lad", True)
    design = dataclasses.replace(data.design, groups=(kind, over_kind, over_lad), correlated=((0, 1),))
    rng = np.random.default_rng(7)
    draws = {"intercept": rng.normal(size=(2, 50)), "slopes": rng.normal(size=(2, 50, 1))}
    for group in design.groups:
        draws[f"effect_{group.name}"] = rng.normal(size=(2, 50, len(group.labels)))
        draws[f"sd_{group.name}"] = np.full((2, 50), {"kind": 0.3, "x|kind": 0.2, "x|lad": 0.1}[group.name])
    draws["cor_kind"] = np.tile([[1.0, -0.5], [-0.5, 1.0]], (2, 50, 1, 1))
    dims = {f"effect_{g.name}": [g.dim] for g in design.groups} | {"cor_kind": ["kind_term", "kind_term2"]}
    coords = {
        "kind": ["a", "b"],
        "lad": list(labels),
        "kind_term": ["intercept", "x"],
        "kind_term2": ["intercept", "x"],
    }
    idata = inference.build(draws, dims | {"slopes": ["covariate"]}, coords | {"covariate": ["x"]})
    return design, Posterior(idata, PriorPlan(None, None, None, (None,), None, (), (), {}, None))


def test_varying_slopes_are_in_the_linear_predictor(varying):
    design, posterior = varying
    x = design.columns[0].values
    eta = linear_predictor(design, posterior, np.array([3]))[0]
    slope = posterior.draws("slopes")[3, 0]
    expected = posterior.draws("intercept")[3] + posterior.draws("effect_kind")[3][design.groups[0].index]
    slope = slope + posterior.draws("effect_x|kind")[3][design.groups[1].index]
    slope = slope + posterior.draws("effect_x|lad")[3][design.groups[2].index]
    np.testing.assert_allclose(eta, expected + slope * x, rtol=1e-12)


def test_slopes_over_areas_are_not_shown_level_by_level(varying):
    design, posterior = varying
    assert set(group_effects(posterior, design)) == {"kind", "x|kind"}


def test_varying_slopes_are_variance_that_covariates_do_not_explain(data, varying):
    design, posterior = varying
    x = design.columns[0].area
    fixed = posterior.draws("slopes")[:, 0] ** 2 * np.cov(x, aweights=data.areas.weights)
    # an area's effects: kind + x (x|kind) + x (x|lad), the first two with correlation -0.5
    rest = 0.09 + (0.04 + 0.01) * np.mean(x**2) + 2 * -0.5 * 0.3 * 0.2 * np.mean(x)
    assert explained_share(posterior, design, data.areas) == pytest.approx(np.mean(fixed / (fixed + rest)))


def test_the_predictor_gives_areas_what_respondents_get(data, varying):
    design, posterior = varying
    outcome = OutcomeSpec("o", "O", ("s",), "gaussian", "answer", estimands=(EstimandSpec("", "latent"),))
    predictor = build_predictor(outcome, design, posterior, data.areas, None, seed=1)
    slope = predictor.effects[1]
    assert (slope.along, slope.scaled) == (("kind",), True)
    np.testing.assert_allclose(slope.loading, np.tile([-0.5, np.sqrt(0.75)], (100, 1)))
    assert [e.loading is None for e in predictor.effects] == [True, False, True]
    eta = linear_predictor(design, posterior, np.arange(100)).T
    projector = Projector(predictor)
    areas = projector.block(np.arange(AREAS)).values.astype(float) + projector.origin
    np.testing.assert_allclose(areas[data.respondents.area], eta, atol=2e-6)


@pytest.fixture(scope="module")
def special(data, posterior):
    """The slope of x differs by cutpoint, and the area has an effect of its own whose sd differs by kind."""
    rng = np.random.default_rng(9)
    met = np.unique(data.respondents.area)
    other = np.setdiff1d(np.arange(AREAS), met)
    position = np.argsort(np.concatenate([met, other]))
    labels = tuple(data.areas.codes[np.argsort(position)])
    lookup = np.arange(AREAS)[:, None]
    own = Group("oa", "geography", labels[: len(met)], position[data.respondents.area], labels, position, None, lookup)
    kind = np.argsort(position) % 2
    design = dataclasses.replace(
        data.design, groups=(*data.design.groups, own), category_specific=(0,),
        area_scale=AreaScale("oa", "kind", ("a", "b"), kind),
    )  # fmt: skip
    old = posterior.idata.posterior
    variables = {name: old[name].values for name in old.data_vars}
    shape = variables["sd_kind"].shape
    variables |= {
        "slope_deviations": np.broadcast_to([[0.3, -0.1]], (*shape, 1, 2)) + 0.02 * rng.normal(size=(*shape, 1, 2)),
        "area_scale": np.broadcast_to([0.5, 2.0], (*shape, 2)),
        "sd_oa": np.full(shape, 0.2),
        "effect_oa": 0.2 * rng.normal(size=(*shape, len(met))),
    }
    dims = {"cutpoints": ["cutpoint"], "slopes": ["covariate"], "effect_kind": ["kind"], "effect_oa": ["oa"],
            "slope_deviations": ["covariate_specific", "cutpoint"], "area_scale": ["area_class"]}  # fmt: skip
    return design, Posterior(inference.build(variables, dims, {}), posterior.priors)


@pytest.mark.parametrize("estimand", [SHARE, EstimandSpec("", "share", ("no",)), EstimandSpec("", "mean")])
def test_areas_get_cutpoints_of_their_own(data, special, estimand):
    design, posterior = special
    outcome = OutcomeSpec("o", "O", ("s",), "cumulative", "answer", order=LEVELS, estimands=(estimand,))
    predictor = build_predictor(outcome, design, posterior, data.areas, None, seed=1)
    met = np.unique(data.respondents.area)
    first = np.array([np.flatnonzero(data.respondents.area == a)[0] for a in met])
    eta = linear_predictor(design, posterior, np.arange(600))[:, first]
    x = design.columns[0].values[first]
    cuts, deviations = posterior.draws("cutpoints"), posterior.draws("slope_deviations")[:, 0]
    below = 1 / (1 + np.exp(eta[:, :, None] + x[:, None] * deviations[:, None] - cuts[:, None]))
    expected = {"yes": 1 - below[..., 1], "no": below[..., 0]}.get(
        estimand.categories[0] if estimand.categories else "", 3 - below.sum(axis=-1)
    )
    found = Projector(predictor, people=False).block(met).values
    np.testing.assert_allclose(found, expected.T, rtol=2e-5)


def test_areas_without_respondents_have_the_sd_of_their_class(data, special):
    design, posterior = special
    outcome = OutcomeSpec("o", "O", ("s",), "cumulative", "answer", order=LEVELS, estimands=(SHARE,))
    effect = build_predictor(outcome, design, posterior, data.areas, None, seed=1).effects[1]
    assert effect.name == "oa"
    assert np.array_equal(effect.scale[:, 0], [0.5, 2.0])
    assert np.array_equal(effect.scale_class, design.area_scale.index)
    declared = dataclasses.replace(design.area_scale, multipliers=np.array([1.0, 3.0]))
    given = dataclasses.replace(design, area_scale=declared)
    effect = build_predictor(outcome, given, posterior, data.areas, None, seed=1).effects[1]
    assert np.array_equal(effect.scale, np.outer([1.0, 3.0], np.ones(600)))


def test_predictive_checks_know_slopes_by_cutpoint(data, special):
    design, posterior = special
    asked = dataclasses.replace(data, design=dataclasses.replace(design, groups=design.groups[:1]))
    (lad, _) = predictive_checks(model_of(SHARE), asked, posterior, 1)
    (plain, _) = predictive_checks(model_of(SHARE), data, Posterior(_without(posterior), posterior.priors), 1)
    assert not np.allclose(lad.table["predicted"], plain.table["predicted"], atol=1e-3)
    x, row = design.columns[0].values, data.respondents.area
    eta = linear_predictor(asked.design, posterior, np.arange(0, 600))
    above = eta + posterior.draws("slope_deviations")[:, 0, [1]] * x - posterior.draws("cutpoints")[:, [1]]
    fitted = (1 / (1 + np.exp(-above))).mean(axis=0)
    expected = pd.Series(fitted).groupby(np.array([f"L{a % 10}" for a in row])).mean()
    np.testing.assert_allclose(lad.table.set_index("group")["predicted"], expected[lad.table["group"]], atol=2e-3)


def _without(posterior):
    """The same posterior with one slope for every cutpoint."""
    old = posterior.idata.posterior
    kept = {name: old[name].values for name in ("cutpoints", "slopes", "effect_kind", "sd_kind")}
    return inference.build(kept, {"cutpoints": ["cutpoint"], "slopes": ["covariate"], "effect_kind": ["kind"]}, {})


def test_an_area_sd_by_class_counts_by_the_people_of_each(data, special):
    design, posterior = special
    x = design.columns[0].area
    fixed = posterior.draws("slopes")[:, 0] ** 2 * np.cov(x, aweights=data.areas.weights)
    rest = posterior.draws("sd_kind") ** 2 + 0.2**2 * (0.5**2 + 2.0**2) / 2
    assert explained_share(posterior, design, data.areas) == pytest.approx(np.mean(fixed / (fixed + rest)))


def test_an_answer_averaged_over_homes_is_expected_as_over_normal_ones():
    rng, inside = np.random.default_rng(3), np.array([0.0, 0.4, 0.8])
    eta = np.array([[1.5, 1.5, -0.7]])
    zero = np.zeros((1, 1))
    estimand = Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=zero, lower=0.0, upper=1.0)
    mean, variance = _expected(estimand, eta, np.array([0]), np.empty((3, 0)), inside)
    wanted = (1 / (1 + np.exp(-eta - inside * rng.standard_normal((400_000, 1))))).mean(axis=0)
    assert mean[0] == pytest.approx(wanted, abs=4e-3)
    assert variance == pytest.approx(mean * (1 - mean))
    plain = _expected(estimand, eta, np.array([0]), np.empty((3, 0)))[0]
    assert np.abs(plain - mean)[0, 1:].min() > 0.005
