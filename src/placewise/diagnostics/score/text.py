"""A score as a table for people."""

from __future__ import annotations

from typing import Any

COLUMNS = {
    "n": "areas",
    "rmse": "RMSE",
    "mae": "MAE",
    "bias": "bias",
    "r": "r",
    "sign": "right side",
    "cov50": "50% holds",
    "cov90": "90% holds",
    "cov95": "95% holds",
    "width90": "90% width",
    "missing": "missing",
}


def score_text(result: dict[str, Any]) -> str:
    """Lines of text: the levels side by side, coverage by group, the index, the bars.

    Parameters
    ----------
    result : dict
        What ``run_score`` returned.
    """
    if "error" in result:
        return f"cannot be scored: {result['error']}"
    national = result["national"]
    lines = [f"National: estimate {_number(national['estimate'])}, truth {_number(national['truth'])}", ""]
    rows = [[name, *(_number(level.get(key)) for key in COLUMNS)] for name, level in result["levels"].items()]
    lines += _aligned([["level", *COLUMNS.values()], *rows])
    lines += _groups(result["levels"][result["small_area_level"]])
    if result["index"]:
        index = result["index"]
        lines += [
            "",
            f"Index: RMSE {_number(index['rmse'])}, r {_number(index['r'])}, right side "
            f"{_number(index['sign'])}, 90% interval holds {_number(index.get('cov90'))}",
        ]
    return "\n".join([*lines, *_bars(result)])


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _groups(level: dict[str, Any]) -> list[str]:
    found = level.get("cov90_by") or {}
    if not found:
        return []
    rows = [
        [name, f"{g['min_group']}: {g['min']:.3f}", f"{g['max_group']}: {g['max']:.3f}", str(g["groups"])]
        for name, g in found.items()
    ]
    return ["", *_aligned([["90% holds, by", "lowest", "highest", "groups"], *rows])]


def _bars(result: dict[str, Any]) -> list[str]:
    if not result["held"] and not result["failed"]:
        return []
    failed = [f"  fails: {f['bar']}   found {f['found']}" for f in result["failed"]]
    return ["", f"{result['held']} bars hold, {len(failed)} fail", *failed]
