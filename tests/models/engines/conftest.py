"""Fit a formula on plain data, as the anchors need it, and compare with a reference posterior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.models.build import build_design
from placewise.models.engines import FitOptions
from placewise.models.fit import Posterior, fit_model
from placewise.models.formula import parse_formula
from placewise.models.priors import parse_prior
from placewise.surveys.outcome import Response

REFERENCE_DRAWS = 5000

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


@pytest.fixture(scope="session")
def faults() -> Callable[[Mapping[str, np.ndarray], pd.DataFrame], dict[str, list[str]]]:
    def compare(pairs: Mapping[str, np.ndarray], reference: pd.DataFrame) -> dict[str, list[str]]:
        found = {}
        for name, draws in pairs.items():
            row = reference.loc[name]
            found[name] = exact(draws, row["mean"], row["sd"], row["q05"], row["q95"], row.get("mcse_mean", 0.0))
        return {name: wrong for name, wrong in found.items() if wrong}

    return compare


def exact(draws: np.ndarray, mean: float, sd: float, q05: float, q95: float, mcse: float = 0.0) -> list[str]:
    """What of an exact engine's draws is out of tolerance against a reference.

    The mean within 0.05 posterior sd or 4 Monte-Carlo standard errors, the ratio of sds in 0.95-1.05 and the 5% and
    95% points within 0.1 sd, each widened to 4 Monte-Carlo standard errors where the draws are too few for that.
    """
    chains = draws.reshape(4, -1)
    reference = 1 / REFERENCE_DRAWS
    own = draws.std() / np.sqrt(az.ess(chains, method="mean"))
    spread = 4 * np.sqrt(0.5 * (1 / az.ess(chains, method="sd") + reference))
    found = []
    if abs(draws.mean() - mean) > max(0.05 * sd, 4 * np.hypot(own, mcse)):
        found.append(f"mean {draws.mean():.4f} against {mean:.4f}, sd {sd:.4f}")
    if abs(np.log(draws.std() / sd)) > max(0.05, spread):
        found.append(f"sd {draws.std():.4f} against {sd:.4f}")
    for share, expected in ((0.05, q05), (0.95, q95)):
        # 2.1 = sqrt(p (1 - p)) / density of a standard normal at its 5% point
        error = 4 * 2.1 * np.sqrt(1 / az.ess(chains, method="quantile", prob=share) + reference)
        if abs(np.quantile(draws, share) - expected) > max(0.1, error) * sd:
            found.append(f"{share:.0%} point {np.quantile(draws, share):.4f} against {expected:.4f}")
    return found
