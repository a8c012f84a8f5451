"""Whether what is published would be much the same with weighted answers or with other priors, as checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from placewise.diagnostics.convergence import Check, Verdict

# posterior sds that the weighted fit may differ by; gradient beyond which a prior is taken to matter; part of itself by
# which the share of clear areas may change as the prior's weight doubles
SHIFT, POWER, SHARE = 0.5, 0.05, 0.1
MOST_NAMED = 5
# told where a figure that has no uncertainty moves: JSON has no infinity
FIXED = 999.0


def shift_in_sds(other: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(mean of ``other`` − mean of ``draws``) / sd of ``draws`` along the last axis; 0 where both are one number."""
    move = other.mean(axis=-1) - draws.mean(axis=-1)
    sd = draws.std(axis=-1)
    # a figure without uncertainty that moves at all has moved beyond it
    return np.asarray(np.where(sd > 0, move / np.where(sd > 0, sd, 1.0), np.sign(move) * FIXED))


def by_chance(kish: float) -> float:
    """Share of figures that weights move by more than ``SHIFT`` though they tell nothing of the answers.

    The weighted and the unweighted mean of the same answers differ by chance with variance 1 / kish − 1 in units of the
    unweighted one's (Hausman 1978), and figures drawn towards others by less: an upper bound.

    Parameters
    ----------
    kish : float
        (Σ w)² / (n Σ w²), 1 where all weights are equal.
    """
    sd = np.sqrt(max(1.0 / kish - 1.0, 0.0))
    return float(2.0 * stats.norm.sf(SHIFT / sd)) if sd > 0 else 0.0


def weights_checks(weights: Mapping[str, Any] | None, level: str) -> list[Check]:
    """Checks of the weighted fit beside the unweighted one; none where it was not made.

    Parameters
    ----------
    weights : mapping or None
        ``national``, ``largest`` (shifts in posterior sds), ``moved`` (codes), ``areas``, ``chance`` (how many of them
        would move by chance); or ``failed``, why there is no fit.
    level : str
        What the areas are.
    """
    if weights is None:
        return []
    if "failed" in weights:
        sentence = f"The fit with survey weights failed: {weights['failed']}."
        return [Check("weights: national", None, SHIFT, "warn", sentence)]
    national = float(weights["national"])
    verdict: Verdict = "warn" if abs(national) > SHIFT else "pass"
    found = [
        Check(
            "weights: national",
            abs(national),
            SHIFT,
            verdict,
            f"With survey weights the national figure is {abs(national):.2g} posterior sds "
            f"{'higher' if national > 0 else 'lower'}.",
        )
    ]
    if weights["areas"]:
        moved, areas = list(weights["moved"]), int(weights["areas"])
        largest = float(weights["largest"])
        found.append(
            Check(
                "weights: areas",
                abs(largest),
                SHIFT,
                "warn" if moved else "pass",
                f"With survey weights {len(moved)} of {areas} areas of {level} differ by more than "
                f"{SHIFT:g} posterior sds; by chance alone up to {weights['chance']:.2g} would.",
                tuple(moved[:MOST_NAMED]),
            )
        )
    return found


def power_verdict(value: float) -> dict[str, Any]:
    """Whether a figure leans on the priors: the gradient of its distribution beside the threshold."""
    return {"value": value, "threshold": POWER, "leans": bool(value > POWER)}


def share_verdict(down: float, share: float, up: float, doublings: float) -> dict[str, Any]:
    """The same for a share that is of the whole posterior: its relative change as the prior's weight doubles.

    Parameters
    ----------
    down, share, up : float
        The share with the prior to a power below 1, to 1, and to a power above 1.
    doublings : float
        log₂ of the ratio of the powers.
    """
    change = abs(up - down) / doublings
    value = change / share if share > 0 else float(change > 0)
    return {"value": value, "threshold": SHARE, "leans": bool(value > SHARE)}
