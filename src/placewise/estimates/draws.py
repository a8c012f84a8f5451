"""Draws of areas as an object: aggregate, standardise, rank, compare, summarise."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.estimates.blocks import block_size, in_order, spans
from placewise.estimates.describe import (
    INDEX_COLUMNS,
    MEAN_COLUMNS,
    RANK_COLUMNS,
    Standard,
    describe_index,
    describe_ranks,
    describe_values,
)
from placewise.estimates.differences import describe_differences, paired_differences
from placewise.estimates.expected import beyond_expected, expected_predictor
from placewise.estimates.groups import Groups, Members, code_hint, members_of_groups, members_of_level
from placewise.estimates.lists import StandingOut, stand_out
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.ranking import ExactRanking, triple_goal
from placewise.estimates.source import THREADS, Source
from placewise.estimates.summarise import Names
from placewise.kernels.sums import add_to_groups

if TYPE_CHECKING:
    from placewise.estimates.benchmark import Benchmarked
    from placewise.estimates.moved import Moved
    from placewise.estimates.targets import Mode

_LARGEST = 125_000_000  # values of one request: 1 GB


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
        self._source = Source(predictor, estimand, standard, names)
        self._rate, self._on_index = rate, False
        self._moved: Moved | None = None
        self._set_level(level or predictor.code)

    @classmethod
    def from_release(cls, folder: str | Path, estimand: int = 0) -> AreaDraws:
        """The small areas of a release, on its index.

        Parameters
        ----------
        folder : path
            ``<outcome>/release`` of a run.
        estimand : int
            Position among the outcome's estimands.

        Raises
        ------
        DataError
            Missing, altered or inconsistent files.
        """
        from placewise.estimates.release import read_release

        found = read_release(folder)
        return cls(found.predictor, estimand=estimand, standard=found.standards[estimand], names=found.names)

    def _set_level(self, level: str) -> None:
        """Group the small areas by a level the predictor knows."""
        p = self._source.predictor
        known = [p.code, *p.levels]
        if level not in known:
            raise ConfigurationError(Problem("aggregate", f"there is no level {level!r}", nearest(level, known)))
        self._name, self._members, self._custom = level, members_of_level(p, level), False

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
        return self._members.codes.copy()

    @property
    def n_draws(self) -> int:
        """Number of posterior draws, S."""
        return self._source.predictor.n_draws

    @property
    def population(self) -> np.ndarray:
        """People of each area, float64."""
        return self._members.population

    def __len__(self) -> int:
        return len(self._members.codes)

    def __repr__(self) -> str:
        what = "index" if self._on_index else "rate" if self._rate else "estimand"
        return f"AreaDraws({len(self)} areas of {self._name!r} × {self.n_draws} draws, {what})"

    def aggregate(self, groups: str | Groups) -> AreaDraws:
        """Population-weighted means over larger areas.

        Parameters
        ----------
        groups : str, or mapping of name to codes, or of name to mapping of code to people
            A level, or groups of small areas, or of all small areas of larger ones; groups may overlap. People given
            take the place of the population.

        Raises
        ------
        ConfigurationError
            Unknown levels or codes, areas twice in one group, empty groups, weights that are no weights.
        """
        if isinstance(groups, str):
            other = self._view()
            other._set_level(groups)
            return other
        found = Problems()
        members = members_of_groups(self._source.predictor, groups, "group", "configuration", found)
        found.raise_if_any()
        return self.grouped(members)

    def grouped(self, members: Members) -> AreaDraws:
        """The same for members that are known already."""
        return self._view(_name="custom", _custom=True, _members=members)

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
            table = table.set_index("area_code", drop=False).loc[self._members.codes].reset_index(drop=True)
        hidden = (*MEAN_COLUMNS, "triple_goal") if self._on_index else ()
        return table.drop(columns=[name for name in hidden if name in table])

    def rank(self) -> pd.DataFrame:
        """Ranks within the level (1 = best), their 90% intervals, and the probabilities of the extreme tenths."""
        return self.summary()[["area_code", *RANK_COLUMNS]]

    def exceed(self, value: float) -> pd.DataFrame:
        """Probability that each area is above a value, on the estimand's own scale or, after :meth:`index`, on it.

        Returns
        -------
        DataFrame
            ``area_code`` and ``p``.
        """
        parts = []
        for codes in np.array_split(self._members.codes, max(1, -(-len(self) * self.n_draws // _LARGEST))):
            parts.append((self.draws(codes) > value).mean(axis=0))
        return pd.DataFrame({"area_code": self._members.codes, "p": np.concatenate(parts)})

    def benchmark(
        self, targets: pd.DataFrame | str | Path, level: str | None = None, mode: Mode = "drawn"
    ) -> AreaDraws:
        """The same areas once the model has been moved to published figures.

        Parameters
        ----------
        targets : DataFrame or path
            Columns ``code``, ``estimate`` and ``se``; a row for each area of one level, or the one code ``all``.
        level : str, optional
            Of the targets; default the one whose codes they are.
        mode : {"drawn", "exact", "update"}
            See ``placewise.estimates.benchmark.benchmark``.

        Returns
        -------
        AreaDraws
            What moved is in its ``moved``.

        Raises
        ------
        DataError, ConfigurationError, ModelError
            Every problem of the targets, or figures that cannot be reached.
        """
        from placewise.estimates.benchmark import benchmark
        from placewise.estimates.targets import level_of_targets, targets_given

        source, found = self._source, Problems()
        given = targets_given(targets, "benchmark.targets", found)
        found.raise_if_any()
        assert given is not None
        where = level or level_of_targets(given, source.predictor)
        done = benchmark(source.predictor, given, where, mode, estimand=source.estimand, threads=THREADS)
        return self.after(done)

    def after(self, done: Benchmarked) -> AreaDraws:
        """The same areas once their predictor has been benchmarked."""
        other = Source(done.predictor, self._source.estimand, None, self._source.names)
        other.finish = done
        return self._view(_source=other, _moved=done.moved)

    @property
    def moved(self) -> Moved | None:
        """What :meth:`benchmark` moved; None where there was none."""
        return self._moved

    def expected(self) -> AreaDraws:
        """The rates that would be expected of these areas from who lives there and what kind of areas they are.

        Covariates, people and classes as they are, no effect of the place itself; see ``expected_predictor``.
        """
        source = self._source
        other = Source(expected_predictor(source.predictor), source.estimand, self._source.standard, source.names)
        return self._view(_source=other, _rate=True)

    def beyond_expected(self) -> pd.DataFrame:
        """How far each area's rate is from what is expected of it; see ``placewise.estimates.expected``."""
        rates = self._view(_rate=True, _on_index=False)
        return beyond_expected(rates, rates.expected(), self._source.predictor.polarity)

    def matched_pairs(self, most: int = 20) -> pd.DataFrame:
        """Pairs of these areas that are alike and differ in the outcome; see ``placewise.estimates.matched``."""
        from placewise.estimates.matched import matched_pairs

        rates = self._view(_rate=True, _on_index=False)
        return matched_pairs(rates, rates.expected(), self._source.predictor, self._members, most)

    def stand_out(self, better: bool = True) -> StandingOut:
        """Areas better (or worse) than the nation, with the share of them expected to be on the wrong side."""
        table = self.summary()[["area_code", "p_above_national"]].rename(columns={"p_above_national": "p"})
        return stand_out(table if better else table.assign(p=1.0 - table["p"]))

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
        return describe_differences((first - second)[None, :]).iloc[0].rename(f"{a} - {b}")

    def difference(self, other: AreaDraws, paired: bool = False) -> pd.DataFrame:
        """Posterior of this minus another set of draws, area by area, of rates: two releases, years or models.

        Parameters
        ----------
        other : AreaDraws
            Has the same codes at its level; after :meth:`index` on both, units of the index.
        paired : bool
            Draw s of one belongs to draw s of the other, as before and after :meth:`benchmark`. Two fits are
            independent: their draws are then paired so that the generator's chance for one area is not shared.

        Returns
        -------
        DataFrame
            ``area_code`` and the columns of :meth:`compare`.

        Raises
        ------
        ConfigurationError
            Codes that only one of the two has.
        """
        return paired_differences(self._view(_rate=True), other._view(_rate=True), paired)

    def _projector(self) -> Projector:
        return self._source.rates if self._rate else self._source.people

    def _positions(self, codes: Iterable[str]) -> np.ndarray:
        """Positions of codes of this level."""
        wanted = list(codes)
        place = {code: i for i, code in enumerate(self._members.codes)}
        found = Problems()
        for code in wanted:
            if code not in place:
                where, level = f"codes: {self._name}", self._source.predictor.level_of(str(code))
                if level is None:
                    found.add(where, f"there is no area {code!r}", code_hint(str(code), self._members.codes))
                else:
                    found.add(where, f"{code!r} is an area of {level!r}", f"call aggregate({level!r}) first")
        found.raise_if_any()
        return np.array([place[code] for code in wanted], dtype=np.int64)

    def _means(self, projector: Projector, chosen: np.ndarray) -> np.ndarray:
        """Population-weighted means of the chosen areas, less the origin; float64, shape (areas, S)."""
        unique, inverse = np.unique(chosen, return_inverse=True)
        members = self._members.take(unique)
        place = self._source.hierarchy.place[members.row]
        ordered = np.argsort(place, kind="stable")
        rows, at = np.unique(place[ordered], return_inverse=True)
        rows, group, weight = self._source.hierarchy.order[rows], members.group[ordered], members.weight[ordered]
        sums = np.zeros((len(unique), self.n_draws))

        def make(start: int, stop: int) -> np.ndarray:
            return projector.block(rows[start:stop]).values

        with ThreadPoolExecutor(THREADS) as pool:
            for start, stop, values in in_order(make, spans(len(rows), block_size(self.n_draws)), pool, THREADS):
                a, b = np.searchsorted(at, (start, stop))
                part = values if b - a == stop - start else values[at[a:b] - start]
                add_to_groups(part, weight[a:b], group[a:b], sums)
        return np.asarray((sums / members.population[:, None])[inverse])

    def _describe(self) -> pd.DataFrame:
        """Columns of areas that the full summary does not hold: the caller's groups, or rates."""
        values = self._view(_on_index=False).draws().T
        origin = self._projector().origin
        below = np.ascontiguousarray(values - origin, dtype=np.float32)
        standard = self._source.standard.moved(origin)
        columns = describe_values(below, origin) | describe_index(below, standard)
        ranking = ExactRanking(below.copy(), filled=True)
        with ThreadPoolExecutor(THREADS) as pool:
            ranking.finish(pool)
        columns |= describe_ranks(ranking.ranks(below, 0), len(self), standard.polarity)
        columns["triple_goal"] = triple_goal(ranking.order_statistics, columns["mean_rank"]) + origin
        table = {"area_code": self._members.codes, "area_level": self._name, "population": self.population} | columns
        kept = (
            "area_code", "area_level", "population", *MEAN_COLUMNS, *INDEX_COLUMNS, "p_above_national", *RANK_COLUMNS,
            "triple_goal", "grade",
        )  # fmt: skip
        return pd.DataFrame({name: table[name] for name in kept})
