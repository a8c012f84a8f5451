"""Scales of the priors that shrink all slopes together: what they take from the data besides the slopes themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.models.engines import FitProblem

# of the regularising slab, a student_t on each slope (Piironen and Vehtari 2017, section 2.3)
SLAB_DF = 4.0
SLAB_SCALE = 1.0
# weight of each slope in the Dirichlet split of the explained variance (brms: cons_D2)
CONCENTRATION = 0.5


@dataclass(frozen=True)
class ShrinkageScales:
    """Scales that the priors multiply.

    Parameters
    ----------
    unit : float
        Size of one unit of a slope: sd(y) for gaussian outcomes, 1 on the logit and log scales.
    noise : float
        Pseudo residual sd over √n: 1 / √(Fisher information of all answers about a common shift of η). Where σ is a
        parameter: 1/√n, to be multiplied by it.
    """

    unit: float
    noise: float


def shrinkage_scales(problem: FitProblem) -> ShrinkageScales:
    """Scales of ``r2d2`` and ``horseshoe`` for one outcome.

    ``horseshoe(p0)``: β_j ~ normal(0, τ² λ̃_j²), λ̃_j² = c² λ_j² / (c² + τ² λ_j²), λ_j ~ half-Cauchy(1), c² ~
    inv_gamma(2, 2 unit²), τ ~ half-Cauchy(p0 / (D − p0) noise) for D slopes (Piironen and Vehtari 2017, equations 2.8,
    3.12; the pseudo variance of section 3.5 for outcomes without σ).

    ``r2d2(mean_r2, precision)``: β_j ~ normal(0, φ_j R² / (1 − R²) σ²), R² ~ beta(mean_r2 precision, (1 − mean_r2)
    precision), φ ~ Dirichlet(0.5 …); ``unit`` takes the place of σ where that is no parameter (Zhang et al. 2022, as
    in brms).
    """
    rows = problem.rows
    if problem.family != "gaussian":
        return ShrinkageScales(1.0, float(rows.information.sum() ** -0.5))
    unit = float(np.std(problem.response.y))
    if problem.priors.sigma is None:
        return ShrinkageScales(unit, float(rows.information.sum() ** -0.5))
    return ShrinkageScales(unit, float(rows.weight.sum() ** -0.5))
