"""Slopes shrunk together in the PyMC model: R2D2 and the regularised horseshoe give each slope a learned sd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from placewise.models.engines import FitProblem
from placewise.models.engines.shrinkage import CONCENTRATION, SLAB_DF, SLAB_SCALE, ShrinkageScales, shrinkage_scales


def shrunk_sds(problem: FitProblem, sigma: Any | None) -> Any | None:
    """The sd of every slope, shape (p,); ones where a slope has a prior of its own; None without such a prior.

    Parameters
    ----------
    problem : FitProblem
    sigma : variable or None
        The residual sd, where it is a parameter.
    """
    plan = problem.priors
    if plan.shrinkage is None:
        return None
    shrunk = np.array([prior is None for prior in plan.slopes])
    sds = (_r2d2 if plan.shrinkage.name == "r2d2" else _horseshoe)(
        plan.shrinkage.args, int(shrunk.sum()), shrinkage_scales(problem), sigma
    )
    return ~shrunk + np.eye(len(shrunk))[:, shrunk] @ sds


def _r2d2(args: tuple[float, ...], count: int, scales: ShrinkageScales, sigma: Any | None) -> Any:
    mean, precision = args
    r2 = pm.Beta("slope_r2", alpha=np.float64(mean * precision), beta=np.float64((1.0 - mean) * precision))
    split = pm.Dirichlet("slope_split", a=np.full(count, CONCENTRATION))
    unit = scales.unit if sigma is None else sigma
    return unit * pt.sqrt(split * r2 / (1.0 - r2))


def _horseshoe(args: tuple[float, ...], count: int, scales: ShrinkageScales, sigma: Any | None) -> Any:
    (p0,) = args
    noise = scales.noise if sigma is None else scales.noise * sigma
    raw = pm.HalfCauchy("raw_slope_scale", beta=np.float64(1.0))
    tau = pm.Deterministic("slope_scale", raw * (p0 / (count - p0)) * noise)
    local = pm.HalfCauchy("raw_slope_local", beta=np.float64(1.0), shape=count)
    shape, scale = SLAB_DF / 2.0, SLAB_DF / 2.0 * (SLAB_SCALE * scales.unit) ** 2
    slab = pm.InverseGamma("raw_slope_slab", alpha=np.float64(shape), beta=np.float64(scale))
    return tau * local * pt.sqrt(slab / (slab + (tau * local) ** 2))
