"""Effects of areas below the level at which respondents are linked: drawn given the fitted effect of that level."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from placewise.estimates.effects import EffectSource
from placewise.estimates.predictor import Effect, Predictor
from placewise.kernels.conditioning import deviations_given_mean
from placewise.kernels.philox import label_hashes, stream_key

# areas drawn at once from which two threads do it; a block of a projection, which has threads of its own, draws fewer
MANY = 20_000


class BelowSource(EffectSource):
    """Rows of draws of the areas inside linked groups.

    A row is an area's deviation less its group's effect, so that the population-weighted sum of the rows of a group is
    nought in every draw. The numbers of a group depend on the seed, the names of both effects, the codes of its areas
    and the group, and on the draw: not on which of its areas are asked for.

    Parameters
    ----------
    effect : Effect
        The areas' own.
    linked : EffectSource
        Of the level at which respondents are linked.
    seed : int
    """

    def __init__(self, effect: Effect, linked: EffectSource, seed: int) -> None:
        super().__init__(effect, seed)
        parent, share = effect.parent, effect.share
        if parent is None or share is None:
            raise ValueError(f"the areas of effect {effect.name!r} have no groups")
        self._linked, self._parent = linked, parent
        # within a group by hash, so that sums do not depend on the order of the areas table
        self._order = np.lexsort((self._hashes, parent))
        self._start = np.searchsorted(parent[self._order], np.arange(len(linked.effect.all_labels) + 1))
        self._share = np.ascontiguousarray(share[self._order], dtype=np.float64)
        self._place = np.empty(len(parent), dtype=np.int64)
        self._place[self._order] = np.arange(len(parent))
        self._sorted_hashes = self._hashes[self._order]
        self._above_key = stream_key(seed, f"effect:{effect.name}|{linked.effect.name}")
        self._group_hashes = label_hashes(linked.effect.all_labels)

    def fill(self, positions: np.ndarray, out: np.ndarray) -> None:
        """Write the draws of some areas into rows; as `EffectSource.fill`."""
        groups = np.unique(self._parent[positions])
        given = np.empty((len(groups), out.shape[1]), dtype=np.float32)
        self._linked.fill(groups, given)
        wanted = np.full(len(self._parent), -1, dtype=np.int64)
        wanted[self._place[positions]] = np.arange(len(positions))
        first, last = self._start[groups], self._start[groups + 1]
        group_sd = np.ascontiguousarray(self._linked.effect.sd, dtype=np.float64)

        def draw(part: np.ndarray) -> None:
            deviations_given_mean(
                self._key, self._above_key, self._sorted_hashes, self._group_hashes[groups[part]], first[part],
                last[part], self._share, group_sd, self._sd, given[part], wanted, out,
            )  # fmt: skip

        parts = _halves(last - first)
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(draw, parts))


def _halves(sizes: np.ndarray) -> list[np.ndarray]:
    """Positions of groups, in two parts of about as many areas where these are many."""
    ends = np.cumsum(sizes)
    if not len(ends) or ends[-1] < MANY:
        return [np.arange(len(sizes))]
    half = int(np.searchsorted(ends, ends[-1] / 2)) + 1
    return [part for part in np.split(np.arange(len(sizes)), [half]) if len(part)]


def sources_of(predictor: Predictor) -> list[EffectSource]:
    """A source for each effect of a predictor, in its order; effects of one name share their random numbers."""
    plain = {k: EffectSource(e, predictor.seed) for k, e in enumerate(predictor.effects) if not e.within}
    named = {source.effect.name: source for source in plain.values()}
    return [
        BelowSource(e, named[e.within], predictor.seed) if e.within else plain[k]
        for k, e in enumerate(predictor.effects)
    ]


def with_ratio_times(predictor: Predictor, factor: float) -> Predictor:
    """The predictor whose areas inside linked groups differ so much more from each other, beside the groups.

    The groups' fitted effects stay, and so does the variance of a typical group's effect: σ² + τ² q with q the mean sum
    of squared shares, of which more or less is the areas'.

    Parameters
    ----------
    predictor : Predictor
        Of respondents linked above the area.
    factor : float
        By which the ratio τ / σ is multiplied.
    """
    linked = next(e for e in predictor.effects if e.below_sd is not None)
    assert linked.below_sd is not None
    assert linked.squares is not None
    inside = linked.below_sd**2 * float(linked.squares.mean())
    before, after = linked.sd**2 + inside, linked.sd**2 + factor**2 * inside
    by = np.sqrt(np.divide(before, after, out=np.ones_like(before), where=after > 0))
    sd, below = by * linked.sd, by * factor * linked.below_sd
    effects = []
    for effect in predictor.effects:
        if effect.below_sd is not None:
            effects.append(replace(effect, sd=sd, below_sd=below))
        else:
            effects.append(replace(effect, sd=below) if effect.within == linked.name else effect)
    return replace(predictor, effects=tuple(effects))
