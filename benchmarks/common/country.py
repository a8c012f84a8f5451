"""A made-up country of small areas, and surveys of the people who live there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.areas import AreaTable
from placewise.models.build import build_design
from placewise.models.design import Design
from placewise.models.formula import parse_formula

CODE, KIND, AGES = "area", "kind", ("16-34", "35-49", "50-64", "65+")
CHILDREN_SPREAD = 8.0  # shape of the gamma that the sizes of larger areas follow
BLUR = 1.0  # scale of the noise in which class an area's covariates put it


def make_country(
    n_areas: int, levels: Sequence[tuple[str, int]], *, classes: int, covariates: int, seed: int
) -> AreaTable:
    """Nested levels, covariates that vary on every level and share a factor, classes that follow the covariates.

    Parameters
    ----------
    n_areas : int
        Small areas.
    levels : sequence of (str, int)
        Names and sizes, coarsest first.
    classes, covariates : int
        Numbers of both; columns ``kind``, ``x1`` …, standardised over the areas.
    seed : int
        Decides everything.
    """
    rng = np.random.default_rng(seed)
    index: dict[str, np.ndarray] = {}
    above = np.zeros(1, dtype=np.int64)
    for name, size in [*levels, (CODE, n_areas)]:
        parent = _parents(size, len(above), rng)
        index = {coarser: of[parent] for coarser, of in index.items()} | {name: np.arange(size)}
        above = np.arange(size)
    x = np.zeros((n_areas, covariates))
    loading = rng.normal(0.0, 0.6, covariates)
    for name, size in [*levels, (CODE, n_areas)]:
        own = rng.normal(size=(size, 1)) * loading + rng.normal(0.0, 0.8, (size, covariates))
        x += own[index[name]]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    centre = rng.normal(size=(classes, covariates))
    near = x @ centre.T - 0.5 * (centre**2).sum(axis=1) + rng.gumbel(0.0, BLUR, (n_areas, classes))
    columns: Mapping[str, object] = {
        CODE: _codes("A", np.arange(n_areas)),
        **{name: _codes(name, index[name]) for name, _ in levels},
        KIND: _codes("k", near.argmax(axis=1)),
        **{f"x{k + 1}": x[:, k] for k in range(covariates)},
    }
    finest_first = tuple(name for name, _ in reversed(levels))
    people = np.maximum(rng.poisson(rng.gamma(12.0, 20.0, n_areas)), 40).astype(np.float64)
    return AreaTable(pd.DataFrame(columns), CODE, finest_first, (KIND,), people, np.ones(n_areas, dtype=bool))


def sample_areas(areas: AreaTable, n: int, per_area: int, rng: np.random.Generator) -> np.ndarray:
    """Area of each of n respondents, shape (n,).

    Parameters
    ----------
    per_area : int
        Respondents of each sampled area, drawn with probability by population; 0 draws every respondent alone.
    """
    share = areas.weights / areas.weights.sum()
    if not per_area:
        return rng.choice(len(areas), n, p=share)
    return np.repeat(rng.choice(len(areas), n // per_area, replace=False, p=share), per_area)


def design_of(
    areas: AreaTable, area: np.ndarray, formula: str, *, age: np.ndarray | None = None, cumulative: bool = False
) -> Design:
    """A formula evaluated on respondents of these areas, projected at the first age.

    Parameters
    ----------
    area : ndarray of int64, shape (n,)
        Row of the areas table of each respondent.
    age : ndarray of int64, shape (n,), optional
        Position in ``AGES``.
    """
    problems = Problems()
    who = {} if age is None else {"age": pd.Series(np.array(AGES, dtype=object)[age], dtype="str")}
    parsed = parse_formula(formula, "formula", problems)
    problems.raise_if_any()
    assert parsed is not None
    design = build_design(
        parsed,
        respondents=pd.DataFrame({"number": np.arange(len(area)), **who}),
        area=area,
        areas=areas,
        frame=None,
        reference={} if age is None else {"age": AGES[0]},
        orders={},
        standardise=False,
        cumulative=cumulative,
        problems=problems,
    )
    problems.raise_if_any()
    assert design is not None
    return design


def _parents(size: int, parents: int, rng: np.random.Generator) -> np.ndarray:
    """Parent of each child: contiguous, each parent has a child."""
    weight = rng.gamma(CHILDREN_SPREAD, 1.0, parents)
    count = 1 + rng.multinomial(size - parents, weight / weight.sum())
    return np.repeat(np.arange(parents), count)


def _codes(prefix: str, index: np.ndarray) -> pd.Series:
    return pd.Series([f"{prefix}{k}" for k in index], dtype="str")
