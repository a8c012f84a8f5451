"""A recoding written out as the TOML file that a researcher reads and changes."""

from __future__ import annotations

import math
from typing import Any

import tomli_w

from placewise.surveys.recode.spec import Band, Recoding, Variable

HEADING = """\
# How the survey's columns become variables; one table a variable. The format is explained in docs/recode.md.
"""


def write_recoding(recoding: Recoding, heading: str = HEADING) -> str:
    """The recoding as TOML, which ``parse_recoding`` reads back as the same recoding.

    Parameters
    ----------
    heading : str
        Comment lines to begin with.
    """
    return f"{heading}\n{tomli_w.dumps(recoding_tables(recoding))}"


def recoding_tables(recoding: Recoding) -> dict[str, Any]:
    """The recoding as tables of TOML; what is as usual is left out."""
    top: dict[str, Any] = {"missing": list(recoding.missing)} if recoding.missing else {}
    return {**top, "variables": {v.name: _variable(v) for v in recoding.variables}}


def _variable(variable: Variable) -> dict[str, Any]:
    usual = Variable(variable.name)
    columns = variable.columns
    written = {
        "column": columns[0] if len(columns) == 1 else list(columns),
        "wording": variable.wording,
        "kind": variable.kind,
        "missing": list(variable.missing),
        "required": variable.required,
        "bounds": [_plain(end) for end in variable.bounds or ()],
        "reverse": variable.reverse,
        "scale": {"multiply": _plain(variable.scale[0]), "add": _plain(variable.scale[1])},
        "note": variable.note,
        "values": {raw: v if isinstance(v, str) else _plain(v) for raw, v in variable.values.items()},
        "bands": [_band(band) for band in variable.bands],
    }
    same = {
        "column": not columns,
        "kind": variable.kind == usual.kind,
        "required": variable.required,
        "scale": variable.scale == usual.scale,
    }
    return {key: value for key, value in written.items() if not same.get(key, value in ("", [], {}, False))}


def _band(band: Band) -> dict[str, str | float]:
    ends = {"from": band.lower, "below": band.upper}
    return {"category": band.category, **{key: _plain(end) for key, end in ends.items() if math.isfinite(end)}}


def _plain(number: float) -> int | float:
    """A whole number without its point."""
    return int(number) if float(number).is_integer() else float(number)
