"""What an approximate engine says of itself: which draws can be relied on, and why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from placewise.models import inference
from placewise.models.quality import Measured, engine_of, escalation, measured, quality

SOUND = {
    "engine": "laplace",
    "khat": 0.2,
    "importance_ess": 1500.0,
    "design_ess": 250.0,
    "separated": json.dumps(["deprivation"]),
}


def posterior(x: np.ndarray | None = None, **attrs: Any) -> inference.InferenceData:
    values = np.random.default_rng(1).standard_normal((1, 500)) if x is None else x
    return inference.build({"intercept": values}, {}, {}, attrs=SOUND | attrs)


def test_sound_draws_give_no_reason_and_separation_is_none() -> None:
    assert measured(posterior()) == Measured(0.2, 1500.0, 250.0, ("deprivation",))
    assert quality(posterior()) == ()


def test_measures_survive_the_disk(tmp_path: Path) -> None:
    inference.save(posterior(khat=0.83, escalated_from="other", escalation_reason="it failed"), tmp_path / "p.nc")
    again = inference.load(tmp_path / "p.nc")
    assert measured(again) == Measured(0.83, 1500.0, 250.0, ("deprivation",))
    assert engine_of(again) == "laplace"
    assert "set aside: it failed." in escalation(again)


@pytest.mark.parametrize(
    ("attrs", "said"),
    [
        ({"khat": 0.7}, "Pareto k of its importance weights is 0.70"),
        ({"khat": float("nan")}, "is nan"),
        ({"importance_ess": 399.0}, "worth 399 draws"),
        ({"importance_ess": float("nan")}, "worth nan draws"),
        ({"design_ess": 99.0}, "rest on 99 effective points"),
        ({"design_ess": float("nan")}, "rest on nan effective points"),
    ],
)
def test_each_measure_beyond_its_limit_is_a_reason(attrs: dict[str, Any], said: str) -> None:
    (reason,) = quality(posterior(**attrs))
    assert said in reason


def test_a_draw_that_is_not_finite_is_a_reason() -> None:
    x = np.zeros((1, 500))
    x[0, 7] = np.nan
    assert quality(posterior(x)) == ("some of its draws are not finite numbers",)


def test_all_reasons_are_told_together() -> None:
    assert len(quality(posterior(khat=1.0, importance_ess=3.0, design_ess=2.0))) == 3


@pytest.mark.parametrize("missing", ["khat", "importance_ess", "design_ess", "engine"])
def test_draws_without_measures_cannot_be_relied_on(missing: str) -> None:
    found = posterior()
    del found["posterior"].attrs[missing]
    assert measured(found) is None
    assert quality(found) == ("it measured nothing of its own quality",)


def test_draws_of_an_exact_engine_have_no_measures_and_no_escalation() -> None:
    exact = posterior(engine="nuts")
    assert measured(exact) is None
    assert escalation(exact) == ""
