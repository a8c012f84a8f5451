"""The release: a folder from which the draws of any set of areas can be made again, to the last bit.

``areas.parquet`` holds codes, levels, classes, population, base and names; ``arrays.npz`` every array, uncompressed and
without pickles; ``labels.parquet`` the levels of each effect, so that a coarser release can drop some of them and draw
their effects anew; ``release.json`` all else, and the digest of each file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from placewise.errors import DataError, Problem, Problems
from placewise.estimates.arrays import read_arrays, write_arrays
from placewise.estimates.describe import Standard
from placewise.estimates.predictor import Effect, Estimand, Kind, Link, Predictor
from placewise.estimates.release_files import FACTS, FORMAT, digests, read_facts
from placewise.estimates.summarise import Names
from placewise.geography.centroids import Centroids

_PLAIN = ("intercept", "beta", "area_x", "cell_x", "area_varies", "cell_varies", "indptr", "cell", "count", "specific")
_EFFECT = (
    "draws",
    "sd",
    "area_index",
    "cell_index",
    "lookup",
    "area_x",
    "cell_x",
    "loading",
    "met",
    "scale",
    "scale_class",
    "below_sd",
    "squares",
    "parent",
    "share",
)
_ESTIMAND = ("weights", "weights2", "cuts", "sigma", "deviations")


@dataclass(frozen=True, eq=False)
class Release:
    """A release read back.

    Parameters
    ----------
    predictor : Predictor
    standards : tuple of Standard
        What the index of each estimand is measured against.
    failed : bool
        Whether the fit failed its own checks.
    names : mapping of level to mapping of code to name
        What areas are called; levels without names are left out.
    centroids : Centroids or None
        Where the people of each small area live, where the project says.
    """

    predictor: Predictor
    standards: tuple[Standard, ...]
    failed: bool = False
    names: Names = field(default_factory=dict)
    centroids: Centroids | None = None


def write_release(
    folder: str | Path,
    predictor: Predictor,
    standards: tuple[Standard, ...],
    failed: bool = False,
    names: Names | None = None,
    centroids: Centroids | None = None,
) -> None:
    """Write a release into an existing, empty folder.

    Parameters
    ----------
    folder : path
    predictor : Predictor
        The one from which estimates were made: the same arrays are stored.
    standards : tuple of Standard
        For each estimand, mean and sd of the base's small areas in each draw (``Summary.standard``).
    failed : bool
        Whether the fit failed its own checks: what is made from the release then bears the mark too.
    names : mapping of level to mapping of code to name, optional
        What areas are called.
    centroids : Centroids, optional
        Of the small areas: what polygons of the user's are matched by.
    """
    if len(standards) != len(predictor.estimands):
        raise ValueError(f"{len(standards)} standards for {len(predictor.estimands)} estimands")
    folder = Path(folder)
    _areas(predictor, names or {}, centroids).to_parquet(folder / "areas.parquet", index=False)
    _labels(predictor).to_parquet(folder / "labels.parquet", index=False)
    write_arrays(folder / "arrays.npz", _arrays(predictor, standards))
    facts = _facts(predictor) | {"failed_checks": failed, "sha256": digests(folder)}
    facts |= {} if centroids is None else {"centroid_epsg": centroids.epsg}
    text = json.dumps(facts, indent=1, sort_keys=True, allow_nan=False)
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")


def read_release(folder: str | Path, facts: Mapping[str, Any] | None = None) -> Release:
    """Read a release and check it.

    Parameters
    ----------
    folder : path
        ``<outcome>/release`` of a run.
    facts : mapping, optional
        What ``read_facts`` found there, where the files have been checked already.

    Raises
    ------
    DataError
        Missing, altered or inconsistent files.
    """
    folder = Path(folder)
    facts = read_facts(folder) if facts is None else facts
    areas = pd.read_parquet(folder / "areas.parquet")
    labels = pd.read_parquet(folder / "labels.parquet")
    arrays = read_arrays(folder / "arrays.npz")
    try:
        release = _rebuild(facts, areas, labels, arrays)
    except (KeyError, TypeError, ValueError) as error:
        problem = Problem(str(folder / FACTS), f"the release is incomplete: {error}", "make it again", kind="data")
        raise DataError(problem) from error
    _check(folder, release)
    return release


def _areas(predictor: Predictor, names: Names, centroids: Centroids | None) -> pd.DataFrame:
    """Codes, levels, classes, population, base, centroids, and the names of levels that have any."""
    table = {"code": predictor.codes.astype(str)}
    table |= {f"level:{name}": values.astype(str) for name, values in predictor.levels.items()}
    table |= {f"class:{name}": values.astype(str) for name, values in predictor.classes.items()}
    numbers = {"population": predictor.population.astype(np.float64), "base": predictor.base.astype(bool)}
    codes = {predictor.code: predictor.codes, **predictor.levels}
    called = {
        f"name:{level}": np.array([names[level].get(code, code) for code in own], dtype=str)
        for level, own in codes.items()
        if names.get(level)
    }
    if centroids is not None:
        numbers |= {"x": centroids.points[:, 0], "y": centroids.points[:, 1]}
    return pd.DataFrame(table | numbers | called)


def _labels(predictor: Predictor) -> pd.DataFrame:
    """Levels of each effect, those with posterior draws first."""
    effects = predictor.effects
    size = [len(e.all_labels) for e in effects]
    return pd.DataFrame(
        {
            "effect": np.repeat(np.arange(len(effects)), size),
            "label": pd.Series([label for e in effects for label in e.all_labels], dtype="str"),
        }
    )


def _arrays(predictor: Predictor, standards: tuple[Standard, ...]) -> dict[str, np.ndarray]:
    """Every array by name; absent ones are left out."""
    found: dict[str, np.ndarray | None] = {name: getattr(predictor, name) for name in _PLAIN}
    for k, effect in enumerate(predictor.effects):
        found |= {f"effect{k}.{name}": getattr(effect, name) for name in _EFFECT}
    for k, (estimand, standard) in enumerate(zip(predictor.estimands, standards, strict=True)):
        found |= {f"estimand{k}.{name}": getattr(estimand, name) for name in _ESTIMAND}
        found |= {f"estimand{k}.base_mean": standard.mean, f"estimand{k}.base_sd": standard.sd}
    return {name: np.asarray(value) for name, value in found.items() if value is not None}


def _facts(predictor: Predictor) -> dict[str, Any]:
    """What is neither an array nor a label."""
    return {
        "format": FORMAT,
        "seed": predictor.seed,
        "code": predictor.code,
        "levels": list(predictor.levels),
        "classes": list(predictor.classes),
        "finite_population": bool(predictor.finite_population),
        "polarity": int(predictor.polarity),
        "effects": [
            {"name": e.name, "with_draws": len(e.labels), "along": list(e.along), "within": e.within}
            for e in predictor.effects
        ],
        "estimands": [
            {
                "name": e.name,
                "kind": e.kind,
                "link": e.link,
                "constant": float(e.constant),
                "constant2": float(e.constant2),
                "lower": float(e.lower) if np.isfinite(e.lower) else None,
                "upper": float(e.upper) if np.isfinite(e.upper) else None,
                "slope": float(e.slope),
            }
            for e in predictor.estimands
        ],
    }


def _rebuild(
    facts: Mapping[str, Any], areas: pd.DataFrame, labels: pd.DataFrame, arrays: Mapping[str, np.ndarray]
) -> Release:
    """Predictor and standards from what was stored."""

    def text(column: str) -> np.ndarray:
        return areas[column].to_numpy(dtype=object)

    words = labels["label"].to_numpy(dtype=object)
    owner = labels["effect"].to_numpy()
    effects = []
    for k, fact in enumerate(facts["effects"]):
        own = {name: arrays.get(f"effect{k}.{name}") for name in _EFFECT}
        effects.append(_effect(fact, tuple(words[owner == k]), own))
    estimands, standards = [], []
    for k, fact in enumerate(facts["estimands"]):
        estimands.append(_estimand(fact, {name: arrays.get(f"estimand{k}.{name}") for name in _ESTIMAND}))
        standards.append(Standard(arrays[f"estimand{k}.base_mean"], arrays[f"estimand{k}.base_sd"], facts["polarity"]))
    predictor = Predictor(
        seed=int(facts["seed"]), codes=text("code"), code=facts["code"],
        levels={name: text(f"level:{name}") for name in facts["levels"]},
        classes={name: text(f"class:{name}") for name in facts["classes"]},
        population=areas["population"].to_numpy(dtype=np.float64), base=areas["base"].to_numpy(dtype=bool),
        effects=tuple(effects), estimands=tuple(estimands), finite_population=bool(facts["finite_population"]),
        polarity=int(facts["polarity"]), **{name: arrays[name] for name in _PLAIN},
    )  # fmt: skip
    names = {
        level: dict(zip(own, text(f"name:{level}"), strict=True))
        for level, own in {predictor.code: predictor.codes, **predictor.levels}.items()
        if f"name:{level}" in areas
    }
    centroids = None
    if "centroid_epsg" in facts:
        centroids = Centroids(areas[["x", "y"]].to_numpy(dtype=np.float64), int(facts["centroid_epsg"]))
    return Release(predictor, tuple(standards), bool(facts.get("failed_checks", False)), names, centroids)


def _effect(fact: Mapping[str, Any], labels: tuple[str, ...], arrays: Mapping[str, np.ndarray | None]) -> Effect:
    """One effect from what was stored."""
    given: dict[str, Any] = {name: array for name, array in arrays.items() if array is not None}
    needed = {"draws", "sd", "lookup"} | ({"loading"} if fact["along"] else set())
    if needed - given.keys():
        raise ValueError(f"arrays of effect {fact['name']!r} are missing")
    for absent in ("area_index", "cell_index"):
        given.setdefault(absent, None)
    known = labels[: fact["with_draws"]]
    within, along = fact.get("within", ""), tuple(fact["along"])
    return Effect(fact["name"], known, all_labels=labels, along=along, within=within, **given)


def _estimand(fact: Mapping[str, Any], arrays: Mapping[str, np.ndarray | None]) -> Estimand:
    """One estimand from what was stored."""
    if fact["kind"] not in get_args(Kind) or fact["link"] not in get_args(Link):
        raise ValueError(f"unknown estimand: {fact['kind']!r}, {fact['link']!r}")
    lower, upper = fact["lower"], fact["upper"]
    given: dict[str, Any] = {name: array for name, array in arrays.items() if array is not None}
    return Estimand(
        fact["name"], fact["kind"], fact["link"], constant=fact["constant"], constant2=fact["constant2"],
        lower=-np.inf if lower is None else lower, upper=np.inf if upper is None else upper,
        slope=fact.get("slope", 1.0), **given,
    )  # fmt: skip


def _check(folder: Path, release: Release) -> None:
    """Shapes that must agree, all problems at once."""
    p, found = release.predictor, Problems()
    n, s, cells, columns = len(p.codes), p.n_draws, len(p.cell_x), p.beta.shape[0]
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
        "beta": (p.beta.shape, (columns, s)),
        "area_x": (p.area_x.shape, (n, columns)),
        "cell_x": (p.cell_x.shape, (cells, columns)),
        "indptr": (p.indptr.shape, (n + 1,)),
        "count": (p.count.shape, p.cell.shape),
    }
    for k, effect in enumerate(p.effects):
        shapes[f"effect{k}.draws"] = (effect.draws.shape, (len(effect.labels), s))
        shapes[f"effect{k}.sd"] = (effect.sd.shape, (s,))
        if effect.met is not None:
            shapes[f"effect{k}.met"] = (effect.met.shape, (len(effect.labels),))
        _in_range(f"effect{k}.lookup", effect.lookup, len(effect.all_labels), found)
        if effect.area_index is not None:
            shapes[f"effect{k}.area_index"] = (effect.area_index.shape, (n,))
            _in_range(f"effect{k}.area_index", effect.area_index, len(effect.lookup), found)
        if effect.cell_index is not None:
            shapes[f"effect{k}.cell_index"] = (effect.cell_index.shape, (cells,))
            _in_range(f"effect{k}.cell_index", effect.cell_index, effect.lookup.shape[1], found)
        if effect.area_x is not None:
            shapes[f"effect{k}.area_x"] = (effect.area_x.shape, (n,))
        if effect.cell_x is not None:
            shapes[f"effect{k}.cell_x"] = (effect.cell_x.shape, (cells,))
        if effect.loading is not None:
            shapes[f"effect{k}.loading"] = (effect.loading.shape, (s, len(effect.along) + 1))
        shapes |= _shapes_below(k, effect, p, found)
        if effect.scale is not None and effect.scale_class is not None:
            shapes[f"effect{k}.scale"] = (effect.scale.shape, (len(effect.scale), s))
            shapes[f"effect{k}.scale_class"] = (effect.scale_class.shape, (len(effect.all_labels),))
            _in_range(f"effect{k}.scale_class", effect.scale_class, len(effect.scale), found)
    for k, estimand in enumerate(p.estimands):
        if estimand.weights.ndim == 2:
            shapes |= {
                f"estimand{k}.{name}": (getattr(estimand, name).shape, (len(estimand.cuts), s))
                for name in ("weights", "weights2")
                if name == "weights" or estimand.kind == "mean"
            }
        if estimand.deviations is not None:
            shapes[f"estimand{k}.deviations"] = (estimand.deviations.shape, (len(estimand.cuts), len(p.specific), s))
    for k, standard in enumerate(release.standards):
        shapes[f"estimand{k}.base_mean"] = (standard.mean.shape, (s,))
    for name, (got, expected) in shapes.items():
        if got != expected:
            found.add(str(folder / "arrays.npz"), f"{name} has shape {got}, expected {expected}", kind="data")
    _in_range("cell", p.cell, cells, found)
    _in_range("specific", p.specific, columns, found)
    if not (p.indptr[0] == 0 and p.indptr[-1] == len(p.cell) and (np.diff(p.indptr) >= 0).all()):
        found.add("indptr", "it does not divide the frame's entries among the areas", kind="data")
    found.raise_if_any()


def _shapes_below(
    k: int, effect: Effect, predictor: Predictor, found: Problems
) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Shapes of what areas below the level of the respondents' link need, as got and as expected."""
    levels = (len(effect.all_labels),)
    wanted = {"below_sd": effect.sd.shape, "squares": levels, "parent": levels, "share": levels}
    given = {name: getattr(effect, name) for name in wanted}
    above = next((e for e in predictor.effects if effect.within and e.name == effect.within), None)
    if effect.within and (above is None or effect.parent is None or effect.share is None):
        found.add(f"effect{k}", f"what it needs of {effect.within!r} is missing", kind="data")
    elif above is not None and effect.parent is not None:
        _in_range(f"effect{k}.parent", effect.parent, len(above.all_labels), found)
    return {f"effect{k}.{name}": (a.shape, wanted[name]) for name, a in given.items() if a is not None}


def _in_range(name: str, index: np.ndarray, size: int, found: Problems) -> None:
    """Every position must lie inside what it points to: kernels do not check."""
    if index.size and (index.min() < 0 or index.max() >= size):
        found.add(name, f"positions from {index.min()} to {index.max()}, expected 0 to {size - 1}", kind="data")
