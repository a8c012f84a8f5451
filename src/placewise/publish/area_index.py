"""Every area in a few bytes: the index behind "find an area", quantised, compressed, and unpacked by the page."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.publish.context import ReportContext
from placewise.publish.verdicts import probability_higher, verdicts

STEPS = 4_000
NONE = 255
FLAG_BITS = {"small_population": 1, "low_reliability": 2, "extrapolated": 4, "imputed": 8, "failed_checks": 16}


@dataclass(frozen=True)
class AreaIndex:
    """The packed index.

    Parameters
    ----------
    data : str
        Base64 of the gzipped columns, one after another, little-endian.
    header : mapping
        ``rows``, ``levels`` (column, first row, number of rows), ``columns`` (name, type, offset, length), ``low`` and
        ``step`` of the quantised figures.
    """

    data: str
    header: Mapping[str, Any]


def pack(context: ReportContext) -> AreaIndex:
    """Pack all areas of all levels and the nation.

    Rows are ordered by level (small areas first, the nation last), then by code. Figures are kept in steps of 1/4,000
    of the range that the central 99.8% of intervals span (beyond it they are held at the ends and the reader sees
    the end), probabilities in per cent, ranks to a hundredth of the number of areas.
    """
    blocks = [
        context.rows(level).sort_values("area_code", kind="stable")
        for level in [context.code, *context.levels, "national"]
    ]
    sizes = [len(b) for b in blocks]
    rows = pd.concat(blocks, ignore_index=True)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    low, step = _range(rows)
    mean, lower, upper = (_quantised(rows[c], low, step) for c in ("mean", "ci90_lower", "ci90_upper"))
    p = probability_higher(rows["p_above_national"], context.higher_is_better)
    columns: dict[str, np.ndarray] = {
        "mean": mean,
        "below": (mean.astype(np.int64) - lower).clip(0).astype("<u2"),
        "above": (upper.astype(np.int64) - mean).clip(0).astype("<u2"),
        "p": _bytes(100 * p),
        "verdict": np.where(verdicts(p) < 0, NONE, verdicts(p)).astype(np.uint8),
        "reliability": _bytes(100 * rows["reliability"].to_numpy(dtype=float, na_value=np.nan)),
        "grade": _letters(rows["grade"]),
        "flags": _flags(rows["flag"]),
        "population": rows["population"].fillna(0).to_numpy(dtype=float).round().clip(0, 2**32 - 1).astype("<u4"),
        "rank_lower": _ranks(rows["rank_ci90_lower"], np.repeat(sizes, sizes)),
        "rank_upper": _ranks(rows["rank_ci90_upper"], np.repeat(sizes, sizes)),
        "parent": _parents(context, blocks, starts),
        "codes": _text(rows["area_code"]),
        "names": _text(rows["area_name"].where(rows["area_name"] != rows["area_code"], "")),
    }
    listed, at = [], 0
    for name, values in columns.items():
        listed.append({"name": name, "type": values.dtype.str[-2:], "offset": at, "length": int(values.nbytes)})
        at += values.nbytes
    packed = gzip.compress(b"".join(v.tobytes() for v in columns.values()), compresslevel=9, mtime=0)
    names = [context.code, *context.levels, "national"]
    levels = [
        {"level": n, "start": int(s), "rows": k} for n, s, k in zip(names, starts, sizes, strict=True)
    ]  # fmt: skip
    header = {"rows": len(rows), "levels": levels, "columns": listed, "low": low, "step": step}
    return AreaIndex(base64.b64encode(packed).decode("ascii"), header)


def _range(rows: pd.DataFrame) -> tuple[float, float]:
    lower = rows["ci90_lower"].to_numpy(dtype=float, na_value=np.nan)
    upper = rows["ci90_upper"].to_numpy(dtype=float, na_value=np.nan)
    if len(rows) > 20_000:
        low, high = float(np.nanquantile(lower, 0.001)), float(np.nanquantile(upper, 0.999))
    else:
        low, high = float(np.nanmin(lower)), float(np.nanmax(upper))
    return low, max((high - low) / STEPS, 1e-12)


def _quantised(values: pd.Series, low: float, step: float) -> np.ndarray:
    scaled = (values.to_numpy(dtype=float, na_value=np.nan) - low) / step
    return np.nan_to_num(scaled, nan=0.0).round().clip(0, STEPS).astype("<u2")


def _bytes(values: np.ndarray) -> np.ndarray:
    whole = np.nan_to_num(values).round().clip(0, 100)
    return np.asarray(np.where(np.isfinite(values), whole, NONE), dtype=np.uint8)


def _letters(grades: pd.Series) -> np.ndarray:
    return np.array([ord(g) if isinstance(g, str) and len(g) == 1 else 0 for g in grades], dtype=np.uint8)


def _flags(flags: pd.Series) -> np.ndarray:
    known = {text: sum(FLAG_BITS.get(f, 0) for f in str(text).split(";")) for text in flags.unique()}
    return np.array([known[flag] for flag in flags], dtype=np.uint8)


def _ranks(ranks: pd.Series, of: np.ndarray) -> np.ndarray:
    # A rank interval of 188,880 areas spans tens of thousands: the last digits say nothing and do not compress.
    unit = np.maximum(of // 100, 1) * (of > 1000) + (of <= 1000)
    values = ranks.to_numpy(dtype=float, na_value=np.nan)
    told = np.where(np.isfinite(values), np.maximum(np.nan_to_num(values / unit).round() * unit, 1), 0)
    return np.asarray(told, dtype="<u4")


def _parents(context: ReportContext, blocks: list[pd.DataFrame], starts: np.ndarray) -> np.ndarray:
    """Row of each area's parent at the next level above; the largest areas point at the nation, it at itself."""
    nation = int(starts[-1])
    chain = [context.code, *context.levels]
    found = []
    for k, block in enumerate(blocks[:-1]):
        if k + 1 == len(chain):
            found.append(np.full(len(block), nation, dtype="<u4"))
            continue
        above = pd.Series(np.arange(len(blocks[k + 1])) + int(starts[k + 1]), index=blocks[k + 1]["area_code"])
        pairs = context.areas[[chain[k], chain[k + 1]]].drop_duplicates(chain[k]).set_index(chain[k])[chain[k + 1]]
        rows = above.reindex(pairs.reindex(block["area_code"])).to_numpy(dtype=float)
        found.append(np.where(np.isfinite(rows), np.nan_to_num(rows), nation).astype("<u4"))
    found.append(np.full(len(blocks[-1]), nation, dtype="<u4"))
    return np.concatenate(found)


def _text(values: pd.Series) -> np.ndarray:
    lines = "\n".join(" ".join(str(v).split()) for v in values)
    return np.frombuffer(lines.encode("utf-8"), dtype=np.uint8)
