"""One fit of a generated problem, called in a process of its own."""

from __future__ import annotations

from typing import Any

from common.child import measure
from common.generator import Spec, simulate, unknowns
from common.standard import nested, standard
from placewise.models.engines import FitOptions, engine_named

TINY = 400


def fit(
    problem: str, n: int, areas: int, family: str, engine: str, draws: int, replicate: int, shrink: int = 1
) -> dict[str, Any]:
    """Fit one problem after a tiny one of its kind, which compiles.

    Parameters
    ----------
    problem : {"standard", "nested"}
        The standard problem of ``n`` respondents, or ``n`` of them in ``areas`` areas that have an effect each.
    n, areas : int
        ``areas`` is of no account for the standard problem.
    family, engine : str
    draws : int
        Posterior draws.
    replicate : int
        Of the data, and seed of the engine.
    shrink : int
        Divides the standard problem's local authorities and MSOAs.

    Returns
    -------
    dict
        wall, cpu (seconds), peak_mib, start_mib (before the fit), compile (seconds), unknowns, area_effects.
    """
    run = engine_named(engine)
    small = standard(TINY, family, shrink=30) if problem == "standard" else nested(TINY, 40, family)
    options = FitOptions(draws=draws, seed=replicate)
    compiling = measure(lambda: run(simulate(small).problem, options))
    made = simulate(_spec(problem, n, areas, family, shrink), replicate).problem
    before = measure(lambda: None)
    cost = measure(lambda: run(made, options))
    effects = sum(len(g.labels) for g in made.design.groups if g.role == "geography")
    return {
        "wall": cost.wall,
        "cpu": cost.cpu,
        "peak_mib": cost.peak_mib,
        "start_mib": before.peak_mib,
        "compile": compiling.wall,
        "unknowns": unknowns(made),
        "area_effects": effects,
    }


def _spec(problem: str, n: int, areas: int, family: str, shrink: int) -> Spec:
    return standard(n, family, shrink=shrink) if problem == "standard" else nested(n, areas, family)
