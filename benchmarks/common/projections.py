"""What ``projection.py`` measures, each outcome in a process of its own: seconds, memory, accuracy, a plain loop."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from common import frames
from common.child import measure, peak_mib
from common.country import make_country
from placewise.estimates import projector as projecting
from placewise.estimates.blocks import block_size, in_order, spans
from placewise.estimates.effects import EffectSource
from placewise.estimates.predictor import Effect, Estimand, Link, Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.reach import reach_of_eta
from placewise.estimates.summarise import summarise
from placewise.geography.areas import AreaTable
from placewise.models import inference
from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan
from placewise.models.scale_estimands import scale_estimands
from placewise.models.spec import EstimandSpec
from placewise.surveys.instruments import Instruments

FAMILIES = ("bernoulli", "cumulative", "category", "graded_response", "gaussian", "poisson")
LEVELS = (("rgn24cd", 10), ("lad22cd", 318), ("msoa21cd", 7264))
CLASSES, COVARIATES = 52, 9
LEVEL_SD = {"rgn24cd": 0.1, "lad22cd": 0.15, "msoa21cd": 0.25}
AREA_SD, CLASS_SD, CELL_SD, PAIR_SD = 0.2, 0.12, 0.3, 0.1
RESPONDENTS = 30_000  # areas with posterior draws of their own effect
CATEGORIES = 5
ITEMS = 4  # of a scale
COMPARED = 200  # areas whose draws are compared with a loop in double precision
PIECE = 5_000  # areas of the frame that are made at a time


def made_up(areas: int, draws: int, family: str, source: str = "made-up", seed: int = 1) -> Predictor:
    """Posterior draws of a national model that were made up, on a frame of 280 cells.

    Nine slopes of areas; regions, local authorities, MSOAs, classes, the area itself; ages, qualifications, sexes, and
    age × qualification.

    Parameters
    ----------
    areas : int
        Small areas; 0 for all 188,880.
    draws : int
    family : str
        One of ``FAMILIES``.
    source : {"made-up", "census"}
        Where areas and frame come from: every cell of every area has people, or the census's margins are raked.
    seed : int
        Of everything.
    """
    rng = np.random.default_rng(seed)
    table, indptr, cell, count = _frame(areas, source, rng)
    x = rng.normal(size=(len(table), COVARIATES)).astype(np.float32)
    effects = [*_area_effects(table, draws, rng), *_cell_effects(draws, rng)]
    cells = int(np.prod(list(frames.SHAPE.values())))
    centre = rng.normal(0.0, 0.1, (COVARIATES, 1))
    made = Predictor(
        seed=seed, codes=table.codes, code=table.code,
        levels={name: table.table[name].to_numpy(dtype=object) for name in table.levels},
        classes={name: table.table[name].to_numpy(dtype=object) for name in table.classes},
        population=table.weights, base=np.ones(len(table), dtype=bool),
        intercept=rng.normal(0.0 if family in ("cumulative", "graded_response") else 0.6, 0.05, draws),
        beta=centre + rng.normal(0.0, 0.02, (COVARIATES, draws)),
        area_x=x, cell_x=np.ones((cells, COVARIATES)),
        area_varies=np.ones(COVARIATES, dtype=bool), cell_varies=np.zeros(COVARIATES, dtype=bool),
        effects=tuple(effects), indptr=indptr, cell=cell, count=count,
        estimands=() if family == "graded_response" else (_estimand(family, draws, rng),),
        finite_population=True, polarity=1,
    )  # fmt: skip
    return made if made.estimands else replace(made, estimands=_score(made, rng))


def cost(family: str, areas: int, draws: int, threads: int, source: str, loop: int) -> dict[str, Any]:
    """Seconds and memory of one outcome, and how far its rates are from double precision.

    Parameters
    ----------
    family, areas, draws, source
        As :func:`made_up` takes them.
    threads : int
        Of the projection.
    loop : int
        Draws that the plain loop makes, on one thread; its seconds are scaled up.

    Returns
    -------
    dict
        ``kernel``: processor seconds of the kernel by threads. ``rates``, ``people``: making every area once, without
        and with its people; ``whole``: all estimates, two passes; ``rest``: whole less rates. Each by the clock and, as
        ``…_cpu``, in processor seconds by threads, which is the clock of an idle machine.
    """
    summarise(made_up(2 * COMPARED, 40, family), threads=threads)
    predictor = made_up(areas, draws, family, source)
    projector = Projector(predictor, people=False)
    worst = accuracy(projector)
    start = _resident()
    with kernel_seconds() as kernel:
        rates = measure(lambda: _all_blocks(projector, threads))
    once = measure(lambda: _all_blocks(Projector(predictor), threads))
    whole = measure(lambda: summarise(predictor, threads=threads))
    found = {
        "family": family, "source": source, "areas": len(predictor.codes), "entries": len(predictor.cell),
        "draws": draws, "threads": threads, "kernel": sum(kernel) / threads,
        "rates": rates.wall, "rates_cpu": rates.cpu / threads, "people": once.wall, "people_cpu": once.cpu / threads,
        "whole": whole.wall, "whole_cpu": whole.cpu / threads,
        "rest": whole.wall - rates.wall, "rest_cpu": (whole.cpu - rates.cpu) / threads,
        "peak_mib": whole.peak_mib, "start_mib": start, "error": worst,
    }  # fmt: skip
    if loop and family == "bernoulli":
        plain = measure(lambda: plain_loop(predictor, loop))
        found |= {"plain": plain.cpu / loop * draws, "ratio": plain.cpu / loop * draws / found["kernel"]}
    return found


@contextmanager
def kernel_seconds() -> Iterator[list[float]]:
    """Seconds of each call of the kernel, by the thread that made it."""
    inner, seconds = projecting.project_block, []

    def timed(*arguments: Any) -> None:
        start = time.thread_time()
        inner(*arguments)
        seconds.append(time.thread_time() - start)

    projecting.project_block = timed
    try:
        yield seconds
    finally:
        projecting.project_block = inner


def accuracy(projector: Projector) -> float:
    """Largest distance of rates from those of a loop in double precision, in areas spread over the country.

    Relative to 1 + the rate's size where it is not a share.
    """
    p = projector.predictor
    rows = np.unique(np.linspace(0, len(p.codes) - 1, COMPARED).astype(np.int64))
    found = projector.block(rows).values + projector.origin
    areas, cells = double_precision(projector, rows)
    worst = 0.0
    for i, row in enumerate(rows):
        here = slice(p.indptr[row], p.indptr[row + 1])
        weight = p.count[here] / p.count[here].sum()
        true = weight @ _value(p.estimands[0], areas[i] + cells[p.cell[here]])
        scale = 1.0 if p.estimands[0].kind == "share" else 1.0 + np.abs(true)
        worst = max(worst, float((np.abs(found[i] - true) / scale).max()))
    return worst


def double_precision(projector: Projector, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parts of the linear predictor of some areas, (B, S), and of all cells, (C, S); new effects as they are drawn."""
    p = projector.predictor
    areas = p.intercept + p.area_x[rows].astype(np.float64) @ p.beta
    cells = np.zeros((len(p.cell_x), p.n_draws))
    for effect in p.effects:
        source = EffectSource(effect, p.seed)
        at = effect.positions(rows, np.zeros(1, dtype=np.int64))[:, 0]
        if effect.over_areas:
            drawn = np.empty((len(rows), p.n_draws), dtype=np.float32)
            source.fill(at, drawn)
            areas += drawn
        else:
            cells += source.of_cells(len(cells))
    return areas, cells


def plain_loop(predictor: Predictor, draws: int) -> np.ndarray:
    """Rates as one would write them in numpy: a loop over draws, one expression of areas × cells in each.

    The area's own effects are left out, so that the loop does no work that the kernel is not timed for.
    """
    p, rates = predictor, []
    dense = np.zeros((len(p.codes), len(p.cell_x)))
    dense[np.repeat(np.arange(len(p.codes)), np.diff(p.indptr)), p.cell] = p.count
    dense /= dense.sum(axis=1, keepdims=True)
    over_areas = [e for e in p.effects if e.over_areas and e.name != p.code]
    over_cells = [EffectSource(e, p.seed).of_cells(dense.shape[1]) for e in p.effects if not e.over_areas]
    for s in range(draws):
        area = p.intercept[s] + p.area_x @ p.beta[:, s]
        for effect in over_areas:
            area += effect.draws[effect.lookup[effect.area_index, 0], s]
        cell = sum(effect[:, s] for effect in over_cells)
        rates.append((dense / (1.0 + np.exp(-(area[:, None] + cell[None, :])))).sum(axis=1))
    return np.array(rates)


def _all_blocks(projector: Projector, threads: int) -> None:
    """Make every area once, as the first pass does, and keep nothing."""
    rows = np.arange(len(projector.predictor.codes))
    with ThreadPoolExecutor(threads) as pool:
        parts = spans(len(rows), block_size(projector.n_draws))
        for _ in in_order(lambda a, b: projector.block(rows[a:b]), parts, pool, threads):
            pass


def _value(estimand: Estimand, eta: np.ndarray) -> np.ndarray:
    """Value of a person, in double precision."""
    if estimand.link != "logit":
        return eta if estimand.link == "identity" else np.exp(eta)
    weights = estimand.weights if estimand.weights.ndim == 2 else estimand.weights[:, None]
    value = np.full(eta.shape, estimand.constant)
    for cut, weight in zip(estimand.cuts, weights, strict=True):
        value += weight * expit(cut - estimand.slope * eta)
    return value


def _estimand(family: str, draws: int, rng: np.random.Generator) -> Estimand:
    if family == "bernoulli":
        return Estimand("", "share", "logit", 1.0, np.array([-1.0]), cuts=np.zeros((1, draws)))
    if family in ("gaussian", "poisson"):
        link: Link = "identity" if family == "gaussian" else "log"
        lower = 0.0 if family == "poisson" else -np.inf
        return Estimand("", "mean", link, sigma=np.exp(rng.normal(0, 0.02, draws)), lower=lower)
    cuts = np.sort(rng.normal(0, 0.03, (CATEGORIES - 1, draws)) + np.linspace(-2, 1.5, CATEGORIES - 1)[:, None], axis=0)
    if family == "category":
        return Estimand("", "share", "logit", 0.0, np.array([-1.0, 1.0]), cuts=cuts[1:3])
    # categories 1 to 5: E y = 5 − Σ P(y ≤ k), E y² = 25 − Σ (2k + 1) P(y ≤ k)
    second = -(2.0 * np.arange(1, CATEGORIES) + 1.0)
    return Estimand(
        "", "mean", "logit", float(CATEGORIES), -np.ones(CATEGORIES - 1), float(CATEGORIES**2), second, cuts,
        lower=1.0, upper=float(CATEGORIES),
    )  # fmt: skip


def _score(predictor: Predictor, rng: np.random.Generator) -> tuple[Estimand, ...]:
    """The expected score of a scale of items with five categories each."""
    names, levels = tuple(f"item{k}" for k in range(ITEMS)), tuple("12345")
    steepness = np.exp(rng.normal(0.3, 0.3, ITEMS) + rng.normal(0, 0.03, (1, predictor.n_draws, ITEMS)))
    turns = np.sort(rng.normal(0, 1.3, (ITEMS, CATEGORIES - 1)), axis=1) + rng.normal(
        0, 0.03, (predictor.n_draws, 1, 1)
    )
    cuts = (steepness[0, :, :, None] * turns).reshape(1, predictor.n_draws, -1)
    values = {"discrimination": steepness, "cutpoints": cuts}
    dims = {name: [f"{name}_of"] for name in values}
    posterior = Posterior(inference.build(values, dims, {}), PriorPlan(None, None, None, (), None, (), (), {}, None))
    instruments = Instruments(
        names, (levels,) * ITEMS, np.zeros((1, ITEMS), dtype=np.int8), ("survey",), np.zeros(1, dtype=np.int64), True
    )
    return scale_estimands((EstimandSpec("", "score"),), instruments, posterior, reach_of_eta(predictor))


def _frame(areas: int, source: str, rng: np.random.Generator) -> tuple[AreaTable, np.ndarray, np.ndarray, np.ndarray]:
    """Areas, and people of their cells as the predictor has them."""
    if source == "census":
        with tempfile.TemporaryDirectory() as name:
            table, spec = frames._from_census(Path(name), areas)
            frame = frames._rake(frames._read(spec, table))
        return table, frame.indptr, frame.cell, frame.count
    table = make_country(areas or 188_880, _levels(areas), classes=CLASSES, covariates=1, seed=2)
    cells = int(np.prod(list(frames.SHAPE.values())))
    count = np.empty((len(table), cells))
    for start in range(0, len(table), PIECE):
        part = rng.gamma(2.0, 1.0, (min(PIECE, len(table) - start), cells))
        people = table.weights[start : start + PIECE, None]
        count[start : start + PIECE] = part / part.sum(axis=1, keepdims=True) * people
    indptr = np.arange(len(table) + 1, dtype=np.int64) * cells
    return table, indptr, np.tile(np.arange(cells, dtype=np.int32), len(table)), count.ravel()


def _levels(areas: int) -> list[tuple[str, int]]:
    """Sizes of the levels, smaller where there are fewer areas than the country has."""
    share = min(1.0, (areas or 188_880) / 188_880)
    return [(name, max(2, int(size * share))) for name, size in LEVELS]


def _area_effects(table: AreaTable, draws: int, rng: np.random.Generator) -> list[Effect]:
    """Effects of levels, classes and the area itself, which only some areas have draws of."""
    found = []
    columns = {**{n: table.table[n].to_numpy(dtype=object) for n in (*table.levels, *table.classes)}}
    for name, values in {**columns, table.code: table.codes}.items():
        labels, index = np.unique(values, return_inverse=True)
        known = len(labels)
        if name == table.code:
            order = rng.permutation(len(labels))
            labels, index, known = labels[order], np.argsort(order)[index], min(RESPONDENTS, len(labels) // 6)
        sd = LEVEL_SD.get(name, AREA_SD if name == table.code else CLASS_SD)
        found.append(_effect(name, labels, known, sd, draws, rng, area=index.astype(np.int64)))
    return found


def _cell_effects(draws: int, rng: np.random.Generator) -> list[Effect]:
    """Effects of age, qualification and sex, and of age × qualification."""
    index = dict(zip(frames.SHAPE, np.unravel_index(np.arange(np.prod(list(frames.SHAPE.values()))),
                                                    list(frames.SHAPE.values())), strict=True))  # fmt: skip
    index["age:qualification"] = index["age"] * frames.SHAPE["qualification"] + index["qualification"]
    return [
        _effect(name, np.arange(index[name].max() + 1).astype(str), int(index[name].max()) + 1,
                PAIR_SD if ":" in name else CELL_SD, draws, rng, cell=index[name].astype(np.int64))
        for name in ("age", "qualification", "sex", "age:qualification")
    ]  # fmt: skip


def _effect(
    name: str,
    labels: np.ndarray,
    known: int,
    sd: float,
    draws: int,
    rng: np.random.Generator,
    area: np.ndarray | None = None,
    cell: np.ndarray | None = None,
) -> Effect:
    drawn = rng.standard_normal((known, draws), dtype=np.float32)
    drawn *= np.float32(0.5 * sd)
    drawn += rng.normal(0.0, 0.8 * sd, (known, 1)).astype(np.float32)
    lookup = np.arange(len(labels)).reshape((-1, 1) if cell is None else (1, -1))
    spread = sd * np.exp(rng.normal(0.0, 0.1, draws))
    return Effect(name, tuple(labels[:known]), drawn, spread, tuple(labels), area, cell, lookup)


def _resident() -> float:
    """Resident memory now, MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_mib()
    line = next(row for row in status.read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
