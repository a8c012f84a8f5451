"""One common factor behind several items, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

# Share of an item's variance that stays its own: the bound of R's factanal, reached in Heywood cases.
LEAST_UNIQUENESS = 0.005
_AT_BOUND = 1e-6
_STEPS = 50


@dataclass(frozen=True, eq=False, repr=False)
class OneFactor:
    """Covariances are λλ' + diag(ψ).

    Parameters
    ----------
    loadings, uniquenesses : ndarray of float64, shape (k,)
        λ, of which most are positive, and ψ, in the items' units.
    proper : bool
        False in a Heywood case: an item seems to have no variance of its own.
    """

    loadings: np.ndarray
    uniquenesses: np.ndarray
    proper: bool

    @property
    def omega(self) -> float:
        """McDonald's omega (1999): variance of the sum of items due to the factor, (Σλ)² / ((Σλ)² + Σψ)."""
        common = float(self.loadings.sum() ** 2)
        return common / (common + float(self.uniquenesses.sum()))

    def omega_gradient(self) -> np.ndarray:
        """Change of omega with each covariance of the sample, shape (k, k), symmetric.

        The estimate's influence function at the fitted model, the first factor of the sandwich of Satorra and Bentler
        (1994): information of the parameters inverted, times their scores.
        """
        score, information = self._derivatives()
        total, own = self.loadings.sum(), self.uniquenesses.sum()
        scale = (total**2 + own) ** 2
        k = self.loadings.size
        change = np.r_[np.full(k, 2 * total * own / scale), np.full(k, -(total**2) / scale)]
        return np.asarray(np.tensordot(linalg.solve(information, change, assume_a="pos"), score, axes=1))

    def _derivatives(self) -> tuple[np.ndarray, np.ndarray]:
        """½ Σ⁻¹ Σ_a Σ⁻¹ of each parameter a, shape (2k, k, k), and the expected information, shape (2k, 2k)."""
        k = self.loadings.size
        inverse = linalg.inv(np.outer(self.loadings, self.loadings) + np.diag(self.uniquenesses))
        change = np.zeros((2 * k, k, k))
        for j in range(k):
            change[j, j, :] += self.loadings
            change[j, :, j] += self.loadings
            change[k + j, j, j] = 1.0
        score = 0.5 * inverse @ change @ inverse
        return score, np.einsum("aij,bij->ab", score, change)


def fit_one_factor(covariance: np.ndarray) -> OneFactor:
    """Maximum-likelihood fit of one factor (Jöreskog 1967), the same for any scaling of the items.

    Parameters
    ----------
    covariance : ndarray of float64, shape (k, k)
        Positive definite; k ≥ 3, else there is no telling loadings apart.

    Returns
    -------
    OneFactor
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    # The start of R's factanal.
    start = np.clip(0.5 / np.diag(linalg.inv(correlation)), LEAST_UNIQUENESS, 1.0)
    found = optimize.minimize(
        _discrepancy,
        start,
        args=(correlation,),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_UNIQUENESS, 1.0)] * len(scale),
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000},
    )
    own = found.x
    proper = bool((own > LEAST_UNIQUENESS + _AT_BOUND).all() and (own < 1 - _AT_BOUND).all())
    factor = OneFactor(_loadings(own, correlation), own, proper)
    if proper:
        factor = _polished(factor, correlation)
    return OneFactor(factor.loadings * scale, factor.uniquenesses * scale**2, factor.proper)


def _discrepancy(own: np.ndarray, correlation: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus twice the log likelihood a respondent at the best loadings, but for a constant, and its gradient."""
    root = np.sqrt(own)
    rest = linalg.eigvalsh(correlation / np.outer(root, root))[:-1]
    value = float((rest - np.log(rest) - 1).sum())
    loadings = _loadings(own, correlation)
    gap = loadings**2 + own - np.diag(correlation)
    return value, gap / own**2


def _loadings(own: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Best loadings given the uniquenesses; most are positive."""
    root = np.sqrt(own)
    values, vectors = linalg.eigh(correlation / np.outer(root, root))
    found = root * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.0))
    return np.asarray(found if found.sum() >= 0 else -found)


def _polished(factor: OneFactor, correlation: np.ndarray) -> OneFactor:
    """The same fit to machine precision, by scoring."""
    k = len(correlation)
    for _ in range(_STEPS):
        score, information = factor._derivatives()
        gap = correlation - np.outer(factor.loadings, factor.loadings) - np.diag(factor.uniquenesses)
        step = linalg.solve(information, np.einsum("aij,ij->a", score, gap), assume_a="pos")
        own = factor.uniquenesses + step[k:]
        if (own <= LEAST_UNIQUENESS).any():
            return factor
        factor = OneFactor(factor.loadings + step[:k], own, True)
        if np.abs(step).max() < 1e-13:
            break
    return factor
