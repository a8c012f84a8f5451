"""Which groups are eliminated, and that every row keeps its unknowns whatever the order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from placewise.models.design import Group
from placewise.models.engines.laplace.layout import lay_out, place_groups


def names(problem: Any) -> list[str]:
    return [problem.design.groups[level.group].name for level in lay_out(problem).levels]


def test_the_largest_chain_is_eliminated(make_problem: Any) -> None:
    # 600 areas in 200 in 100 in 50; age has 5 levels
    assert names(make_problem(n=1200, depth=4)) == ["oa", "msoa", "lad", "region"]
    # groups of few levels stay in the core
    assert names(make_problem(n=240, depth=4)) == ["oa", "msoa"]
    assert names(make_problem(n=60, depth=4)) == []


def test_a_large_group_across_the_chain_stays_in_the_core(make_problem: Any) -> None:
    problem = make_problem(n=240, depth=2)
    at = np.arange(240) % 60
    crossed = Group("crossed", "other", tuple(map(str, range(60))), at)
    problem = replace(problem, design=replace(problem.design, groups=(crossed, *problem.design.groups)))
    assert names(problem) == ["oa", "msoa"]
    assert 0 in place_groups(problem)[1]


def test_structures_slopes_and_correlated_effects_stay_in_the_core(make_problem: Any, small_chains: None) -> None:
    problem = make_problem(depth=1, structures={"year": "ar1"}, slopes=True, correlated=True)
    assert names(problem) == ["oa"]
    assert len(place_groups(problem)[1]) == 5


@pytest.mark.parametrize("family", ["bernoulli", "cumulative"])
def test_rows_keep_their_answers_and_effects(make_problem: Any, small_chains: None, family: str) -> None:
    problem = make_problem(family, depth=3, slopes=True, specific=(1,) if family == "cumulative" else ())
    # respondents in any order, and areas that are not numbered as their counties are
    rng = np.random.default_rng(4)
    order = rng.permutation(problem.design.n)
    mixed = [replace(g, index=rng.permutation(len(g.labels))[g.index]) for g in problem.design.groups]
    problem = replace(problem, design=replace(problem.design, groups=tuple(mixed)))
    groups = [replace(g, index=g.index[order]) for g in problem.design.groups]
    groups = [g if g.by is None else replace(g, by=replace(g.by, values=g.by.values[order])) for g in groups]
    columns = [replace(c, values=c.values[order]) for c in problem.design.columns]
    design = replace(problem.design, groups=tuple(groups), columns=tuple(columns))
    shuffled = replace(problem, design=design, response=replace(problem.response, y=problem.response.y[order]))
    layout = lay_out(shuffled)
    rows = layout.rows
    leaf = np.repeat(np.arange(layout.chain.n_leaves), np.diff(rows.start))
    described = []
    for i in range(len(rows.y)):
        node, labels = int(leaf[i]), []
        for level in layout.levels:
            labels.append((level.group, int(level.labels[node - level.nodes.start])))
            node = int(layout.chain.parent[node])
        for k, where in layout.groups.items():
            (at,) = np.flatnonzero((rows.col[i] >= where.start) & (rows.col[i] < where.stop))
            labels.append((k, int(rows.col[i, at]) - where.start))
            by = problem.design.groups[k].by
            assert rows.val[i, at] == (1.0 if by is None else rows.x[i, layout.slopes][int(by.name[1])])
        described.append((rows.y[i], *rows.x[i], *sorted(labels)))
        if family == "cumulative":
            assert rows.z[i, 0] == rows.x[i, layout.slopes][1]
    expected = [
        (
            float(y),
            *([1.0] * layout.intercept),
            *x,
            *((k, int(g.index[i])) for k, g in enumerate(problem.design.groups)),
        )
        for i, (y, x) in enumerate(zip(problem.response.y, problem.design.matrix, strict=True))
    ]
    assert sorted(described) == sorted(expected)
    for level in layout.levels:
        assert sorted(level.labels) == np.unique(problem.design.groups[level.group].index).tolist()
    assert layout.n_unknowns == layout.n_core + sum(len(level.labels) for level in layout.levels)
