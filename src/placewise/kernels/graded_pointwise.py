"""Answers to items of a scale, one draw after another: a person's log likelihood, and an answer's mean and variance.

L(μ) = ∫ φ(t − μ) Π_m P(y_m | t) dt by the trapezoidal rule on a fixed grid of t, as in ``placewise.kernels.graded``,
which has the derivatives too.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel
from placewise.kernels.graded import half_width, weigh

# spacing of the grid: in sds of what answers leave open, and between which bounds
SPACING, FINEST, COARSEST = 0.75, 0.02, 0.5
# points by which an answer's mean is tabulated over μ, and nodes of the rule
_POINTS, _NODE = 241, 0.5


@kernel
def _spacing(answers: np.ndarray, discrimination: np.ndarray) -> float:
    """Spacing that serves every person: answers leave of their variance 1 no less than 1 / (1 + Σ a²/3)."""
    most = 0.0
    for i in range(answers.shape[0]):
        own = 0.0
        for m in range(answers.shape[1]):
            if answers[i, m] >= 0:
                own += discrimination[m] ** 2
        most = max(most, own)
    spacing: float = min(max(SPACING / np.sqrt(1.0 + most / 3.0), FINEST), COARSEST)
    return spacing


@kernel
def person_log_likelihood(
    answers: np.ndarray, cuts: np.ndarray, cutpoints: np.ndarray, discrimination: np.ndarray, mu: np.ndarray
) -> np.ndarray:
    """Log likelihood of each person's answers, the person's own part integrated out.

    Parameters
    ----------
    answers : ndarray of int8, shape (n, M)
        Category of each answer, -1 for none.
    cuts : ndarray of int64, shape (M + 1,)
        First cutpoint of each item, and their number C.
    cutpoints : ndarray of float64, shape (D, C)
        c in P(y > k) = logit⁻¹(a t − c_k), in each draw.
    discrimination : ndarray of float64, shape (D, M)
        a.
    mu : ndarray of float64, shape (D, n)
        Mean of each person's trait, whose variance is 1.

    Returns
    -------
    ndarray of float64, shape (D, n)
    """
    n_items, out = answers.shape[1], np.empty(mu.shape)
    for d in range(mu.shape[0]):
        step = _spacing(answers, discrimination[d])
        half, constant = half_width(step), np.log(step) - 0.5 * np.log(2.0 * np.pi)
        share = np.empty(2 * half + 1)
        first = int(np.floor(mu[d].min() / step)) - half - 1
        last = int(np.ceil(mu[d].max() / step)) + half + 1
        table = np.empty((cuts[n_items] + n_items, last - first + 1))
        for m in range(n_items):
            n_cut = cuts[m + 1] - cuts[m]
            for g in range(table.shape[1]):
                above = 1.0
                for k in range(n_cut + 1):
                    over = 0.0
                    if k < n_cut:
                        over = 1.0 / (
                            1.0 + np.exp(cutpoints[d, cuts[m] + k] - discrimination[d, m] * step * (first + g))
                        )
                    table[cuts[m] + m + k, g] = above - over
                    above = over
        for i in range(mu.shape[1]):
            lo = int(np.rint(mu[d, i] / step)) - half - first
            total = weigh(answers[i], cuts, step, step * (first + lo) - mu[d, i], lo, table, share)
            out[d, i] = np.log(total) + constant
    return out


@kernel
def answer_means(cutpoints: np.ndarray, discrimination: np.ndarray, mu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the answer to one item, categories scored 1..K, and of its square.

    Parameters
    ----------
    cutpoints : ndarray of float64, shape (D, K - 1)
        As in ``person_log_likelihood``.
    discrimination : ndarray of float64, shape (D,)
    mu : ndarray of float64, shape (D, r)

    Returns
    -------
    mean, square : ndarray of float64, shape (D, r)
        Interpolated between points: with five categories and a of 3 over a range of 10 the mean errs by 6e-5, the
        square by 5e-4.
    """
    n_cut, half = cutpoints.shape[1], 12
    mean, square, weight = np.empty(mu.shape), np.empty(mu.shape), np.empty(2 * half + 1)
    for j in range(len(weight)):
        weight[j] = np.exp(-0.5 * (_NODE * (j - half)) ** 2)
    weight /= weight.sum()
    curves = np.empty((2, _POINTS + 1))
    for d in range(mu.shape[0]):
        low = mu[d].min()
        gap = max(mu[d].max() - low, 1e-9) / (_POINTS - 1)
        for g in range(_POINTS + 1):
            first, second = 1.0, 1.0
            for j in range(len(weight)):
                trait = discrimination[d] * (low + gap * g + _NODE * (j - half))
                for k in range(n_cut):
                    above = weight[j] / (1.0 + np.exp(cutpoints[d, k] - trait))
                    first += above
                    second += (2.0 * k + 3.0) * above
            curves[0, g], curves[1, g] = first, second
        for i in range(mu.shape[1]):
            at = (mu[d, i] - low) / gap
            g = int(at)
            mean[d, i] = curves[0, g] + (at - g) * (curves[0, g + 1] - curves[0, g])
            square[d, i] = curves[1, g] + (at - g) * (curves[1, g + 1] - curves[1, g])
    return mean, square
