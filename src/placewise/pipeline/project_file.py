"""A project folder as typed data: ``placewise.toml`` and its model files, every problem in one error."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from placewise.errors import Problems, nearest
from placewise.models.model_file import read_model
from placewise.models.spec import ModelSpec
from placewise.pipeline.joint_table import read_joint
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.project_tables import PROJECT, TOP, groupings, read_areas, read_frame, read_surveys
from placewise.schema import Place, describe, expand, seed_number, walk
from placewise.surveys.spec import SurveySpec
from placewise.toml_file import plain, read_toml

PROJECT_FILE = "placewise.toml"
MODELS_FOLDER = "models"


@dataclass(frozen=True)
class _Overrides:
    """What the command line or the caller sets in place of the files."""

    engine: str | None
    outcomes: Sequence[str] | None
    seed: int | None
    out: Path | str | None


def read_project(
    path: Path | str,
    *,
    engine: str | None = None,
    outcomes: Sequence[str] | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
) -> ProjectSpec:
    """Read a project.

    Parameters
    ----------
    path : path
        The project's folder, or its project file where that is not called ``placewise.toml``.
    engine : str, optional
        Replaces every model's engine, before it is judged whether the engine exists.
    outcomes : sequence of str, optional
        Read these models only; none or an empty list stands for all.
    seed : int, optional
        Replaces ``project.seed``.
    out : path, optional
        Replaces ``project.out``; relative to the working directory, not to the project.

    Returns
    -------
    ProjectSpec

    Raises
    ------
    ConfigurationError
        With every problem of the settings, and every file that is absent.
    DataError
        Where the settings are right and only data files are absent.
    """
    spec, problems = collect(path, engine=engine, outcomes=outcomes, seed=seed, out=out)
    problems.raise_if_any()
    assert spec is not None
    return spec


def from_dict(
    tables: Mapping[str, Any],
    root: Path | str = ".",
    *,
    engine: str | None = None,
    outcomes: Sequence[str] | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
) -> ProjectSpec:
    """Read a project from tables in memory.

    Parameters
    ----------
    tables : mapping
        The project file's tables, and under ``models`` the model files' by outcome name; without it the model files
        of ``root``.
    root : path
        Folder against which paths are resolved.
    engine, outcomes, seed, out
        As in ``read_project``.

    Raises
    ------
    ConfigurationError, DataError
        As ``read_project``.
    """
    problems = Problems()
    raw = plain(tables)
    models = raw.pop(MODELS_FOLDER, None)
    place = Place("project", problems, Path(os.path.realpath(root)))
    spec = _read(raw, models, place, _Overrides(engine, outcomes, seed, out))
    problems.raise_if_any()
    assert spec is not None
    return spec


def collect(
    path: Path | str,
    *,
    engine: str | None = None,
    outcomes: Sequence[str] | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
) -> tuple[ProjectSpec | None, Problems]:
    """Read a project and every problem of its settings, raising nothing.

    Parameters
    ----------
    path, engine, outcomes, seed, out
        As in ``read_project``.

    Returns
    -------
    spec : ProjectSpec or None
        As much as could be read, for further checks; with any problem it must not be run. None where not even the
        table of areas is known.
    problems : Problems
        Everything that is wrong.
    """
    problems = Problems()
    given = Path(path)
    file = given / PROJECT_FILE if os.path.isdir(given) else given
    place = Place(file.name, problems)
    tables = read_toml(file, place)
    if tables is None:
        return None, problems
    place = replace(place, folder=Path(os.path.realpath(file.parent)))
    return _read(tables, None, place, _Overrides(engine, outcomes, seed, out)), problems


def to_tables(spec: ProjectSpec) -> dict[str, Any]:
    """The project as ``from_dict`` takes it: the tables as written, the models' under ``models``."""
    return {**spec.raw, MODELS_FOLDER: {name: dict(model.raw) for name, model in spec.models.items()}}


def to_toml(spec: ProjectSpec | ModelSpec) -> str:
    """The project file or the model file as TOML; reads back as the same tables (comments are not kept)."""
    return tomli_w.dumps(spec.raw)


def _read(tables: dict[str, Any], models: Any, place: Place, overrides: _Overrides) -> ProjectSpec | None:
    """Everything of a project that could be read; None where that does not even tell where its areas are."""
    top = walk(tables, TOP, place)
    project = walk(top["project"], PROJECT, place.at("project"))
    areas = None if top["areas"] is None else read_areas(top["areas"], place.at("areas"))
    frame = None if top["frame"] is None else read_frame(top["frame"], groupings(tables), place.at("frame"))
    surveys = {} if top["survey"] is None else read_surveys(top["survey"], groupings(tables), place.at("survey"))
    seed = project["seed"] if overrides.seed is None else seed_number(overrides.seed, Place("--seed", place.problems))
    out = _out(project["out"], overrides.out, place)
    names = tuple(top["survey"]) if isinstance(top["survey"], Mapping) else ()
    specs = _read_models(_model_tables(models, overrides.outcomes, place), names, surveys, overrides.engine, place)
    joint = read_joint(top["joint"], _known_models(models, place), overrides.outcomes, place)
    _check_population(specs, areas is not None and not areas.population and top["frame"] is None, place)
    if areas is None:
        return None
    name = project["name"] or place.folder.name or "project"
    return ProjectSpec(
        root=place.folder,
        name=name,
        title=project["title"] or name,
        seed=seed or 0,
        out=out or place.folder / "reports",
        areas=areas,
        surveys=surveys,
        models=specs,
        frame=frame,
        variables={k: v["order"] for k, v in (top["variables"] or {}).items()},
        index_base=(top["index"] or {}).get("base", {}),
        joint=joint if set(joint) <= set(specs) else (),
        raw=tables,
    )


def _out(written: Any, override: Path | str | None, place: Place) -> Path | None:
    """The output folder; it may lie anywhere but in the place of the project itself."""
    here = place.at("project").at("out")
    if override is not None:
        here = Place("--out", place.problems, Path.cwd())
        written = os.fspath(override)
    path = None if written is None else expand(written, here)
    if path is None:
        return None
    folder = Path(os.path.realpath(path))
    if os.path.exists(folder) and not os.path.isdir(folder):
        here.add(f"{os.fspath(written)!r} is a file, not a folder")
    if folder == place.folder or folder in place.folder.parents:
        here.add("results would lie among the project's own files", 'name a folder of their own, as in out = "reports"')
    return folder


def _model_tables(models: Any, outcomes: Sequence[str] | None, place: Place) -> dict[str, tuple[str, Any]]:
    """Label and raw tables of each model that is asked for, by outcome name; those that could be read."""
    if models is None:
        folder = place.folder / MODELS_FOLDER
        files = {f.name.removesuffix(".toml"): f for f in sorted(folder.glob("*.toml"))} if folder.is_dir() else {}
        if not files:
            place.problems.add(f"{MODELS_FOLDER}/", "there is no model file", f"looked for {folder / 'NAME.toml'}")
        chosen = _chosen(files, outcomes, place)
        read = {n: (f"{MODELS_FOLDER}/{f.name}", f) for n, f in files.items() if n in chosen}
        found = {n: (lab, read_toml(f, Place(lab, place.problems))) for n, (lab, f) in read.items()}
        return {n: pair for n, pair in found.items() if pair[1] is not None}
    if not isinstance(models, Mapping) or not models:
        got = describe(models) if models else "an empty one"
        place.at(MODELS_FOLDER).add(f"expected a table of models by outcome name, got {got}")
        return {}
    chosen = _chosen(models, outcomes, place)
    return {n: (f"{MODELS_FOLDER}.{n}", models[n]) for n in sorted(models) if n in chosen}


def _known_models(models: Any, place: Place) -> tuple[str, ...]:
    """Names of all models, whether they are asked for or not."""
    if models is None:
        return tuple(sorted(f.name.removesuffix(".toml") for f in (place.folder / MODELS_FOLDER).glob("*.toml")))
    return tuple(models) if isinstance(models, Mapping) else ()


def _chosen(known: Mapping[str, Any], outcomes: Sequence[str] | None, place: Place) -> set[str]:
    """Names of the models to read; notes outcomes that do not exist."""
    if not outcomes:
        return set(known)
    for name in outcomes:
        if name not in known:
            place.problems.add("--outcome", f"there is no outcome {name!r}", nearest(name, known))
    return set(outcomes) & set(known)


def _read_models(
    tables: Mapping[str, tuple[str, Any]],
    names: Sequence[str],
    surveys: Mapping[str, SurveySpec],
    engine: str | None,
    place: Place,
) -> dict[str, ModelSpec]:
    """Models by outcome name, those that could be read."""

    def names_of(survey: str) -> frozenset[str]:
        from placewise.surveys.readers import answer_names

        return answer_names(surveys[survey]) if survey in surveys else frozenset()

    specs = {}
    for name, (label, raw) in tables.items():
        spec = read_model(
            raw, name, label, place.problems, engine=engine, surveys=names, folder=place.folder, names_of=names_of
        )
        if spec is not None:
            specs[name] = spec
    return specs


def _check_population(models: Mapping[str, ModelSpec], without: bool, place: Place) -> None:
    """Note outcomes that ask for a finite population in a project that has none."""
    for name, model in models.items():
        if without and model.outcome.finite_population:
            place.problems.add(
                f"{MODELS_FOLDER}/{name}.toml: outcome.finite_population",
                "the project says nothing about how many people live in an area",
                "give areas.population or [frame]",
            )
