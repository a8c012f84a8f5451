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
    found += _unanswered(problem) + _improper(problem)
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
    if problem.family != "cumulative":
        return []
    rows, levels = problem.rows, problem.response.levels
    chosen = np.bincount(rows.y.astype(np.int64), rows.size, minlength=len(levels)) > 0.0
    # at either end a cutpoint has a neighbour on one side only, and order comes of itself
    empty = [level for level, any_one in zip(levels[1:-1], chosen[1:-1], strict=True) if not any_one]
    if not empty:
        return []
    return [
        Problem(
            "outcome.order",
            f"no respondent chose {', '.join(map(repr, empty))}, and engine 'laplace' cannot keep the cutpoints beside "
            f"{'it' if len(empty) == 1 else 'them'} in order",
            "leave it out of the order, or use engine = 'nuts' or 'auto'",
            "unavailable",
        )
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
