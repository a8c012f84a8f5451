"""Baselines against closed forms and against the published figures of a census audit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.diagnostics.baselines import BaselineData, Baselines, baselines, class_lookup, national_mean, regression


def made_up(kind: str = "share", n: int = 2000, n_areas: int = 300) -> tuple[BaselineData, np.ndarray]:
    """Answers that follow one covariate; returns the true value of each area too."""
    rng = np.random.default_rng(4)
    area_x = rng.normal(size=(n_areas, 2))
    eta = 0.4 + 0.8 * area_x[:, 0]
    area = rng.integers(0, n_areas, n)
    if kind == "share":
        truth = 1 / (1 + np.exp(-eta))
        y, size = (rng.random(n) < truth[area]).astype(float), None
    elif kind == "rate":
        truth, size = np.exp(eta), rng.uniform(1, 5, n)
        y = rng.poisson(truth[area] * size) / size
    else:
        truth, size = eta, None
        y = truth[area] + 0.5 * rng.standard_normal(n)
    fine = np.array([f"c{int(v > 0)}{int(v > 1)}" for v in area_x[:, 0]], dtype=object)
    coarse = np.array([v[:2] for v in fine], dtype=object)
    classes = {"fine": fine, "coarse": coarse}
    lad = np.array([f"L{a % 20}" for a in range(n_areas)], dtype=object)
    return BaselineData(
        kind, y, area_x[area], area_x, {k: v[area] for k, v in classes.items()}, classes, lad[area], size
    ), truth


def by_name(found: Baselines) -> dict:
    return {b.name: b for b in found.baselines}


def test_national_mean_is_weighted():
    data, _ = made_up()
    weight = np.linspace(1, 3, data.y.size)
    rows = np.arange(data.y.size)
    weighted = BaselineData("share", data.y, data.x, data.area_x, {}, {}, data.groups, None, weight)
    assert national_mean(weighted, rows).areas == pytest.approx(np.full(300, (weight * data.y).sum() / weight.sum()))


def test_class_lookup_falls_back_to_the_parent_then_to_the_nation():
    sub = np.array(["a1"] * 10 + ["a2"] * 5 + ["b1"] * 3, dtype=object)
    top = np.array(["a"] * 15 + ["b"] * 3, dtype=object)
    y = np.array([1.0] * 10 + [0.0] * 5 + [1.0, 1.0, 0.0])
    area = {
        "top": np.array(["a", "a", "a", "b", None], dtype=object),
        "sub": np.array(["a1", "a2", "a9", "b1", None], dtype=object),
    }
    data = BaselineData("share", y, np.empty((18, 0)), np.empty((5, 0)), {"top": top, "sub": sub}, area, top)
    found = class_lookup(data, np.arange(18))
    nation, parent = y.mean(), y[:15].mean()
    assert found.areas == pytest.approx([1.0, parent, parent, nation, nation])
    assert found.respondents == pytest.approx([1.0] * 10 + [parent] * 5 + [nation] * 3)


def test_classes_may_be_named_in_any_order():
    data, _ = made_up()
    turned = BaselineData(
        data.kind,
        data.y,
        data.x,
        data.area_x,
        dict(reversed(data.classes.items())),
        dict(reversed(data.area_classes.items())),
        data.groups,
    )
    assert np.array_equal(by_name(baselines(data))["classes"].areas, by_name(baselines(turned))["classes"].areas)


@pytest.mark.parametrize("kind", ["share", "mean", "rate"])
def test_regression_recovers_what_covariates_tell_and_ranks_first(kind: str):
    data, truth = made_up(kind)
    found = by_name(baselines(data))
    error = {name: np.sqrt(np.mean((b.areas - truth) ** 2)) for name, b in found.items()}
    assert error["regression"] < 0.35 * error["classes"] < error["national"]
    scores = {name: b.held_out.mse for name, b in found.items()}
    assert scores["regression"] < scores["classes"] < scores["national"]
    inside = (found["regression"].lower <= truth) & (truth <= found["regression"].upper)
    assert inside.mean() > 0.5
    assert found["regression"].note == ""


def test_least_squares_is_the_textbook_s():
    data, _ = made_up("mean")
    design = np.column_stack([np.ones(data.y.size), data.x])
    beta, *_ = np.linalg.lstsq(design, data.y, rcond=None)
    area = np.column_stack([np.ones(300), data.area_x])
    fitted = regression(data, np.arange(data.y.size))
    np.testing.assert_allclose(fitted.areas, area @ beta, rtol=1e-9)
    sigma2 = np.sum((data.y - design @ beta) ** 2) / (data.y.size - 3)
    se = np.sqrt(sigma2 * np.einsum("ak,kl,al->a", area, np.linalg.inv(design.T @ design), area))
    np.testing.assert_allclose(fitted.upper - fitted.areas, 1.6448536269514722 * se, rtol=1e-8)


def test_held_out_answers_teach_nothing():
    data, _ = made_up()
    flat = BaselineData("share", np.where(data.groups == "L3", 1.0, 0.0), data.x, data.area_x, {}, {}, data.groups)
    (only,) = [b for b in baselines(flat, n_folds=20).baselines if b.name == "national"]
    # Left out, the one group of ones is predicted 0; the others are predicted at its share among them.
    share = np.array([(flat.y[flat.groups != g]).mean() for g in flat.groups])
    assert only.held_out.mse == pytest.approx(np.mean((flat.y - share) ** 2))


def test_without_classes_covariates_or_groups_the_rest_remains():
    data, _ = made_up()
    bare = BaselineData("share", data.y, data.x[:, :0], data.area_x[:, :0], {}, {}, np.full(data.y.size, "one"))
    found = baselines(bare)
    assert [b.name for b in found.baselines] == ["national"]
    assert found.folds == 0
    assert found.baselines[0].held_out is None


def test_a_covariate_that_separates_the_answers_is_noted_not_hidden():
    x = np.linspace(-1, 1, 60)[:, None]
    data = BaselineData("share", (x[:, 0] > 0).astype(float), x, x, {}, {}, np.repeat(["a", "b"], 30))
    found = regression(data, np.arange(60))
    assert found.note
    assert found.areas[0] == pytest.approx(0, abs=1e-4)


def test_census_audit_figures(shared: Path):
    """RMSE over 178,605 output areas of the three baselines as published with the audit (health_oa)."""
    folder = shared / "census_audit" / "health_oa"
    areas, people = pd.read_parquet(folder / "areas.parquet"), pd.read_csv(folder / "respondents.csv")
    truth = pd.read_parquet(folder / "truth.parquet").query("area_level == 'oa21cd'").set_index("area_code")["truth"]
    truth = truth.loc[areas["oa21cd"]].to_numpy()
    row = pd.Index(areas["oa21cd"]).get_indexer(people["oa21cd"])
    x = areas.iloc[:, 9:].astype(float).assign(density=np.log(areas["density"])).to_numpy()
    classes = {c: areas[c].to_numpy(dtype=object) for c in ("oac21_supergroup", "oac21_group", "oac21_subgroup")}
    data = BaselineData(
        "share",
        people["health"].isin(["good", "very good"]).to_numpy(dtype=float),
        x[row],
        x,
        {c: v[row] for c, v in classes.items()},
        classes,
        areas["rgn24cd"].to_numpy(dtype=object)[row],
    )
    found = by_name(baselines(data, n_folds=3))
    rmse = {name: np.sqrt(np.mean((b.areas - truth) ** 2)) for name, b in found.items()}
    assert rmse["national"] == pytest.approx(0.0737, abs=5e-5)
    assert rmse["classes"] == pytest.approx(0.0581, abs=5e-5)
    assert rmse["regression"] == pytest.approx(0.0344, abs=3e-4)
    covered = (found["regression"].lower <= truth) & (truth <= found["regression"].upper)
    assert covered.mean() == pytest.approx(0.459, abs=0.015)
