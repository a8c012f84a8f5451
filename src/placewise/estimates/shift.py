"""The effect by which benchmarking moves areas, told from the model's own by its name."""

from __future__ import annotations

from placewise.estimates.predictor import Effect

_PREFIX = "(benchmark "  # no column of the user's has a bracket


def shift_name(level: str) -> str:
    """Name of the effect that moves the areas of a level."""
    return f"{_PREFIX}{level})"


def is_shift(effect: Effect) -> bool:
    """Whether an effect is the shift of an earlier benchmarking."""
    return effect.name.startswith(_PREFIX)
