"""A likelihood averaged over areas inside: its value, and the mode of what stands for it in the expansion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from placewise.models.averaging import places_of
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.laplace.averaged import settle
from placewise.models.engines.laplace.fit import fit
from placewise.models.link_scale import area_sd_per_unit

CASES = [("bernoulli", ()), ("bernoulli", (0,)), ("cumulative", ()), ("cumulative", (0, 1))]
EVERY = pytest.mark.parametrize(("family", "specific"), CASES)


def conditional_at(make: Any, linked_problem: Any, family: str, specific: tuple[int, ...]) -> tuple[Any, Any, Any]:
    formula = "+ old + old:x1 + (x2 | region)" if specific else ""
    own = specific if family == "cumulative" else ()
    problem, truth = linked_problem(family, 600, 160, formula=formula, specific=own, with_truth=True)
    conditional = make(problem)
    table = truth.survey.areas.table
    return conditional, table, conditional.hyper.at(np.random.default_rng(1).normal(0.0, 0.5, conditional.hyper.size))


def values_of(conditional: Any, point: Any, core: np.ndarray, nodes: np.ndarray) -> dict[str, Any]:
    """Parameters by the names that every engine gives them, and the sd of the areas inside."""
    problem, layout = conditional.problem, conditional.layout
    groups = problem.design.groups
    found = {f"effect_{groups[k].name}": core[where] for k, where in layout.groups.items()}
    for level in layout.levels:
        effects = np.zeros(len(groups[level.group].labels))
        effects[level.labels] = nodes[level.nodes]
        found[f"effect_{groups[level.group].name}"] = effects
    found |= {"slopes": core[layout.slopes], "cutpoints": -core[layout.thresholds]}
    if problem.design.category_specific:
        found["slope_deviations"] = core[layout.deviations].reshape(layout.rows.n_cut, -1).T
    if layout.intercept:
        found["intercept"] = core[0]
    return found | {"inside": area_sd_per_unit(problem.priors) * point.scale(problem.design.link.group)}


@EVERY
def test_value_at_any_place(
    conditional_of: Any, linked_problem: Any, averaged_by_hand: Any, family: str, specific: tuple[int, ...]
) -> None:
    conditional, table, point = conditional_at(conditional_of, linked_problem, family, specific)
    rng, start = np.random.default_rng(2), conditional.start()
    core = start.core[:, None] + rng.normal(0.0, 0.1, (len(start.core), 2))
    nodes = rng.normal(0.0, 0.3, (len(start.nodes), 2))
    assert conditional.averaged is not None
    found = conditional.averaged.log_likelihood(point, core, conditional.above(nodes))
    wanted = [
        averaged_by_hand(conditional.problem, table, values_of(conditional, point, core[:, r], nodes[:, r]))
        for r in range(2)
    ]
    assert found == pytest.approx(wanted, rel=1e-10)


@EVERY
def test_the_tilted_mode_is_the_averaged_posteriors(
    conditional_of: Any, linked_problem: Any, family: str, specific: tuple[int, ...]
) -> None:
    conditional, _, point = conditional_at(conditional_of, linked_problem, family, specific)
    e = settle(conditional, point, conditional.start())
    tau, step = conditional.tau(point), 1e-4

    def height(core: np.ndarray, nodes: np.ndarray) -> float:
        return float(conditional.log_joint(point, core[:, None], nodes[:, None], tau)[0])

    mode, sd = e.mode, np.sqrt(np.diag(conditional.describe(e)[0].cov))
    for k in range(len(sd)):
        by = step * sd[k] * np.eye(len(sd))[k]
        # less than a thousandth of a posterior sd from the top
        assert abs(height(mode.core + by, mode.nodes) - height(mode.core - by, mode.nodes)) / (2.0 * step) < 3e-3


def test_places_that_are_alike_change_nothing(conditional_of: Any, linked_problem: Any) -> None:
    problem: FitProblem = linked_problem("cumulative", 600, 160, ratio=1e-6)
    design = problem.design
    assert design.link is not None
    # one place a group: its mean
    whole = replace(design.link, places=np.zeros(len(design.link.parent), dtype=np.int64))
    one = replace(problem, design=replace(design, link=whole))
    assert len(places_of(one.design).share) == len(np.unique(design.link.parent))
    plain = replace(problem, design=replace(design, link=replace(design.link, places=None)))
    averaged, straight = conditional_of(one), conditional_of(plain)
    point, start = straight.hyper.at(np.zeros(straight.hyper.size)), straight.start()
    core, nodes = start.core[:, None] + 0.1, np.full((len(start.nodes), 1), 0.2)
    args = point, core, nodes, straight.tau(point)
    assert averaged.log_joint(*args) == pytest.approx(straight.log_joint(*args), rel=1e-9)


def test_equal_rows_are_added_up(conditional_of: Any, linked_problem: Any) -> None:
    conditional = conditional_of(linked_problem("bernoulli", 600, 160))
    assert conditional.averaged is not None
    assert len(conditional.averaged._homes.counts) < 40
    assert conditional.averaged._homes.counts.sum() == 600.0


def test_means_of_covariates_are_biased_where_areas_differ_and_the_average_is_not(linked_problem: Any) -> None:
    """Slopes and the nation's share, of a survey so large that chance is small."""
    problem, truth = linked_problem("bernoulli", 60_000, 1600, with_truth=True)
    design = problem.design
    assert design.link is not None
    means = replace(problem, design=replace(design, link=replace(design.link, places=None)))
    slope, share = [], []
    for each in (problem, means):
        draws = fit(each, FitOptions(draws=400, seed=1, jobs=1)).posterior
        own, nation = draws["slopes"].values[0], truth.national(draws)
        slope.append((own.mean(axis=0) - truth.survey.slopes) / own.std(axis=0))
        share.append((nation.mean() - truth.share) / nation.std())
    assert np.abs(slope[0]).max() < 2.5
    assert abs(share[0]) < 2.5
    # too flat, so that areas are too near to a half
    assert slope[1][0] < -4.0
    assert share[1] < -4.0
