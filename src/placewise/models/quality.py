"""What an approximate engine measured of itself, and whether its draws can stand for the exact posterior.

Each draw is a proposal that was kept in proportion to its importance weight, exact density over the proposal's. The
Pareto k of the weights and their effective size tell whether the correction worked (Vehtari et al. 2024, Pareto
smoothed importance sampling); R-hat cannot, since the draws are independent by construction. Several proposals are
made at each point of a design over the hyperparameters and share them, so the points' weights are measured as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from placewise.models import inference

KHAT = 0.7
KHAT_NEAR = 0.5
IMPORTANCE_ESS = 400.0
DESIGN_ESS = 100.0
MEASURES = ("khat", "importance_ess", "design_ess")


@dataclass(frozen=True)
class Measured:
    """An approximate engine's own measures.

    Parameters
    ----------
    khat : float
        Pareto k of the weights of the design's points; NaN where it could not be found.
    importance_ess : float
        Kish's effective number of all proposals, (Σ w)² / Σ w².
    design_ess : float
        The same of the points of the design, each with the sum of its proposals' weights.
    separated : tuple of str
        Names of the fixed columns whose slopes the answers push to infinity, so that only the prior holds them.
    proposals, design_points : int or None
        How many there are of either; None where the draws do not say.
    """

    khat: float
    importance_ess: float
    design_ess: float
    separated: tuple[str, ...] = ()
    proposals: int | None = None
    design_points: int | None = None


def measured(idata: inference.InferenceData) -> Measured | None:
    """The engine's measures, None where the draws are not an approximate engine's or lack them."""
    attrs = idata["posterior"].attrs
    if attrs.get("engine") != "laplace" or not set(MEASURES) <= set(attrs):
        return None
    separated = tuple(map(str, json.loads(str(attrs.get("separated", "[]")))))
    khat, importance_ess, design_ess = (float(attrs[name]) for name in MEASURES)
    proposals, points = (int(attrs[name]) if name in attrs else None for name in ("proposals", "design_points"))
    return Measured(khat, importance_ess, design_ess, separated, proposals, points)


def quality(idata: inference.InferenceData) -> tuple[str, ...]:
    """Why an approximate engine's draws cannot be relied on, a clause each; empty where they can.

    Separation is no reason, though it fails the checks: an exact engine would find the same posterior.
    """
    found = measured(idata)
    if found is None:
        return ("it measured nothing of its own quality",)
    reasons = []
    # written so that NaN fails
    if not found.khat < KHAT:
        reasons.append(f"the Pareto k of its importance weights is {found.khat:.2f} and must be below {KHAT:g}")
    if not found.importance_ess >= IMPORTANCE_ESS:
        reasons.append(
            f"its importance weights are worth {found.importance_ess:,.0f} draws and must be worth {IMPORTANCE_ESS:g}"
        )
    if not found.design_ess >= DESIGN_ESS:
        reasons.append(
            f"its hyperparameters rest on {found.design_ess:,.0f} effective points and must rest on {DESIGN_ESS:g}"
        )
    if not all(bool(values.all()) for values in inference.finite(idata).values()):
        reasons.append("some of its draws are not finite numbers")
    return tuple(reasons)


def engine_of(idata: inference.InferenceData) -> str:
    """Name of the engine whose draws these are; empty where the posterior does not say."""
    return str(idata["posterior"].attrs.get("engine", ""))


def escalation(idata: inference.InferenceData) -> str:
    """One sentence on why another engine was tried and set aside; empty where none was."""
    attrs = idata["posterior"].attrs
    if "escalated_from" not in attrs:
        return ""
    return (
        f"The fast engine ({attrs['escalated_from']}) was tried first and set aside: {attrs['escalation_reason']}. "
        f"The figures are from the exact engine ({attrs['engine']})."
    )
