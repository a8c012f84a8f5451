"""What is published of a scale: each person's own part of the trait integrated out, in a form that kernels can sum.

The expected score of a person whose linear predictor is η is G(η) = E S(η + z), z ~ normal(0, 1), with S(t) the mean
of the items' expected categories at trait t. In each draw G is a smooth step, and a sum of logistic functions of one
slope κ at equally spaced cutpoints comes as near to it as is asked, G(η) ≈ constant + Σ_j w_j logit⁻¹(c_j − κ η): the
gaussian in G leaves little that a finer spacing would be needed for. Cutpoints and slope are those of all draws, the
weights of each draw are found by least squares; the limits at both ends are exact. E S² gives the variance of persons
in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from placewise.estimates.predictor import Estimand
from placewise.models.fit import Posterior
from placewise.models.spec import EstimandSpec
from placewise.surveys.instruments import Instruments

# largest error of a value, over the range of what it can be, wherever η lies between the ends; its square needs less
TOLERANCE, OF_SQUARE = 3e-7, 3e-6
# the kernel takes four cutpoints at a time
STEP_OF_CUTS, FEWEST_CUTS, MOST_CUTS = 4, 8, 192
# cutpoints reach further than η; their distance, and that of one more at each end, in units of the logistic function:
# of the settings tried the one with the fewest cutpoints whose weights add up to less than twice the range
MARGIN, SPACING, LAST = 2.0, 0.8, 3.0
# where η lies further out than was met, the fit is held loosely
OUTSIDE, LOOSE = 2.0, 1e-2
POINTS = 601
# logits: no person is further out, and the kernel holds η to little more; draws of wide priors may be
FURTHEST_ETA = 30.0
# a person's own part
FURTHEST = 8.0
COARSEST = 0.25


def scale_estimands(
    specs: Sequence[EstimandSpec], instruments: Instruments, posterior: Posterior, reach: tuple[float, float]
) -> tuple[Estimand, ...]:
    """Estimands of a scale, of its reference survey.

    Parameters
    ----------
    specs : sequence of EstimandSpec
        ``score`` (or ``mean``): the mean category, scored 1..K, of the items; ``share`` of categories of one item;
        ``latent``: η itself.
    instruments : Instruments
        Items and their categories, and which of them the reference survey asked.
    posterior : Posterior
        S draws of ``cutpoints`` and ``discrimination``.
    reach : tuple of float
        Interval in which η lies. Beyond 30 either way curves run to their ends, which are exact, without being fitted.

    Raises
    ------
    ValueError
        No sum of logistic functions is near enough.
    """
    low, high = np.clip(reach, (-FURTHEST_ETA, 1.0 - FURTHEST_ETA), (FURTHEST_ETA - 1.0, FURTHEST_ETA))
    reach = (float(low), float(high))
    return tuple(
        Estimand(spec.name, "latent", "identity")
        if spec.kind == "latent"
        else _estimand(spec, instruments, posterior, reach)
        for spec in specs
    )


def _estimand(
    spec: EstimandSpec, instruments: Instruments, posterior: Posterior, reach: tuple[float, float]
) -> Estimand:
    lower, steps = _steps(spec, instruments)
    upper = lower + float(steps.sum())
    used = np.flatnonzero(steps)
    item = np.repeat(np.arange(len(instruments.names)), np.diff(instruments.cuts))[used]
    steepness = posterior.draws("discrimination").T[item]
    eta, of_persons, t = _persons(reach, float(steepness.max()))
    curve = _curve(t, steepness, posterior.draws("cutpoints").T[used], steps[used]) + lower
    share = spec.kind == "share"
    wanted = [of_persons @ curve] + ([] if share else [of_persons @ curve**2])
    ends = [(lower, upper)] + ([] if share else [(lower**2, upper**2)])
    slope, cuts, weights = _fitted(eta, wanted, ends, reach)
    return Estimand(
        spec.name,
        "share" if share else "mean",
        "logit",
        constant=upper,
        weights=weights[0],
        constant2=0.0 if share else upper**2,
        weights2=np.empty(0) if share else weights[1],
        cuts=np.repeat(cuts[:, None], curve.shape[1], axis=1),
        lower=0.0 if share else lower,
        upper=1.0 if share else upper,
        slope=slope,
    )


def _steps(spec: EstimandSpec, instruments: Instruments) -> tuple[float, np.ndarray]:
    """The value below all cutpoints, and what each cutpoint adds to it, shape (C,)."""
    steps = np.zeros(int(instruments.cuts[-1]))
    if spec.kind == "share":
        item = instruments.named(spec.item, instruments.surveys[0])
        chosen = np.array([category in spec.categories for category in instruments.levels[item]], dtype=np.float64)
        steps[instruments.cuts[item] : instruments.cuts[item + 1]] = np.diff(chosen)
        return float(chosen[0]), steps
    asked = np.flatnonzero(instruments.asked[0])
    for m in asked:
        steps[instruments.cuts[m] : instruments.cuts[m + 1]] = 1.0 / len(asked)
    return 1.0, steps


def _persons(reach: tuple[float, float], steepest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of η, the trapezoidal rule of a mean over persons at each, (P, T), and the traits that it is over.

    The integrand's poles are at a distance π / a from the real line: spacing 1 / a leaves an error of e^(−2 π²).
    """
    eta = np.linspace(reach[0] - OUTSIDE, reach[1] + OUTSIDE, POINTS)
    t = np.arange(eta[0] - FURTHEST, eta[-1] + FURTHEST, min(COARSEST, 1.0 / steepest))
    density = np.exp(-0.5 * (t - eta[:, None]) ** 2)
    return eta, density / density.sum(axis=1, keepdims=True), t


def _curve(t: np.ndarray, steepness: np.ndarray, cuts: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """What cutpoints add to the value at traits t, in each draw; shape (T, S)."""
    found = np.zeros((len(t), cuts.shape[1]))
    for a, c, step in zip(steepness, cuts, steps, strict=True):
        found += step * expit(a * t[:, None] - c)
    return found


def _fitted(
    eta: np.ndarray, wanted: list[np.ndarray], ends: list[tuple[float, float]], reach: tuple[float, float]
) -> tuple[float, np.ndarray, list[np.ndarray]]:
    """Slope, cutpoints (J,) and weights (J, S) of each function, with no more cutpoints than needed."""
    inside = (eta >= reach[0]) & (eta <= reach[1])
    hold = np.where(inside, 1.0, LOOSE)[:, None]
    for count in range(FEWEST_CUTS, MOST_CUTS + 1, STEP_OF_CUTS):
        inner = np.linspace(reach[0] - MARGIN, reach[1] + MARGIN, count - 2)
        slope = SPACING / float(inner[1] - inner[0])
        at = np.concatenate([[inner[0] - LAST / slope], inner, [inner[-1] + LAST / slope]])
        below = expit(slope * (at - eta[:, None]))
        # the last weight is what the others leave of the distance between the ends
        others = below[:, :-1] - below[:, -1:]
        solve = np.linalg.pinv(others * hold)
        weights, near = [], True
        for value, (low, high), most in zip(wanted, ends, (TOLERANCE, OF_SQUARE), strict=False):
            rest = value - high - (low - high) * below[:, -1:]
            found = solve @ (rest * hold)
            near &= bool(np.abs(others @ found - rest)[inside].max() <= most * max(high - low, 1.0))
            weights.append(np.concatenate([found, low - high - found.sum(axis=0, keepdims=True)]))
        if near:
            return slope, slope * at, weights
    raise ValueError(f"{MOST_CUTS} cutpoints do not reach from {reach[0]:.3g} to {reach[1]:.3g}")
