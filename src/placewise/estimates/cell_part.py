"""What cells add to the linear predictor, and how a person's value is read off it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.estimates.predictor import Estimand
from placewise.kernels.cuts import fractions
from placewise.kernels.projection import IDENTITY, LOG, LOGIT, MEAN, SHARE, SHARE_OF_ONE_CUT

_REACH = 40.0  # as the kernel's: either part's largest absolute value


@dataclass(frozen=True, eq=False)
class CellPart:
    """Arguments of the kernel that do not depend on areas.

    Parameters
    ----------
    link, kind : int
        Codes of ``placewise.kernels.projection``.
    sign : float32
        Orientation of the cut points' σ, times the estimand's slope.
    shift : ndarray of float64, shape (S,)
        Belongs to every area: the cells' average, less the cut points', so that neither part runs out of float32.
    cells : ndarray of float32, shape (C, J, S)
        With a row for each cut point where cells have cut points of their own, else one.
    constant : ndarray of float32, shape (2,)
        See ``project_specific`` where cells have cut points of their own, else ``project_block``.
    cut_weight : ndarray of float32, shape (2, J)
        See ``project_specific``.
    coefficients, caps : ndarray of float32, shapes (F, 12, S) and (F,)
        See ``project_block``.
    """

    link: int
    kind: int
    sign: np.float32
    shift: np.ndarray
    cells: np.ndarray
    constant: np.ndarray
    cut_weight: np.ndarray
    coefficients: np.ndarray
    caps: np.ndarray


def cell_part(estimand: Estimand, eta: np.ndarray, at_cuts: np.ndarray | None = None) -> CellPart:
    """Prepare the cells for the kernel.

    Parameters
    ----------
    estimand : Estimand
    eta : ndarray of float64, shape (C, S)
        The cells' part of the linear predictor.
    at_cuts : ndarray of float64, shape (C, J, S), or None
        What cells add to it at each cut.
    """
    middle = eta.mean(axis=0)
    if estimand.kind != "latent" and estimand.link == "logit":
        return _with_cuts(estimand, eta, middle, at_cuts)
    log = estimand.kind != "latent" and estimand.link == "log"
    deviation = eta - middle
    cells = np.exp(np.clip(deviation, -_REACH, _REACH)) if log else deviation
    return CellPart(
        LOG if log else IDENTITY, MEAN, np.float32(1), middle,
        np.ascontiguousarray(cells[:, None, :], dtype=np.float32),
        np.zeros(2, np.float32), np.zeros((2, 1), np.float32), *_no_fractions(eta.shape[1]),
    )  # fmt: skip


def _with_cuts(estimand: Estimand, eta: np.ndarray, middle: np.ndarray, at_cuts: np.ndarray | None) -> CellPart:
    """Cut points: σ(cut − η), or 1 − σ(η − cut) where that leaves the smaller constant (no digits lost near 0)."""
    first = np.asarray(estimand.weights, dtype=np.float64)
    second = np.zeros_like(first) if estimand.kind == "share" else np.asarray(estimand.weights2, dtype=np.float64)
    weight, slope = np.stack([first, second]), estimand.slope
    constant = np.array([estimand.constant, estimand.constant2])
    sign = 1.0
    # weights of each draw have the same sum
    at_other_end = constant + (weight.sum(axis=1) if first.ndim == 1 else weight.sum(axis=1).mean(axis=1))
    if abs(at_other_end[0]) < abs(constant[0]):
        constant, weight, sign = at_other_end, -weight, -1.0
    constant[np.abs(constant) < 1e-12] = 0.0
    cuts = np.asarray(estimand.cuts, dtype=np.float64)
    middle_cut = cuts.mean(axis=0)
    share = estimand.kind == "share"
    plain = share and first.shape == (1,) and constant[0] == 0.0 and weight[0, 0] == 1.0
    kind = SHARE_OF_ONE_CUT if plain else SHARE if share else MEAN
    found = _no_fractions(eta.shape[1])
    if plain or at_cuts is not None:
        z = slope * (eta - middle)[:, None, :] - (cuts - middle_cut)[None, :, :]
        z = sign * (z if at_cuts is None else z + at_cuts)
    else:
        z = sign * slope * (eta - middle)[:, None, :]
        # of the value less its constant: the same variance, and nothing to cancel
        centred = np.stack([weight[0], weight[1] - 2.0 * constant[0] * weight[0]])
        found = fractions(np.clip(-sign * (cuts - middle_cut), -_REACH, _REACH), centred)
        constant = constant - [0.0, constant[0] ** 2]
    cells = np.exp(np.clip(z, -_REACH, _REACH))
    return CellPart(
        LOGIT, kind, np.float32(sign * slope), middle - middle_cut / slope,
        np.ascontiguousarray(cells, dtype=np.float32),
        constant.astype(np.float32), np.ascontiguousarray(weight, dtype=np.float32), *found,
    )  # fmt: skip


def _no_fractions(n_draws: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 12, n_draws), np.float32), np.zeros(0, np.float32)
