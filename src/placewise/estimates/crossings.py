"""How often the cutpoints of category-specific slopes cross."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from placewise.estimates.blocks import block_size, in_order, spans
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector


def crossed_share(predictor: Predictor, threads: int = 2) -> float | None:
    """Share of areas × draws in which cutpoints cross in a cell where people live.

    Parameters
    ----------
    predictor : Predictor
    threads : int
        They change no number.

    Returns
    -------
    float or None
        None where every slope is the same at every cutpoint, or no estimand depends on cutpoints.
    """
    position = next((k for k, e in enumerate(predictor.estimands) if e.deviations is not None), None)
    if position is None:
        return None
    projector, count = Projector(predictor, position, people=False), len(predictor.codes)

    def crossed(start: int, stop: int) -> int:
        return projector.block(np.arange(start, stop)).crossed

    with ThreadPoolExecutor(threads) as pool:
        parts = in_order(crossed, spans(count, block_size(predictor.n_draws)), pool, threads)
        return sum(found for _, _, found in parts) / (count * predictor.n_draws)
