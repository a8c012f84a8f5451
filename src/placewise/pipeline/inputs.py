"""What each stage of an outcome depends on, as fingerprints."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from placewise.models.spec import ModelSpec
from placewise.pipeline.fingerprint import code_digest, file_digest, fingerprint, library_versions
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.stages import Stage
from placewise.surveys.sources import survey_files
from placewise.surveys.spec import SurveySpec

# Parts of placewise whose code decides what a stage computes, beyond those of the stages before it.
CODE: Mapping[Stage, tuple[str, ...]] = {
    "data": ("geography", "surveys", "frame", "kernels/raking.py"),
    "fit": (
        "kernels",
        "models",
        *(f"pipeline/{name}.py" for name in ("answered", "fitting", "load", "modelling", "widened")),
    ),
    "joint": ("pipeline/joint.py",),
    "sensitivity": (
        "estimates",
        "diagnostics",
        *(f"pipeline/{name}.py" for name in ("answers", "predictive", "sensitivity", "weighting")),
    ),
    "diagnose": (
        "estimates",
        "diagnostics",
        *(f"pipeline/{name}.py" for name in ("answers", "baselines", "conflict", "diagnosing")),
        *(f"pipeline/{name}.py" for name in ("predictive", "prior_predictive")),
    ),
    "project": (
        *(f"publish/{name}.py" for name in ("ranked", "tables")),
        *(f"pipeline/{name}.py" for name in ("benchmarks", "steps")),
    ),
    "publish": ("publish", "pipeline"),
}


def input_files(spec: ProjectSpec, model: ModelSpec) -> tuple[Path, ...]:
    """Every file that the results of one outcome are made from, the configuration apart."""
    shown = (*spec.areas.neighbours.values(), *(g.table for g in spec.areas.geometry.values()))
    return tuple(dict.fromkeys((*_data_files(spec, model), *_targets(model), *shown)))


class Digests:
    """SHA-256 of input files, each file read once a run."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, str] = {}

    def of(self, files: tuple[Path, ...]) -> dict[str, str]:
        """Digests by path relative to the project; an empty text for a file that is not there."""
        for path in files:
            if path not in self._known:
                self._known[path] = file_digest(path) if path.is_file() else ""
        return {self.name(path): self._known[path] for path in files}

    def name(self, path: Path) -> str:
        """The path as it is shown: relative to the project's folder, with forward slashes."""
        return Path(os.path.relpath(path, self._root)).as_posix()


def source_print(spec: ProjectSpec, model: ModelSpec, digests: Digests) -> str:
    """Fingerprint of all a user has written about one outcome: files, project file, model file."""
    files = list(digests.of(input_files(spec, model)).values())
    others = _members(spec, model)
    project = dataclasses.replace(
        spec, root=Path(), out=Path(), models={}, raw={}, surveys=_surveys(spec, model), joint=tuple(others)
    )
    beside = {
        name: (_likelihood(other), _surveys(spec, other), list(digests.of(_data_files(spec, other)).values()))
        for name, other in others.items()
    }
    return fingerprint(project=project, model=dataclasses.replace(model, raw={}), files=files, beside=beside)


def _members(spec: ProjectSpec, model: ModelSpec) -> dict[str, ModelSpec]:
    """The outcomes with which one is modelled together, itself among them; none where it is by itself."""
    return {name: spec.models[name] for name in spec.joint} if model.outcome.name in spec.joint else {}


def stage_prints(spec: ProjectSpec, model: ModelSpec, digests: Digests, draws: int) -> dict[Stage, str]:
    """Fingerprint of each stage; each holds the fingerprint of the stage before it.

    The coupling of outcomes holds those of all their fits.
    """
    code = {stage: code_digest(*packages) for stage, packages in CODE.items()}
    data, fit = _fit_prints(spec, model, digests, draws, code)
    members = _members(spec, model)
    fits = {name: _fit_prints(spec, other, digests, draws, code)[1] for name, other in members.items()}
    joint = fingerprint(fits=fits, order=list(fits), code=code["joint"]) if members else fit
    # nothing to be out of date where it is not asked for
    tried = {"estimands": _projection(model), "code": code["sensitivity"]} if model.sensitivity else None
    sensitivity = fingerprint(fit=fit, tried=tried)
    diagnose = fingerprint(fit=joint, estimands=_projection(model), sensitivity=sensitivity, code=code["diagnose"])
    targets = list(digests.of(_targets(model)).values())
    project = fingerprint(diagnose=diagnose, benchmark=model.benchmark, targets=targets, code=code["project"])
    publish = fingerprint(project=project, source=source_print(spec, model, digests), code=code["publish"])
    return {
        "data": data,
        "fit": fit,
        "joint": joint,
        "sensitivity": sensitivity,
        "diagnose": diagnose,
        "project": project,
        "publish": publish,
    }


def _fit_prints(
    spec: ProjectSpec, model: ModelSpec, digests: Digests, draws: int, code: Mapping[Stage, str]
) -> tuple[str, str]:
    """Fingerprints of an outcome's data and fit."""
    data = fingerprint(
        areas=spec.areas,
        frame=spec.frame,
        surveys=_surveys(spec, model),
        variables=spec.variables,
        base=spec.index_base,
        files=list(digests.of(_data_files(spec, model)).values()),
        # what the data are checked against
        model=_likelihood(model),
        code=code["data"],
        versions=library_versions(),
    )
    together = model.outcome.name in spec.joint
    return data, fingerprint(data=data, seed=spec.seed, draws=draws, joint=together, code=code["fit"])


def _data_files(spec: ProjectSpec, model: ModelSpec) -> tuple[Path, ...]:
    files = [spec.areas.table, *(join.table for join in spec.areas.join)]
    files += [path for level, path in spec.areas.neighbours.items() if model.structure.get(level) == "bym2"]
    if spec.frame is not None:
        files += spec.frame.files
    surveys = _surveys(spec, model).values()
    files += [path for survey in surveys for path in survey_files(survey)]
    files += [survey.recode for survey in surveys if survey.recode is not None]
    return tuple(dict.fromkeys(files))


def _surveys(spec: ProjectSpec, model: ModelSpec) -> dict[str, SurveySpec]:
    return {name: spec.surveys[name] for name in model.outcome.surveys if name in spec.surveys}


def _likelihood(model: ModelSpec) -> ModelSpec:
    """The model without what only its projection and its report depend on: a new title refits nothing."""
    outcome = dataclasses.replace(
        model.outcome,
        title="",
        question="",
        wordings={},
        item_wordings={},
        estimands=(),
        higher_is_better=True,
        finite_population=None,
    )
    return dataclasses.replace(model, outcome=outcome, raw={}, benchmark={}, sensitivity=False)


def _projection(model: ModelSpec) -> tuple[object, ...]:
    outcome = model.outcome
    return (outcome.estimands, outcome.higher_is_better, outcome.finite_population)


def _targets(model: ModelSpec) -> tuple[Path, ...]:
    return (model.benchmark["targets"],) if model.benchmark else ()
