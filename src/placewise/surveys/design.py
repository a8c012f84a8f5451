"""The design of a survey as one object: weights, strata, sampling units, replicates, and who is looked at."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.surveys import domains, quantiles, replicates, weighting
from placewise.surveys.disclosure import THRESHOLD, told, told_of
from placewise.surveys.intervals import ShareInterval
from placewise.surveys.replicates import Centre, ReplicateKind, Replicates
from placewise.surveys.respondents import Respondents
from placewise.surveys.stages import LONELY, Lonely, Stage, build_stages, codes_of
from placewise.surveys.targets import Target
from placewise.surveys.weighting import Adjustment


class SurveyDesign:
    """How respondents were drawn and weighted; every estimate of it carries the design's own variance.

    Arguments are arrays of one value a respondent, in one order. Estimates are tables with one row a domain; a domain
    is looked at inside the whole sample, as is a subpopulation: units without a member still count.

    Parameters
    ----------
    weights : array of float64, shape (n,), or None
        Positive. None: inverse sampling fractions where ``fpc`` is given, else 1 each.
    psu : array, shape (n,), or sequence of such arrays, or None
        Sampling units, first stage first, numbered within strata or throughout. None: each respondent is a unit.
    strata : array, shape (n,), or sequence of such arrays, or None
        Strata of the first stage, or of several.
    fpc : array of float64, shape (n,), or sequence of such arrays, or None
        Units in each respondent's stratum in the population, for every stage of ``psu``: the finite population
        correction. None: the first stage is taken as drawn with replacement, and the later ones add nothing.
    lonely : {"adjust", "average", "certainty", "remove", "fail"}
        What a stratum with one unit drawn of several adds to a variance, by the names of R's survey package: its unit
        centred at the sample's mean; the mean of the other strata; nothing; nothing; or it is an error.

    Raises
    ------
    DataError
        Weights that are not finite and positive, missing units or strata, fewer units in the population than in the
        sample, lengths that differ, all in one error; counts only.

    Examples
    --------
    >>> design = SurveyDesign(weights=[1.0, 1.0, 2.0, 2.0], strata=["a", "a", "b", "b"])
    >>> design.mean([3.0, 5.0, 1.0, 2.0], threshold=1)["estimate"].tolist()
    [2.3333333333333335]
    """

    stages: tuple[Stage, ...]
    weights: np.ndarray
    base_weights: np.ndarray
    inside: np.ndarray
    lonely: Lonely
    replicates: Replicates | None
    adjustments: tuple[Adjustment, ...]

    def __init__(
        self,
        weights: Any = None,
        psu: Any = None,
        strata: Any = None,
        fpc: Any = None,
        *,
        lonely: Lonely = "adjust",
    ) -> None:
        given = {"weights": _columns(weights), "psu": _columns(psu), "strata": _columns(strata), "fpc": _columns(fpc)}
        n = _size(given)
        problems = Problems()
        if lonely not in LONELY:
            problems.add("survey design: lonely", f"{lonely!r} is no rule", nearest(str(lonely), LONELY))
        codes = {key: [_codes(c, key, problems) for c in given[key]] for key in ("psu", "strata")}
        units = codes["psu"] or [np.arange(n, dtype=np.int64)]
        populations = [_numbers(c, "fpc", problems) for c in given["fpc"]]
        own = [_numbers(c, "weights", problems) for c in given["weights"]]
        if populations and len(populations) != len(units):
            problems.add(
                "survey design: fpc", f"{len(populations)} given for {len(units)} stages of units", kind="data"
            )
        if len(codes["strata"]) > len(units):
            problems.add("survey design: strata", "more stages of strata than of units", kind="data")
        problems.raise_if_any()
        self.stages = build_stages(units, codes["strata"], populations)
        _check_populations(self.stages, populations, problems)
        if lonely == "fail" and self.lonely_strata:
            problems.add(
                "survey design",
                f"{self.lonely_strata:,} strata have one unit each",
                "merge strata, or say lonely = 'adjust' or another rule",
                "data",
            )
        problems.raise_if_any()
        if not own:
            fractions = [(s.sampled[s.stratum[s.unit]], p) for s, p in zip(self.stages, populations, strict=False)]
            own = [np.prod([np.ones(n), *(p / sampled for sampled, p in fractions)], axis=0)]
        self.weights = self.base_weights = own[0]
        self.inside = np.ones(n, dtype=bool)
        self.lonely = lonely
        self.replicates = None
        self.adjustments = ()

    @classmethod
    def of(cls, people: Respondents, *, lonely: Lonely = "adjust") -> SurveyDesign:
        """The design that a survey declares; without weights each respondent counts once."""
        weights = np.ones(len(people)) if people.weight is None else people.weight
        return cls(weights, people.psu, people.strata, lonely=lonely)

    def __len__(self) -> int:
        """Respondents of the whole sample."""
        return len(self.weights)

    def __repr__(self) -> str:
        who = told(len(self)) if self.inside.all() else told_of(int(self.inside.sum()), len(self), "respondents")
        kind = f", {self.replicates.kind} replicates" if self.replicates else ""
        units, strata = self.stages[0].stratum.size, self.stages[0].sampled.size
        return f"SurveyDesign({who}, {units:,} units in {strata:,} strata{kind})"

    @property
    def lonely_strata(self) -> int:
        """Strata of the first stage with one unit drawn of several."""
        return int(self.stages[0].alone.sum())

    @property
    def finite(self) -> bool:
        """Whether populations were given for a finite population correction."""
        return bool((self.stages[0].correction < 1).any())

    @property
    def degrees_of_freedom(self) -> int:
        """Units less strata among those looked at (Korn and Graubard 1999); at most what replicates span."""
        where = np.zeros(int(self.inside.sum()), dtype=np.int64)
        return int(domains.degrees_of_freedom(self, np.flatnonzero(self.inside), where, 1)[0])

    def changed(self, **fields: Any) -> SurveyDesign:
        """The same design with some attributes replaced."""
        other = copy.copy(self)
        for name, value in fields.items():
            setattr(other, name, value)
        return other

    def subset(self, inside: Any) -> SurveyDesign:
        """Look at some respondents only, keeping the whole sample's units and strata for the variance.

        Parameters
        ----------
        inside : array of bool, shape (n,)
            Of the whole sample; a subset of a subset is where both hold.
        """
        mask = np.asarray(inside)
        if mask.dtype != bool or mask.shape != self.inside.shape:
            problems = Problems()
            problems.add("subset", f"expected {len(self):,} values true or false, one a respondent", kind="data")
            problems.raise_if_any()
        return self.changed(inside=self.inside & mask)

    def mean(self, values: Any, by: Any = None, *, level: float = 0.95, threshold: int = THRESHOLD) -> pd.DataFrame:
        """Hájek mean of each domain; see `domains.ratios`."""
        return domains.ratios(self, values, None, by, level, threshold)

    def ratio(
        self, numerator: Any, denominator: Any, by: Any = None, *, level: float = 0.95, threshold: int = THRESHOLD
    ) -> pd.DataFrame:
        """Ratio of two totals in each domain; see `domains.ratios`."""
        return domains.ratios(self, numerator, denominator, by, level, threshold)

    def total(self, values: Any, by: Any = None, *, level: float = 0.95, threshold: int = THRESHOLD) -> pd.DataFrame:
        """Total of each domain; see `domains.totals`."""
        return domains.totals(self, values, by, level, threshold)

    def quantile(
        self, values: Any, probability: float, by: Any = None, *, level: float = 0.95, threshold: int = THRESHOLD
    ) -> pd.DataFrame:
        """Quantile of each domain, .5 for the median; see `quantiles.quantiles`."""
        return quantiles.quantiles(self, values, probability, by, level, threshold)

    def share(
        self,
        answers: Any,
        by: Any = None,
        *,
        level: float = 0.95,
        interval: ShareInterval = "beta",
        threshold: int = THRESHOLD,
    ) -> pd.DataFrame:
        """Share of every answer in each domain; see `domains.shares`."""
        return domains.shares(self, answers, by, level, interval, threshold)

    def replicate(self, kind: ReplicateKind, *, seed: int = 0, count: int = 200, rho: float = 0.5) -> SurveyDesign:
        """Make replicate weights of the first stage's units; see `replicates.make_replicates`."""
        return self.changed(replicates=replicates.make_replicates(self, kind, seed, count, rho))

    def with_replicate_weights(
        self,
        weights: Any,
        *,
        scale: float,
        rscales: Any = None,
        centre: Centre = "mean",
        kind: str = "given",
    ) -> SurveyDesign:
        """Take replicate weights as a survey deposits them; see `replicates.given_replicates`."""
        return self.changed(replicates=replicates.given_replicates(self, weights, scale, rscales, centre, kind))

    def scale_to(self, values: Any, total: float) -> SurveyDesign:
        """Ratio adjustment to the population's total of one variable; see `weighting.scale_to`."""
        return weighting.scale_to(self, values, total)

    def poststratify(self, table: pd.DataFrame, counts: pd.DataFrame) -> SurveyDesign:
        """Weights that reproduce the population's counts of joint categories; see `weighting.poststratify`."""
        return weighting.poststratify(self, table, counts)

    def rake(
        self, table: pd.DataFrame, margins: Mapping[str, Target], *, tolerance: float = 1e-9, cycles: int = 1000
    ) -> SurveyDesign:
        """Weights that reproduce the population's margins; see `weighting.rake`."""
        return weighting.rake(self, table, margins, tolerance, cycles)

    def calibrate(
        self, table: pd.DataFrame, totals: Mapping[str, Target], *, bounds: tuple[float, float] | None = None
    ) -> SurveyDesign:
        """Weights nearest to the present ones that reproduce totals; see `weighting.calibrate`."""
        return weighting.calibrate(self, table, totals, bounds)

    def trim(self, lower: float, upper: float) -> SurveyDesign:
        """Weights brought inside limits, their sum kept; see `weighting.trim`."""
        return weighting.trim(self, lower, upper)


def _columns(values: Any) -> list[np.ndarray]:
    """One array a stage; a table's columns are stages."""
    if values is None:
        return []
    if isinstance(values, pd.DataFrame):
        return [values[c].to_numpy() for c in values.columns]
    several = isinstance(values, list | tuple) and len(values) > 0 and all(np.ndim(v) == 1 for v in values)
    return [np.asarray(v) for v in values] if several else [np.asarray(values)]


def _size(given: Mapping[str, Sequence[np.ndarray]]) -> int:
    """Number of respondents, the same for all; raises where it is not or is none."""
    problems = Problems()
    sizes = {key: sorted({c.size for c in columns}) for key, columns in given.items() if columns}
    found = {size for own in sizes.values() for size in own}
    if not found or found == {0}:
        problems.add("survey design", "no respondents", "give weights, psu or strata", "data")
    elif len(found) > 1:
        told_sizes = ", ".join(f"{key} {'/'.join(map(str, own))}" for key, own in sizes.items())
        problems.add("survey design", f"lengths differ: {told_sizes}", "one value a respondent", "data")
    problems.raise_if_any()
    return found.pop()


def _codes(values: np.ndarray, key: str, problems: Problems) -> np.ndarray:
    codes = codes_of(values)
    missing = int((codes < 0).sum())
    if missing:
        problems.add(
            f"survey design: {key}",
            f"missing for {told_of(missing, codes.size, 'respondents')}",
            "every respondent was drawn in some unit and stratum",
            "data",
        )
    return codes


def _numbers(values: np.ndarray, key: str, problems: Problems) -> np.ndarray:
    """Positive finite numbers; populations may be infinite."""
    found = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=float)
    infinite = np.isinf(found) & (key == "weights")
    for what, odd in {
        "missing or no numbers": np.isnan(found),
        "zero": found == 0,
        "negative": found < 0,
        "infinite": infinite,
    }.items():
        if odd.any():
            problems.add(
                f"survey design: {key}",
                f"{told_of(int(odd.sum()), found.size, 'respondents')} have values that are {what}",
                "leave out who is outside the survey's base"
                if key == "weights"
                else "units in the population, 1 or more",
                "data",
            )
    return found


def _check_populations(stages: Sequence[Stage], populations: Sequence[np.ndarray], problems: Problems) -> None:
    for k, (stage, population) in enumerate(zip(stages, populations, strict=False), start=1):
        stratum = stage.stratum[stage.unit]
        low, high = np.full(stage.sampled.size, np.inf), np.zeros(stage.sampled.size)
        np.minimum.at(low, stratum, population)
        np.maximum.at(high, stratum, population)
        small = int((low < stage.sampled).sum())
        if small:
            problems.add(
                f"survey design: fpc of stage {k}",
                f"{small:,} strata have fewer units in the population than in the sample",
                "give numbers of units, not fractions",
                "data",
            )
        varied = int((low < high).sum())
        if varied:
            problems.add(f"survey design: fpc of stage {k}", f"differs inside {varied:,} strata", kind="data")
