"""Prior precision of the effects at which respondents are linked above the area, which differs by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.hyper import Point
from placewise.models.link_scale import LinkScale, link_scale


@dataclass(frozen=True, eq=False)
class LinkedScale:
    """Scales of the levels of the linked group.

    Parameters
    ----------
    group, area : str
        Its log scale, and that of the areas inside where theirs is learned.
    scale : LinkScale
    """

    group: str
    area: str
    scale: LinkScale

    @classmethod
    def of(cls, problem: FitProblem) -> LinkedScale | None:
        """Of a problem; None where respondents are linked at the area."""
        link = problem.design.link
        return None if link is None else cls(link.group, link.area, link_scale(problem.design, problem.priors))

    def precision(self, point: Point, labels: np.ndarray) -> np.ndarray:
        """Prior precision of some levels' effects, shape (n,)."""
        own = np.exp(2.0 * point.log_scale[self.group]) * self.scale.multipliers[labels] ** 2
        return np.asarray(1.0 / (own + self._inside(point, labels)))

    def _inside(self, point: Point, labels: np.ndarray) -> np.ndarray:
        """Variance of the mean of the areas inside, where it is learned; else 0."""
        if not self.scale.learned:
            return np.zeros(len(labels))
        return np.asarray(np.exp(2.0 * point.log_scale[self.area]) * self.scale.squares[labels])

    def slope(self, point: Point, labels: np.ndarray, by_log_sd: np.ndarray) -> np.ndarray:
        """Derivative in the scores, from that in the log sd of each level, shape (n,)."""
        if not self.scale.learned:
            return np.asarray(by_log_sd.sum() * point.jacobian[self.group])
        inside = self._inside(point, labels) * self.precision(point, labels)
        own = float(by_log_sd @ (1.0 - inside))
        return np.asarray(own * point.jacobian[self.group] + float(by_log_sd @ inside) * point.jacobian[self.area])
