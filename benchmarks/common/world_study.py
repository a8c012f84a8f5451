"""Studies over worlds whose truth is known: their command line, their cells, their means, the goals they miss."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.pool import Ahead, Work, add_workers
from common.study import Study, add_arguments, mean_error

Limits = Mapping[str, tuple[float, float]]

NOT_JUDGED = "not judged: one survey"


def world_parser(text: str, name: str, worlds: Iterable[str], surveys: int) -> argparse.ArgumentParser:
    """Options of a study that surveys worlds again and again; it adds the sizes that only it has.

    Parameters
    ----------
    text : str
        The study's docstring, of which the first line is shown.
    name : str
        Of its CSV and page.
    worlds : iterable of str
    surveys : int
        How many by default.
    """
    parser = argparse.ArgumentParser(description=text.split("\n")[0])
    known = list(worlds)
    parser.add_argument("--worlds", nargs="+", choices=known, default=known, metavar="WORLD")
    parser.add_argument("--surveys", type=int, default=surveys)
    parser.add_argument("--draws", type=int, default=1000)
    add_arguments(parser, name)
    add_workers(parser)
    return parser


def run_worlds(args: argparse.Namespace, keys: Sequence[str], columns: Sequence[str], one_survey: Work) -> pd.DataFrame:
    """Finished rows of every world's surveys, those done that were not.

    Parameters
    ----------
    args : Namespace
        Of `world_parser`, with an option for every key.
    keys : sequence of str
        ``world`` first, ``survey`` last, options between them.
    columns : sequence of str
        What ``one_survey`` returns of a cell.
    """
    same = {key: getattr(args, key) for key in keys[1:-1]}
    # survey by survey, so that an unfinished study has every world
    cells = [{"world": w} | same | {"survey": k} for k in range(args.surveys) for w in args.worlds]
    study = Study(args.csv, tuple(keys), tuple(columns), args.stale)
    with Ahead(one_survey, cells, args.threads, args.jobs, args.scheduler) as work:
        return study.run(cells, work, args.minutes)


def summary_of_worlds(
    rows: pd.DataFrame, by: Sequence[str], values: Sequence[str], limits_of: Callable[[Mapping[str, Any]], Limits]
) -> pd.DataFrame:
    """Mean of every value over the surveys of a cell with its Monte-Carlo error, and which goals are missed.

    Surveys whose fit was given up on (``error``) are left out.
    """
    finished = rows[rows["error"].isna()] if "error" in rows else rows
    return with_missed(mean_error(finished, by, values), limits_of)


def with_missed(table: pd.DataFrame, limits_of: Callable[[Mapping[str, Any]], Limits]) -> pd.DataFrame:
    """The table with a column ``missed``: goals, or that one survey says nothing of them."""
    texts = [
        ", ".join(missed(row, limits_of(row))) if row["repeats"] > 1 else NOT_JUDGED for row in table.to_dict("records")
    ]
    return table.assign(missed=pd.Series(texts, index=table.index, dtype="str"))


def missed(row: Mapping[str, Any], limits: Limits) -> list[str]:
    """Goals that a cell misses by more than two Monte-Carlo errors; without such an error none is.

    Parameters
    ----------
    row : mapping
        A mean and its error (``<name>_se``) for every limit; a missing mean misses nothing.
    limits : mapping of str to (float, float)
    """
    found = []
    for name, (low, high) in limits.items():
        slack = 2.0 * float(np.nan_to_num(row[f"{name}_se"], nan=np.inf))
        if row[name] < low - slack or row[name] > high + slack:
            found.append(f"{name} {row[name]:.3f}")
    return found


def pick(table: pd.DataFrame, keys: Sequence[str], values: Iterable[str]) -> pd.DataFrame:
    """Columns of a summary: keys, and values with their errors where it has them."""
    return table[[*keys, *(c for name in values for c in (name, f"{name}_se") if c in table.columns)]]


def show(table: pd.DataFrame) -> None:
    """Print all columns of a table."""
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.precision", 4):
        print(table)


def rms(error: np.ndarray) -> float:
    """Root mean square of what is there."""
    return float(np.sqrt(np.nanmean(np.square(error))))
