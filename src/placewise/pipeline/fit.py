"""A fitted model in the hands of a researcher."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from placewise.errors import ConfigurationError, Problem, nearest
from placewise.models.spec import ModelSpec
from placewise.pipeline import benchmarks, interrupt, modelling
from placewise.pipeline.load import OutcomeData

if TYPE_CHECKING:
    import pandas as pd

    from placewise.diagnostics.convergence import Diagnostics
    from placewise.estimates.draws import AreaDraws
    from placewise.frame.cells import Frame
    from placewise.models.design import Design
    from placewise.models.fit import Posterior
    from placewise.surveys.outcome import Response


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """One outcome, fitted.

    Parameters
    ----------
    model : ModelSpec
        What was fitted.
    design : Design
        The formula on the data.
    response : Response
        The answers.
    fitted : Posterior
        Posterior and the priors used.
    seed : int
        Seed of the engine and of the projection.
    data : OutcomeData or None
        Areas and frame; None for data without an areas table.
    """

    model: ModelSpec
    design: Design
    response: Response
    fitted: Posterior
    seed: int
    data: OutcomeData | None = None

    def __repr__(self) -> str:
        """One line; no value of any respondent."""
        outcome, draws = self.model.outcome, self.fitted.n_draws
        answers = ", ".join(outcome.items) or outcome.response
        return f"<Fit of {answers}: {outcome.family}, {self.design.n:,} rows, {draws:,} draws>"

    @property
    def posterior(self) -> Any:
        """ArviZ InferenceData: groups ``posterior`` and ``sample_stats``."""
        return self.fitted.idata

    def diagnose(self) -> Diagnostics:
        """Whether the draws can be relied on, by the checks of the engine that made them."""
        from placewise.diagnostics.convergence import diagnose

        return diagnose(self.posterior, private=self.design.geography)

    def summary(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Posterior summary, one row a parameter.

        Parameters
        ----------
        names : sequence of str, optional
            Variables of the posterior; default all but the effects of groups.

        Returns
        -------
        DataFrame
            ``mean, sd, q05, q50, q95, mcse, ess_bulk, ess_tail, rhat``.

        Raises
        ------
        ConfigurationError
            A name is no variable of the posterior.
        """
        from placewise.models import inference

        known = [str(name) for name in self.posterior["posterior"].data_vars]
        chosen = [name for name in known if not name.startswith("effect_")] if names is None else list(names)
        for name in chosen:
            if name not in known:
                raise ConfigurationError(Problem("summary", f"there is no variable {name!r}", nearest(name, known)))
        return inference.summary_table(self.posterior, chosen)

    def project(self, estimand: str = "", frame: Frame | None = None) -> AreaDraws:
        """Draws of every area, sampled or not, made on demand; moved to published figures where the model file says so.

        Parameters
        ----------
        estimand : str
            Name of one of several estimands; default the primary one.
        frame : Frame, optional
            In the place of the project's: one of ``Project.frames``.

        Raises
        ------
        ConfigurationError
            The data have no areas table, there is no such estimand, or the frame has other cells than the project's.
        """
        if self.data is None:
            raise ConfigurationError(
                Problem("project", "there is no areas table to project to", "fit through a Project")
            )
        data = self.data if frame is None else replace(self.data, frame=frame)
        if frame is not None and (self.data.frame is None or not frame.cells.equals(self.data.frame.cells)):
            raise ConfigurationError(
                Problem("project", "the frame has other cells than the fit's project", "take one of project.frames()")
            )
        names = [e.name for e in self.model.outcome.estimands]
        if estimand and estimand not in names:
            raise ConfigurationError(Problem("project", f"there is no estimand {estimand!r}", nearest(estimand, names)))
        from placewise.estimates.draws import AreaDraws
        from placewise.estimates.source import THREADS

        predictor = modelling.predict(self.model, data, self.fitted, self.seed)
        areas = AreaDraws(predictor, estimand=names.index(estimand) if estimand else 0, names=data.areas.names)
        if not self.model.benchmark:
            return areas
        return areas.after(benchmarks.benchmarked(self.model, data, predictor, THREADS))


def make_fit(
    model: ModelSpec,
    design: Design,
    response: Response,
    data: OutcomeData | None,
    *,
    draws: int,
    seed: int,
    jobs: int,
) -> Fit:
    """Fit a model whose data are ready."""
    with interrupt.watched():
        posterior = modelling.sample(
            model,
            design,
            response,
            data.areas.code if data is not None else None,
            draws=draws,
            seed=seed,
            jobs=jobs,
            progress=sys.stderr.isatty(),
            tell=lambda sentence: warnings.warn(sentence, UserWarning, stacklevel=2),
        )
        interrupt.raise_if_asked()
    return Fit(model, design, response, posterior, seed, data)
