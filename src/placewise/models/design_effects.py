"""How far a weighted, clustered sample widens what a pseudo-posterior says of a parameter, and only then to mend it.

A pseudo-likelihood takes weighted answers of a clustered sample for independent ones, so that its posterior may be too
narrow. The sandwich H⁻¹ J H⁻¹ measures by how much: H⁻¹ is the posterior's covariance, J that of the clusters' scores.
It holds for parameters that the answers decide. For effects that the model shrinks it measures how little their
estimates move, not how far they are from the truth, and intervals made of it everywhere hardly ever hold the truth
(arXiv 2603.07791). Hence the rule: a parameter is corrected only where the ratio of the two variances exceeds 1.2.
"""

from __future__ import annotations

import numpy as np

RATIO = 1.2


def design_effect_ratios(parameters: np.ndarray, cluster_loglik: np.ndarray) -> np.ndarray:
    """Variance by the sandwich over variance by the posterior.

    A cluster's pull on a parameter's posterior mean, H⁻¹ s_c, is the posterior covariance of the parameter with the
    cluster's log likelihood (the infinitesimal jackknife, Giordano and Broderick 2023); the sandwich is the sum of its
    squares. What the finite number of draws adds to squares of estimated covariances is taken off.

    Parameters
    ----------
    parameters : ndarray of float64, shape (S, p)
        Posterior draws.
    cluster_loglik : ndarray of float64, shape (S, C)
        Weighted log likelihood of each cluster in each draw.

    Returns
    -------
    ndarray of float64, shape (p,)
        0 where a parameter does not move.
    """
    draws, clusters = cluster_loglik.shape
    theta = parameters - parameters.mean(axis=0)
    each = cluster_loglik - cluster_loglik.mean(axis=0)
    variance = theta.var(axis=0)
    pull = theta.T @ each / draws
    noise = (variance[:, None] * each.var(axis=0)[None] + pull**2) / draws
    apart = pull - pull.mean(axis=1, keepdims=True)
    sandwich = (apart**2 - noise).sum(axis=1) * (clusters / max(clusters - 1, 1))
    moving = variance > 0
    return np.asarray(np.where(moving, np.maximum(sandwich, 0.0), 0.0) / np.where(moving, variance, 1.0))


def widened(draws: np.ndarray, ratio: np.ndarray, threshold: float = RATIO) -> np.ndarray:
    """Draws about their mean, those of parameters whose ratio exceeds the threshold stretched by its root.

    Parameters
    ----------
    draws : ndarray of float64, shape (S, p)
    ratio : ndarray of float64, shape (p,)
    threshold : float
        0 corrects every parameter, which is wrong for those that the model shrinks.
    """
    centre = draws.mean(axis=0)
    # the others as they are, to the last bit
    return np.asarray(np.where(ratio > threshold, centre + (draws - centre) * np.sqrt(ratio), draws))


def cluster_sums(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Sums over the members of each cluster; (D, n) and codes 0..C−1 (n,) -> (D, C)."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1))
