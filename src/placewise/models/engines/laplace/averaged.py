"""A likelihood averaged over the areas inside linked groups: exact in the weights, tilted in the expansion.

What is expanded is the likelihood at the groups' mean columns, which is that of any other rows, plus a linear function
of the unknowns: the gradient, at the mode, of what the average adds. Its mode is that of the averaged posterior; its
curvature is a little off, for which the weights of the proposals, by the averaged likelihood itself, make up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placewise.kernels.averaging import Profiles, averaged_log_likelihood, averaged_slope
from placewise.kernels.chain import add_up
from placewise.models.engines import FitProblem
from placewise.models.engines.averaged import Homes, homes_of
from placewise.models.engines.laplace.expansion import Expansion, Latent
from placewise.models.engines.laplace.hyper import Point
from placewise.models.engines.laplace.layout import Layout
from placewise.models.link_scale import area_sd_per_unit

if TYPE_CHECKING:
    from placewise.models.engines.laplace.conditional import Conditional

# times that the tilt is found anew, and how far its mode may still move, squared, in posterior sds
MOST_TILTS, SETTLED = 30, 1e-6


class Averaged:
    """The averaged likelihood of a problem.

    Parameters
    ----------
    problem : FitProblem
    layout : Layout
    homes, alike : Homes
        Of the areas inside, and of their mean.
    """

    def __init__(self, problem: FitProblem, layout: Layout, homes: Homes, alike: Homes) -> None:
        link = problem.design.link
        assert link is not None
        self._chain, self._link, self._per_unit = layout.chain, link, area_sd_per_unit(problem.priors)
        self._root = np.sqrt(homes.apart)
        self._homes, self._alike = (_profiles(problem, layout, each) for each in (homes, alike))

    @classmethod
    def of(cls, problem: FitProblem, layout: Layout) -> Averaged | None:
        """Of a problem; None where its likelihood is not averaged."""
        homes, alike = homes_of(problem), homes_of(problem, alike=True)
        return None if homes is None or alike is None else cls(problem, layout, homes, alike)

    def log_likelihood(self, point: Point, core: np.ndarray, above: np.ndarray) -> np.ndarray:
        """Of several draws; core (Q, R) and sums over the chain (leaves, R) -> (R,)."""
        out = np.zeros(core.shape[1])
        averaged_log_likelihood(self._homes, core, above, self._spread(point), out)
        return out

    def tilt(self, point: Point, core: np.ndarray, above: np.ndarray) -> Latent:
        """Gradient in the unknowns of what the average adds to the log likelihood; core (Q,), above (leaves,)."""
        homes, alike = (
            self._gradient(profiles, core, above, spread)
            for profiles, spread in ((self._homes, self._spread(point)), (self._alike, 0.0 * self._root))
        )
        return homes.plus(alike, -1.0)

    def _gradient(self, profiles: Profiles, core: np.ndarray, above: np.ndarray, spread: np.ndarray) -> Latent:
        score, slope = np.zeros(len(core)), np.zeros(self._chain.n_leaves)
        averaged_slope(profiles, core, above, spread, score, slope)
        nodes = np.zeros(int(self._chain.first[-1]))
        if len(nodes):
            nodes[: len(slope)] = slope
            add_up(self._chain, nodes)
        return Latent(score, nodes)

    def _spread(self, point: Point) -> np.ndarray:
        """Sd of the areas' own deviations about their group's mean, of each profile."""
        known = self._per_unit
        sd = point.scale(self._link.area) if known is None else known * point.scale(self._link.group)
        return np.asarray(sd * self._root)


def settle(conditional: Conditional, point: Point, start: Latent) -> Expansion:
    """Mode of the averaged posterior given the hyperparameters; sets the tilt to that found there."""
    assert conditional.averaged is not None
    e = conditional.find_mode(point, start)
    for _ in range(MOST_TILTS):
        mode = e.mode
        above = np.ascontiguousarray(conditional.above(mode.nodes[:, None])[:, 0])
        conditional.tilt = conditional.averaged.tilt(point, mode.core, above)
        if conditional.expand(point, mode).decrement < SETTLED:
            break
        e = conditional.find_mode(point, mode)
    return e


def _profiles(problem: FitProblem, layout: Layout, homes: Homes) -> Profiles:
    """Homes as the kernels take them."""
    ones = np.ones((len(homes.share), int(layout.intercept)))
    entries = [_entries(homes, k, where.start) for k, where in layout.groups.items()]
    none = np.empty((len(homes.share), 0))
    leaf = np.zeros(len(homes.counts), dtype=np.int64)
    if layout.levels:
        finest = layout.levels[0]
        of_label = np.zeros(int(finest.labels.max()) + 1, dtype=np.int64)
        of_label[finest.labels] = np.arange(len(finest.labels))
        leaf = of_label[homes.index[finest.group][homes.start[:-1]]]
    return Profiles(
        np.column_stack([ones, homes.x]),
        np.column_stack([none, *(col for col, _ in entries)]).astype(np.int32),
        np.column_stack([none, *(val for _, val in entries)]),
        np.ascontiguousarray(homes.x[:, list(problem.design.category_specific)]),
        homes.share,
        homes.start.astype(np.int64),
        leaf,
        homes.counts,
        problem.family == "cumulative",
    )


def _entries(homes: Homes, k: int, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of group k that each home meets, and how often each counts; (H, J) both."""
    share, by = homes.shares[k], homes.by[k]
    if share is None:
        at, value = homes.index[k][:, None], np.ones((len(homes.share), 1))
    else:
        most = int((share > 0.0).sum(axis=1).max())
        at = np.argsort(-share, axis=1, kind="stable")[:, :most]
        value = np.take_along_axis(share, at, axis=1)
    return start + at, value if by is None else value * by[:, None]
