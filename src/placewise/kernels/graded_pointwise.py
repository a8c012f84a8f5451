"""Log likelihood of each person who answered items of a scale, one draw after another.

L(μ) = ∫ φ(t − μ) Π_m P(y_m | t) dt by the trapezoidal rule on a fixed grid of t, as in ``placewise.kernels.graded``,
which has the derivatives too. A spacing of .25 serves wherever answers leave t a standard deviation of .2 or more.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel

STEP, HALF = 0.25, 27
_LOG_STEP = np.log(STEP) - 0.5 * np.log(2.0 * np.pi)


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
    share = np.empty(2 * HALF + 1)
    for d in range(mu.shape[0]):
        first = int(np.floor(mu[d].min() / STEP)) - HALF - 1
        last = int(np.ceil(mu[d].max() / STEP)) + HALF + 1
        table = np.empty((cuts[n_items] + n_items, last - first + 1))
        for m in range(n_items):
            n_cut = cuts[m + 1] - cuts[m]
            for g in range(table.shape[1]):
                above = 1.0
                for k in range(n_cut + 1):
                    over = 0.0
                    if k < n_cut:
                        over = 1.0 / (
                            1.0 + np.exp(cutpoints[d, cuts[m] + k] - discrimination[d, m] * STEP * (first + g))
                        )
                    table[cuts[m] + m + k, g] = above - over
                    above = over
        for i in range(mu.shape[1]):
            lo = int(np.rint(mu[d, i] / STEP)) - HALF - first
            for j in range(len(share)):
                share[j] = np.exp(-0.5 * (STEP * (first + lo + j) - mu[d, i]) ** 2)
            for m in range(n_items):
                k = answers[i, m]
                if k >= 0:
                    own = table[cuts[m] + m + k, lo : lo + len(share)]
                    for j in range(len(share)):
                        share[j] *= own[j]
            out[d, i] = np.log(share.sum()) + _LOG_STEP
    return out
