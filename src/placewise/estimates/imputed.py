"""Effects that stand for the error of a filled-in covariate, told from the model's own by their name."""

from __future__ import annotations

import numpy as np

from placewise.estimates.predictor import Predictor

_PREFIX = "(error of "  # no column of the user's has a bracket


def error_name(covariate: str) -> str:
    """Name of the effects of a covariate's error."""
    return f"{_PREFIX}{covariate})"


def imputed_areas(predictor: Predictor) -> np.ndarray:
    """Small areas for which a covariate of the model was filled in with an error; bool, shape (A,)."""
    out = np.zeros(len(predictor.codes), dtype=bool)
    for effect in predictor.effects:
        if effect.name.startswith(_PREFIX) and effect.area_x is not None:
            out |= effect.area_x != 0
    return out
