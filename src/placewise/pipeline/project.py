"""A project folder in the hands of a researcher."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.frame.spec import RakedFrameSpec
from placewise.pipeline.fit import Fit, make_fit
from placewise.pipeline.load import ProjectInputs
from placewise.pipeline.project_file import from_dict, read_project, to_tables
from placewise.pipeline.project_spec import ProjectSpec

if TYPE_CHECKING:
    from placewise.frame.cells import Frame
    from placewise.frame.uncertain import Noise


class Project:
    """A project: its areas, surveys and models.

    Parameters
    ----------
    path : path
        ``placewise.toml`` or its folder.

    Attributes
    ----------
    spec : ProjectSpec
        Everything the files say, as typed data.

    Raises
    ------
    ConfigurationError, DataError
        Every problem of the settings.

    Examples
    --------
    >>> fit = Project("placewise.toml").fit("belonging")  # doctest: +SKIP
    >>> fit.project().aggregate("lad").index().summary()  # doctest: +SKIP
    """

    def __init__(self, path: str | Path = ".") -> None:
        self.spec = read_project(path)

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any], root: str | Path = ".") -> Project:
        """A project from the tables of its files.

        Parameters
        ----------
        tables : mapping
            The project file's tables, and under ``models`` the model files' by outcome name.
        root : path
            Folder against which paths are resolved.
        """
        project = cls.__new__(cls)
        project.spec = from_dict(tables, root)
        return project

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes."""
        return tuple(self.spec.models)

    def to_dict(self) -> dict[str, Any]:
        """The tables of the project's files, as ``from_dict`` takes them."""
        return to_tables(self.spec)

    def fit(
        self,
        outcome: str,
        *,
        engine: str | None = None,
        draws: int = 2000,
        seed: int | None = None,
        jobs: int | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Fit:
        """Fit one outcome; nothing is written.

        Parameters
        ----------
        outcome : str
            Name of the outcome.
        engine : str, optional
            Instead of the model file's.
        draws : int
            Posterior draws to keep.
        seed : int, optional
            Instead of the project's.
        jobs : int, optional
            Chains or threads at the same time; default all cores.
        changes : mapping, optional
            Keys of the model file's table ``[model]`` that are to differ, such as ``{"formula": "deprivation"}``.

        Raises
        ------
        ConfigurationError, DataError
            Every problem of the outcome and its data.
        """
        if outcome not in self.spec.models:
            raise ConfigurationError(
                Problem("fit", f"there is no outcome {outcome!r}", nearest(outcome, self.spec.models))
            )
        if outcome in self.spec.joint:
            warnings.warn(
                f"{outcome} is one of [joint] outcomes and is fitted by itself here: placewise run couples them",
                UserWarning,
                stacklevel=2,
            )
        spec = self._changed(outcome, engine, seed, changes or {})
        model = spec.models[outcome]
        data = ProjectInputs(spec).outcome(model)
        return make_fit(
            model,
            data.design,
            data.response,
            data,
            draws=draws,
            seed=spec.seed,
            jobs=jobs or os.cpu_count() or 1,
        )

    def frames(self, fit: Fit, noise: Noise, replicates: int) -> Iterator[Frame]:
        """Raked frames whose uncertain margins are drawn anew, each for ``fit.project(frame=...)``.

        Parameters
        ----------
        fit : Fit
            Of this project: its areas, cells and seed are taken.
        noise : mapping of str to CellNoise or SampleNoise
            By margin, as ``"age"`` or ``"sex × age"``; margins that are not named stay as published.
        replicates : int
            Number of frames.

        Raises
        ------
        ConfigurationError, DataError
            The frame is not raked from margins, or cannot be.
        """
        from placewise.frame.raking import read_raking
        from placewise.frame.uncertain import replicates as drawn

        spec, data = self.spec.frame, fit.data
        if not isinstance(spec, RakedFrameSpec) or data is None or data.frame is None:
            raise ConfigurationError(
                Problem("frames", "the project's frame is not raked from margins", "give [frame] margins")
            )
        problems = Problems()
        raking = read_raking(spec, data.areas, data.areas.code, set(data.frame.cells.columns), problems)
        problems.raise_if_any()
        assert raking is not None
        return drawn(raking, noise, replicates, fit.seed)

    def _changed(self, outcome: str, engine: str | None, seed: int | None, changes: Mapping[str, Any]) -> ProjectSpec:
        tables = self.to_dict()
        model = tables["models"][outcome]
        changed = {**model, "model": {**model["model"], **changes}}
        tables["models"] = {outcome: changed}
        tables.pop("joint", None)
        return from_dict(tables, self.spec.root, engine=engine, seed=seed)
