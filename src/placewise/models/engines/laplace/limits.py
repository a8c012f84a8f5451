"""What the fast engine cannot carry, found without fitting."""

from __future__ import annotations

import numpy as np

from placewise.errors import Problem
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.layout import place_groups

# unknowns outside the chain, whose dense matrix is factorised at every step
LARGEST_CORE = 3000
LARGEST_NAMED = 3
FEWEST_FOR_FLAT = 3


def problems_of(problem: FitProblem) -> list[Problem]:
    """Everything about a problem that this engine cannot carry and another can; empty where it can be fitted."""
    found = []
    if problem.priors.shrinkage is not None:
        found.append(
            Problem(
                "model.priors.slope",
                f"engine 'laplace' cannot carry {problem.priors.shrinkage}",
                "use engine = 'nuts' or 'auto', or leave the default, a learned normal",
                "unavailable",
            )
        )
    found += _unanswered(problem) + _improper(problem) + _instruments(problem)
    _, groups, n_core = place_groups(problem)
    if n_core > LARGEST_CORE:
        sizes = sorted(((s.stop - s.start, problem.design.groups[k].name) for k, s in groups.items()), reverse=True)
        large = ", ".join(f"{name} ({size:,})" for size, name in sizes[:LARGEST_NAMED])
        found.append(
            Problem(
                "model.engine",
                f"'laplace' eliminates one nested chain of groups and can hold {LARGEST_CORE:,} further unknowns; the "
                f"formula has {n_core:,}, most of them in {large}",
                "use engine = 'nuts' or 'auto', or leave out a large group that is not nested in the others",
                "unavailable",
            )
        )
    return found


def _unanswered(problem: FitProblem) -> list[Problem]:
    """Categories that nobody chose: nothing in the likelihood keeps the cutpoints about them in order."""
    found = []
    for name, levels, chosen in _counted(problem):
        # at either end a cutpoint has a neighbour on one side only, and order comes of itself
        empty = [level for level, count in zip(levels[1:-1], chosen[1:-1], strict=True) if count == 0.0]
        if empty:
            found.append(
                Problem(
                    f"outcome.order{f'.{name}' if name else ''}",
                    f"no respondent chose {', '.join(map(repr, empty))}, and engine 'laplace' cannot keep the "
                    f"cutpoints beside {'it' if len(empty) == 1 else 'them'} in order",
                    "leave it out of the order, or use engine = 'nuts' or 'auto'",
                    "unavailable",
                )
            )
    return found


def _counted(problem: FitProblem) -> list[tuple[str, tuple[str, ...], np.ndarray]]:
    """Each question with ordered answers, its categories, and how often each was chosen."""
    instruments = problem.response.instruments
    if instruments is not None:
        each = zip(instruments.names, instruments.levels, instruments.answers.T, strict=True)
        return [(n, levels, np.bincount(own[own >= 0], minlength=len(levels))) for n, levels, own in each]
    if problem.family != "cumulative":
        return []
    rows, levels = problem.rows, problem.response.levels
    return [("", levels, np.bincount(rows.y.astype(np.int64), rows.size, minlength=len(levels)))]


def _instruments(problem: FitProblem) -> list[Problem]:
    """Priors that keep a model of several questions from being expanded about its mode."""
    plan, found = problem.priors, []
    if problem.response.instruments is None:
        return []
    prior = plan.discrimination
    if problem.response.instruments.scale and prior is not None and prior.name not in ("lognormal", "fixed"):
        found.append(("discrimination", f"engine 'laplace' cannot carry {prior}", "write lognormal(0, 0.5)"))
    if any(own is not None and own.name == "flat" for own in plan.slopes):
        found.append(("slope", "engine 'laplace' carries no flat slopes here", "leave the default, a learned normal"))
    return [
        Problem(f"model.priors.{key}", message, f"{hint}, or use engine = 'nuts' or 'auto'", "unavailable")
        for key, message, hint in found
    ]


def _improper(problem: FitProblem) -> list[Problem]:
    """Flat standard deviations of groups too few to bound them (Gelman 2006: three at least)."""
    found = []
    for group in problem.design.groups:
        prior = problem.priors.sds.get(group.name)
        if prior is not None and prior.prior.name == "flat" and len(np.unique(group.index)) < FEWEST_FOR_FLAT:
            found.append(
                Problem(
                    f"model.priors.'{prior.on}:{group.name}'",
                    f"flat() on the sd of {len(np.unique(group.index))} groups leaves the posterior improper",
                    "give a proper prior, such as half_student_t(3, 0, 0.5)",
                )
            )
    return found
