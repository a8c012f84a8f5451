"""One outcome on its way through the stages: what is known so far, each thing made when it is first needed."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from placewise.models.spec import ModelSpec
from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import file_digest
from placewise.pipeline.inputs import Digests, stage_prints
from placewise.pipeline.joint import FILE, Joint
from placewise.pipeline.load import OutcomeData, ProjectInputs
from placewise.pipeline.modelling import plan, predict
from placewise.pipeline.progress import Reporter
from placewise.pipeline.stages import STAGES, Record, Stage, StageStore
from placewise.pipeline.widened import widened

if TYPE_CHECKING:
    from placewise.estimates.predictor import Predictor
    from placewise.models.fit import Posterior

# They tell of all outcomes: gone before any outcome changes, the manifest first, written again at the end.
TOP_FILES = ("manifest.json", "metadata.json", "index.html")
# Each thread holds a block of draws and its copies, some 100 MB: the national run must stay under 2 GiB.
MOST_THREADS = 4


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

    @property
    def threads(self) -> int:
        """Threads that draw areas at the same time."""
        return min(self.jobs, MOST_THREADS)


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
        # set where it is modelled together with others
        self.joint: Joint | None = None
        self._fresh = fresh
        self._made: dict[Stage, Record] = {}
        self._seconds: dict[Stage, float] = {}

    def record(self, stage: Stage) -> Record | None:
        """The stage's record where it need not be computed, else None."""
        if stage in self._made or self._fresh:
            return self._made.get(stage)
        record = self.store.current(stage, self.prints[stage])
        if record is None or stage != "joint":
            return record
        common = self.spec.out / FILE
        return record if common.is_file() and file_digest(common) == record.facts.get("digest") else None

    def made(self, stage: Stage) -> bool:
        """Whether this run computed the stage."""
        return stage in self._made

    @property
    def together(self) -> bool:
        """Whether it is modelled together with other outcomes."""
        return self.name in self.spec.joint

    def stages(self, until: Stage) -> tuple[Stage, ...]:
        """The stages it has, up to one; the fit of an outcome that is modelled with others ends with their coupling."""
        last = STAGES.index("joint" if until == "fit" else until)
        return tuple(stage for stage in STAGES[: last + 1] if stage != "joint" or self.together)

    def perform(self, stage: Stage, step: Callable[[OutcomeRun], Mapping[str, Any]]) -> None:
        """Do a stage's work and keep its facts; it may be recorded later, when others' work is done too."""
        began = time.monotonic()
        self.facts[stage] = step(self)
        self._seconds[stage] = time.monotonic() - began

    def invalidate(self, stage: Stage) -> None:
        """Remove the results of a stage and of all that follow, and the pages that speak of them."""
        for name in TOP_FILES:
            atomic.remove(self.spec.out / name)
        self.store.invalidate(stage)

    def finish(self, stage: Stage) -> Record:
        """Record a stage that has done its work."""
        record = self.store.finish(stage, self.prints[stage], self._seconds[stage], self.facts[stage])
        self._made[stage] = record
        return record

    @cached_property
    def data(self) -> OutcomeData:
        """Areas, frame, respondents, design and response."""
        data = self.work.inputs.outcome(self.model)
        return widened(data, self.spec) if self.together else data

    @cached_property
    def posterior(self) -> Posterior:
        """Posterior of this run, or as an earlier run left it."""
        return self._load("posterior.nc")

    @cached_property
    def separate(self) -> Posterior:
        """Posterior of its own fit, before it was coupled with others; the same where it is by itself."""
        return self._load("separate.nc") if self.together else self.posterior

    def _load(self, name: str) -> Posterior:
        from placewise.models import inference
        from placewise.models.fit import Posterior

        return Posterior(inference.load(self.store.folder / name), plan(self.model, self.data))

    def alone(self) -> OutcomeRun:
        """The outcome as its own fit sees it."""
        if not self.together:
            return self
        other = copy.copy(self)
        other.__dict__["posterior"] = self.separate
        other.__dict__.pop("predictor", None)
        return other

    @cached_property
    def predictor(self) -> Predictor:
        """Everything from which the draws of any area can be made."""
        return predict(self.model, self.data, self.posterior, self.spec.seed)

    def forget(self) -> None:
        """Let go of what takes memory."""
        for name in ("data", "posterior", "separate", "predictor"):
            self.__dict__.pop(name, None)
