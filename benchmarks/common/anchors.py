"""Realistic problems whose posterior a long independent run of NUTS found: as problems for an engine, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import kurtosis

from common.case import anchor_folder
from placewise.errors import Problems
from placewise.kernels.mixing import ess_mean
from placewise.models.build import build_design
from placewise.models.engines import FitProblem
from placewise.models.fit import plan_of
from placewise.models.formula import parse_formula
from placewise.models.priors import parse_prior
from placewise.surveys.outcome import Response

NORMAL = {"intercept": "normal(0, 2.5)", "slope": "normal(0, 2.5)"}


@dataclass(frozen=True)
class Model:
    """What is fitted.

    Parameters
    ----------
    slopes : int
        Fixed columns, ``x1`` ….
    groups : tuple of str
        Varying intercepts.
    priors : mapping of str to str
        As a model file writes them.
    categories : int
        Of a cumulative outcome; 0 for a binary one.
    """

    slopes: int
    groups: tuple[str, ...]
    priors: dict[str, str]
    categories: int = 0

    @property
    def columns(self) -> list[str]:
        """Fixed columns."""
        return [f"x{j + 1}" for j in range(self.slopes)]

    @property
    def formula(self) -> str:
        """As a model file writes it."""
        return " + ".join([*self.columns, *(f"(1 | {g})" for g in self.groups)])


MODELS = {
    "P1": Model(9, ("age", "eth", "ten", "reg", "la", "oac", "ageeth", "msoa"), NORMAL | {"sd": "half_normal(0.5)"}),
    "P2": Model(
        4,
        ("age", "oac", "reg", "la", "msoa"),
        {"cutpoints": "normal(0, 3)", "slope": "normal(0, 1)", "sd": "gamma(2, 0.1)"},
        categories=5,
    ),
    "P4": Model(3, ("reg", "la", "oa"), NORMAL | {"sd": "gamma(2, 0.1)"}),
}


@dataclass(frozen=True, eq=False)
class Anchor:
    """A model, its data and its posterior.

    Parameters
    ----------
    model : Model
    frame : DataFrame
        Respondents: ``y``, fixed columns and codes of the groups.
    areas : DataFrame
        200 named areas (``area``) with one person type each, 30 of them without respondents: columns as in ``frame``.
    reference : DataFrame
        By parameter: ``in_data``, mean, sd, q05, q50, q95, mcse.
    """

    model: Model
    frame: pd.DataFrame
    areas: pd.DataFrame
    reference: pd.DataFrame

    def labels(self, group: str) -> list[str]:
        """Levels of one group that the reference knows."""
        return list(self.reference.index.to_series().str.extract(rf"^u\[{group}\]\[(\w+)\]$", expand=False).dropna())

    @property
    def problem(self) -> FitProblem:
        """For an engine."""
        model, problems = self.model, Problems()
        design = build_design(
            parse_formula(model.formula, "anchor", problems),
            respondents=self.frame,
            area=np.full(len(self.frame), -1),
            areas=None,
            frame=None,
            reference={},
            orders={},
            standardise=False,
            cumulative=model.categories > 0,
            problems=problems,
        )
        parsed = {key: parse_prior(text, key, problems) for key, text in model.priors.items()}
        problems.raise_if_any()
        priors = {key: prior for key, prior in parsed.items() if prior is not None}
        if design is None:
            raise ValueError(f"no design of {model.formula}")
        levels = tuple(str(k + 1) for k in range(model.categories))
        y = self.frame["y"].to_numpy(np.int64 if levels else np.float64)
        response = Response(y, np.ones(len(y), dtype=bool), levels=levels)
        family = "cumulative" if levels else "bernoulli"
        return FitProblem(design, response, family, plan_of(design, response, family, priors=priors))


def read(name: str, folder: Path | None = None) -> Anchor:
    """One of ``MODELS`` with its data.

    Raises
    ------
    FileNotFoundError
        If the reference data are absent.
    """
    folder = folder or anchor_folder()
    if folder is None:
        raise FileNotFoundError(
            f"anchors/nuts/{name}.parquet: set PLACEWISE_SHARED to the folder of the reference data"
        )
    model = MODELS[name]
    codes = dict.fromkeys(model.groups, str)
    frame, areas = (pd.read_parquet(folder / f"{name}{part}.parquet").astype(codes) for part in ("", ".areas"))
    reference = pd.read_parquet(folder / f"{name}.reference.parquet").set_index("parameter")
    return Anchor(model, frame, areas, reference)


def summarise(anchor: Anchor, posterior: Any) -> pd.DataFrame:
    """What an engine found of every parameter of the reference.

    Parameters
    ----------
    anchor : Anchor
    posterior : Dataset
        Variables of an engine, with dimensions chain and draw.

    Returns
    -------
    DataFrame
        By parameter: mean, sd, q05, q50, q95, ess (of the mean), sd_error (standard error of sd over sd, as if the ess
        were that of the squares).
    """
    draws = posterior.sizes["draw"] * posterior.sizes["chain"]
    # the weights of one point of the design are common to its draws: its own ESS is that of the hyperparameters
    known = {
        hyper: min(draws, posterior.attrs[key])
        for hyper, key in ((True, "design_ess"), (False, "importance_ess"))
        if key in posterior.attrs
    }
    tables = []
    for names, values in quantities(anchor, posterior):
        flat = values.reshape(-1, len(names))
        ess = known[names[0].startswith("sd[")] if known else ess_mean(values)
        table = {"mean": flat.mean(axis=0), "sd": flat.std(axis=0), "ess": ess}
        table["sd_error"] = np.sqrt(0.25 * (kurtosis(flat, axis=0, fisher=False) - 1.0) / ess)
        table |= dict(zip(("q05", "q50", "q95"), np.quantile(flat, (0.05, 0.5, 0.95), axis=0), strict=True))
        tables.append(pd.DataFrame(table, index=pd.Index(names, name="parameter")))
    found = pd.concat(tables)
    return found.loc[anchor.reference.index.intersection(found.index)]


def quantities(anchor: Anchor, posterior: Any) -> Iterator[tuple[list[str], np.ndarray]]:
    """Names of some parameters and their draws, shape (chains, draws, k).

    Effects of levels without respondents are drawn from normal(0, sd²).
    """
    model, areas = anchor.model, anchor.areas
    rng = np.random.default_rng(1)

    def draws(name: str) -> np.ndarray:
        return np.asarray(posterior[name], dtype=np.float64)

    slopes = draws("slopes")
    yield [f"beta[{c}]" for c in model.columns], slopes
    eta = slopes @ areas[model.columns].to_numpy(np.float64).T
    if model.categories:
        yield [f"cut[{k + 1}]" for k in range(model.categories - 1)], draws("cutpoints")
    else:
        yield ["intercept"], draws("intercept")[..., None]
        eta += draws("intercept")[..., None]
    for group in model.groups:
        sd, effect = draws(f"sd_{group}"), draws(f"effect_{group}")
        yield [f"sd[{group}]"], sd[..., None]
        met = {str(label): k for k, label in enumerate(posterior[group].values)}
        new = [label for label in anchor.labels(group) if label not in met]
        effect = np.concatenate([effect, sd[..., None] * rng.standard_normal((*sd.shape, len(new)))], axis=2)
        position = met | {label: len(met) + k for k, label in enumerate(new)}
        yield [f"u[{group}][{label}]" for label in position], effect
        eta += effect[..., [position[label] for label in areas[group]]]
    yield [f"eta[{name}]" for name in areas["area"]], eta
    if not model.categories:
        yield [f"p[{name}]" for name in areas["area"]], expit(eta)
        return
    below = expit(draws("cutpoints")[:, :, None, :] - eta[..., None])
    shares = np.diff(below, axis=3, prepend=0.0, append=1.0)
    names = [f"p[{name}][{k}]" for name in areas["area"] for k in range(model.categories)]
    yield names, shares.reshape(*shares.shape[:2], -1)
