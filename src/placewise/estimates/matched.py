"""Pairs of areas that are alike in what the model knows of them and differ in the outcome."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.estimates.differences import Draws, describe_differences
from placewise.estimates.expected import in_blocks
from placewise.estimates.groups import Members
from placewise.estimates.predictor import Predictor

ALIKE = 0.25  # root mean squared difference of covariates, in standard deviations
_NEIGHBOURS = 8
_CANDIDATES = 20  # for each pair wanted


def traits(predictor: Predictor, members: Members, expected: np.ndarray) -> np.ndarray:
    """What areas are compared by: covariates, and what is expected of the people who live there; shape (G, q + 1).

    Population-weighted means over the small areas inside, in standard deviations between the areas.

    Parameters
    ----------
    expected : ndarray of float64, shape (G,)
        Mean expected rates.
    """
    x = predictor.area_x[:, predictor.area_varies].astype(np.float64)[members.row]
    n = len(members.codes)
    sums = np.empty((n, x.shape[1]))
    for k, column in enumerate(x.T):
        sums[:, k] = np.bincount(members.group, members.weight * column, minlength=n)
    found = np.column_stack([sums / members.population[:, None], expected])
    spread = found.std(axis=0)
    return np.asarray((found - found.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def classes_of(predictor: Predictor, members: Members) -> np.ndarray:
    """One number for each combination of the classes that the model knows; shape (G,).

    Areas whose small areas are of several classes are compared by covariates alone.
    """
    known = {effect.name.split("|")[-1] for effect in predictor.effects}
    out = np.zeros(len(members.codes), dtype=np.int64)
    for name in sorted(known & set(predictor.classes)):
        place, labels = pd.factorize(predictor.classes[name][members.row])
        low = np.full(len(out), len(labels))
        high = np.full(len(out), -1)
        np.minimum.at(low, members.group, place)
        np.maximum.at(high, members.group, place)
        out = out * (len(labels) + 1) + np.where(low == high, low, len(labels))
    return out


def matched_pairs(
    rates: Draws, expected: Draws, predictor: Predictor, members: Members, most: int = 20, alike: float = ALIKE
) -> pd.DataFrame:
    """Pairs alike on covariates, classes and people, and different in the outcome; the surest first.

    Of each area its eight nearest neighbours are looked at; those pairs whose rates differ most beside their standard
    deviations are compared draw by draw, so that what the two areas share counts.

    Parameters
    ----------
    rates, expected : Draws
        Of the same areas, in the order of ``members``.
    predictor : Predictor
    members : Members
    most : int
        Pairs wanted.
    alike : float
        Largest root mean squared difference of the covariates, in standard deviations.

    Returns
    -------
    DataFrame
        ``a, b``, their ``distance``, ``rate_a, rate_b``, and the columns of ``AreaDraws.compare`` for a − b: a is the
        higher one.
    """
    from scipy.spatial import cKDTree

    described = [_describe(rates.draws(codes), expected.draws(codes)) for codes in in_blocks(rates)]
    mean, sd, hope = (np.concatenate(part) for part in zip(*described, strict=True))
    found = traits(predictor, members, hope)
    kind, reach = classes_of(predictor, members), alike * np.sqrt(found.shape[1])
    pairs = []
    for k in np.unique(kind):
        inside = np.flatnonzero(kind == k)
        near, other = cKDTree(found[inside]).query(found[inside], k=_NEIGHBOURS + 1, distance_upper_bound=reach)
        i, j = np.nonzero(np.isfinite(near) & (other < len(inside)))
        pairs.append(np.sort(np.column_stack([inside[i], inside[other[i, j]]]), axis=1))
    pair = np.unique(np.concatenate(pairs), axis=0)
    pair = pair[pair[:, 0] != pair[:, 1]]
    apart = np.abs(mean[pair[:, 0]] - mean[pair[:, 1]]) / np.hypot(sd[pair[:, 0]], sd[pair[:, 1]])
    pair = pair[np.argsort(-apart, kind="stable")[: most * _CANDIDATES]]
    turned = mean[pair[:, 0]] < mean[pair[:, 1]]
    pair[turned] = pair[turned][:, ::-1]
    return _compared(rates, pair, found, mean).head(most).reset_index(drop=True)


def _describe(rates: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rates.mean(axis=0), rates.std(axis=0, ddof=1), expected.mean(axis=0)


def _compared(rates: Draws, pair: np.ndarray, found: np.ndarray, mean: np.ndarray) -> pd.DataFrame:
    """The pairs with the posterior of their difference, the surest first."""
    codes = np.asarray(rates.codes, dtype=object)
    used, place = np.unique(pair, return_inverse=True)
    values = rates.draws([str(c) for c in codes[used]])
    place = place.reshape(pair.shape)
    difference = describe_differences((values[:, place[:, 0]] - values[:, place[:, 1]]).T)
    distance = np.sqrt(((found[pair[:, 0]] - found[pair[:, 1]]) ** 2).mean(axis=1))
    table = pd.DataFrame({
        "a": pd.Series(codes[pair[:, 0]], dtype="str"), "b": pd.Series(codes[pair[:, 1]], dtype="str"),
        "distance": distance, "rate_a": mean[pair[:, 0]], "rate_b": mean[pair[:, 1]],
    })  # fmt: skip
    return pd.concat([table, difference], axis=1).sort_values(
        ["p_greater", "mean", "a"], ascending=[False, False, True]
    )
