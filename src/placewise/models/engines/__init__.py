"""Inference engines: each turns a design, a response and a plan of priors into posterior draws.

An engine is a function ``fit(problem, options) -> InferenceData``; it is looked up by the name that a model file or
``--engine`` gives. The variables it returns have the same names and dims whichever engine made them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from placewise.errors import ConfigurationError, Problem, nearest
from placewise.models.design import Design
from placewise.models.prior_plan import PriorPlan
from placewise.surveys.outcome import Response

if TYPE_CHECKING:
    from placewise.models.engines.rows import Rows

AVAILABLE = ("laplace", "nuts", "auto")
PLANNED = ("hmc",)
WORKS = "write engine = 'laplace', 'nuts' or 'auto', or give --engine on the command line"


def _silent(sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class FitProblem:
    """What is to be fitted.

    Parameters
    ----------
    design : Design
        Fixed columns and grouping factors of the n respondents.
    response : Response
        Their answers.
    family : str
        Likelihood family.
    priors : PriorPlan
        Every prior, resolved.
    weights : ndarray of float64, shape (n,), or None
        Powers of the respondents' likelihood contributions (a pseudo-likelihood); None for ones.
    """

    design: Design
    response: Response
    family: str
    priors: PriorPlan
    weights: np.ndarray | None = None

    @cached_property
    def rows(self) -> Rows:
        """The data of the likelihood with equal rows added up, collected when first needed."""
        from placewise.models.engines.rows import collect_rows

        return collect_rows(self)


@dataclass(frozen=True)
class FitOptions:
    """How it is to be fitted.

    Parameters
    ----------
    draws : int
        Posterior draws kept.
    seed : int
        Seed of the engine.
    chains : int
        Independent chains of a sampler.
    jobs : int
        Chains or threads at the same time.
    tune : int
        Warm-up iterations a chain.
    thin : int
        Iterations for each draw that is kept.
    progress : bool
        Whether a progress bar may be drawn on standard error.
    tell : callable
        Takes a sentence that the user should read while the fit goes on.
    """

    draws: int = 2000
    seed: int = 0
    chains: int = 4
    jobs: int = 2
    tune: int = 500
    thin: int = 3
    progress: bool = False
    tell: Callable[[str], None] = _silent


Engine = Callable[[FitProblem, FitOptions], Any]


def engine_named(name: str) -> Engine:
    """Look an engine up by its name; its libraries are imported only then.

    Raises
    ------
    ConfigurationError
        If the name is unknown, or the engine is not in this version.
    """
    if name == "laplace":
        from placewise.models.engines.laplace.fit import fit

        return fit
    if name == "nuts":
        from placewise.models.engines import nuts

        return nuts.sample
    if name == "auto":
        from placewise.models.engines import auto

        return auto.fit
    if name in PLANNED:
        raise ConfigurationError(
            Problem("model.engine", f"{name!r} is not available in this version", WORKS, "unavailable")
        )
    raise ConfigurationError(Problem("model.engine", f"unknown engine {name!r}", nearest(name, AVAILABLE) or WORKS))


def takes_chains(name: str, problem: FitProblem) -> str:
    """One sentence where an engine will certainly run Markov chains, and why; empty where it may not."""
    if name == "nuts":
        return "this will run Markov chains (minutes)"
    refused = [p.message for p in problems_of("laplace", problem) if p.kind == "unavailable"] if name == "auto" else []
    return f"this will run Markov chains (minutes): {'; '.join(refused)}" if refused else ""


def problems_of(name: str, problem: FitProblem) -> list[Problem]:
    """What an engine cannot carry, found without fitting; ``nuts`` and ``auto`` carry everything."""
    if name != "laplace":
        return []
    from placewise.models.engines.laplace import limits

    return limits.problems_of(problem)
