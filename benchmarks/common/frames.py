"""What ``frame.py`` measures, each in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import census
from common.child import measure
from placewise.errors import Problems
from placewise.frame.cells import Frame
from placewise.frame.fitting import TOLERANCE
from placewise.frame.margins import Margin
from placewise.frame.raking import Raking, prepare, rake, read_raking
from placewise.frame.seed import read_seed, uniform_seed
from placewise.frame.spec import MarginSpec, RakedFrameSpec, SeedSpec
from placewise.geography.areas import AreaTable

SHAPE = {"sex": 2, "age": 5, "qualification": 7, "disabled": 2, "owner": 2}  # 280 cells
BY = ("oac21_supergroup", "rgn24cd")
PEOPLE_AN_AREA, REGIONS, KINDS = 257, 10, 8
PLAIN_AREAS = 200


def speed(source: str, areas: int, threads: int) -> dict[str, Any]:
    """Cost of a national frame of 280 cells from five margins in files.

    Parameters
    ----------
    source : {"census", "made-up"}
        The published tables of England and Wales, or counts of a made-up country of as many areas.
    areas : int
        The first so many areas; 0 for all.
    threads : int
        Of the kernel.
    """
    with tempfile.TemporaryDirectory() as name:
        make = _from_census if source == "census" else _made_up
        table, spec = make(Path(name), areas)
        tiny = replace(table, table=table.table.head(40), population=table.population[:40], base=table.base[:40])
        _rake(_head(_read(spec, table), tiny), threads)
        reading = measure(lambda: _read(spec, table))
        raking = reading.value
        raked = measure(lambda: _rake(raking, threads))
    report = raked.value.report
    plain = measure(lambda: _plain(raking, PLAIN_AREAS))
    return {
        "source": source,
        "areas": report.areas,
        "cells": report.cells,
        "entries": len(raked.value.count),
        "threads": threads,
        "read": reading.wall,
        "rake": raked.wall,
        "cpu": raked.cpu,
        "peak_mib": max(reading.peak_mib, raked.peak_mib),
        "plain": plain.wall / min(PLAIN_AREAS, report.areas) * report.areas,
        "sweeps": report.sweeps,
        "error": report.error,
        "reconciled": report.reconciled,
        "discrepancy": max(m.largest for m in report.margins),
    }


def cells() -> list[dict[str, Any]]:
    """Total absolute error of cells against the census's own joint tables, beside independence in each area."""
    areas, people = census.middle_areas()
    half = np.random.default_rng(2021).permutation(len(areas))
    known, held = np.sort(half[::2]), np.sort(half[1::2])
    rows = []
    for by in ((), ("rgn24cd",), ("oac21_supergroup",), BY, ("rgn24cd", "lad22cd")):
        rows.append(_held_out(areas, people, known, held, by, [["sex"], ["ethnic"], ["age"]]))
    rows.append(_held_out(areas, people, known, held, BY, [["sex", "age"], ["ethnic"]]))
    rows.append(_held_out(areas, people, known, held, BY, [["sex"], ["ethnic"], ["age"]], noise=3))
    rows.append(_held_out(areas, people, known[:60], held, BY, [["sex"], ["ethnic"], ["age"]]))
    return [*rows, *_added_up(areas, people)]


def _held_out(
    areas: AreaTable,
    people: np.ndarray,
    known: np.ndarray,
    held: np.ndarray,
    by: Sequence[str],
    which: Sequence[Sequence[str]],
    noise: int = 0,
) -> dict[str, Any]:
    """Half of the MSOAs make the seed, the other half are raked and compared."""
    given, true = _part(areas, known), people[held]
    raked = _part(areas, held)
    margins = census.margins_of(true, which)
    if noise:
        draw = np.random.default_rng(3)
        noisy = [np.maximum(m.counts + draw.integers(-noise, noise + 1, m.counts.shape), 0.0) for m in margins]
        margins = tuple(replace(m, counts=c) for m, c in zip(margins, noisy, strict=True))
    found = _both(margins, raked, census.long_joint(given, people[known], by), by)
    names = margins[0].grid.variables + tuple(v for m in margins[1:] for v in m.grid.variables)
    expected = true.transpose(0, *(1 + ("sex", "ethnic", "age").index(v) for v in names)).reshape(len(true), -1)
    what = f"{len(held):,} MSOAs" + (f", ±{noise} a cell" if noise else "")
    return _compared(what, len(known), by, margins, found, expected, np.arange(len(held)))


def _added_up(areas: AreaTable, people: np.ndarray) -> list[dict[str, Any]]:
    """All output areas are raked and added up to MSOAs, whose joint tables the census publishes."""
    small = census.output_areas()
    with tempfile.TemporaryDirectory() as folder:
        specs = []
        for name in ("sex", "ethnic", "age"):
            census.long_margin(name).to_parquet(Path(folder, f"{name}.parquet"), index=False)
            specs.append(MarginSpec(Path(folder, f"{name}.parquet"), (name,), "n"))
        margins = _read(RakedFrameSpec(tuple(specs)), small).margins
    parent = pd.Index(areas.codes).get_indexer(small.table["msoa21cd"])
    return [
        _compared(
            "188,880 OAs added up", len(areas), by, margins,
            _both(margins, small, census.long_joint(areas, people, by), by), people.reshape(len(people), -1), parent,
        )
        for by in (BY, ("rgn24cd", "msoa21cd"))
    ]  # fmt: skip


def _both(margins: tuple[Margin, ...], areas: AreaTable, joint: pd.DataFrame, by: Sequence[str]) -> tuple[Frame, Frame]:
    """Frames by independence and from a seed."""
    problems = Problems()
    with tempfile.TemporaryDirectory() as folder:
        joint.to_parquet(Path(folder, "seed.parquet"), index=False)
        seed = read_seed(SeedSpec(Path(folder, "seed.parquet"), "n", tuple(by)), margins, areas, None, problems)
    problems.raise_if_any()
    assert seed is not None
    return tuple(_rake(prepare(margins, areas, s, None)) for s in (uniform_seed(margins, areas), seed))  # type: ignore[return-value]


def _compared(
    what: str,
    seeds: int,
    by: Sequence[str],
    margins: Sequence[Margin],
    found: tuple[Frame, Frame],
    expected: np.ndarray,
    parent: np.ndarray,
) -> dict[str, Any]:
    errors = []
    for frame in found:
        dense = np.zeros((len(expected), frame.n_cells))
        np.add.at(dense, (np.repeat(parent, np.diff(frame.indptr)), frame.cell), frame.count)
        errors.append(float(np.abs(dense - expected).sum() / expected.sum()))
    report = found[1].report
    return {
        "raked": what,
        "margins": ", ".join(m.name for m in margins),
        "seed by": " × ".join(by) or "all",
        "of MSOAs": seeds,
        "independent": errors[0],
        "from seed": errors[1],
        "ratio": errors[1] / errors[0],
        "error": report.error,
        "sweeps": report.sweeps,
    }


def _part(areas: AreaTable, rows: np.ndarray) -> AreaTable:
    return replace(
        areas,
        table=areas.table.iloc[rows].reset_index(drop=True),
        population=None if areas.population is None else areas.population[rows],
        base=areas.base[rows],
    )


def _read(spec: RakedFrameSpec, areas: AreaTable) -> Raking:
    problems = Problems()
    raking = read_raking(spec, areas, areas.code, None, problems)
    problems.raise_if_any()
    assert raking is not None
    return raking


def _rake(raking: Raking, threads: int = 2) -> Frame:
    problems = Problems()
    frame = rake(raking, problems, threads)
    problems.raise_if_any()
    assert frame is not None
    return frame


def _head(raking: Raking, areas: AreaTable) -> Raking:
    """The raking of the first areas, for compilation."""
    n = len(areas)
    margins = tuple(replace(m, counts=m.counts[:n]) for m in raking.margins)
    tables = replace(raking.tables, group=raking.tables.group[:n])
    return replace(raking, margins=margins, areas=areas, tables=tables)


def _plain(raking: Raking, n: int) -> None:
    """The same raking of the first areas by numpy, an area and a margin at a time, to the same error."""
    tables = raking.tables
    sizes = np.diff(tables.begin)
    counts = [m.counts * (raking.areas.population / m.counts.sum(axis=1))[:, None] for m in raking.margins]
    for i in range(min(n, len(raking.areas))):
        table = tables.seed[tables.group[i]].copy()
        worst = np.inf
        while worst > TOLERANCE:
            worst = 0.0
            for m, places in enumerate(tables.category):
                at = places - tables.begin[m]
                have = np.bincount(at, weights=table, minlength=sizes[m])
                factor = np.divide(counts[m][i], have, out=np.zeros_like(have), where=have > 0)
                worst = max(worst, float(np.abs(factor[counts[m][i] > 0] - 1).max()))
                table *= factor[at]


def _from_census(folder: Path, areas: int) -> tuple[AreaTable, RakedFrameSpec]:
    table = census.output_areas()
    table = _part(table, np.arange(areas or len(table)))
    for name in SHAPE:
        long = census.long_margin(name)
        long[long["oa21cd"].isin(table.codes)].to_parquet(folder / f"{name}.parquet", index=False)
    middle, people = census.middle_areas()
    census.long_joint(middle, people, BY).to_parquet(folder / "seed.parquet", index=False)
    return table, _spec(folder, BY)


def _made_up(folder: Path, areas: int) -> tuple[AreaTable, RakedFrameSpec]:
    """Counts of margins drawn area by area from shares that vary, off by up to 3 a cell."""
    rng = np.random.default_rng(1)
    n = areas or 188_880
    codes = [f"A{i:06d}" for i in range(n)]
    groups = {"kind": rng.integers(0, KINDS, n).astype(str), "region": rng.integers(0, REGIONS, n).astype(str)}
    frame = pd.DataFrame({"oa21cd": codes, **groups}).astype("str")
    people = rng.gamma(20.0, PEOPLE_AN_AREA / 20.0, n).round() + 1
    for name, size in SHAPE.items():
        share = rng.dirichlet(np.full(size, 2.0), n)
        count = np.maximum(rng.poisson(share * people[:, None]) + rng.integers(-3, 4, share.shape), 0)
        count[np.arange(n), share.argmax(axis=1)] += 1
        long = pd.DataFrame(count, index=pd.Index(codes, name="oa21cd"), columns=pd.Index(range(size), name=name))
        long.stack().rename("n").reset_index().to_parquet(folder / f"{name}.parquet", index=False)
    index = pd.MultiIndex.from_product([map(str, range(KINDS)), map(str, range(REGIONS)), *map(range, SHAPE.values())])
    seed = pd.DataFrame({"n": rng.poisson(rng.gamma(0.5, 400.0, len(index)))}, index=index)
    seed.index.names = ["kind", "region", *SHAPE]
    seed.reset_index().to_parquet(folder / "seed.parquet", index=False)
    whole = AreaTable(frame, "oa21cd", ("region",), ("kind",), people, np.ones(n, dtype=bool))
    return whole, _spec(folder, ("kind", "region"))


def _spec(folder: Path, by: tuple[str, ...]) -> RakedFrameSpec:
    margins = tuple(MarginSpec(folder / f"{name}.parquet", (name,), "n") for name in SHAPE)
    return RakedFrameSpec(margins, SeedSpec(folder / "seed.parquet", "n", by))
