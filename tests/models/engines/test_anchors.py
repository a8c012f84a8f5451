"""Both engines against posteriors that another sampler, or exact quadrature, found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

pytestmark = pytest.mark.parametrize("engine", ["laplace", "nuts"])


def _read(shared: Path, name: str) -> dict[str, Any]:
    return json.loads((shared / "anchors" / f"{name}.json").read_text())


def _stan(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / f"anchors/stan/{name}.summary.csv", index_col="parameter")


def _posteriordb(shared: Path, name: str) -> pd.DataFrame:
    path = shared / f"anchors/posteriordb/{name}.reference_summary.csv"
    return pd.read_csv(path, index_col="parameter")


def _columns(stem: str, draws: np.ndarray) -> dict[str, np.ndarray]:
    return {stem.format(k): draws[:, k] for k in range(draws.shape[1])}


def test_seeds(shared: Path, fit_formula: Any, faults: Any, engine: str) -> None:
    d = _read(shared, "posteriordb/seeds_data.data")
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
        engine=engine,
        trials=np.array(d["N"], float),
    )
    c = fit.draws("effect_plate")
    # the reference's effects are centred: its intercept is ours plus the mean effect
    pairs = {"alpha0": fit.draws("intercept") + c.mean(axis=1), "sigma": fit.draws("sd_plate")}
    pairs |= {name: fit.draws("slopes")[:, k] for k, name in enumerate(["alpha1", "alpha2", "alpha12"])}
    pairs |= _columns("b[{}]", c - c.mean(axis=1, keepdims=True))
    assert faults(fit, pairs, _stan(shared, "seeds_data-seeds_centered_model")) == {}


def test_radon(shared: Path, fit_formula: Any, faults: Any, engine: str) -> None:
    d = _read(shared, "posteriordb/radon_mn.data")
    data = pd.DataFrame({"uppm": d["log_uppm"], "floor": np.array(d["floor_measure"], float)})
    data["county"] = [f"{c:02d}" for c in d["county_idx"]]
    fit = fit_formula(
        "uppm + floor + (1 | county)",
        data,
        "gaussian",
        np.array(d["log_radon"]),
        {"intercept": "normal(0, 10)", "slope": "normal(0, 10)", "sd": "half_normal(1)", "sigma": "half_normal(1)"},
        draws=4000 if engine == "nuts" else 8000,
        engine=engine,
    )
    alpha = fit.draws("effect_county") + fit.draws("intercept")[:, None]
    pairs = {"mu_alpha": fit.draws("intercept"), "sigma_alpha": fit.draws("sd_county"), "sigma_y": fit.draws("sigma")}
    pairs |= _columns("beta[{}]", fit.draws("slopes")) | _columns("alpha[{}]", alpha)
    reference = _stan(shared, "radon_mn-radon_hierarchical_intercept_noncentered")
    assert faults(fit, pairs, reference) == {}


def test_eight_schools(shared: Path, fit_formula: Any, faults: Any, engine: str) -> None:
    d = _read(shared, "posteriordb/eight_schools.data")
    fit = fit_formula(
        "(1 | school)",
        pd.DataFrame({"school": [f"s{j}" for j in range(8)]}),
        "gaussian",
        np.array(d["y"], float),
        {"intercept": "normal(0, 5)", "sd": "half_cauchy(5)"},
        draws=8000,
        engine=engine,
        variance=np.array(d["sigma"], float) ** 2,
    )
    theta = fit.draws("intercept")[:, None] + fit.draws("effect_school")
    pairs = {"mu": fit.draws("intercept"), "tau": fit.draws("sd_school")}
    pairs |= {f"theta[{j + 1}]": theta[:, j] for j in range(8)}
    assert faults(fit, pairs, _posteriordb(shared, "eight_schools-eight_schools_noncentered")) == {}


@pytest.mark.parametrize(
    ("formula", "name"),
    [("mom_hs + mom_iq", "kidscore_momhsiq"), ("mom_hs + mom_iq + mom_hs:mom_iq", "kidscore_interaction")],
)
def test_kidiq(shared: Path, fit_formula: Any, faults: Any, formula: str, name: str, engine: str) -> None:
    d = _read(shared, "posteriordb/kidiq.data")
    data = pd.DataFrame({k: np.array(d[k], float) for k in ("mom_hs", "mom_iq")})
    fit = fit_formula(
        formula,
        data,
        "gaussian",
        np.array(d["kid_score"], float),
        {"intercept": "flat()", "slope": "flat()", "sigma": "half_cauchy(2.5)"},
        draws=4000 if engine == "nuts" else 8000,
        engine=engine,
    )
    pairs = {"beta[1]": fit.draws("intercept"), "sigma": fit.draws("sigma")}
    pairs |= {f"beta[{k + 2}]": draws for k, draws in enumerate(fit.draws("slopes").T)}
    assert faults(fit, pairs, _posteriordb(shared, f"kidiq-{name}")) == {}


def test_ordinal(shared: Path, fit_formula: Any, faults: Any, engine: str) -> None:
    d = _read(shared, "simulated/ordinal_mrp")["data"]
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
        draws=4000 if engine == "nuts" else 8000,
        engine=engine,
        levels=("1", "2", "3", "4", "5"),
    )
    slopes, place, age = fit.draws("slopes"), fit.draws("effect_place"), fit.draws("effect_age")
    met = np.array([int(label) - 1 for label in fit.idata.posterior["place"].values])
    assert len(met) == 38  # two places have no respondent
    at_place = slopes[:, [1]] * np.array(d["x"])[met] + place
    pairs = {"b_sex": slopes[:, 0], "b_x": slopes[:, 1], "s_u": fit.draws("sd_place"), "s_a": fit.draws("sd_age")}
    pairs |= _columns("c[{}]", fit.draws("cutpoints")) | _columns("a[{}]", age)
    pairs |= {f"u[{k}]": at_place[:, j] for j, k in enumerate(met)}
    assert faults(fit, pairs, _stan(shared, "sim-ordinal_mrp")) == {}


def test_fay_herriot_against_stan_and_exact_quadrature(
    shared: Path, fit_formula: Any, faults: Any, engine: str
) -> None:
    d = _read(shared, "simulated/fay_herriot")["data"]
    x = np.array(d["X"])
    assert (x[:, 0] == 1).all()
    data = pd.DataFrame({"x": x[:, 1], "place": [f"{i:02d}" for i in range(50)]})
    fit = fit_formula(
        "x + (1 | place)",
        data,
        "gaussian",
        np.array(d["y"]),
        {"intercept": "normal(0, 10)", "slope": "normal(0, 10)", "sd": "half_normal(1)"},
        draws=4000 if engine == "nuts" else 16_000,
        engine=engine,
        variance=np.array(d["psi"]),
    )
    beta = np.column_stack([fit.draws("intercept"), fit.draws("slopes")])
    theta = beta @ x.T + fit.draws("effect_place")
    pairs = {"sigma_v": fit.draws("sd_place")} | _columns("beta[{}]", beta) | _columns("theta[{}]", theta)
    assert faults(fit, pairs, _stan(shared, "sim-fay_herriot")) == {}
    quadrature = pd.read_csv(shared / "anchors/simulated/fay_herriot.exact_quadrature.csv", index_col="parameter")
    thetas = quadrature[quadrature.index.str.startswith("theta")]
    assert np.max(np.abs(theta.mean(axis=0) - thetas["mean"]) / thetas["sd"]) < 0.1
    assert np.max(np.abs(np.log(theta.std(axis=0) / thetas["sd"]))) < 0.1


def test_spatial_effects_on_a_lattice(shared: Path, fit_formula: Any, faults: Any, engine: str) -> None:
    d = _read(shared, "simulated/binomial_bym2")["data"]
    codes = [f"{k + 1}" for k in range(d["m"])]
    fit = fit_formula(
        "x + (1 | place)",
        pd.DataFrame({"x": d["x"], "place": codes}),
        "binomial",
        np.array(d["y"], float),
        {"intercept": "normal(0, 2)", "slope": "normal(0, 1)", "sd": "half_normal(1)", "rho:place": "beta(0.5, 0.5)"},
        draws=4000 if engine == "nuts" else 8000,
        engine=engine,
        trials=np.array(d["n"], float),
        structure={"place": "bym2"},
        neighbours={"place": pd.DataFrame({"a": d["n1"], "b": d["n2"]})},
    )
    assert fit.idata.posterior["place"].values.tolist() == codes
    slopes = fit.draws("slopes")
    eta = fit.draws("intercept")[:, None] + slopes * np.array(d["x"]) + fit.draws("effect_place")
    pairs = {"b0": fit.draws("intercept"), "b1": slopes[:, 0]}
    pairs |= {"sigma": fit.draws("sd_place"), "rho": fit.draws("rho_place")} | _columns("eta[{}]", eta)
    assert faults(fit, pairs, _stan(shared, "sim-binomial_bym2")) == {}


def test_counts_at_sites_against_exact_quadrature(shared: Path, fit_formula: Any, faults: Any, engine: str) -> None:
    d = _read(shared, "posteriordb/GLMM_data.data")
    y = np.array(d["obs"], float)
    site = np.array(d["obssite"]) - 1
    fit = fit_formula(
        "(1 | site)",
        pd.DataFrame({"site": [f"{s:03d}" for s in site]}),
        "poisson",
        y,
        {"intercept": "normal(0, 10)", "sd": "uniform(0, 5)"},
        draws=4000 if engine == "nuts" else 8000,
        engine=engine,
        exposure=np.ones(len(y)),
    )
    alpha = fit.draws("effect_site") + fit.draws("intercept")[:, None]
    pairs = {"mu": fit.draws("intercept"), "sd": fit.draws("sd_site")} | _columns("alpha[{}]", alpha)
    reference = _sites(np.bincount(site, y), np.bincount(site).astype(float))
    assert len(pairs) == len(reference) == 237
    assert faults(fit, pairs, reference) == {}


def _sites(total: np.ndarray, years: np.ndarray) -> pd.DataFrame:
    """Posterior of μ, sd and α where Σ y ~ Poisson(years exp(α)), α ~ N(μ, sd²), μ ~ N(0, 10²), sd ~ U(0, 5)."""
    alpha = np.linspace(-12.0, 8.0, 2001)
    mu, sd = (v.ravel() for v in np.meshgrid(np.linspace(1.5, 2.7, 61), np.linspace(1.1, 1.8, 71)))
    log_like = total[:, None] * alpha - years[:, None] * np.exp(alpha)
    log_like -= log_like.max(axis=1, keepdims=True)
    like = np.exp(log_like)
    density = np.exp(-0.5 * ((alpha - mu[:, None]) / sd[:, None]) ** 2) / sd[:, None]
    evidence = density @ like.T
    log_weight = np.log(evidence).sum(axis=1) - 0.5 * (mu / 10.0) ** 2
    weight = np.exp(log_weight - logsumexp(log_weight))
    rows = {"mu": _summary(mu, weight), "sd": _summary(sd, weight)}
    mixed = like * ((weight[:, None] / evidence).T @ density)
    rows |= {f"alpha[{k}]": _summary(alpha, mixed[k] / mixed[k].sum()) for k in range(len(total))}
    return pd.DataFrame(rows).T


def _summary(values: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Mean, sd and 5% and 95% points of a distribution on a grid or of weighted draws."""
    mean = float(weight @ values)
    points, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weight)
    low, high = np.interp([0.05, 0.95], np.cumsum(mass) - 0.5 * mass, points)
    return {"mean": mean, "sd": float(np.sqrt(weight @ (values - mean) ** 2)), "q05": low, "q95": high}


def test_overdispersed_counts_against_importance_sampling(
    shared: Path, fit_formula: Any, faults: Any, engine: str
) -> None:
    d = _read(shared, "posteriordb/GLMM_Poisson_data.data")
    t, y = np.array(d["year"]), np.array(d["C"], float)
    x = np.column_stack([t, t**2, t**3])
    data = pd.DataFrame(x, columns=["t", "t2", "t3"]).assign(year=[f"{k:02d}" for k in range(len(y))])
    flat = "uniform(-10, 10)"
    fit = fit_formula(
        "t + t2 + t3 + (1 | year)",
        data,
        "poisson",
        y,
        {"intercept": "uniform(-20, 20)", "slope": flat, "sd": "uniform(0, 5)"},
        draws=4000 if engine == "nuts" else 16_000,
        engine=engine,
        exposure=np.ones(len(y)),
    )
    beta = np.column_stack([fit.draws("intercept"), fit.draws("slopes")])
    pairs = {"sigma": fit.draws("sd_year")} | _columns("beta[{}]", beta) | _columns("eps[{}]", fit.draws("effect_year"))
    assert faults(fit, pairs, _overdispersed(np.column_stack([np.ones(len(y)), x]), y)) == {}


def _overdispersed(x: np.ndarray, y: np.ndarray, draws: int = 30_000) -> pd.DataFrame:
    """Posterior of β, σ and ε where y ~ Poisson(exp(xβ + ε)), ε ~ N(0, σ²), flat priors on β and 0 < σ < 5.

    β and log σ by importance sampling from a Student t, adapted twice, each ε integrated on a grid.
    """
    rng = np.random.default_rng(1)
    centre = np.r_[np.linalg.lstsq(x, np.log(y), rcond=None)[0], np.log(0.1)]
    cov = np.diag([0.1, 0.1, 0.1, 0.1, 0.5]) ** 2
    for _ in range(3):
        z = rng.standard_normal((draws, 5)) * np.sqrt(5.0 / rng.chisquare(5.0, (draws, 1)))
        point = centre + z @ np.linalg.cholesky(cov).T
        sigma = np.minimum(np.exp(point[:, 4]), 5.0)
        evidence, eps = _integrate_errors(point[:, :4] @ x.T, sigma, y, rng)
        log_weight = evidence + np.where(sigma < 5.0, point[:, 4], -np.inf) + 5.0 * np.log1p((z**2).sum(axis=1) / 5.0)
        weight = np.exp(log_weight - logsumexp(log_weight))
        centre = weight @ point
        cov = (point - centre).T @ ((point - centre) * weight[:, None])
    assert 1.0 / np.square(weight).sum() > 5000
    values = {"sigma": sigma} | _columns("beta[{}]", point[:, :4]) | _columns("eps[{}]", eps)
    return pd.DataFrame({name: _summary(v, weight) for name, v in values.items()}).T


def _integrate_errors(
    eta: np.ndarray, sigma: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood of each draw, shape (S,), and a draw of its errors, shape (S, n)."""
    nodes = np.linspace(-6.0, 6.0, 61)
    log_node = -0.5 * nodes**2
    total, eps = np.zeros(len(sigma)), np.empty(eta.shape)
    for i in range(len(y)):
        log_rate = eta[:, i, None] + sigma[:, None] * nodes
        terms = y[i] * log_rate - np.exp(log_rate) + log_node
        whole = logsumexp(terms, axis=1)
        place = (np.cumsum(np.exp(terms - whole[:, None]), axis=1) < rng.random((len(sigma), 1))).sum(axis=1)
        eps[:, i] = sigma * nodes[np.minimum(place, len(nodes) - 1)]
        total += whole
    return total, eps
