"""The exact engine against posteriors that another sampler, or exact quadrature, found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def _stan(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / f"anchors/stan/{name}.summary.csv", index_col="parameter")


def test_seeds(shared: Path, fit_formula: Any, faults: Any) -> None:
    d = _read(shared / "anchors/posteriordb/seeds_data.data.json")
    data = pd.DataFrame({"x1": d["x1"], "x2": d["x2"], "plate": [f"p{i:02d}" for i in range(21)]}).astype(
        {"x1": float, "x2": float}
    )
    fit = fit_formula(
        "x1 + x2 + x1:x2 + (1 | plate)",
        data,
        "binomial",
        np.array(d["n"], float),
        {"intercept": "normal(0, 1)", "slope": "normal(0, 1)", "sd:plate": "half_cauchy(1)"},
        draws=8000,
        trials=np.array(d["N"], float),
    )
    c = fit.draws("effect_plate")
    # the reference's effects are centred: its intercept is ours plus the mean effect
    pairs = {"alpha0": fit.draws("intercept") + c.mean(axis=1), "sigma": fit.draws("sd_plate")}
    pairs |= {name: fit.draws("slopes")[:, k] for k, name in enumerate(["alpha1", "alpha2", "alpha12"])}
    pairs |= {f"b[{i}]": c[:, i] - c.mean(axis=1) for i in range(21)}
    assert faults(pairs, _stan(shared, "seeds_data-seeds_centered_model")) == {}


def test_radon(shared: Path, fit_formula: Any, faults: Any) -> None:
    d = _read(shared / "anchors/posteriordb/radon_mn.data.json")
    data = pd.DataFrame({"uppm": d["log_uppm"], "floor": np.array(d["floor_measure"], float)})
    data["county"] = [f"{c:02d}" for c in d["county_idx"]]
    fit = fit_formula(
        "uppm + floor + (1 | county)",
        data,
        "gaussian",
        np.array(d["log_radon"]),
        {"intercept": "normal(0, 10)", "slope": "normal(0, 10)", "sd": "half_normal(1)", "sigma": "half_normal(1)"},
    )
    alpha = fit.draws("effect_county") + fit.draws("intercept")[:, None]
    pairs = {"mu_alpha": fit.draws("intercept"), "sigma_alpha": fit.draws("sd_county"), "sigma_y": fit.draws("sigma")}
    pairs |= {f"beta[{k}]": fit.draws("slopes")[:, k] for k in range(2)}
    pairs |= {f"alpha[{k}]": alpha[:, k] for k in range(85)}
    reference = _stan(shared, "radon_mn-radon_hierarchical_intercept_noncentered")
    assert faults(pairs, reference) == {}


def test_eight_schools(shared: Path, fit_formula: Any, faults: Any) -> None:
    d = _read(shared / "anchors/posteriordb/eight_schools.data.json")
    reference = pd.read_csv(
        shared / "anchors/posteriordb/eight_schools-eight_schools_noncentered.reference_summary.csv",
        index_col="parameter",
    )
    fit = fit_formula(
        "(1 | school)",
        pd.DataFrame({"school": [f"s{j}" for j in range(8)]}),
        "gaussian",
        np.array(d["y"], float),
        {"intercept": "normal(0, 5)", "sd": "half_cauchy(5)"},
        draws=8000,
        variance=np.array(d["sigma"], float) ** 2,
    )
    theta = fit.draws("intercept")[:, None] + fit.draws("effect_school")
    pairs = {"mu": fit.draws("intercept"), "tau": fit.draws("sd_school")}
    pairs |= {f"theta[{j + 1}]": theta[:, j] for j in range(8)}
    assert faults(pairs, reference) == {}


@pytest.mark.parametrize(
    ("formula", "name"),
    [("mom_hs + mom_iq", "kidscore_momhsiq"), ("mom_hs + mom_iq + mom_hs:mom_iq", "kidscore_interaction")],
)
def test_kidiq(shared: Path, fit_formula: Any, faults: Any, formula: str, name: str) -> None:
    d = _read(shared / "anchors/posteriordb/kidiq.data.json")
    data = pd.DataFrame({k: np.array(d[k], float) for k in ("mom_hs", "mom_iq")})
    fit = fit_formula(
        formula,
        data,
        "gaussian",
        np.array(d["kid_score"], float),
        {"intercept": "flat()", "slope": "flat()", "sigma": "half_cauchy(2.5)"},
    )
    reference = pd.read_csv(shared / f"anchors/posteriordb/kidiq-{name}.reference_summary.csv", index_col="parameter")
    slopes = fit.draws("slopes")
    pairs = {"beta[1]": fit.draws("intercept"), "sigma": fit.draws("sigma")}
    pairs |= {f"beta[{k + 2}]": slopes[:, k] for k in range(slopes.shape[1])}
    assert faults(pairs, reference) == {}


def test_ordinal(shared: Path, fit_formula: Any, faults: Any) -> None:
    d = _read(shared / "anchors/simulated/ordinal_mrp.json")["data"]
    x = np.array(d["x"])[np.array(d["area"]) - 1]
    data = pd.DataFrame({"sex": np.array(d["sex"], float), "x": x})
    data["place"] = [f"{a:02d}" for a in d["area"]]
    data["age"] = [str(a) for a in d["age"]]
    fit = fit_formula(
        "sex + x + (1 | place) + (1 | age)",
        data,
        "cumulative",
        np.array(d["y"]) - 1,
        {"cutpoints": "normal(0, 3)", "slope": "normal(0, 1)", "sd": "half_normal(1)"},
        levels=("1", "2", "3", "4", "5"),
    )
    slopes, place, age = fit.draws("slopes"), fit.draws("effect_place"), fit.draws("effect_age")
    met = np.array([int(label) - 1 for label in fit.idata.posterior["place"].values])
    assert len(met) == 38  # two places have no respondent
    at_place = slopes[:, [1]] * np.array(d["x"])[met] + place
    pairs = {"b_sex": slopes[:, 0], "b_x": slopes[:, 1], "s_u": fit.draws("sd_place"), "s_a": fit.draws("sd_age")}
    pairs |= {f"c[{k}]": fit.draws("cutpoints")[:, k] for k in range(4)}
    pairs |= {f"u[{k}]": at_place[:, j] for j, k in enumerate(met)} | {f"a[{k}]": age[:, k] for k in range(6)}
    assert faults(pairs, _stan(shared, "sim-ordinal_mrp")) == {}


def test_fay_herriot_against_stan_and_exact_quadrature(shared: Path, fit_formula: Any, faults: Any) -> None:
    d = _read(shared / "anchors/simulated/fay_herriot.json")["data"]
    x = np.array(d["X"])
    assert (x[:, 0] == 1).all()
    data = pd.DataFrame({"x": x[:, 1], "place": [f"{i:02d}" for i in range(50)]})
    fit = fit_formula(
        "x + (1 | place)",
        data,
        "gaussian",
        np.array(d["y"]),
        {"intercept": "normal(0, 10)", "slope": "normal(0, 10)", "sd": "half_normal(1)"},
        variance=np.array(d["psi"]),
    )
    beta = np.column_stack([fit.draws("intercept"), fit.draws("slopes")])
    theta = beta @ x.T + fit.draws("effect_place")
    pairs = {"beta[0]": beta[:, 0], "beta[1]": beta[:, 1], "sigma_v": fit.draws("sd_place")}
    pairs |= {f"theta[{k}]": theta[:, k] for k in range(50)}
    assert faults(pairs, _stan(shared, "sim-fay_herriot")) == {}
    quadrature = pd.read_csv(shared / "anchors/simulated/fay_herriot.exact_quadrature.csv", index_col="parameter")
    thetas = quadrature[quadrature.index.str.startswith("theta")]
    assert np.max(np.abs(theta.mean(axis=0) - thetas["mean"]) / thetas["sd"]) < 0.1
    assert np.max(np.abs(np.log(theta.std(axis=0) / thetas["sd"]))) < 0.1
