"""Category-specific slopes, the area's sd by class and shrunk slopes: the sampled density, and what is found again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from placewise.models.design import AreaScale, Column, Design, Group
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.nuts import sample
from placewise.models.engines.pymc_model import build_model
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.surveys.outcome import Response

N = 60
LEVELS = ("a", "b", "c", "d")


def _problem(family: str = "cumulative", specific: tuple[int, ...] = (), scale: Any = None, **own: Prior) -> FitProblem:
    rng = np.random.default_rng(3)
    columns = tuple(Column(f"x{k}", rng.normal(size=N)) for k in range(3))
    labels = tuple(map(str, range(N // 2 + 5)))
    group = Group("oa", "geography", labels[: N // 2], np.arange(N) // 2, labels)
    by = None if scale is None else AreaScale("oa", "kind", ("k", "l", "m"), np.arange(len(labels)) % 3, *scale)
    design = Design(True, columns, (group,), N, category_specific=specific, area_scale=by)
    y = {"cumulative": np.arange(N) % 4, "bernoulli": np.arange(N) % 2, "gaussian": rng.normal(5.0, 3.0, N)}[family]
    priors = {key.replace("_", ":", 1): prior for key, prior in own.items()}
    size = {"y_mean": float(y.mean()), "y_sd": float(y.std())} if family == "gaussian" else {}
    plan = plan_priors(priors, None, design, "oa", family, **size)
    levels = LEVELS if family == "cumulative" else ()
    return FitProblem(design, Response(y=y, kept=np.ones(N, dtype=bool), levels=levels), family, plan)


def _common(problem: FitProblem, v: Mapping[str, Any], known: Mapping[str, np.ndarray], widths: Any) -> float:
    """Likelihood and priors of slopes and the area, the slopes' sds and the area's being given."""
    design, plan, y = problem.design, problem.priors, problem.response.y
    (group,) = design.groups
    sd = np.full(len(group.labels), float(v["sd_oa"]))
    if design.area_scale is not None:
        scale = v.get("area_scale", design.area_scale.multipliers)
        sd = sd * scale[design.area_scale.index[: len(sd)]]
    eta = design.matrix @ v["slopes"] + v["effect_oa"][group.index]
    total = stats.norm.logpdf(v["slopes"], 0, widths).sum() + stats.norm.logpdf(v["effect_oa"], 0, sd).sum()
    for name, width in (("slopes", widths), ("oa", sd)):  # Jacobians of the standardised slopes and effects
        total += np.log(width / np.sqrt(1 + known[f"information_{name}"] * width**2)).sum()
    shape, rate = plan.total.prior.args
    total += stats.gamma.logpdf(v["sd_oa"], shape, scale=1 / rate) + np.log(v["sd_oa"])
    if problem.family == "cumulative":
        cuts = np.tile(v["cutpoints"], (N, 1)) - eta[:, None]
        if design.category_specific:
            cuts = cuts - design.matrix[:, design.category_specific] @ v["slope_deviations"]
        below = np.column_stack([np.zeros(N), expit(cuts), np.ones(N)])
        total += stats.norm.logpdf(v["cutpoints"], 0, 3).sum() + np.log(np.diff(v["cutpoints"])).sum()
        return float(total + np.log(below[np.arange(N), y + 1] - below[np.arange(N), y]).sum())
    eta = eta + float(v["intercept"])
    total += stats.norm.logpdf(v["intercept"], *plan.intercept.args)
    if problem.family == "bernoulli":
        return float(total + stats.bernoulli.logpmf(y, expit(eta)).sum())
    sigma = float(v["sigma"])
    df, _, wide = plan.sigma.args
    total += np.log(2) + stats.t.logpdf(sigma / wide, df) + np.log(sigma / wide)
    return float(total + stats.norm.logpdf(y, eta, sigma).sum())


def _learned(v: Mapping[str, Any]) -> tuple[np.ndarray, float]:
    """Sds of slopes whose sd τ is learned, and the log density of log τ."""
    tau = float(v["slope_sd"])
    return np.full(3, tau), float(stats.halfnorm.logpdf(tau, scale=0.25) + np.log(tau))


def test_density_with_category_specific_slopes(density_differences: Any) -> None:
    problem = _problem(specific=(0, 2))
    information: list[np.ndarray] = []

    def plain(v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
        widths, total = _learned(v)
        omega, deviations, raw = float(v["deviation_sd"]), v["slope_deviations"], v["raw_deviations"]
        total += stats.halfnorm.logpdf(omega, scale=0.1) + np.log(omega)
        total += stats.norm.logpdf(deviations, 0, omega).sum() + np.log(np.abs(deviations / raw)).sum()
        # the standardisation is that of one information, whatever ω
        information.append((raw**2 / deviations**2) - 1 / omega**2)
        return total + _common(problem, v, known, widths)

    found = density_differences(problem, plain, size=0.3)
    assert np.ptp(found) < 1e-8
    assert np.isfinite(found).all()
    assert information[0] == pytest.approx(information[1])


def test_answers_between_crossed_cutpoints_have_no_chance() -> None:
    import pytensor

    problem = _problem(specific=(0,))
    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        model = build_model(problem)
        logp, gradient, start = model.compile_logp(), model.compile_dlogp(), model.initial_point()
        assert np.isfinite(logp(start))
        start["raw_deviations"] = start["raw_deviations"] + np.array([[0.0, 400.0, -400.0]])
        assert logp(start) == -np.inf
        assert np.isfinite(gradient(start)).all()


@pytest.mark.parametrize("declared", [None, np.array([1.0, 2.0, 0.5])])
def test_density_with_an_area_sd_by_class(declared: np.ndarray | None, density_differences: Any) -> None:
    problem = _problem("bernoulli", scale=() if declared is None else (declared,))

    def plain(v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
        widths, total = _learned(v)
        if declared is None:
            omega = float(v["area_scale_sd"])
            total += stats.halfnorm.logpdf(omega, scale=0.3) + np.log(omega)
            # in the words of the model, log multipliers are normal(0, ω²); sampled is ε = log multiplier / ω
            total += (stats.norm.logpdf(np.log(v["area_scale"]), 0, omega) + np.log(omega)).sum()
        return total + _common(problem, v, known, widths)

    found = density_differences(problem, plain, size=0.3)
    assert np.ptp(found) < 1e-8
    assert np.isfinite(found).all()


@pytest.mark.parametrize("family", ["bernoulli", "gaussian"])
def test_density_of_r2d2(family: str, density_differences: Any) -> None:
    problem = _problem(family, slope=Prior("r2d2", (0.4, 3.0)))

    def plain(v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
        r2, split, unit = float(v["slope_r2"]), v["slope_split"], float(v.get("sigma", 1.0))
        total = stats.beta.logpdf(r2, 1.2, 1.8) + np.log(r2 * (1 - r2))
        total += stats.dirichlet.logpdf(split, [0.5] * 3) + np.log(split).sum()
        return float(total) + _common(problem, v, known, unit * np.sqrt(split * r2 / (1 - r2)))

    found = density_differences(problem, plain, size=0.3)
    assert np.ptp(found) < 1e-8
    assert np.isfinite(found).all()


@pytest.mark.parametrize("family", ["bernoulli", "gaussian"])
def test_density_of_the_regularised_horseshoe(family: str, density_differences: Any) -> None:
    problem = _problem(family, slope=Prior("horseshoe", (1.0,)), slope_x1=Prior("normal", (0.0, 2.0)))
    unit = float(np.std(problem.response.y)) if family == "gaussian" else 1.0

    def plain(v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
        noise = float(v["sigma"]) / np.sqrt(N) if family == "gaussian" else 2 / np.sqrt(N)  # half the answers are 1
        tau, local, slab = float(v["slope_scale"]), v["raw_slope_local"], float(v["raw_slope_slab"])
        guess = 1.0 / (2.0 - 1.0) * noise
        total = stats.halfcauchy.logpdf(tau, scale=guess) + np.log(tau)
        total += (stats.halfcauchy.logpdf(local) + np.log(local)).sum()
        total += stats.invgamma.logpdf(slab, 2, scale=2 * unit**2) + np.log(slab)
        shrunk = np.sqrt(tau**2 * slab * local**2 / (slab + tau**2 * local**2))
        return float(total) + _common(problem, v, known, np.array([shrunk[0], 2.0, shrunk[1]]))

    found = density_differences(problem, plain, size=0.3)
    assert np.ptp(found) < 1e-8
    assert np.isfinite(found).all()


def test_a_deviation_sd_fixed_at_0_is_proportional_odds(density_differences: Any) -> None:
    problem = _problem(specific=(1,), **{"sd_category_specific": Prior("fixed", (0.0,))})

    def plain(v: dict[str, Any], known: dict[str, np.ndarray]) -> float:
        widths, total = _learned(v)
        assert np.array_equal(v["slope_deviations"], np.zeros((1, 3)))
        return total + _common(problem, v, known, widths) - 0.5 * float((v["raw_deviations"] ** 2).sum())

    assert np.ptp(density_differences(problem, plain, size=0.3)) < 1e-8


def test_nuts_finds_category_specific_slopes_and_sds_by_class() -> None:
    rng = np.random.default_rng(12)
    areas, each = 40, 100
    n, at = areas * each, np.repeat(np.arange(areas), each)
    x = rng.choice([-1.0, 1.0], n)  # rows with equal values are added up
    own = rng.normal(size=areas) * np.array([0.2, 0.8])[np.arange(areas) % 2]
    slopes = 0.3 + np.array([0.35, -0.35])
    cuts = np.array([-0.8, 0.9]) - own[at][:, None] - x[:, None] * slopes
    y = (logit(rng.uniform(size=n))[:, None] > cuts).sum(axis=1)
    labels = tuple(map(str, range(areas)))
    design = Design(
        True, (Column("x", x),), (Group("oa", "geography", labels, at, labels),), n,
        category_specific=(0,), area_scale=AreaScale("oa", "kind", ("low", "high"), np.arange(areas) % 2),
    )  # fmt: skip
    priors = {"sd:category_specific": Prior("half_normal", (0.5,)), "sd:area_scale": Prior("half_normal", (1.0,))}
    plan = plan_priors(priors, None, design, "oa", "cumulative")
    response = Response(y=y, kept=np.ones(n, dtype=bool), levels=LEVELS[:3])
    options = FitOptions(draws=400, seed=1, chains=2, thin=1, tune=200)
    posterior = sample(FitProblem(design, response, "cumulative", plan), options).posterior
    assert posterior["slope_deviations"].dims == ("chain", "draw", "covariate_specific", "cutpoint")
    found = (posterior["slopes"].sel(covariate="x") + posterior["slope_deviations"].sel(covariate_specific="x")).values
    assert found.std(axis=(0, 1)).max() < 0.06
    assert np.abs(found.mean(axis=(0, 1)) - slopes).max() < 0.15
    sds = (posterior["sd_oa"] * posterior["area_scale"]).mean(("chain", "draw"))
    assert sds.sel(area_class=["low", "high"]).values == pytest.approx([0.2, 0.8], rel=0.35)
