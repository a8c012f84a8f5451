"""Published figures to which estimates are benchmarked: read, checked, and which of them can be relied on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.estimates.describe import NATIONAL, WHOLE
from placewise.estimates.predictor import Predictor
from placewise.estimates.scale import LinkScale
from placewise.geography.codes import as_codes, as_numbers, listing
from placewise.geography.tables import open_table, read_raw, require

Mode = Literal["drawn", "exact", "update"]
MODES: tuple[str, ...] = get_args(Mode)

# the NCHS standards for proportions (Parker et al. 2017), as for direct estimates
_LEAST_N = 30.0
_WIDEST, _NARROW, _RELATIVE = 0.30, 0.05, 1.30
_Z95 = 1.959963984540054
_NEAREST_AMONG = 5_000


@dataclass(frozen=True, eq=False)
class Targets:
    """Published figures of the areas of one level.

    Parameters
    ----------
    codes : ndarray of object (str), shape (L,)
    estimate : ndarray of float64, shape (L,)
        On the estimand's own scale.
    se : ndarray of float64, shape (L,), or None
        Standard errors; None where the table has none.
    """

    codes: np.ndarray
    estimate: np.ndarray
    se: np.ndarray | None

    def take(self, codes: np.ndarray) -> Targets:
        """The targets in the order of ``codes``, all of which have one."""
        place = {code: i for i, code in enumerate(self.codes)}
        rows = np.array([place[code] for code in codes], dtype=np.int64)
        return Targets(self.codes[rows], self.estimate[rows], None if self.se is None else self.se[rows])


def read_targets(path: Path, where: str, problems: Problems) -> Targets | None:
    """Read a table of targets: columns ``code``, ``estimate`` and, where they are known, ``se``.

    Returns
    -------
    Targets or None
        None where a problem was noted.
    """
    file = open_table(path, where, problems, ("code", "estimate", "se"))
    if file is None or not require(file, ("code", "estimate"), where, problems):
        return None
    columns = [name for name in ("code", "estimate", "se") if name in file.columns]
    raw = read_raw(file, columns, where, problems)
    return None if raw is None else targets_of(raw.frame, where, problems)


def targets_of(table: pd.DataFrame, where: str, problems: Problems) -> Targets | None:
    """Targets from a table in memory; None where a problem was noted."""
    before = len(problems)
    for name in ("code", "estimate"):
        if name not in table:
            problems.add(where, f"there is no column {name!r}", nearest(name, map(str, table.columns)), "data")
    if len(problems) > before:
        return None
    codes = as_codes(table["code"])
    blank = int(codes.isna().sum())
    if blank:
        problems.add(where, f"{blank:,} rows have no code", "write a code, or leave the row out", "data")
    twice = codes[codes.duplicated() & codes.notna()].unique()
    if len(twice):
        problems.add(where, f"{len(twice):,} codes stand there more than once: {listing(twice)}", kind="data")
    estimate = _numbers(table, "estimate", codes, where, problems)
    se = _numbers(table, "se", codes, where, problems) if "se" in table else None
    if se is not None and (se < 0).any():
        problems.add(where, f"negative standard errors: {listing(codes[se < 0])}", "write 0 for a count", "data")
    if len(problems) > before:
        return None
    return Targets(codes.to_numpy(dtype=object), estimate, se)


def _numbers(table: pd.DataFrame, column: str, codes: pd.Series, where: str, problems: Problems) -> np.ndarray:
    values, bad = as_numbers(table[column])
    missing = bad | ~np.isfinite(values)
    if missing.any():
        hint = "a figure that was withheld: give a guess and a wide se, and the area follows its parent"
        message = f"column {column!r} is blank or no number for {int(missing.sum()):,} areas: {listing(codes[missing])}"
        problems.add(where, message, hint, "data")
    return np.where(missing, 0.0, values)


def targets_given(given: pd.DataFrame | str | Path, where: str, problems: Problems) -> Targets | None:
    """Targets from a table in memory or from its file; None where a problem was noted."""
    if isinstance(given, pd.DataFrame):
        return targets_of(given.reset_index(drop=True), where, problems)
    return read_targets(Path(given), where, problems)


def level_of_targets(targets: Targets, predictor: Predictor) -> str:
    """The level most of whose codes the targets name, the largest of those that are equal."""
    if set(targets.codes) == {WHOLE}:
        return NATIONAL
    given = set(targets.codes)
    known = {predictor.code: set(predictor.codes)} | {n: set(codes) for n, codes in predictor.levels.items()}
    return max(reversed(known), key=lambda level: len(known[level] & given) / len(known[level] | given))


def check_targets(
    targets: Targets, level: str, codes: Collection[str], scale: LinkScale, mode: str, where: str, problems: Problems
) -> None:
    """Note every target that no area has, every area without one, and figures that cannot be met.

    Parameters
    ----------
    level : str
        Its name, for messages.
    codes : collection of str
        Codes of the level's areas.
    scale : LinkScale
        Of the estimand.
    mode : {"drawn", "exact", "update"}
    """
    given, known = set(targets.codes), set(codes)
    unknown, missing = sorted(given - known), sorted(known - given)
    if unknown:
        hint = nearest(unknown[0], sorted(known)) if len(known) <= _NEAREST_AMONG else ""
        problems.add(where, f"{len(unknown):,} codes are no areas of {level!r}: {listing(unknown)}", hint, "data")
    if missing:
        message = f"{len(missing):,} areas of {level!r} have no target: {listing(missing)}"
        problems.add(where, message, "give each a row; a wide se lets it follow its parent", "data")
    if scale.direction == 0:
        message = "a share of answers in the middle of the order does not grow or fall throughout with the model"
        problems.add(where, message, "benchmark a share that reaches to one end of the order")
    outside = (targets.estimate <= scale.lower) | (targets.estimate >= scale.upper)
    if outside.any():
        share = scale.link == "logit" and (scale.lower, scale.upper) == (0.0, 1.0)
        percent = share and bool((targets.estimate[outside] > 1).any())
        hint = "are these per cent? write .42 for 42%" if percent else "a figure at an end cannot be met on the logit"
        ends = f"({scale.lower:g}, {scale.upper:g})"
        message = f"{int(outside.sum()):,} estimates lie outside {ends}: {listing(targets.codes[outside])}"
        problems.add(where, message, hint, "data")
    if mode != "exact" and targets.se is None:
        message = f"there is no column 'se', which mode {mode!r} needs"
        problems.add(where, message, 'give standard errors, or meet the figures as points with mode = "exact"', "data")


def reliable(targets: Targets, scale: LinkScale) -> np.ndarray:
    """Targets that pass the gate; bool, shape (L,). The others are not met: their areas follow their parent.

    A share is held to the NCHS standards for proportions: effective sample size p(1 − p)/se² of at least 30, a 95%
    interval no wider than .30, and, unless that is narrower than .05, no wider than 1.3 times the share (or its
    complement). A bounded mean is held to the widths as shares of its range; without bounds there is no gate.
    """
    if targets.se is None or scale.link != "logit":
        return np.ones(len(targets.codes), dtype=bool)
    size = scale.upper - scale.lower
    p, se = (targets.estimate - scale.lower) / size, targets.se / size
    width = 2 * _Z95 * se
    with np.errstate(divide="ignore"):
        n_eff = np.where(se > 0, p * (1 - p) / se**2, np.inf)
    share = (scale.lower, scale.upper) == (0.0, 1.0)
    enough = (n_eff >= _LEAST_N) | (not share)
    narrow = (width <= _NARROW) | (width <= _RELATIVE * np.minimum(p, 1 - p))
    return np.asarray(enough & (width <= _WIDEST) & narrow)
