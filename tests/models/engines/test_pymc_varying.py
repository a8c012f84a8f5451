"""Varying slopes in the PyMC model: its density is the model's own, and a fit finds what made the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_expit

from placewise.models.design import Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.pymc_model import build_model
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

N = 90
ETA = 3.0


def _design(rng: np.random.Generator, slopes: dict[str, tuple[str, ...]], correlated: tuple[str, ...]) -> Design:
    columns = {name: Column(name, rng.normal(size=N)) for name in ("x", "z")}
    index = {"age": rng.integers(0, 3, N), "lad": rng.integers(0, 6, N), "oa": np.arange(N) // 2}
    role = {"age": "other", "lad": "geography", "oa": "geography"}
    groups = [Group(g, role[g], tuple(map(str, range(at.max() + 1))), at) for g, at in index.items()]
    blocks = []
    for factor, names in slopes.items():
        base = next(k for k, g in enumerate(groups) if g.name == factor)
        more = [replace(groups[base], name=f"{n}|{factor}", role="other", by=columns[n], factor=factor) for n in names]
        if factor in correlated:
            blocks.append((base, *range(len(groups), len(groups) + len(more))))
        groups += more
    return Design(True, tuple(columns.values()), tuple(groups), N, correlated=tuple(blocks))


def _problem(slopes: dict[str, tuple[str, ...]], correlated: tuple[str, ...], own: dict[str, Prior]) -> FitProblem:
    rng = np.random.default_rng(3)
    design = _design(rng, slopes, correlated)
    y = rng.integers(0, 2, N).astype(float)
    response = Response(y=y, kept=np.ones(N, dtype=bool))
    return FitProblem(design, response, "bernoulli", plan_priors(own, None, design, "oa", "bernoulli"))


def _plain(problem: FitProblem, v: dict[str, np.ndarray], known: dict[str, np.ndarray]) -> float:
    """Log density of the model in its own words, in the sampler's coordinates."""
    design, plan = problem.design, problem.priors
    eta = design.matrix @ v["slopes"] + float(v["intercept"])
    for g in design.groups:
        eta = eta + v[f"effect_{g.name}"][g.index] * (1.0 if g.by is None else g.by.values)
    y = problem.response.y
    total = (y * log_expit(eta) + (1 - y) * log_expit(-eta)).sum() + stats.norm.logpdf(v["intercept"], 0, 3)
    tau = float(v["slope_sd"])
    total += stats.norm.logpdf(v["slopes"], 0, tau).sum() + stats.halfnorm.logpdf(tau, scale=0.25) + np.log(tau)
    widths = {"slopes": tau}
    blocks = [list(b) for b in design.correlated]
    blocks += [[k] for k in range(len(design.groups)) if not any(k in b for b in design.correlated)]
    for block in blocks:
        groups = [design.groups[k] for k in block]
        correlations = v[f"cor_{groups[0].dim}"] if len(block) > 1 else np.eye(1)
        sds = np.array([v[f"sd_{g.name}"] for g in groups])
        effects = np.column_stack([v[f"effect_{g.name}"] for g in groups])
        total += stats.multivariate_normal.logpdf(effects, cov=correlations * np.outer(sds, sds)).sum()
        if len(block) > 1:
            total += _lkj(correlations, plan.cor[groups[0].dim])
        diagonal = np.diag(np.linalg.cholesky(correlations))
        widths |= {g.name: sd * left for g, sd, left in zip(groups, sds, diagonal, strict=True)}
    for name, width in widths.items():  # Jacobian of the standardised effects
        total += np.log(width / np.sqrt(1 + known[f"information_{name}"] * width**2)).sum()
    for name, prior in plan.sds.items():
        sd = float(v[f"sd_{name}"])
        df, _, scale = prior.prior.args
        total += stats.t.logpdf(sd / scale, df) + np.log(sd)
    shape, rate = plan.total.prior.args
    total += stats.gamma.logpdf(v["sd_total"], shape, scale=1 / rate) + np.log(v["sd_total"])
    return float(total + stats.dirichlet.logpdf(v["split"], plan.concentration) + np.log(v["split"]).sum())


def _lkj(r: np.ndarray, eta: float) -> float:
    """LKJ density of a correlation matrix, and the Jacobian of log odds of its partial correlations (up to 3 rows)."""
    total = (eta - 1) * np.linalg.slogdet(r)[1]
    partials = [r[0, 1]] if len(r) == 2 else [r[0, 1], r[0, 2]]
    if len(r) == 3:
        root = np.sqrt((1 - r[0, 1] ** 2) * (1 - r[0, 2] ** 2))
        partials.append((r[1, 2] - r[0, 1] * r[0, 2]) / root)
        total += np.log(root)  # dr23 / dpartial
    return float(total + np.log1p(-np.square(partials)).sum())


@pytest.mark.parametrize(
    ("slopes", "correlated"),
    [
        ({"lad": ("x",)}, ("lad",)),
        ({"lad": ("x", "z"), "age": ("x",)}, ("lad", "age")),
        ({"lad": ("x", "z"), "oa": ("z",)}, ("oa",)),
        ({"age": ("x",)}, ()),
    ],
)
def test_sampled_density_is_the_models(
    slopes: dict[str, tuple[str, ...]], correlated: tuple[str, ...], density_differences: Any
) -> None:
    problem = _problem(slopes, correlated, {"cor:lad": Prior("lkj", (ETA,))})
    seen: list[float] = []

    def words(v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
        seen.extend(v[f"cor_{f}"][0, 1] for f in correlated)
        return _plain(problem, v, known)

    found = density_differences(problem, words, {"lad": np.random.default_rng(5).normal(size=6)}, size=0.5)
    assert np.ptp(found) < 1e-8  # equal up to a constant
    assert not correlated or np.ptp(seen) > 0.1


def test_information_about_a_slope_weighs_by_its_column() -> None:
    problem = _problem({"lad": ("x",)}, ("lad",), {})
    import pytensor

    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        model = build_model(problem)
    slope = problem.design.groups[3]
    share = problem.response.y.mean() * (1 - problem.response.y.mean())
    expected = share * np.bincount(slope.index, slope.by.values**2)
    assert model["information_x|lad"].get_value() == pytest.approx(expected)


def test_a_fit_finds_sds_and_correlation() -> None:
    """100 groups of 20 whose spread of intercepts and slopes is known; each mean within 4 posterior sds and 0.25."""
    from placewise.models.engines.nuts import sample

    rng = np.random.default_rng(8)
    groups, per = 100, 20
    at = np.repeat(np.arange(groups), per)
    sds, rho = np.array([0.8, 0.5]), -0.6
    cov = np.outer(sds, sds) * np.array([[1, rho], [rho, 1]])
    u = rng.multivariate_normal([0, 0], cov, groups)
    x = rng.normal(size=groups * per)
    y = 1.0 + 0.3 * x + u[at, 0] + u[at, 1] * x + 0.5 * rng.normal(size=groups * per)
    base = Group("g", "other", tuple(map(str, range(groups))), at)
    column = Column("x", x)
    slope = replace(base, name="x|g", by=column, factor="g")
    design = Design(True, (column,), (base, slope), len(y), correlated=((0, 1),))
    response = Response(y=y, kept=np.ones(len(y), dtype=bool))
    plan = plan_priors({}, None, design, None, "gaussian", y_mean=float(y.mean()), y_sd=float(y.std()))
    options = FitOptions(draws=200, chains=2, tune=200, thin=1, seed=4)
    posterior = sample(FitProblem(design, response, "gaussian", plan), options).posterior
    for name, truth in (("sd_g", 0.8), ("sd_x|g", 0.5), ("sigma", 0.5), ("slopes", 0.3)):
        draws = np.asarray(posterior[name]).ravel()
        assert abs(draws.mean() - truth) < min(4 * draws.std(), 0.25), name
    cor = np.asarray(posterior["cor_g"])
    assert posterior["cor_g"].dims == ("chain", "draw", "g_term", "g_term2")
    assert list(posterior["g_term"].values) == ["intercept", "x"]
    assert (cor[..., 0, 0] == 1).all()
    np.testing.assert_allclose(cor[..., 0, 1], cor[..., 1, 0])
    assert abs(cor[..., 0, 1].mean() - rho) < 4 * cor[..., 0, 1].std()
    assert cor[..., 0, 1].std() < 0.15
    assert posterior["effect_x|g"].dims == ("chain", "draw", "g")
    found = np.asarray(posterior["effect_x|g"].mean(("chain", "draw")))
    assert np.corrcoef(found, u[:, 1])[0, 1] > 0.9
