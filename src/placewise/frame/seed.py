"""The seed of raking: a table of people that carries how the variables go together, by area class and region.

Interactions are taken from the seed, everything else from the margins. Each table of the hierarchy (all areas
together, the first grouping, the first two crossed, …) is shrunk to the interactions of the one above it, the topmost
to independence (``shrinkage.py``): a seed of few people does not harm, a cell that is empty in a class by chance is
filled a little, and a class without people takes the shape above.

A combination that stands in the table and counts nobody in any class, though at least five people would be expected if
the variables were independent, is structurally empty and stays so. One that does not stand there, or of which fewer
would be expected, has merely not been seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.frame.grid import Grid
from placewise.frame.long import Factor, LongTable, Wanted, read_long
from placewise.frame.margins import Margin
from placewise.frame.shrinkage import independence, shrink
from placewise.frame.spec import SeedSpec
from placewise.geography.areas import AreaTable
from placewise.geography.codes import listing

WHERE = "frame.seed"
MOST_CELLS = 100_000
LEAST_EXPECTED = 5.0  # people: by chance fewer than one in a hundred such cells is empty


@dataclass(frozen=True, eq=False)
class Seed:
    """Tables to rake from.

    Parameters
    ----------
    grid : Grid
        Of all variables of the margins, then those of the seed alone.
    tables : ndarray of float64, shape (G, cells of the grid)
        Shares, each row summing to 1; 0 is structurally empty.
    group : ndarray of int64, shape (A,)
        Row of each area.
    by : tuple of str
        Columns that the tables differ by.
    without : int
        Areas whose own class counts nobody, so that they take the shape above.
    structural : int
        Structurally empty cells of the grid.
    weight : float
        Median, over the tables, of the weight that the own counts have in the shrunk ones; 1 without seed.
    seeded : bool
        Whether there is a seed; False: all cells alike.
    notes : tuple of str
        Harmless findings.
    """

    grid: Grid
    tables: np.ndarray
    group: np.ndarray
    by: tuple[str, ...] = ()
    without: int = 0
    structural: int = 0
    weight: float = 1.0
    seeded: bool = False
    notes: tuple[str, ...] = ()


def uniform_seed(margins: Sequence[Margin], areas: AreaTable) -> Seed:
    """The seed of independence: all cells alike."""
    grid = grid_of(margins)
    return Seed(grid, np.full((1, grid.size), 1.0 / grid.size), np.zeros(len(areas), dtype=np.int64))


def read_seed(
    spec: SeedSpec, margins: Sequence[Margin], areas: AreaTable, wanted: set[str] | None, problems: Problems
) -> Seed | None:
    """Read the seed and smooth it.

    Parameters
    ----------
    spec : SeedSpec
        ``[frame] seed``.
    margins : sequence of Margin
        Whose categories the seed must have.
    areas : AreaTable
        With the columns ``by`` among its code, levels and classes.
    wanted : set of str, or None
        Variables that formulas use: of these the seed may bring some that neither a margin nor the areas table
        has. None: it brings none.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    Seed or None
        None when a problem was noted.
    """
    before = len(problems)
    grid = grid_of(margins)
    notes: list[str] = []
    table = _read_table(spec, grid, areas, wanted or set(), notes, problems)
    columns = {} if table is None else _columns(spec, table, grid, notes, problems)
    if table is None or len(problems) > before:
        return None
    alone = [name for name in columns if name not in grid.variables]
    whole = Grid((*grid.variables, *alone), (*grid.levels, *(columns[name][1] for name in alone)))
    check_size(whole, problems)
    own = whole.of(columns)
    counted = None if len(problems) > before else _counts(spec, table, columns, own, notes, problems)
    if counted is None:
        return None
    people = areas.population if areas.population is not None else margins[0].counts.sum(axis=1)
    smooth = _smoothed(*counted, own, spec, areas, people, problems)
    if smooth is None:
        return None
    tables, group, without, weight = smooth
    shares = tables[:, whole.places(own.variables)]
    shares /= shares.sum(axis=1, keepdims=True)
    structural = int((shares.max(axis=0) == 0).sum())
    if without:
        notes.append(f"the seed counts nobody of the class of {without:,} areas: they take the shape above it")
    return Seed(whole, shares, group, spec.by, without, structural, weight, True, tuple(notes))


def grid_of(margins: Sequence[Margin]) -> Grid:
    """All combinations of the margins' variables."""
    levels: dict[str, pd.Series] = {}
    for margin in margins:
        levels |= dict(zip(margin.grid.variables, margin.grid.levels, strict=True))
    return Grid(tuple(levels), tuple(levels.values()))


def check_size(grid: Grid, problems: Problems) -> None:
    """Note a grid of more cells than can be raked."""
    if grid.size > MOST_CELLS:
        message = f"the variables make {grid.size:,} cells, at most {MOST_CELLS:,} can be raked"
        problems.add("frame.margins", message, "merge categories, or leave variables out", "data")


def _read_table(
    spec: SeedSpec, grid: Grid, areas: AreaTable, wanted: set[str], notes: list[str], problems: Problems
) -> LongTable | None:
    """The columns of the seed that are variables of the frame; None after a problem."""
    before = len(problems)
    asked = Wanted(spec.table, f"{WHERE}.table", f"{WHERE}.count", dict.fromkeys(spec.by, f"{WHERE}.by"), spec.count)
    file = asked.open(problems)
    if file is None:
        return None
    others = asked.others(file)
    used = [c for c in others if c in grid.variables or (c in wanted and c not in areas.table)]
    if not set(used) & set(grid.variables):
        message = f"{spec.table.name} has none of the margins' variables {listing(grid.variables)}"
        problems.add(f"{WHERE}.table", message, nearest(grid.variables[0], others), "data")
        return None
    table = read_long(asked, file, used, problems)
    for name, (at, _) in {} if table is None else table.codes.items():
        if (at < 0).any():
            message = f"column {name!r} is missing in {int((at < 0).sum()):,} rows of {spec.table.name}"
            problems.add(f"{WHERE}.by", message, kind="data")
    notes += [file.note] if file.note else []
    return table if len(problems) == before else None


def _columns(spec: SeedSpec, table: LongTable, grid: Grid, notes: list[str], problems: Problems) -> dict[str, Factor]:
    """The seed's categories by their places among the margins' (-1: one that no margin has)."""
    found: dict[str, Factor] = {}
    for name, (at, levels) in table.columns.items():
        if name not in grid.variables:
            found[name] = at, levels
            continue
        known = grid.levels[grid.variables.index(name)]
        place = pd.Index(known).get_indexer(pd.Index(levels))
        met = levels[np.bincount(at[at >= 0], weights=table.count[at >= 0], minlength=len(levels)) > 0]
        absent = known[~known.isin(met)]
        if len(absent):
            problems.add(
                f"{WHERE}.table",
                f"{spec.table.name} has nobody of {name!r} {listing(absent)}, which people of the margins have",
                nearest(str(absent.iloc[0]), map(str, levels[place < 0])),
                "data",
            )
        extra = met[~met.isin(known)]
        if len(extra):
            notes.append(f"the seed's {name!r} {listing(extra)} is in no margin and left out")
        found[name] = np.append(place, -1)[at], known
    return found


def _counts(
    spec: SeedSpec, table: LongTable, columns: dict[str, Factor], own: Grid, notes: list[str], problems: Problems
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame] | None:
    """People of each class and cell, whether a cell is structurally empty, and the classes' codes."""
    inside = np.all([at >= 0 for at, _ in columns.values()], axis=0)
    cell = np.ravel_multi_index(tuple(columns[c][0][inside] for c in own.variables), own.shape)
    codes = pd.DataFrame(
        {name: table.codes[name][1].to_numpy(dtype=object)[table.codes[name][0][inside]] for name in spec.by},
        index=range(int(inside.sum())),
    )
    row: np.ndarray = np.zeros(len(cell), dtype=np.int64)
    classes = pd.DataFrame(index=range(1))
    if spec.by:
        row = codes.groupby(list(spec.by), sort=True, observed=True).ngroup().to_numpy(dtype=np.int64)
        classes = codes.drop_duplicates().sort_values(list(spec.by)).reset_index(drop=True)
    counts = np.bincount(row * own.size + cell, weights=table.count[inside], minlength=len(classes) * own.size)
    counts = counts.reshape(len(classes), own.size)
    national = counts.sum(axis=0)
    if not national.sum() > len(classes):
        problems.add(
            f"{WHERE}.count",
            f"column {spec.count!r} of {spec.table.name} adds up to {national.sum():.6g}, expected counts of people",
            "shares do not tell how far a class can be relied on; give the counts behind them",
            "data",
        )
        return None
    if (counts % 1 > 0).any():
        notes.append(
            "the seed's counts are not whole; where they are weighted, scale the weights to the number who answered, "
            "or chance passes for interactions"
        )
    stands = np.bincount(cell, minlength=own.size) > 0
    expected = national.sum() * independence(national, own, np.zeros(own.size, dtype=bool))
    return counts, stands & (national == 0) & (expected >= LEAST_EXPECTED), classes


def _smoothed(
    counts: np.ndarray,
    empty: np.ndarray,
    classes: pd.DataFrame,
    own: Grid,
    spec: SeedSpec,
    areas: AreaTable,
    people: np.ndarray,
    problems: Problems,
) -> tuple[np.ndarray, np.ndarray, int, float] | None:
    """Shapes of the classes that areas belong to, each area's row, areas without one of their own, median weight."""
    national = counts.sum(axis=0, keepdims=True)
    share = np.minimum(national.sum(axis=1) / people.sum(), 1.0)
    shape, weight = shrink(national, independence(national[0], own, empty)[None], own, share)
    group: np.ndarray = np.zeros(len(areas), dtype=np.int64)
    without = 0
    for depth in range(1, len(spec.by) + 1):
        names = list(spec.by[:depth])
        codes = areas.table[names]
        row = codes.groupby(names, sort=True).ngroup().to_numpy(dtype=np.int64)
        first = np.unique(row, return_index=True)[1]
        here = codes.iloc[first].astype(object).reset_index(drop=True).assign(_row=np.arange(len(first)))
        at = classes.merge(here, on=names, how="left")["_row"].to_numpy(dtype=np.float64, na_value=np.nan)
        own_counts = np.zeros((len(first), own.size))
        np.add.at(own_counts, at[~np.isnan(at)].astype(np.int64), counts[~np.isnan(at)])
        share = np.minimum(own_counts.sum(axis=1) / np.bincount(row, weights=people), 1.0)
        shape, weight = shrink(own_counts, shape[group[first]], own, share)
        without = int((own_counts.sum(axis=1) == 0)[row].sum())
        group = row
    if spec.by and without == len(areas):
        known = areas.table[spec.by[0]].drop_duplicates()
        message = f"no class of {spec.table.name} by {listing(spec.by)} is one of the areas'"
        problems.add(f"{WHERE}.by", message, f"the areas' are {listing(known)}", "data")
        return None
    return shape, group, without, float(np.median(weight))
