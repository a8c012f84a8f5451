"""Read estimates and truth, and line them up level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from placewise.errors import DataError, Problem, Problems, nearest

KEYS = ["area_level", "area_code"]
GROUP_PREFIX = "by_"


@dataclass(frozen=True, eq=False)
class Level:
    """The areas of one level, estimates beside truth.

    Parameters
    ----------
    name : str
        The level, as in ``area_level``.
    codes : Index
        Area codes in the order of the truth, shape (k,).
    truth, population : ndarray of float64, shape (k,)
        True value and people.
    groups : mapping of str to Series
        Group of every area under the name of its ``by_`` column without the prefix; missing where the area has none.
    estimates : DataFrame
        k rows in the order of ``codes``; missing where the estimates have no such area.
    present : ndarray of bool, shape (k,)
        Whether the estimates hold the area at all.
    unknown : int
        Areas of this level that only the estimates have.
    """

    name: str
    codes: pd.Index
    truth: np.ndarray
    population: np.ndarray
    groups: Mapping[str, pd.Series]
    estimates: pd.DataFrame
    present: np.ndarray
    unknown: int

    @property
    def published(self) -> np.ndarray:
        """Areas with an estimate that was not withheld, boolean, shape (k,)."""
        return np.asarray(~np.isnan(self.values("mean")))

    def values(self, column: str) -> np.ndarray:
        """One column of the estimates as float64, NaN where missing, shape (k,)."""
        return self.estimates[column].to_numpy(dtype=float, na_value=np.nan)

    def take(self, rows: np.ndarray) -> Level:
        """Keep the areas where ``rows`` (boolean, shape (k,)) is true."""
        return Level(
            self.name,
            self.codes[rows],
            self.truth[rows],
            self.population[rows],
            {name: group[rows] for name, group in self.groups.items()},
            self.estimates[rows],
            self.present[rows],
            self.unknown,
        )


def read_table(path: Path, text: Sequence[str] = ("area_code", "area_level")) -> pd.DataFrame:
    """Read a CSV or Parquet table; the columns named in ``text`` stay text in a CSV.

    Raises
    ------
    DataError
        The file is missing or is not such a table.
    """
    if not path.is_file():
        raise DataError(Problem(str(path), "there is no such file", kind="data"))
    try:
        if path.suffix == ".csv":
            return pd.read_csv(path, dtype=dict.fromkeys(text, str))
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise DataError(Problem(str(path), f"cannot be read as a table: {error}", kind="data")) from error


def check_tables(estimates: pd.DataFrame, truth: pd.DataFrame | None, column: str) -> None:
    """Raise one DataError naming every column that the tables lack; the truth may be looked at later."""
    found = Problems()
    needed = [("estimates", estimates, [*KEYS, "mean"])]
    if truth is not None:
        needed.append(("truth", truth, [*KEYS, "population", column]))
    for where, table, names in needed:
        for name in names:
            if name not in table:
                found.add(where, f"column {name!r} is missing", nearest(name, map(str, table.columns)), "data")
    found.raise_if_any()


def pick_outcome(estimates: pd.DataFrame, outcome: str | None) -> pd.DataFrame:
    """Keep one outcome; tables of a single one need not say which."""
    if "outcome" not in estimates:
        return estimates
    names = estimates["outcome"].astype(str)
    known = sorted(names.unique())
    if outcome is None and len(known) > 1:
        raise DataError(Problem("estimates", f"they hold the outcomes {', '.join(known)}", "say --outcome", "data"))
    if outcome is None:
        return estimates
    if outcome not in known:
        raise DataError(Problem("estimates", f"they hold no outcome {outcome!r}", nearest(outcome, known), "data"))
    return estimates[names == outcome]


def keyed(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Copy with text keys, each pair of level and code once."""
    table = table.assign(**{key: table[key].astype(str) for key in KEYS})
    repeated = table.duplicated(KEYS)
    if repeated.any():
        first = table.loc[repeated, KEYS].iloc[0]
        message = f"{int(repeated.sum())} repeated rows, the first {first['area_level']} {first['area_code']}"
        raise DataError(Problem(where, message, "each area stands once at each level", "data"))
    return table


def align(estimates: pd.DataFrame, truth: pd.DataFrame, column: str, level: str) -> Level:
    """Line up one level; both tables are keyed. Areas stand in the order of the truth."""
    known = truth[truth["area_level"] == level].set_index("area_code")
    given = estimates[estimates["area_level"] == level].set_index("area_code")
    groups = {str(c).removeprefix(GROUP_PREFIX): known[c] for c in known.columns if str(c).startswith(GROUP_PREFIX)}
    return Level(
        level,
        known.index,
        known[column].to_numpy(dtype=float),
        known["population"].to_numpy(dtype=float),
        groups,
        given.reindex(known.index),
        known.index.isin(given.index),
        int((~given.index.isin(known.index)).sum()),
    )
