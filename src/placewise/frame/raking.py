"""The frame raked from margins: each area's table is fitted to its own margins from the seed of its class.

Counts stay fractional. The projection weighs cells by their share of an area, and the chance in who lives there follows
from Σ N V over the cells, which is the right expectation over the ways to round them; rounding would only add noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.frame.fitting import THREADS, Fitted, Tables, fit_tables
from placewise.frame.harmonise import Harmonised, harmonise
from placewise.frame.margins import Margin, read_margins
from placewise.frame.report import RakingReport
from placewise.frame.seed import Seed, check_size, grid_of, read_seed, uniform_seed
from placewise.frame.spec import RakedFrameSpec
from placewise.geography.areas import AreaTable
from placewise.geography.codes import listing
from placewise.geography.tables import open_table
from placewise.kernels.raking import UNSAID

MOST_MOVED = 3.0  # people: what the disclosure control of published tables may change in a cell
MOST_MOVED_SHARE = 0.05  # of the area's people, where that is more: tables of other sources and bases


@dataclass(frozen=True, eq=False)
class Raking:
    """Margins and seed, read and checked, from which the frame is raked.

    Parameters
    ----------
    margins : tuple of Margin
        As published.
    areas : AreaTable
        Every area.
    seed : Seed
        Where the tables start.
    tables : Tables
        The seed without cells that are empty everywhere, and which category each cell belongs to.
    cells : DataFrame
        The frame's cells, in the order of their values.
    """

    margins: tuple[Margin, ...]
    areas: AreaTable
    seed: Seed
    tables: Tables
    cells: pd.DataFrame


def read_raking(
    spec: RakedFrameSpec,
    areas: AreaTable | None,
    code: str,
    cell_columns: set[str] | None,
    problems: Problems,
) -> Raking | None:
    """Read margins and seed.

    Parameters
    ----------
    spec : RakedFrameSpec
        ``[frame]`` of the project file.
    areas : AreaTable or None
        None when the areas could not be read: the margins are checked all the same, and None is returned.
    code : str
        Column of area codes, ``areas.code``.
    cell_columns : set of str, or None
        Variables that formulas use: all margins are raked to, and the cells then summed over all others. None keeps
        the margins' variables.
    problems : Problems
        Takes everything that is wrong.

    Returns
    -------
    Raking or None
        None when a problem was noted.
    """
    margins = read_margins(spec.margins, areas, code, problems)
    if margins is None or areas is None:
        return None
    before = len(problems)
    check_size(grid_of(margins), problems)
    if len(problems) > before:
        return None
    if spec.seed is None:
        return prepare(margins, areas, uniform_seed(margins, areas), cell_columns)
    seed = read_seed(spec.seed, margins, areas, cell_columns, problems)
    return None if seed is None else prepare(margins, areas, seed, cell_columns)


def variables_of(spec: RakedFrameSpec) -> set[str]:
    """Names that may be variables of the frame: those of the margins, and all columns of the seed's table."""
    names = {name for margin in spec.margins for name in margin.variables}
    seed = None if spec.seed is None else open_table(spec.seed.table, "", Problems(), spec.seed.by)
    return names if seed is None else names | set(seed.columns)


def prepare(margins: Sequence[Margin], areas: AreaTable, seed: Seed, cell_columns: set[str] | None) -> Raking:
    """Lay out the cells: those that some area can have, summed over variables that no formula uses."""
    grid = seed.grid
    kept_grid = grid if cell_columns is None else grid.of(cell_columns)
    begin = np.concatenate([[0], np.cumsum([m.counts.shape[1] for m in margins])]).astype(np.int64)
    category = np.array([grid.places(m.grid.variables) + b for m, b in zip(margins, begin[:-1], strict=True)])
    counts = np.concatenate([np.where(m.counts.sum(axis=1)[:, None] > 0, m.counts, UNSAID) for m in margins], axis=1)
    live = np.flatnonzero((seed.tables.max(axis=0) > 0) & (counts.max(axis=0)[category] > 0).all(axis=0))
    place = grid.places(kept_grid.variables)
    tables, kept = _laid_out(seed, category, begin, live, place)
    inhabited = tables.support(counts)[1] > 0
    if not inhabited.all():
        tables, kept = _laid_out(seed, category, begin, live[inhabited[tables.keep]], place)
    return Raking(tuple(margins), areas, seed, tables, kept_grid.table(kept))


def _laid_out(
    seed: Seed, category: np.ndarray, begin: np.ndarray, live: np.ndarray, place: np.ndarray
) -> tuple[Tables, np.ndarray]:
    """The tables of some cells of the grid, and which of the places they are summed into there are."""
    kept, keep = np.unique(place[live], return_inverse=True)
    start, of = np.ascontiguousarray(seed.tables[:, live]), np.ascontiguousarray(category[:, live])
    return Tables(start, seed.group, of, begin, keep.reshape(-1).astype(np.int64)), kept


def rake(raking: Raking, problems: Problems, threads: int = THREADS) -> Frame | None:
    """Rake every area.

    Parameters
    ----------
    raking : Raking
        Margins and seed.
    problems : Problems
        Takes areas without people, and those whose margins contradict each other.
    threads : int
        Decides nothing but the time.

    Returns
    -------
    Frame or None
        None when a problem was noted: there is no frame of some of the areas.
    """
    harmonised = harmonise(raking.margins, raking.areas, problems)
    if harmonised is None:
        return None
    fitted = fit_tables(raking.tables, harmonised.target, harmonised.people, threads=threads)
    if _refused(raking, harmonised, fitted, problems):
        return None
    report = _report(raking, harmonised, fitted)
    return Frame(
        raking.cells,
        fitted.indptr,
        fitted.cell,
        fitted.count,
        raking.seed.grid.variables,
        (*report.notes(), *raking.seed.notes, *(m.note for m in raking.margins if m.note)),
        report,
    )


def read_raked_frame(
    spec: RakedFrameSpec, areas: AreaTable | None, code: str, cell_columns: set[str] | None, problems: Problems
) -> Frame | None:
    """Read margins and seed, and rake: parameters as in :func:`read_raking`.

    Returns
    -------
    Frame or None
        None when a problem was noted.
    """
    raking = read_raking(spec, areas, code, cell_columns, problems)
    return None if raking is None else rake(raking, problems)


def _refused(raking: Raking, harmonised: Harmonised, fitted: Fitted, problems: Problems) -> bool:
    """Note areas whose margins could only be met by moving more people than noise explains."""
    allowed = np.maximum(MOST_MOVED, MOST_MOVED_SHARE * harmonised.people)
    bad = (fitted.sweeps == 0) & ~(fitted.moved <= allowed)
    if not bad.any():
        return False
    codes = raking.areas.codes
    worst = int(np.where(bad, fitted.moved, -1.0).argmax())
    column = int(fitted.where[worst])
    i = int(np.searchsorted(harmonised.begin, column, side="right")) - 1
    margin = raking.margins[i]
    problems.add(
        "frame.margins",
        f"raking does not converge in {int(bad.sum()):,} of {len(codes):,} areas: {listing(codes[bad])}; in "
        f"{codes[worst]} the margins want {harmonised.target[worst, column]:,.6g} people of {margin.name} "
        f"{margin.grid.label(column - int(harmonised.begin[i]))!r}, and the nearest table differs by "
        f"{fitted.moved[worst]:,.3g}",
        "the seed's empty cells and the margins contradict each other there: mend the margins, or, where such people "
        "do exist, take their rows of zeros out of the seed's table",
        "data",
    )
    return True


def _report(raking: Raking, harmonised: Harmonised, fitted: Fitted) -> RakingReport:
    converged = fitted.sweeps > 0
    return RakingReport(
        margins=harmonised.discrepancies,
        population=float(harmonised.people.sum()),
        areas=len(harmonised.people),
        cells=len(raking.cells),
        entries=len(fitted.count),
        structural_zeros=raking.seed.structural,
        seed_by=raking.seed.by,
        seeded=raking.seed.seeded,
        areas_without_seed=raking.seed.without,
        sweeps=int(fitted.sweeps.max()),
        error=float(fitted.error[converged].max(initial=0.0)),
        reconciled=int((~converged).sum()),
        moved=float(fitted.moved[~converged].max(initial=0.0)),
    )
