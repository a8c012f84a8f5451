"""How far the linear predictor reaches over the people of all areas and all draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placewise.estimates.predictor import Estimand, Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.subset import only

# kinds of people in areas looked at, in every draw
LEAST = 2000
# beyond the furthest that was met: some 4 million values are looked at, of billions
BEYOND = 0.5


def reach_of_eta(predictor: Predictor) -> tuple[float, float]:
    """Ends of an interval that nearly all of η lies in, over areas, cells and draws.

    Some areas spread evenly over the table are drawn as any projection draws them, each with one cell of its frame,
    the cells taken in turn; where there are few areas, with several.

    Parameters
    ----------
    predictor : Predictor
        Its estimands do not matter.
    """
    count = len(predictor.codes)
    rows = np.unique(np.linspace(0, count - 1, min(count, LEAST)).astype(np.int64))
    rows = rows[predictor.indptr[rows + 1] > predictor.indptr[rows]]
    first, size = predictor.indptr[rows], predictor.indptr[rows + 1] - predictor.indptr[rows]
    some = replace(
        only(predictor, rows),
        estimands=(Estimand("", "latent", "identity"),),
        indptr=np.arange(len(rows) + 1, dtype=np.int64),
        count=np.ones(len(rows)),
    )
    low, high = np.inf, -np.inf
    for k in range(min(int(size.max()), -(-LEAST // len(rows)))):
        projector = Projector(
            replace(some, cell=predictor.cell[first + (np.arange(len(rows)) + k) % size]), people=False
        )
        eta = projector.block(np.arange(len(rows))).values
        low, high = min(low, float(eta.min()) + projector.origin), max(high, float(eta.max()) + projector.origin)
    return low - BEYOND, high + BEYOND
