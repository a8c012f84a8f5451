"""Correlated varying intercepts and slopes in the PyMC model.

The k effects of one level are D L z: D the diagonal of their sds, L the Cholesky factor of their correlations, z
standard normal. Given those before it, effect j is normal with mean sd_j Σ_{i<j} L_ji z_i and sd sd_j L_jj, so each z_j
is sampled as the effects of any group are, by what the respondents tell of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from placewise.models.correlations import partial_priors
from placewise.models.design import Design
from placewise.models.engines import FitProblem


def standard_form(name: str, r: Any, sd: Any, tuning: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
    """Effects over their sd, u / sd, from their sampled form r, and the log density of each r under u ~ normal(0, sd²).

    The ratio stays finite where the sd is fixed at 0.
    """
    information = pm.Data(f"information_{name}", tuning[f"information_{name}"])
    centre = pm.Data(f"centre_{name}", tuning[f"centre_{name}"])
    signal = information * sd**2
    ratio = centre * information * sd / (1.0 + signal) + r / pt.sqrt(1.0 + signal)
    return ratio, -0.5 * ratio**2 - 0.5 * pt.log1p(signal)


def correlation_coords(design: Design) -> dict[str, list[str]]:
    """Labels of the rows and columns of each correlation matrix: ``intercept``, or the column whose slope varies."""
    coords: dict[str, list[str]] = {}
    for block in design.correlated:
        groups = [design.groups[k] for k in block]
        terms = ["intercept" if group.by is None else group.by.name for group in groups]
        coords |= {f"{groups[0].dim}_term": terms, f"{groups[0].dim}_term2": terms}
    return coords


def correlated_effects(
    problem: FitProblem, sds: Mapping[str, Any], raw: Mapping[str, Any], tuning: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Effects of every group that is correlated with another, by name.

    Parameters
    ----------
    problem : FitProblem
    sds : mapping of str to tensor
        Of each group, one or one a level.
    raw : mapping of str to tensor
        Sampled forms that are whitened with others.
    tuning : mapping of str to ndarray
        The sampler's coordinates.
    """
    effects = {}
    for block in problem.design.correlated:
        groups = [problem.design.groups[k] for k in block]
        factor = _cholesky(groups[0].dim, len(groups), problem.priors.cor[groups[0].dim])
        normals = list[Any]()
        for j, group in enumerate(groups):
            r = raw.get(group.name)
            if r is None:
                r = pm.Flat(f"raw_{group.name}", shape=len(group.labels), initval=np.zeros(len(group.labels)))
            z, density = standard_form(group.name, r, sds[group.name] * factor[j][j], tuning)
            pm.Potential(f"prior_{group.name}", density.sum())
            normals.append(z)
            total = sum((weight * before for weight, before in zip(factor[j], normals, strict=True)), start=0.0)
            effects[group.name] = pm.Deterministic(f"effect_{group.name}", sds[group.name] * total, dims=group.dim)
    return effects


def _cholesky(factor: str, k: int, eta: float) -> list[list[Any]]:
    """Rows of the Cholesky factor under LKJ(η), each up to its diagonal, from independent partial correlations."""
    alpha = np.array(partial_priors(k, eta))
    partials = 2.0 * pm.Beta(f"partials_{factor}", alpha=alpha, beta=alpha, shape=len(alpha)) - 1.0
    rows, at = [[pt.as_tensor(1.0)]], 0
    for row in range(1, k):
        left, entries = pt.as_tensor(1.0), list[Any]()
        for _ in range(row):
            entries.append(partials[at] * left)
            left = left * pt.sqrt((1.0 - partials[at]) * (1.0 + partials[at]))
            at += 1
        rows.append([*entries, left])
    # exactly 1 on the diagonal, and the shorter of two rows ends at its own
    matrix = [
        [pt.as_tensor(1.0) if a is b else sum(x * y for x, y in zip(a, b, strict=False)) for b in rows] for a in rows
    ]
    dims = (f"{factor}_term", f"{factor}_term2")
    pm.Deterministic(f"cor_{factor}", pt.stack([pt.stack(row) for row in matrix]), dims=dims)
    return rows
