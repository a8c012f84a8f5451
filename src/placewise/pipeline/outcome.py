"""One outcome on its way through the stages: what is known so far, each thing made when it is first needed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from placewise.models.spec import ModelSpec
from placewise.pipeline import atomic
from placewise.pipeline.inputs import Digests, stage_prints
from placewise.pipeline.load import OutcomeData, ProjectInputs
from placewise.pipeline.modelling import plan, predict
from placewise.pipeline.progress import Reporter
from placewise.pipeline.stages import Record, Stage, StageStore

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.models.fit import Posterior

# They tell of all outcomes: gone before any outcome changes, the manifest first, written again at the end.
TOP_FILES = ("manifest.json", "metadata.json", "index.html")


@dataclass(frozen=True)
class Work:
    """What the outcomes of a run share.

    Parameters
    ----------
    inputs : ProjectInputs
        Areas, frame and surveys, each read once.
    digests : Digests
        Of the input files.
    draws : int
        Posterior draws to keep.
    jobs : int
        Processes at the same time.
    reporter : Reporter
        Says what happens.
    scheduler : str or None
        Of the workers that estimate areas; None: threads of this process.
    """

    inputs: ProjectInputs
    digests: Digests
    draws: int
    jobs: int
    reporter: Reporter
    scheduler: str | None = None


class OutcomeRun:
    """One outcome in one run.

    Parameters
    ----------
    work : Work
        Shared by the outcomes.
    model : ModelSpec
        The outcome's model file.
    fresh : bool
        Nothing on disk is taken to be up to date.
    """

    def __init__(self, work: Work, model: ModelSpec, fresh: bool = False) -> None:
        self.work = work
        self.model = model
        self.name = model.outcome.name
        self.spec = work.inputs.spec
        self.reporter = work.reporter
        self.store = StageStore(self.spec.out, self.name, work.reporter.warn)
        self.prints = stage_prints(self.spec, model, work.digests, work.draws)
        self.facts: dict[Stage, Mapping[str, Any]] = {}
        self._fresh = fresh
        self._made: dict[Stage, Record] = {}
        self._began: dict[Stage, float] = {}

    def record(self, stage: Stage) -> Record | None:
        """The stage's record where it need not be computed, else None."""
        if stage in self._made or self._fresh:
            return self._made.get(stage)
        return self.store.current(stage, self.prints[stage])

    def begin(self, stage: Stage) -> None:
        """Start the stage's clock."""
        self._began[stage] = time.monotonic()

    def invalidate(self, stage: Stage) -> None:
        """Remove the results of a stage and of all that follow, and the pages that speak of them."""
        for name in TOP_FILES:
            atomic.remove(self.spec.out / name)
        self.store.invalidate(stage)

    def finish(self, stage: Stage) -> Record:
        """Record a stage that has done its work."""
        record = self.store.finish(stage, self.prints[stage], self._began[stage], self.facts[stage])
        self._made[stage] = record
        return record

    @cached_property
    def data(self) -> OutcomeData:
        """Areas, frame, respondents, design and response."""
        return self.work.inputs.outcome(self.model)

    @cached_property
    def posterior(self) -> Posterior:
        """Posterior of this run, or as an earlier run left it."""
        from placewise.models import inference
        from placewise.models.fit import Posterior

        return Posterior(inference.load(self.store.folder / "posterior.nc"), plan(self.model, self.data))

    @cached_property
    def predictor(self) -> Predictor:
        """Everything from which the draws of any area can be made."""
        return predict(self.model, self.data, self.posterior, self.spec.seed)

    def forget(self) -> None:
        """Let go of what takes memory."""
        for name in ("data", "posterior", "predictor"):
            self.__dict__.pop(name, None)
