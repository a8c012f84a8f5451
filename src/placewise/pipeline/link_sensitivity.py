"""What moves with the ratio that nothing in the answers settles, where respondents are linked above the area."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placewise.estimates.below_link import with_ratio_times
from placewise.estimates.predictor import Predictor
from placewise.estimates.projector import Projector
from placewise.estimates.subset import only, spread_evenly

FACTORS = {"half": 0.5, "as taken": 1.0, "double": 2.0}
MOST_AREAS = 1000
CLEAR = 0.975


def link_sensitivity(predictor: Predictor, national: float, kind: str) -> pd.DataFrame | None:
    """Small areas at half, once and twice the ratio; None where respondents are linked at the area.

    The fitted effects of the linked groups stay as they are: the answers tell of them, whatever the ratio. Only what is
    below them is drawn anew.

    Parameters
    ----------
    predictor : Predictor
    national : float
        The nation's figure, against which areas are called different.
    kind : str
        Of the estimand; a share's widths are told in points.

    Returns
    -------
    DataFrame or None
        ``setting, quantity, value``, over at most a thousand areas spread evenly over the table.
    """
    own = next((e for e in predictor.effects if e.within), None)
    if own is None:
        return None
    some = spread_evenly(len(predictor.codes), MOST_AREAS)
    part = only(predictor, some)
    points, unit = (100.0, " (points)") if kind == "share" else (1.0, "")
    rows = []
    for name, factor in FACTORS.items():
        changed = with_ratio_times(part, factor)
        projector = Projector(changed)
        values = projector.block(np.arange(len(some))).values.astype(float) + projector.origin
        width = np.diff(np.quantile(values, [0.05, 0.95], axis=1), axis=0).mean()
        above = (values > national).mean(axis=1)
        clear = float(np.mean((above >= CLEAR) | (above <= 1.0 - CLEAR)))
        below = next(e.sd for e in changed.effects if e.within)
        setting = f"Ratio of sds below and at {own.within}: {name}"
        rows += [
            (setting, "sd of the small areas inside, model scale", float(below.mean())),
            (setting, f"mean width of small areas' 90% intervals{unit}", points * float(width)),
            (setting, "share of small areas clearly different from the nation", clear),
        ]
    return pd.DataFrame(rows, columns=["setting", "quantity", "value"])
