"""A predictor of some areas only: the same draws to the last bit, without what the others need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placewise.estimates.predictor import Effect, Predictor


def spread_evenly(count: int, most: int) -> np.ndarray:
    """Positions of at most ``most`` of ``count`` areas, spread evenly over the table; int64."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def only(predictor: Predictor, rows: np.ndarray) -> Predictor:
    """The predictor of some small areas.

    Numbers belong to codes and labels, not to positions, so that an area's draws are those of the whole predictor. The
    base is that of these areas: the index needs the standard of the whole.

    Parameters
    ----------
    predictor : Predictor
    rows : ndarray of int64, shape (B,)
        Positions, each once.
    """
    p = predictor
    size = p.indptr[rows + 1] - p.indptr[rows]
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    entry = np.arange(indptr[-1]) + np.repeat(p.indptr[rows] - indptr[:-1], size)
    return replace(
        p,
        codes=p.codes[rows],
        levels={name: codes[rows] for name, codes in p.levels.items()},
        classes={name: codes[rows] for name, codes in p.classes.items()},
        population=p.population[rows],
        base=p.base[rows],
        area_x=p.area_x[rows],
        effects=tuple(_of_areas(effect, rows) for effect in p.effects),
        indptr=indptr,
        cell=p.cell[entry],
        count=p.count[entry],
    )


def _of_areas(effect: Effect, rows: np.ndarray) -> Effect:
    """The effect with the levels that these areas have, those with posterior draws first."""
    area_x = None if effect.area_x is None else effect.area_x[rows]
    if effect.area_index is None:
        return replace(effect, area_x=area_x)
    kinds, area_index = np.unique(effect.area_index[rows], return_inverse=True)
    lookup = effect.lookup[kinds]
    used = np.unique(lookup)
    if effect.parent is not None:
        # the areas of a linked group are drawn together
        used = np.flatnonzero(np.isin(effect.parent, effect.parent[used]))
    place = np.searchsorted(used, lookup)
    known = used[used < len(effect.labels)]
    return replace(
        effect,
        labels=tuple(effect.labels[k] for k in known),
        draws=effect.draws[known],
        all_labels=tuple(effect.all_labels[k] for k in used),
        area_index=area_index.astype(np.int64),
        lookup=place.reshape(lookup.shape).astype(np.int64),
        area_x=area_x,
        met=None if effect.met is None else effect.met[known],
        scale_class=None if effect.scale_class is None else effect.scale_class[used],
        squares=None if effect.squares is None else effect.squares[used],
        parent=None if effect.parent is None else np.unique(effect.parent[used], return_inverse=True)[1],
        share=None if effect.share is None else effect.share[used],
    )
