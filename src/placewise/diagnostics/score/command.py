"""What ``placewise score`` does, from paths to a result and an exit status."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from placewise.diagnostics.score.bars import judge, read_bars
from placewise.diagnostics.score.groups import add_groups, read_areas
from placewise.diagnostics.score.tables import check_tables, read_table
from placewise.diagnostics.score.tabulate import score_tables
from placewise.diagnostics.score.truth import CountColumns, truth_from_counts
from placewise.errors import DataError, Problem, Problems

COUNT_OPTIONS = ("--truth-code", "--truth-count", "--truth-total")


def run_score(
    estimates: Path,
    truth: Path,
    *,
    column: str = "truth",
    outcome: str | None = None,
    levels: Sequence[str] = (),
    areas: Path | None = None,
    by: Sequence[str] = (),
    bars: Sequence[str] = (),
    bar_files: Sequence[Path] = (),
    minimum: int = 30,
    brief: bool = False,
    allow_missing: bool = False,
    truth_code: str | None = None,
    truth_count: str | None = None,
    truth_total: str | None = None,
) -> tuple[dict[str, Any], int]:
    """Score one file of estimates.

    Parameters
    ----------
    estimates, truth : Path
        Tables as ``score_tables`` takes them, CSV or Parquet; with ``truth_code``, ``truth_count`` and ``truth_total``
        the truth is instead one row per small area with its counts, and every level is built through ``areas``.
    areas : Path, optional
        Table of the small areas: their code under the name of the estimates' level, and the columns in ``by``.
    by : sequence of str
        Columns of ``areas`` in whose groups coverage is reported.
    bars, bar_files
        Conditions that must hold, and JSON files of such.
    brief : bool
        Leave out the coverage of every single group.
    allow_missing : bool
        Areas without an estimate do not fail the score.

    Returns
    -------
    result : dict
        ``ok``, ``held``, ``failed`` and the score; or ``ok`` and ``error`` where the tables cannot be scored.
    status : int
        0 where every bar holds, else 1.

    Raises
    ------
    ConfigurationError
        Options that do not go together, or columns that the areas table or the counts lack.
    """
    columns = _count_columns((truth_code, truth_count, truth_total), areas, by)
    try:
        conditions = [*bars, *(bar for path in bar_files for bar in read_bars(path))]
        estimated, known = read_table(estimates), read_table(truth, [truth_code or "area_code", "area_level"])
        if areas is not None:
            check_tables(estimated, None if columns else known, column)
            known = _through_areas(estimated, known, columns, areas, by)
        score = score_tables(
            estimated,
            known,
            levels=levels,
            column="truth" if columns else column,
            outcome=outcome,
            minimum=minimum,
        )
        held, failed = judge(score, conditions)
    except DataError as error:
        return {"ok": False, "error": str(error)}, 1
    if not allow_missing:
        failed += [
            {"bar": f"{name}.missing==0", "found": level["missing"]}
            for name, level in score["levels"].items()
            if level["missing"]
        ]
    if brief:
        _leave_out_single_groups(score)
    return {"ok": not failed, "held": held, "failed": failed, **score}, 1 if failed else 0


def _count_columns(names: tuple[str | None, ...], areas: Path | None, by: Sequence[str]) -> CountColumns | None:
    """Columns of a truth of counts, or None; refuses options that do not go together."""
    code, count, total = names
    if code and count and total and areas is not None:
        return CountColumns(code, count, total)
    found = Problems()
    if any(names):
        for option, given in zip((*COUNT_OPTIONS, "--areas"), (*names, areas), strict=True):
            if not given:
                found.add(option, "is missing", f"a truth of counts needs {', '.join(COUNT_OPTIONS)} and --areas")
    elif by and areas is None:
        found.add("--by", "needs --areas", "name the table of the small areas")
    elif areas is not None and not by:
        found.add("--areas", "is given for nothing", "name columns of it by --by, or those of counts by --truth-code …")
    found.raise_if_any()
    return None


def _through_areas(
    estimates: pd.DataFrame,
    truth: pd.DataFrame,
    columns: CountColumns | None,
    path: Path,
    by: Sequence[str],
) -> pd.DataFrame:
    """Truth of every level from counts, or the truth as given with ``by_`` columns added."""
    if columns is None:
        return add_groups(truth, read_areas(path, list(truth["area_level"].astype(str).unique())), by, str(path))
    from_finest = [str(level) for level in estimates["area_level"].astype(str).value_counts().index]
    areas = read_areas(path, from_finest)
    levels = [level for level in from_finest if level in areas.columns]
    if not levels:
        raise DataError(
            Problem(
                str(path),
                f"has none of the estimates' levels as a column ({', '.join(from_finest)})",
                "its code column bears the name of the small areas' level",
                "data",
            )
        )
    return truth_from_counts(truth, columns, areas, levels, by)


def _leave_out_single_groups(score: dict[str, Any]) -> None:
    for part in [*score["levels"].values(), score["index"] or {}]:
        for group in (part.get("cov90_by") or {}).values():
            if group:
                group.pop("all", None)
