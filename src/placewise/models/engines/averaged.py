"""The data of a likelihood that is averaged over the areas in which a respondent may live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.models.averaging import linked_group, places_of
from placewise.models.design import Column
from placewise.models.engines import FitProblem


@dataclass(frozen=True, eq=False)
class Homes:
    """Respondents alike in all but their answer, and for each such profile the places where they may live.

    Rows of ``x``, ``index``, ``by`` and ``shares`` are homes: one place of one profile, as in ``Rows`` but with what is
    there instead of the mean over the group.

    Parameters
    ----------
    x : ndarray of float64, shape (H, p)
    index : tuple of ndarray of int64, each shape (H,)
    by : tuple of ndarray of float64 or None, each shape (H,)
    shares : tuple of ndarray of float64 or None, each shape (H, labels)
    start : ndarray of int64, shape (m + 1,)
        First home of each profile, and H.
    share : ndarray of float64, shape (H,)
        How likely a respondent of the profile lives there.
    counts : ndarray of float64, shape (m, K)
        How often each category was answered; failures and successes where answers are two.
    apart : ndarray of float64, shape (m,)
        1 − Σ_j w_j²: of the areas' own variance, how much is inside a group.
    """

    x: np.ndarray
    index: tuple[np.ndarray, ...]
    by: tuple[np.ndarray | None, ...]
    shares: tuple[np.ndarray | None, ...]
    start: np.ndarray
    share: np.ndarray
    counts: np.ndarray
    apart: np.ndarray

    @property
    def profile(self) -> np.ndarray:
        """Profile of each home, shape (H,)."""
        return np.repeat(np.arange(len(self.counts)), np.diff(self.start))


def homes_of(problem: FitProblem, alike: bool = False) -> Homes | None:
    """Profiles and homes of a problem; None where its likelihood is not averaged.

    Parameters
    ----------
    problem : FitProblem
    alike : bool
        Whether the places of a group are all taken to be like their mean, which is then one home.
    """
    design, link = problem.design, problem.design.link
    if link is None or link.places is None:
        return None
    rows = problem.rows
    key = np.column_stack([rows.x, *rows.index, *(by for by in rows.by if by is not None)])
    # rows are sorted by all of their design, then by their answer
    new = np.r_[True, (key[1:] != key[:-1]).any(axis=1)]
    first, profile = np.flatnonzero(new), np.cumsum(new) - 1
    if problem.family == "cumulative":
        counts = np.zeros((len(first), len(problem.response.levels)))
        np.add.at(counts, (profile, rows.y.astype(np.int64)), rows.size)
    else:
        counts = np.column_stack([np.bincount(profile, rows.size - rows.y), np.bincount(profile, rows.y)])
    group = linked_group(design)
    own = rows.index[design.groups.index(group)][first]
    apart = 1.0 - link.squares(len(group.labels))[own]
    if alike:
        each = tuple(None if share is None else share[first] for share in rows.shares)
        by = tuple(None if values is None else values[first] for values in rows.by)
        index, start = tuple(at[first] for at in rows.index), np.arange(len(first) + 1)
        return Homes(rows.x[first], index, by, each, start, np.ones(len(first)), counts, 0.0 * apart)
    return _with_places(problem, first, own, counts, apart)


def _with_places(
    problem: FitProblem, first: np.ndarray, own: np.ndarray, counts: np.ndarray, apart: np.ndarray
) -> Homes:
    """A home for every place of each profile's group; ``first`` is one row of each profile."""
    design, rows = problem.design, problem.rows
    places = places_of(design)
    size = np.diff(places.start)[own]
    start = np.concatenate([[0], np.cumsum(size)])
    profile = np.repeat(np.arange(len(own)), size)
    place = np.arange(start[-1]) - start[profile] + places.start[own][profile]
    person = rows.first[first][profile]

    def there(column: Column) -> np.ndarray:
        if column.linked is None:
            return np.asarray(column.values[person])
        area, own_part = column.linked
        found = places.mean(area)[place]
        return np.asarray(found if own_part is None else found * own_part[person])

    shares: list[np.ndarray | None] = []
    for g in design.groups:
        if g.shares is None:
            shares.append(None)
            continue
        assert g.lookup is not None
        shares.append(places.shares_of(g.lookup[g.area_index, 0], len(g.labels))[place])
    columns = [there(c) for c in design.columns]
    return Homes(
        np.column_stack([np.empty((len(place), 0)), *columns]),
        tuple(at[first][profile] for at in rows.index),
        tuple(None if g.by is None else there(g.by) for g in design.groups),
        tuple(shares),
        start,
        places.share[place],
        counts,
        apart,
    )
