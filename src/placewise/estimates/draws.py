"""Draws of areas as an object: aggregate, standardise, rank, compare, summarise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
import pandas as pd

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.estimates.blocks import block_size, in_order, spans
from placewise.estimates.describe import (
    INDEX_COLUMNS,
    LEVELS,
    MEAN_COLUMNS,
    RANK_COLUMNS,
    Standard,
    describe_index,
    describe_ranks,
    describe_values,
)
from placewise.estimates.hierarchy import Hierarchy
from placewise.estimates.passes import base_standard, work_on
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.ranking import ExactRanking, triple_goal
from placewise.estimates.summarise import Names, Summary, summarise
from placewise.kernels.sums import add_to_groups

_THREADS = 2
_FEW = 5_000  # codes that are searched for the nearest match
_LARGEST = 125_000_000  # values of one request: 1 GB


class _Source:
    """What every view of the same draws shares: the projectors, the standard of the index, the full summary."""

    def __init__(self, predictor: Predictor, estimand: int, standard: Standard | None, names: Names | None) -> None:
        self.predictor, self.estimand, self._standard, self._names = predictor, estimand, standard, names

    @cached_property
    def people(self) -> Projector:
        """Draws as the predictor says, with people where the estimand is of the finite population."""
        return Projector(self.predictor, self.estimand)

    @cached_property
    def rates(self) -> Projector:
        """Draws of the rate, without people."""
        return Projector(self.predictor, self.estimand, people=False)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """Order in which areas are summed."""
        return Hierarchy.of(self.predictor)

    @cached_property
    def standard(self) -> Standard:
        """Mean and sd of the base's small areas in each draw."""
        if self._standard is not None:
            return self._standard
        with ThreadPoolExecutor(_THREADS) as pool:
            return base_standard(work_on(self.people, pool, _THREADS, None)).moved(-self.people.origin)

    @cached_property
    def summary(self) -> Summary:
        """Estimates of everything."""
        return summarise(self.predictor, self.estimand, names=self._names, threads=_THREADS)


class AreaDraws:
    """Posterior draws of areas, made on demand.

    Parameters
    ----------
    predictor : Predictor
    level : str, optional
        The small areas' code column (default) or one of the predictor's levels.
    estimand : int
        Position in ``predictor.estimands``.
    rate : bool
        Draws of the rate θ, without the people who happen to live there.
    standard : Standard, optional
        What the index is measured against, where it is known already; else it is worked out at first need.
    names : mapping of level to mapping of code to name, optional
        What areas are called in summaries; default their codes.

    Examples
    --------
    >>> areas = AreaDraws(predictor)  # doctest: +SKIP
    >>> areas.aggregate("lad22cd").index().summary()  # doctest: +SKIP
    """

    def __init__(
        self,
        predictor: Predictor,
        level: str | None = None,
        *,
        estimand: int = 0,
        rate: bool = False,
        standard: Standard | None = None,
        names: Names | None = None,
    ) -> None:
        self._source = _Source(predictor, estimand, standard, names)
        self._rate, self._on_index = rate, False
        self._set_level(level or predictor.code)

    def _set_level(self, level: str) -> None:
        """Group the small areas by a level the predictor knows."""
        p = self._source.predictor
        known = [p.code, *p.levels]
        if level not in known:
            raise ConfigurationError(Problem("aggregate", f"there is no level {level!r}", nearest(level, known)))
        own = p.codes if level == p.code else p.levels[level]
        group, codes = pd.factorize(np.asarray(own, dtype=object), sort=level != p.code)
        self._name, self._codes, self._group, self._custom = level, np.asarray(codes, dtype=object), group, False

    def _view(self, **changes: object) -> AreaDraws:
        """The same draws seen otherwise."""
        other = object.__new__(AreaDraws)
        other.__dict__.update(self.__dict__ | changes)
        return other

    @property
    def level(self) -> str:
        """Name of the level, ``custom`` for the caller's own groups."""
        return self._name

    @property
    def codes(self) -> np.ndarray:
        """Codes of the areas, object array of str."""
        return self._codes.copy()

    @property
    def n_draws(self) -> int:
        """Number of posterior draws, S."""
        return self._source.predictor.n_draws

    @property
    def population(self) -> np.ndarray:
        """People of each area, float64."""
        inside = self._group >= 0
        weight = self._source.predictor.population[inside]
        return np.bincount(self._group[inside], weight, minlength=len(self._codes))

    def __len__(self) -> int:
        return len(self._codes)

    def __repr__(self) -> str:
        what = "index" if self._on_index else "rate" if self._rate else "estimand"
        return f"AreaDraws({len(self)} areas of {self._name!r} × {self.n_draws} draws, {what})"

    def aggregate(self, groups: str | Mapping[str, Iterable[str]]) -> AreaDraws:
        """Population-weighted means over larger areas.

        Parameters
        ----------
        groups : str or mapping of name to small-area codes
            A level, or groups of small areas, which must not overlap.

        Raises
        ------
        ConfigurationError
            Unknown levels or codes, areas in two groups, empty groups.
        """
        if isinstance(groups, str):
            other = self._view()
            other._set_level(groups)
            return other
        group = _own_groups(self._source.predictor.codes, groups)
        return self._view(_name="custom", _custom=True, _codes=np.array(list(groups), dtype=object), _group=group)

    def index(self) -> AreaDraws:
        """The same areas on the index: oriented, in units of the sd between the base's small areas, per draw."""
        return self._view(_on_index=True)

    def draws(self, codes: Iterable[str] | None = None) -> np.ndarray:
        """Draws of some areas; float64, shape (S, areas).

        Parameters
        ----------
        codes : iterable of str, optional
            In the order wanted; default all of this level.

        Raises
        ------
        ConfigurationError
            Unknown codes, or more than 1 GB asked for at once.
        """
        chosen = np.arange(len(self)) if codes is None else self._positions(codes)
        if len(chosen) * self.n_draws > _LARGEST:
            message = f"{len(chosen)} areas × {self.n_draws} draws do not fit in memory at once"
            raise ConfigurationError(Problem("draws", message, "ask for fewer codes, or for summary()"))
        projector = self._projector()
        values = self._means(projector, chosen) + projector.origin
        if self._on_index:
            standard = self._source.standard
            values = (values - standard.mean) * standard.scale
        return values.T

    def summary(self) -> pd.DataFrame:
        """One row an area: the columns of ``estimates`` that are known, index columns alone after :meth:`index`."""
        p = self._source.predictor
        if self._custom or self._rate:
            table = self._describe()
        else:
            table = self._source.summary.level(self._name)
        if self._name == p.code and not self._custom:
            table = table.set_index("area_code", drop=False).loc[self._codes].reset_index(drop=True)
        hidden = (*MEAN_COLUMNS, "triple_goal") if self._on_index else ()
        return table.drop(columns=[name for name in hidden if name in table])

    def rank(self) -> pd.DataFrame:
        """Ranks within the level (1 = best), their 90% intervals, and the probabilities of the extreme tenths."""
        return self.summary()[["area_code", *RANK_COLUMNS]]

    def benchmark(self, targets: object) -> AreaDraws:
        """Benchmarking to published figures, which this version does not have.

        Raises
        ------
        ConfigurationError
            Always; the message says what works instead.
        """
        message = "benchmarking is not available in this version"
        raise ConfigurationError(Problem("benchmark", message, "estimates follow the survey alone", "unavailable"))

    def compare(self, a: str, b: str) -> pd.Series:
        """Posterior of the difference a − b of the two rates θ, chance in who lives there left out.

        Parameters
        ----------
        a, b : str
            Codes of this level. After :meth:`index` the difference is in units of the index, oriented.

        Returns
        -------
        Series
            ``mean``, ``sd``, the 50, 90 and 95% intervals and ``p_greater``, the probability that a is above b.
        """
        first, second = self._view(_rate=True).draws([a, b]).T
        difference = first - second
        found = {"mean": difference.mean(), "sd": difference.std(ddof=1)}
        for name, ends in LEVELS.items():
            found[f"{name}_lower"], found[f"{name}_upper"] = np.quantile(difference, ends)
        return pd.Series(found | {"p_greater": (difference > 0).mean()}, name=f"{a} - {b}")

    def _projector(self) -> Projector:
        return self._source.rates if self._rate else self._source.people

    def _positions(self, codes: Iterable[str]) -> np.ndarray:
        """Positions of codes of this level."""
        wanted = list(codes)
        place = {code: i for i, code in enumerate(self._codes)}
        found = Problems()
        for code in wanted:
            if code not in place:
                where, level = f"codes: {self._name}", self._source.predictor.level_of(str(code))
                if level is None:
                    found.add(where, f"there is no area {code!r}", code_hint(str(code), self._codes))
                else:
                    found.add(where, f"{code!r} is an area of {level!r}", f"call aggregate({level!r}) first")
        found.raise_if_any()
        return np.array([place[code] for code in wanted], dtype=np.int64)

    def _means(self, projector: Projector, chosen: np.ndarray) -> np.ndarray:
        """Population-weighted means of the chosen areas, less the origin; float64, shape (areas, S)."""
        p = projector.predictor
        row = np.full(len(self) + 1, -1)
        row[chosen] = np.arange(len(chosen))
        repeated = len(np.unique(chosen)) < len(chosen)
        if repeated:
            unique, inverse = np.unique(chosen, return_inverse=True)
            return np.asarray(self._means(projector, unique)[inverse])
        order = self._source.hierarchy.order
        order = order[row[self._group[order]] >= 0]
        target = row[self._group[order]]
        sums = np.zeros((len(chosen), self.n_draws))

        def make(start: int, stop: int) -> np.ndarray:
            return projector.block(order[start:stop]).values

        with ThreadPoolExecutor(_THREADS) as pool:
            for start, stop, values in in_order(make, spans(len(order), block_size(self.n_draws)), pool, _THREADS):
                add_to_groups(values, p.population[order[start:stop]].astype(np.float64), target[start:stop], sums)
        return np.asarray(sums / np.bincount(target, p.population[order], minlength=len(chosen))[:, None])

    def _describe(self) -> pd.DataFrame:
        """Columns of areas that the full summary does not hold: the caller's groups, or rates."""
        values = self._view(_on_index=False).draws().T
        origin = self._projector().origin
        below = np.ascontiguousarray(values - origin, dtype=np.float32)
        standard = self._source.standard.moved(origin)
        columns = describe_values(below, origin) | describe_index(below, standard)
        ranking = ExactRanking(below.copy(), filled=True)
        with ThreadPoolExecutor(_THREADS) as pool:
            ranking.finish(pool)
        columns |= describe_ranks(ranking.ranks(below, 0), len(self), standard.polarity)
        columns["triple_goal"] = triple_goal(ranking.order_statistics, columns["mean_rank"]) + origin
        table = {"area_code": self._codes, "area_level": self._name, "population": self.population} | columns
        kept = (
            "area_code", "area_level", "population", *MEAN_COLUMNS, *INDEX_COLUMNS, "p_above_national", *RANK_COLUMNS,
            "triple_goal", "grade",
        )  # fmt: skip
        return pd.DataFrame({name: table[name] for name in kept})


def code_hint(code: str, codes: np.ndarray) -> str:
    """Nearest code; among very many, what a code looks like."""
    if len(codes) <= _FEW:
        return nearest(code, codes)
    return f"codes look like {codes[0]!r}"


def _own_groups(codes: np.ndarray, groups: Mapping[str, Iterable[str]]) -> np.ndarray:
    """Group of each small area, -1 for none."""
    place = {code: i for i, code in enumerate(codes)}
    group, found = np.full(len(codes), -1), Problems()
    for g, (name, members) in enumerate(groups.items()):
        wanted = list(members)
        if not wanted:
            found.add(f"group {name!r}", "it has no areas")
        for code in wanted:
            if code not in place:
                found.add(f"group {name!r}", f"there is no area {code!r}", code_hint(str(code), codes))
            elif group[place[code]] >= 0:
                found.add(f"group {name!r}", f"area {code!r} is named twice")
            else:
                group[place[code]] = g
    found.raise_if_any()
    return group
