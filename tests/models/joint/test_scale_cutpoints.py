"""Cutpoints of a scale in a coupled fit move with the trait, each times its item's discrimination."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from placewise.models.joint.couple import _cutpoints_of_scale
from placewise.surveys.instruments import Instruments

STEEPNESS, TURNS = np.array([[0.7, 2.1], [0.9, 1.8]]), np.array([[-1.0, 0.5, 0.2], [-0.8, 0.6, 0.1]])


def coupled(by_steepness: list[float]) -> np.ndarray:
    """Cutpoints where both effects have risen by .3, and traits at which answers turn by .3 in all."""
    none = np.zeros(1, dtype=np.int64)
    own = Instruments(("a", "b"), (("1", "2", "3"), ("1", "2")), np.zeros((1, 2), np.int8), ("s",), none, True)
    kept = {"discrimination": STEEPNESS, "cutpoints": STEEPNESS[:, [0, 0, 1]] * TURNS}
    member: Any = SimpleNamespace(
        problem=SimpleNamespace(response=SimpleNamespace(instruments=own)),
        posterior=SimpleNamespace(draws=kept.__getitem__),
    )
    information: Any = SimpleNamespace(response={"discrimination": np.tile(by_steepness, (2, 1))})
    shift = np.full((2, 2), 0.15)
    return _cutpoints_of_scale(member, information, shift, np.array([0, 1]), np.full((2, 3), 0.3))


def test_no_answer_is_likelier_where_everyone_and_every_item_move_alike() -> None:
    # a (t + .3) - c is what it was
    np.testing.assert_allclose(coupled([0.0, 0.0]), STEEPNESS[:, [0, 0, 1]] * (TURNS + 0.3))


def test_steeper_items_keep_where_their_answers_turn() -> None:
    steeper = STEEPNESS * np.exp([0.3 * 0.5, 0.3 * -1.0])
    assert coupled([0.5, -1.0]) == pytest.approx(steeper[:, [0, 0, 1]] * (TURNS + 0.3))
