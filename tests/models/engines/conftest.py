"""Fit a formula on plain data, as the anchors need it, and compare with a reference posterior."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from placewise.errors import Problems
from placewise.models.build import build_design
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.fit import Posterior, fit_model
from placewise.models.formula import parse_formula
from placewise.models.link_scale import area_sd_per_unit
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import parse_prior
from placewise.models.quality import quality
from placewise.surveys.outcome import Response

# the realistic problems and their gates are a study's
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

REFERENCE_DRAWS = 5000
# Monte-Carlo standard errors that a comparison may be off: some 3,000 are made, of which one in 2 million is beyond 5
MOST_ERRORS = 5.0

Fitter = Callable[..., Posterior]


@pytest.fixture(scope="session")
def fit_formula() -> Fitter:
    def fit(
        formula: str,
        data: pd.DataFrame,
        family: str,
        y: np.ndarray,
        priors: Mapping[str, str],
        draws: int = 4000,
        engine: str = "nuts",
        structure: Mapping[str, str] | None = None,
        neighbours: Mapping[str, pd.DataFrame] | None = None,
        **response: Any,
    ) -> Posterior:
        problems = Problems()
        design = build_design(
            parse_formula(formula, "test", problems),
            respondents=data,
            area=np.full(len(data), -1),
            areas=None,
            frame=None,
            reference={},
            orders={},
            standardise=False,
            cumulative=family == "cumulative",
            problems=problems,
            structure=structure,
            neighbours=neighbours,
        )
        parsed = {key: parse_prior(text, key, problems) for key, text in priors.items()}
        problems.raise_if_any()
        answers = Response(y=y, kept=np.ones(len(y), dtype=bool), **response)
        options = FitOptions(draws=draws, seed=20261122, thin=1, tune=600)
        return fit_model(design, answers, family, priors=parsed, engine=engine, options=options)

    return fit


@dataclass(frozen=True)
class Tolerance:
    """Distance of means in posterior sds, log ratio of sds, distance of the 5% and 95% points in posterior sds."""

    mean: float
    sd: float
    points: float


EXACT, APPROXIMATE = Tolerance(0.05, 0.05, 0.1), Tolerance(0.1, 0.1, 0.15)


@pytest.fixture(scope="session")
def faults() -> Callable[[Posterior, Mapping[str, np.ndarray], pd.DataFrame], dict[str, list[str]]]:
    """Parameters that are out of the tolerance of the engine that fitted them, each with what is wrong."""

    def compare(fit: Posterior, pairs: Mapping[str, np.ndarray], reference: pd.DataFrame) -> dict[str, list[str]]:
        if fit.engine == "laplace":
            found = {name: _apart(draws, reference.loc[name], APPROXIMATE) for name, draws in pairs.items()}
            # an engine that is right should not be set aside
            found["quality"] = list(quality(fit.idata))
        else:
            found = {name: _exact(draws, reference.loc[name]) for name, draws in pairs.items()}
        return {name: wrong for name, wrong in found.items() if wrong}

    return compare


def _exact(draws: np.ndarray, reference: pd.Series) -> list[str]:
    """What of a sampler's draws is out of tolerance, which is widened to so many Monte-Carlo standard errors."""
    chains = draws.reshape(4, -1)
    sd, theirs = reference["sd"], 1 / REFERENCE_DRAWS
    own = draws.std() / np.sqrt(az.ess(chains, method="mean"))
    # the variance of a log sd is (kurtosis - 1) / 4 a draw, which is large where an effect may be nothing
    fourth = stats.kurtosis(draws, fisher=False)
    # 2.1 = sqrt(p (1 - p)) / density of a standard normal at its 5% point
    points = [2.1 * np.sqrt(1 / az.ess(chains, method="quantile", prob=share) + theirs) for share in (0.05, 0.95)]
    return _apart(
        draws,
        reference,
        Tolerance(
            max(EXACT.mean, MOST_ERRORS * np.hypot(own, reference.get("mcse_mean", 0.0)) / sd),
            max(EXACT.sd, MOST_ERRORS * np.sqrt(0.25 * (fourth - 1.0) * (1 / az.ess(chains, method="sd") + theirs))),
            max(EXACT.points, MOST_ERRORS * max(points)),
        ),
    )


def _apart(draws: np.ndarray, reference: pd.Series, most: Tolerance) -> list[str]:
    """What of some draws is out of tolerance."""
    mean, sd = reference["mean"], reference["sd"]
    found = []
    if abs(draws.mean() - mean) > most.mean * sd:
        found.append(f"mean {draws.mean():.4f} against {mean:.4f}, sd {sd:.4f}")
    if abs(np.log(draws.std() / sd)) > most.sd:
        found.append(f"sd {draws.std():.4f} against {sd:.4f}")
    for share, name in ((0.05, "q05"), (0.95, "q95")):
        point = np.quantile(draws, share)
        if abs(point - reference[name]) > most.points * sd:
            found.append(f"{share:.0%} point {point:.4f} against {reference[name]:.4f}, sd {sd:.4f}")
    return found


@pytest.fixture(scope="session")
def density_differences() -> Callable[..., np.ndarray]:
    """How the sampled log density differs from the model's own words, point by point: equal where both are one.

    The words are a function of the model's variables by name and of the sampler's fixed numbers by name; ``centres``
    are of groups, which change coordinates alone.
    """

    def find(
        problem: FitProblem,
        words: Callable[[dict[str, Any], dict[str, np.ndarray]], float],
        centres: Mapping[str, np.ndarray] | None = None,
        size: float = 0.4,
        points: int = 4,
    ) -> np.ndarray:
        import pytensor

        from placewise.models.engines.pymc_model import build_model

        rng = np.random.default_rng(5)
        with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
            model = build_model(problem)
            names = [v.name for v in model.deterministics + model.free_RVs]
            logp = model.compile_logp()
            shown = model.replace_rvs_by_values([model[n] for n in names])
            values = model.compile_fn(shown, inputs=model.value_vars, on_unused_input="ignore")
            for group, centre in (centres or {}).items():
                model[f"centre_{group}"].set_value(centre)
            known = {n: model[n].get_value() for n in model.named_vars if n.startswith("information_")}
            start, found = model.initial_point(), []
            for _ in range(points):
                point = {k: x + rng.normal(0, size, np.shape(x)) for k, x in start.items()}
                found.append(float(logp(point)) - words(dict(zip(names, values(point), strict=True)), known))
        return np.array(found)

    return find


@dataclass(frozen=True, eq=False)
class LinkedTruth:
    """What is true of a made-up country whose respondents are linked above the area.

    Parameters
    ----------
    survey : LinkedSurvey
    share : float
        The nation's.
    """

    survey: Any
    share: float

    def national(self, posterior: Any) -> np.ndarray:
        """The nation's share in each draw of a fit, areas' own deviations included; shape (S,)."""
        own, link = self.survey, self.survey.design.link

        def draws(name: str) -> np.ndarray:
            values = np.asarray(posterior[name])
            return values.reshape(-1, *values.shape[2:]).astype(np.float64)

        eta = draws("intercept")[:, None] + draws("slopes") @ np.array([c.area for c in own.design.columns])
        for group in own.design.groups:
            effects = draws(f"effect_{group.name}")
            lacking = np.zeros((len(effects), len(group.all_labels) - effects.shape[1]))
            eta += np.column_stack([effects, lacking])[:, group.lookup[group.area_index, 0]]
        apart = np.sqrt(1.0 - np.bincount(link.parent, link.share**2))[link.parent]
        inside = area_sd_per_unit(own.plan) * draws(f"sd_{link.group}")[:, None] * apart
        share = 0.5 * (special.expit(eta + inside) + special.expit(eta - inside))
        return np.asarray(share @ own.areas.weights / own.areas.weights.sum())


@pytest.fixture(scope="session")
def linked_problem() -> Callable[..., Any]:
    """A problem of respondents linked above areas whose x'β differs with an sd of .8 inside the groups."""
    from common.linked import CODE, PRIOR, LinkedWorld, make_linked_survey

    def make(
        family: str, n: int, n_areas: int, *, formula: str = "", specific: tuple[int, ...] = (), ratio: float = 1.0,
        sds: Mapping[str, float] | None = None, with_truth: bool = False,
    ) -> Any:  # fmt: skip
        world = LinkedWorld("wide", spread=0.8, taken=ratio)
        own = make_linked_survey(world, n, 0, n_areas=n_areas, family=family, formula=formula, sds=sds)
        design = replace(own.design, category_specific=specific)
        assert design.link is not None
        assert design.link.places is not None
        plan = plan_priors({"sd:geography": PRIOR}, None, design, CODE, family)
        problem = FitProblem(design, own.response, family, plan)
        people = own.areas.weights
        return (problem, LinkedTruth(own, float(own.share @ people / people.sum()))) if with_truth else problem

    return make


@pytest.fixture(scope="session")
def averaged_by_hand() -> Callable[..., float]:
    """Log likelihood, respondent by respondent and area by area, of parameters by name and the areas' sd, "inside"."""

    def there(name: str, i: int, table: pd.DataFrame, inside: np.ndarray) -> np.ndarray:
        """A column in each area: a product of what the area has and whether a person is old, as one in three is."""
        parts = [np.full(len(inside), i % 3 == 0) if p == "old" else table[p].to_numpy()[inside]
                 for p in name.split(":")]  # fmt: skip
        return np.prod([np.asarray(part, dtype=float) for part in parts], axis=0)

    def by_hand(problem: FitProblem, table: pd.DataFrame, values: Mapping[str, Any]) -> float:
        design, link, total = problem.design, problem.design.link, 0.0
        group = next(g for g in design.groups if g.name == link.group)
        cuts = np.asarray(values["cutpoints"]) if problem.family == "cumulative" else np.zeros(1)
        for i in range(design.n):
            inside = np.flatnonzero(link.parent == group.index[i])
            x = np.array([there(c.name, i, table, inside) for c in design.columns])
            eta = values["slopes"] @ x + values.get("intercept", 0.0)
            for g in design.groups:
                at = g.index[i] if g.shares is None else g.lookup[g.area_index[inside], 0]
                by = 1.0 if g.by is None else there(g.by.name, i, table, inside)
                eta = eta + by * values[f"effect_{g.name}"][at]
            own = cuts[:, None]
            if design.category_specific:
                own = own - values["slope_deviations"].T @ x[list(design.category_specific)]
            s = values["inside"] * np.sqrt(1.0 - (link.share[inside] ** 2).sum())
            over = 0.5 * (special.expit(eta - own + s) + special.expit(eta - own - s)) @ link.share[inside]
            total += np.log(-np.diff([1.0, *over, 0.0])[int(problem.response.y[i])])
        return float(total)

    return by_hand
