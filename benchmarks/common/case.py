"""A problem with a reference posterior, and how far another program's answer lies from it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common.generator import Spec, problem_of, simulate
from common.standard import standard
from placewise.models.engines import FitProblem
from placewise.surveys.outcome import Response

NAMED_AREAS = 200
PERSON = {"x1": 0.0, "age": 3, "eth": 0, "ten": 0, "age:eth": 15}
SMALLEST_SD = 0.01
NORMAL_90 = 3.2897  # width of a normal's central 90% in standard deviations
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class Case:
    """A bernoulli problem, the areas to be estimated and what is known of its posterior.

    Parameters
    ----------
    spec : Spec
        The model: names of the groups, priors.
    frame : DataFrame
        Respondents: ``y``, ``x1`` … and a column of codes for each group.
    areas : DataFrame
        Named areas (``area``) with one person type each: the same columns without ``y``.
    reference : DataFrame or None
        By parameter (``beta[x1]``, ``sd[la]``, ``eta[A000]``): mean, sd, q05, q50, q95.
    """

    spec: Spec
    frame: pd.DataFrame
    areas: pd.DataFrame
    reference: pd.DataFrame | None

    @property
    def columns(self) -> list[str]:
        """Fixed columns."""
        return [f"x{j + 1}" for j in range(self.spec.slopes)]

    @property
    def groups(self) -> list[str]:
        """Groups, all of them varying intercepts."""
        return [g.name for g in self.problem.design.groups]

    @property
    def problem(self) -> FitProblem:
        """For placewise."""
        y = self.frame["y"].to_numpy(np.float64)
        return problem_of(self.spec, self.frame, Response(y, np.ones(len(y), dtype=bool)))


def anchor_folder() -> Path | None:
    """Where the anchor P1 is, if it is there: ``PLACEWISE_SHARED`` or ``shared/data`` beside the repository."""
    folder = Path(os.environ.get("PLACEWISE_SHARED") or ROOT.parent / "shared" / "data") / "anchors" / "nuts"
    return folder if (folder / "P1.parquet").exists() else None


def anchor() -> Case:
    """P1: 30,000 respondents, 7,640 unknowns, its posterior by a long independent run of NUTS.

    Raises
    ------
    FileNotFoundError
        If the reference data are absent.
    """
    folder = anchor_folder()
    if folder is None:
        raise FileNotFoundError("anchors/nuts/P1.parquet: set PLACEWISE_SHARED to the folder of the reference data")
    named = {"ageeth": "age:eth"}
    frame = pd.read_parquet(folder / "P1.parquet").rename(columns=named).drop(columns="oa")
    areas = pd.read_parquet(folder / "P1.areas.parquet").rename(columns=named).drop(columns="n_resp")
    reference = pd.read_parquet(folder / "P1.reference.parquet").set_index("parameter")
    return Case(standard(len(frame)), frame, areas, reference.rename(index={"sd[ageeth]": "sd[age:eth]"}))


def generated(respondents: int, shrink: int, reference: str = "") -> Case:
    """A generated problem of the same kind, some of whose named areas have no respondent.

    Parameters
    ----------
    respondents : int
    shrink : int
        Divides the local authorities and MSOAs.
    reference : str
        CSV of the reference posterior, if there is one.
    """
    spec = dataclasses.replace(standard(respondents, shrink=shrink), cover=False)
    made = simulate(spec)
    at = np.unique(np.linspace(0, len(made.areas) - 1, NAMED_AREAS).astype(int))
    areas = made.areas.iloc[at].drop(columns="share").assign(**PERSON)
    areas["oac"] = np.arange(len(areas)) % 52
    areas.insert(0, "area", [f"A{k:03d}" for k in range(len(areas))])
    known = pd.read_csv(reference, index_col="parameter") if reference else None
    return Case(spec, made.frame, areas, known)


def load(source: Mapping[str, Any]) -> Case:
    """The anchor, or a generated case: ``{"respondents": …, "shrink": …, "reference": …}``."""
    return generated(**source) if source else anchor()


def summarise(case: Case, draws: Callable[[str], np.ndarray], labels: Mapping[str, list[str]]) -> pd.DataFrame:
    """Mean, sd and quantiles of slopes, sds and the named areas' η.

    Parameters
    ----------
    case : Case
    draws : callable
        Draws of ``intercept``, ``slopes``, ``sd_<group>`` and ``effect_<group>``; shape (S, …).
    labels : mapping of str to list of str
        By group: levels along the effects' last axis. Effects of other levels are drawn from normal(0, sd²).
    """
    rng = np.random.default_rng(1)
    slopes = draws("slopes")
    rows = {"intercept": draws("intercept")} | {f"beta[{x}]": slopes[:, j] for j, x in enumerate(case.columns)}
    eta = rows["intercept"][:, None] + slopes @ case.areas[case.columns].to_numpy(np.float64).T
    for group in case.groups:
        sd, effect = draws(f"sd_{group}"), draws(f"effect_{group}")
        rows[f"sd[{group}]"] = sd
        position = {label: k for k, label in enumerate(labels[group])}
        new: dict[str, np.ndarray] = {}
        for k, label in enumerate(case.areas[group].astype(str)):
            if label not in position and label not in new:
                new[label] = sd * rng.normal(size=len(sd))
            eta[:, k] += effect[:, position[label]] if label in position else new[label]
    rows |= {f"eta[{name}]": eta[:, k] for k, name in enumerate(case.areas["area"])}
    table = {"mean": [v.mean() for v in rows.values()], "sd": [v.std() for v in rows.values()]}
    table |= {f"q{q:02d}": [np.quantile(v, q / 100) for v in rows.values()] for q in (5, 50, 95)}
    return pd.DataFrame(table, index=pd.Index(list(rows), name="parameter"))


def distances(found: pd.DataFrame, reference: pd.DataFrame) -> dict[str, float]:
    """How far an answer lies from the reference, in the reference's posterior standard deviations.

    Parameters
    ----------
    found : DataFrame
        By parameter: ``mean`` and ``sd`` (missing where the program gives none), and ``q50`` of sds where it has one.
    reference : DataFrame
        By parameter: mean, sd, q05, q50, q95.

    Returns
    -------
    dict
        ``slopes`` and ``areas``: mean |difference of means| / sd. ``sds``: the same on the log scale, medians against
        the estimate, sds below .01 taken as .01, ``zero_sds`` of them. ``slopes_sd`` and ``areas_sd``: median ratio
        of posterior sds.
    """
    both = found.join(reference.add_suffix("_reference"), how="inner")
    result = {}
    for name, start in (("slopes", "beta["), ("areas", "eta[")):
        rows = both[both.index.str.startswith(start)]
        result[name] = float(((rows["mean"] - rows["mean_reference"]).abs() / rows["sd_reference"]).mean())
        result[f"{name}_sd"] = float((rows["sd"] / rows["sd_reference"]).median())
    sds = both[both.index.str.startswith("sd[")]
    known = reference.loc[sds.index]
    middle = sds["q50"].where(sds["q50"].notna(), sds["mean"]) if "q50" in found else sds["mean"]
    spread = np.log(known["q95"] / known["q05"]) / NORMAL_90
    apart = np.log(middle.clip(lower=SMALLEST_SD)) - np.log(known["q50"])
    return result | {"sds": float((apart.abs() / spread).mean()), "zero_sds": int((middle < SMALLEST_SD).sum())}
