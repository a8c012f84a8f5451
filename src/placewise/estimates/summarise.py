"""The table of estimates: every area, every level, the nation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.estimates.blocks import in_order, spans
from placewise.estimates.crew import Crew
from placewise.estimates.describe import (
    COLUMNS,
    Columns,
    Standard,
    describe_index,
    describe_ranks,
    describe_values,
    describe_whole,
)
from placewise.estimates.grades import flags, known_population, marks_of, mostly
from placewise.estimates.passes import FirstPass, Progress, Work, first_pass, second_pass, work_on
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.ranking import EXACT_VALUES, ExactRanking, Ranking, SketchRanking, triple_goal
from placewise.kernels.sums import add_moments

Names = Mapping[str, Mapping[str, str]]
Marks = Mapping[str, np.ndarray]  # of small areas, by flag


@dataclass(frozen=True, eq=False)
class Summary:
    """Estimates of one estimand and what the report says of them.

    Parameters
    ----------
    estimates : DataFrame
        Small areas in the areas table's order, then each level by code (finest first), ``national`` and, where the
        base differs from the whole, ``base``. Columns of the interface, without ``outcome``.
    mu, sigma, national : ndarray of float64, shape (S,)
        Mean and sd of the base's small areas, and the mean over everybody, in each draw.
    chance_share : float or None
        Share of the variance between the base's small areas that is chance in who lives there; None for rates.
    polarity : int
        As the predictor's.
    """

    estimates: pd.DataFrame
    mu: np.ndarray
    sigma: np.ndarray
    national: np.ndarray
    chance_share: float | None
    polarity: int

    @property
    def standard(self) -> Standard:
        """What the index is measured against, as a release keeps it."""
        return Standard(self.mu, self.sigma, self.polarity)

    def level(self, name: str) -> pd.DataFrame:
        """Rows of one level."""
        return self.estimates[self.estimates["area_level"] == name].reset_index(drop=True)


def summarise(
    predictor: Predictor,
    estimand: int = 0,
    *,
    people: bool | None = None,
    names: Names | None = None,
    extrapolated: np.ndarray | None = None,
    block: int | None = None,
    threads: int = 2,
    crew: Crew | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Estimates of all areas, levels and the whole.

    Parameters
    ----------
    predictor : Predictor
    estimand : int
        Position in ``predictor.estimands``.
    people : bool, optional
        Draw the people of the areas; default as the predictor says.
    names : mapping of level to mapping of code to name, optional
    extrapolated : ndarray of bool, shape (A,), optional
        Small areas outside the survey's country, beside those found from the model's region and class effects.
    block, threads : int, optional
        Areas at a time and threads; they change no number.
    crew : Crew, optional
        Who makes and describes blocks instead of threads; it changes no number either.
    progress : callable of (done, total), optional

    Returns
    -------
    Summary
    """
    projector = Projector(predictor, estimand, people)
    with ThreadPoolExecutor(threads) as pool:
        work = work_on(projector, pool, threads, block, progress, crew)
        first = first_pass(work)
        columns = second_pass(work, first)
        marks = marks_of(predictor)
        if extrapolated is not None:
            marks["extrapolated"] = marks["extrapolated"] | extrapolated
        tables = [_small_areas(work, first, columns, marks)]
        tables += [_level(work, first, k, marks) for k in range(len(work.hierarchy.levels))]
    tables += _wholes(work, first)
    return Summary(
        estimates=_named(pd.concat(tables, ignore_index=True), names or {}),
        mu=first.standard.mean + projector.origin,
        sigma=first.standard.sd,
        national=first.national + projector.origin,
        chance_share=_chance_share(work, first),
        polarity=predictor.polarity,
    )


def _small_areas(work: Work, first: FirstPass, columns: Columns, marks: Marks) -> pd.DataFrame:
    """Rows of the small areas, in the predictor's order."""
    p, order = work.projector.predictor, work.hierarchy.order
    goal = np.empty(len(order))
    for members, ranking in first.rankings:
        goal[members] = triple_goal(ranking.order_statistics, columns["mean_rank"][members])
    columns["triple_goal"] = goal + work.projector.origin
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    rows = {name: column[back] for name, column in columns.items()}
    return _table(rows, p.code, p.codes, p.population, known_population(p), marks)


def _level(work: Work, first: FirstPass, level: int, marks: Marks) -> pd.DataFrame:
    """Rows of the areas of one larger level, by code."""
    p, hierarchy = work.projector.predictor, work.hierarchy
    start = sum(len(codes) for codes in hierarchy.codes[:level])
    codes = hierarchy.codes[level]
    values = first.levels[start : start + len(codes)]
    population = hierarchy.sums(p.population, level)
    members = hierarchy.sums((~p.base).astype(np.float64), level) == 0
    within = _sd_within(values, population * members, first.standard)

    def describe(a: int, b: int) -> Columns:
        part = values[a:b]
        return describe_values(part, work.projector.origin) | describe_index(part, first.standard, within)

    columns = _collect(describe, len(codes), work)
    columns["triple_goal"] = np.full(len(codes), np.nan)
    for k, inside in enumerate((members, ~members)):
        if inside.any():
            ranked, goal = _ranked(values, inside, first.standard.polarity, work)
            columns["triple_goal"][inside] = goal + work.projector.origin
            for name in ranked if k == 0 else ():
                columns.setdefault(name, np.full(len(codes), np.nan))[inside] = ranked[name]
    known = None if known_population(p) is None else population
    most = {name: mostly(mark, p, hierarchy, level) for name, mark in marks.items()}
    table = _table(columns, hierarchy.levels[level], codes, population, known, most)
    return table.sort_values("area_code", kind="stable", ignore_index=True)


def _ranked(values: np.ndarray, inside: np.ndarray, polarity: int, work: Work) -> tuple[Columns, np.ndarray]:
    """Ranks of some areas of a level, and their triple-goal values; their rows of ``values`` may be overwritten."""
    chosen = values if inside.all() else values[inside]
    ranking: Ranking
    if chosen.size <= EXACT_VALUES:
        ranking = ExactRanking(chosen, filled=True)
    else:
        ranking = SketchRanking(chosen[:: max(1, len(chosen) // 4096)])
        ranking.add(chosen, np.ones(len(chosen), dtype=bool))
    ranking.finish(work.pool)

    def describe(a: int, b: int) -> Columns:
        return describe_ranks(ranking.ranks(chosen[a:b], a), len(chosen), polarity)

    columns = _collect(describe, len(chosen), work)
    return columns, triple_goal(ranking.order_statistics, columns.pop("mean_rank"))


def _collect(describe: Callable[[int, int], Columns], n: int, work: Work) -> Columns:
    """Columns of n rows, described in blocks."""
    columns: Columns = {}
    for a, b, found in in_order(describe, spans(n, work.block), work.pool, work.threads):
        for name, column in found.items():
            columns.setdefault(name, np.empty(n, dtype=column.dtype))[a:b] = column
    return columns


def _sd_within(values: np.ndarray, weight: np.ndarray, standard: Standard) -> np.ndarray:
    """Population-weighted sd between a level's areas of the base, in each draw."""
    first, second = np.zeros_like(standard.mean), np.zeros_like(standard.mean)
    if (weight > 0).sum() < 2:
        return first
    add_moments(values, weight, standard.mean, first, second)
    total = weight.sum()
    return np.asarray(np.sqrt(np.maximum(second / total - (first / total) ** 2, 0.0)))


def _table(
    columns: Columns,
    level: str,
    codes: np.ndarray,
    population: np.ndarray,
    known: np.ndarray | None,
    marks: Marks,
) -> pd.DataFrame:
    """Rows of one level."""
    flag, reason = flags(known, columns["reliability"], marks)
    table = {name: columns.get(name, np.full(len(codes), np.nan)) for name in COLUMNS}
    table |= {"area_code": codes, "area_name": codes, "population": population, "flag": flag, "flag_reason": reason}
    return pd.DataFrame(table, columns=list(COLUMNS)).assign(area_level=level)


def _wholes(work: Work, first: FirstPass) -> list[pd.DataFrame]:
    """The nation and, where it differs, the base; the base's index is 0 by definition."""
    p, origin, standard = work.projector.predictor, work.projector.origin, first.standard
    zero = np.zeros_like(standard.mean)
    if p.base.all():
        rows = [("national", first.national, zero, p.population)]
    else:
        index = (first.national - standard.mean) * standard.scale
        rows = [("national", first.national, index, p.population), ("base", standard.mean, zero, p.population[p.base])]
    tables = []
    for level, values, index, population in rows:
        columns = describe_whole(values + origin, index)
        table = {name: columns.get(name, np.full(1, np.nan)) for name in COLUMNS}
        text = {"area_code": "all", "area_name": "all", "area_level": level, "flag": "ok", "flag_reason": ""}
        frame = pd.DataFrame(table, columns=list(COLUMNS)).assign(population=population.sum(), grade=None, **text)
        tables.append(frame)
    return tables


def _named(estimates: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Fill names where there are any, and make text columns text."""
    for level, known in names.items():
        rows = estimates["area_level"] == level
        codes = estimates.loc[rows, "area_code"]
        estimates.loc[rows, "area_name"] = codes.map(lambda code, known=known: known.get(code, code))
    text = ("area_code", "area_name", "area_level", "grade", "flag", "flag_reason")
    return estimates.astype(dict.fromkeys(text, "str"))


def _chance_share(work: Work, first: FirstPass) -> float | None:
    """Mean variance of people over the variance between small areas."""
    if not work.projector.people:
        return None
    weight = work.population * work.base
    between = float((first.standard.sd**2).mean())
    return float((weight * first.chance).sum() / weight.sum() / between) if between > 0 else None
