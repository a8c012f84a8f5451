"""What the fast engine cannot carry, found without fitting."""

from __future__ import annotations

from placewise.errors import Problem
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.layout import place_groups

# unknowns outside the chain, whose dense matrix is factorised at every step
LARGEST_CORE = 3000
LARGEST_NAMED = 3


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
