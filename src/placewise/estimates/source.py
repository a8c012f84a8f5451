"""What every view of the same draws shares."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from placewise.estimates.describe import Standard
from placewise.estimates.hierarchy import Hierarchy
from placewise.estimates.passes import base_standard, work_on
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.summarise import Names, Summary, summarise

if TYPE_CHECKING:
    from placewise.estimates.benchmark import Benchmarked

THREADS = 2


class Source:
    """Projectors, the standard of the index, the full summary, each made when it is first needed."""

    def __init__(self, predictor: Predictor, estimand: int, standard: Standard | None, names: Names | None) -> None:
        self.predictor, self.estimand, self._standard, self.names = predictor, estimand, standard, names
        self.finish: Benchmarked | None = None

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
        with ThreadPoolExecutor(THREADS) as pool:
            return base_standard(work_on(self.people, pool, THREADS, None)).moved(-self.people.origin)

    @cached_property
    def summary(self) -> Summary:
        """Estimates of everything."""
        found = summarise(self.predictor, self.estimand, names=self.names, threads=THREADS)
        if self.finish is None or self.finish.mode != "exact" or self.finish.estimand != self.estimand:
            return found
        from placewise.estimates.exact_means import meet_exactly

        return replace(found, estimates=meet_exactly(found.estimates, self.finish))
