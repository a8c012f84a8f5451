"""Where respondents are linked above the area: whether their likelihood is the mean over the areas inside.

Of a respondent known by a group of areas, P(y) = Σ_j w_j P(y | η_j) over the areas inside. P at the areas' mean,
Σ_j w_j η_j, is nearly that where the areas are alike; where they are not it lies further from a half, on the logit
scale by half the variance of η_j times 1 − 2P, to second order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from placewise.models.design import BelowLink, Design, Group
from placewise.surveys.outcome import Response

# sd of x'β inside a linked group beyond which the mean of a curve is no longer near the curve at the mean
MOST_SPREAD = 0.2
UPPER = 0.95
# families whose answers are shares, one person a trial
FAMILIES = ("bernoulli", "binomial", "cumulative")
# areas of a group above which several with nearly the same x'β are taken together
MOST_PLACES = 16
RIDGE = 1.0
STEPS = 20


@dataclass(frozen=True, eq=False)
class Places:
    """Where the respondents of each linked group may live, groups one after another.

    Parameters
    ----------
    start : ndarray of int64, shape (groups + 1,)
        First place of each group that has respondents, and the number of places, P.
    share : ndarray of float64, shape (P,)
        Share of the group's people who live there.
    area : ndarray of int64, shape (J,)
        Rows of the areas table, place by place.
    place : ndarray of int64, shape (J,)
        Place of each.
    weight : ndarray of float64, shape (J,)
        Its share of the people of the place.
    """

    start: np.ndarray
    share: np.ndarray
    area: np.ndarray
    place: np.ndarray
    weight: np.ndarray

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of the areas of each place; (A,) -> (P,)."""
        return np.bincount(self.place, self.weight * values[self.area], len(self.share))

    def shares_of(self, labels: np.ndarray, count: int) -> np.ndarray:
        """How often each label occurs among the people of each place; (A,) of 0..count-1 -> (P, count)."""
        found = np.zeros((len(self.share), count))
        np.add.at(found, (self.place, labels[self.area]), self.weight)
        return found


def linked_group(design: Design) -> Group:
    """The group at whose levels respondents are linked."""
    link = design.link
    assert link is not None
    return next(g for g in design.groups if g.name == link.group and g.by is None)


def spread_inside(design: Design, slopes: np.ndarray) -> np.ndarray:
    """Standard deviation of x'β over the people of each respondent's group.

    Parameters
    ----------
    design : Design
        Of respondents linked above the area.
    slopes : ndarray of float64, shape (p,)

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    link, group = design.link, linked_group(design)
    assert link is not None
    count, eta = len(group.all_labels), _predictor(design, slopes)
    mean = np.bincount(link.parent, link.share * eta, count)
    variance = np.bincount(link.parent, link.share * (eta - mean[link.parent]) ** 2, count)
    return np.asarray(np.sqrt(variance)[group.index])


def sd_inside(design: Design, slopes: np.ndarray, area_sd: float) -> np.ndarray | None:
    """Sd of all that differs between the areas in which each respondent may live, where answers are averaged over them.

    Parameters
    ----------
    design : Design
    slopes : ndarray of float64, shape (p,)
    area_sd : float
        Of the areas' own deviations.

    Returns
    -------
    ndarray of float64, shape (n,), or None
        None where the likelihood is not averaged.
    """
    link = design.link
    if link is None or link.places is None:
        return None
    group = linked_group(design)
    apart = 1.0 - link.squares(len(group.labels))[group.index]
    return np.asarray(np.sqrt(spread_inside(design, slopes) ** 2 + area_sd**2 * apart))


def with_average(design: Design, response: Response, family: str) -> Design:
    """The design whose likelihood is averaged over the areas inside, where x'β differs much between them.

    That is where its sd inside the group exceeds .2 for more than one respondent in twenty, at slopes of a plain
    logistic regression on the areas' means; then it is averaged in every group.

    Parameters
    ----------
    design : Design
    response : Response
        Answers of the same n respondents.
    family : str
    """
    if design.link is None or family not in FAMILIES or response.instruments is not None:
        return design
    slopes = _first_slopes(design, response, family)
    spread = spread_inside(design, slopes)
    if float(np.quantile(spread, UPPER)) <= MOST_SPREAD:
        return design
    places = _places(design.link, _predictor(design, slopes), len(linked_group(design).all_labels))
    note = (
        f"What the covariates say differs inside the {design.link.group} of a respondent, with a standard deviation "
        f"above {MOST_SPREAD:g} for {np.mean(spread > MOST_SPREAD):.0%} of the respondents: the likelihood of an "
        "answer is its mean over the areas that the respondent may live in."
    )
    return replace(design, link=replace(design.link, places=places), notes=(*design.notes, note))


def places_of(design: Design) -> Places:
    """Where respondents may live; of a design whose likelihood is averaged."""
    link = design.link
    assert link is not None
    assert link.places is not None
    groups = len(linked_group(design).labels)
    area = np.flatnonzero((link.parent < groups) & (link.share > 0.0))
    area = area[np.lexsort([link.places[area], link.parent[area]])]
    parent, number = link.parent[area], link.places[area]
    new = np.r_[True, (parent[1:] != parent[:-1]) | (number[1:] != number[:-1])]
    place = np.cumsum(new) - 1
    share = np.bincount(place, link.share[area])
    start = np.searchsorted(parent[new], np.arange(groups + 1))
    return Places(start, share, area, place, link.share[area] / share[place])


def _predictor(design: Design, slopes: np.ndarray) -> np.ndarray:
    """What the columns that vary over areas alone say of each area, shape (A,)."""
    assert design.link is not None
    over = [k for k, c in enumerate(design.columns) if c.area is not None and c.cell is None]
    parts = (slopes[k] * np.asarray(design.columns[k].area) for k in over)
    return np.asarray(sum(parts, np.zeros(len(design.link.parent))))


def _places(link: BelowLink, predictor: np.ndarray, count: int) -> np.ndarray:
    """Place of each area within its group: one each where they are few, else parts of equal share by x'β; (A,)."""
    order = np.lexsort([predictor, link.parent])
    start = np.searchsorted(link.parent[order], np.arange(count))
    size = np.bincount(link.parent, minlength=count)
    parent = link.parent[order]
    rank = np.arange(len(order)) - start[parent]
    below = np.cumsum(link.share[order]) - link.share[order]
    below -= below[start[parent]]
    part = np.minimum((MOST_PLACES * (below + 0.5 * link.share[order])).astype(np.int64), MOST_PLACES - 1)
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.where(size[parent] > MOST_PLACES, part, rank)
    return places


def _first_slopes(design: Design, response: Response, family: str) -> np.ndarray:
    """Slopes (p,) of a logistic ridge regression on the respondents' columns; of categories, the most even split."""
    y, size = np.asarray(response.y, dtype=np.float64), np.ones(design.n)
    if family == "cumulative":
        above = y[:, None] > np.arange(len(response.levels) - 1)
        y = above[:, np.abs(above.mean(axis=0) - 0.5).argmin()].astype(np.float64)
    elif response.trials is not None:
        size = np.asarray(response.trials, dtype=np.float64)
    x = np.column_stack([np.ones(design.n), design.matrix])
    scale = np.maximum(x.std(axis=0), 1e-12)
    scale[0] = 1.0
    x = x / scale
    beta, penalty = np.zeros(x.shape[1]), np.full(x.shape[1], RIDGE)
    for _ in range(STEPS):
        p = expit(x @ beta)
        information = (x.T * (size * p * (1.0 - p))) @ x + np.diag(penalty)
        beta = beta + np.clip(np.linalg.solve(information, x.T @ (y - size * p) - penalty * beta), -1.0, 1.0)
    return np.asarray(beta[1:] / scale[1:])
