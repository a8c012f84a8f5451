"""Fit a formula on plain data, as the anchors need it, and compare with a reference posterior."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placewise.errors import Problems
from placewise.models.build import build_design
from placewise.models.engines import FitOptions
from placewise.models.fit import Posterior, fit_model
from placewise.models.formula import parse_formula
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
