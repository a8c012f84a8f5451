"""Studies of many cells that can be stopped at any time and taken up again: one row of CSV a finished cell."""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

import placewise

Cell = Mapping[str, Any]
Stale = Literal["refuse", "redo", "keep"]

RESULTS = Path(__file__).resolve().parents[1] / "results"
MINUTES = 40.0
STAMP = ("code", "machine")
SOURCES = ("kernels", "models")


@dataclass(frozen=True)
class Study:
    """A table that fills up row by row.

    Parameters
    ----------
    path : Path
        Where finished rows stand.
    keys : tuple of str
        Columns that say which cell a row belongs to; every cell has them.
    columns : tuple of str
        Further columns of a row.
    stale : {"refuse", "redo", "keep"}
        What to do with rows that other code than the present made.
    """

    path: Path
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    stale: Stale = "refuse"

    def read(self) -> pd.DataFrame:
        """Finished rows, numbers as numbers.

        Raises
        ------
        SystemExit
            If the file has other columns than the study.
        """
        self._texts()
        names = [*self.keys, *self.columns, *STAMP]
        return pd.read_csv(self.path) if self.path.exists() else pd.DataFrame(columns=names)

    def run(self, cells: Iterable[Cell], work: Callable[[Cell], Mapping[str, Any]], minutes: float) -> pd.DataFrame:
        """Do the cells that have no row yet, until the time is used up.

        Parameters
        ----------
        cells : iterable of mapping
            In the order they are to be done; those that are done again are skipped.
        work : callable
            Returns a cell's further columns; it is not interrupted, so that the limit can be overrun by one cell.
        minutes : float
            After which no cell is begun.

        Returns
        -------
        DataFrame
            All finished rows.
        """
        rows = self._current(self._texts())
        done = {tuple(row[key] for key in self.keys) for row in rows}
        waiting = [cell for cell in cells if self._key(cell) not in done]
        stop = time.monotonic() + 60.0 * minutes
        for k, cell in enumerate(waiting):
            if time.monotonic() >= stop:
                print(f"{minutes:g} minutes are over: {len(waiting) - k} cells left, run again to go on", flush=True)
                break
            row = dict(cell) | dict(work(cell)) | {"code": fingerprint(), "machine": machine()}
            rows.append({name: _text(row.get(name)) for name in (*self.keys, *self.columns, *STAMP)})
            self._write(rows)
            print(f"[{k + 1}/{len(waiting)}] " + _line(row, (*self.keys, *self.columns)), flush=True)
        return self.read()

    def _key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(_text(row[key]) for key in self.keys)

    def _texts(self) -> list[dict[str, str]]:
        """Finished rows as they stand in the file, so that writing them again changes nothing."""
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if reader.fieldnames != [*self.keys, *self.columns, *STAMP]:
            raise SystemExit(f"{self.path.name} has the columns of another version: move it away to start again")
        return rows

    def _current(self, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        """Rows to keep: figures of different code are not mixed unasked."""
        same = [row for row in rows if row["code"] == fingerprint()]
        if len(same) == len(rows) or self.stale == "keep":
            return rows
        if self.stale == "redo":
            return same
        raise SystemExit(
            f"{len(rows) - len(same)} of the {len(rows)} rows in {self.path.name} were made by other code than this: "
            "--stale redo does them again, --stale keep leaves them"
        )

    def _write(self, rows: list[dict[str, str]]) -> None:
        """Replace the file at once, so that a stop leaves the old or the new rows."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*self.keys, *self.columns, *STAMP], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(part, self.path)


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Options that every study has."""
    parser.add_argument("--minutes", type=float, default=MINUTES, help="begin no cell after this time (default 40)")
    parser.add_argument("--csv", type=Path, default=RESULTS / f"{name}.csv", help="rows; finished ones are skipped")
    parser.add_argument("--page", type=Path, help="HTML page (default: beside the CSV)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each fit (default 2)")
    parser.add_argument("--stale", choices=("refuse", "redo", "keep"), default="refuse", help="rows of other code")


def page_path(args: argparse.Namespace) -> Path:
    """Where the page goes."""
    return Path(args.page or args.csv.with_suffix(".html"))


def mean_error(rows: pd.DataFrame, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Mean of each value over the rows of a group, and its Monte-Carlo standard error beside it (``<value>_se``).

    The error is missing where a group has one row.
    """
    numbers = rows[list(by)].join(rows[list(values)].apply(pd.to_numeric, errors="coerce"))
    groups = numbers.groupby(list(by), sort=False, dropna=False)
    mean, error = groups[list(values)].mean(), groups[list(values)].sem()
    columns = {name: part for v in values for name, part in ((v, mean[v]), (f"{v}_se", error[v]))}
    return pd.DataFrame({"repeats": groups.size(), **columns}).reset_index()


def fingerprint() -> str:
    """Twelve digits of the hash of the code that fits: a row tells which code made it."""
    root = Path(placewise.__file__).parent
    files = sorted(path for part in SOURCES for path in (root / part).rglob("*.py"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def machine() -> str:
    """Number of cores and the processor's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [row.partition(":")[2].strip() for row in lines if row.startswith("model name")]
    return f"{os.cpu_count()} cores, {named[0] if named else platform.machine()}"


def _text(value: Any) -> str:
    """As it stands in the file: six digits of a number, nothing where there is none."""
    if value is None or value != value:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _line(row: Mapping[str, Any], names: Sequence[str]) -> str:
    shown = {name: row.get(name) for name in names}
    texts = {n: f"{v:.4g}" if isinstance(v, float) else str(v) for n, v in shown.items() if _text(v)}
    return "  ".join(f"{name} {text}" for name, text in texts.items())
