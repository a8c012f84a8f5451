"""Tables with variable and value labels, as archives deposit them: tab-separated, SPSS or Stata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

FORMATS = ("tab", "sav", "dta")


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """A table and what its columns and codes mean.

    Parameters
    ----------
    frame : DataFrame
        Codes, numbers and text.
    variables : mapping of str to str
        Wording by column.
    values : mapping of str to mapping of int to str
        Text by code, by column.
    missing : mapping of str to tuple of int
        Codes declared as missing by the depositor; SPSS only.
    """

    frame: pd.DataFrame
    variables: Mapping[str, str]
    values: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def write_labelled(table: LabelledTable, path: Path) -> None:
    """Write a table in the format of the path's suffix, one of `FORMATS`; ``.tab`` holds the codes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tab":
        table.frame.to_csv(path, sep="\t", index=False, lineterminator="\n")
        return
    import pyreadstat

    columns = [str(name) for name in table.frame.columns]
    labels: dict[str, Any] = {
        "column_labels": [table.variables.get(name, name) for name in columns],
        "variable_value_labels": {name: dict(of) for name, of in table.values.items() if name in columns},
    }
    if path.suffix == ".sav":
        declared: dict[str, Any] = {name: list(codes) for name, codes in table.missing.items()}
        pyreadstat.write_sav(table.frame, path, row_compress=True, missing_ranges=declared or None, **labels)
    else:
        pyreadstat.write_dta(table.frame, path, **labels)
