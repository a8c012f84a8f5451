"""``auto``: the fast engine where it vouches for its draws, else the exact one, and the reason is kept and told."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from placewise.errors import ConfigurationError, ModelError, PlacewiseError, Problem
from placewise.models import inference
from placewise.models.engines import AVAILABLE, PLANNED, FitOptions, engine_named
from placewise.models.quality import escalation

SOUND = {"khat": 0.3, "importance_ess": 900.0, "design_ess": 200.0}


def draws(engine: str, **attrs: Any) -> inference.InferenceData:
    x = np.random.default_rng(1).standard_normal((1, 500))
    return inference.build({"intercept": x}, {}, {}, attrs={"engine": engine, **attrs})


class Engines:
    """Stand-ins for both engines; the fast one returns or raises what it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fast: inference.InferenceData | PlacewiseError) -> None:
        self.ran: list[str] = []
        self.told: list[str] = []
        self.fast = fast
        fast_module: Any = ModuleType("fit")
        fast_module.fit = self._fast
        monkeypatch.setitem(sys.modules, "placewise.models.engines.laplace.fit", fast_module)
        exact_module: Any = ModuleType("nuts")
        exact_module.sample = self._exact
        monkeypatch.setitem(sys.modules, "placewise.models.engines.nuts", exact_module)
        monkeypatch.setattr("placewise.models.engines.nuts", exact_module, raising=False)

    def _fast(self, problem: Any, options: FitOptions) -> inference.InferenceData:
        self.ran.append("laplace")
        if isinstance(self.fast, PlacewiseError):
            raise self.fast
        return self.fast

    def _exact(self, problem: Any, options: FitOptions) -> inference.InferenceData:
        assert len(self.told) == 1, "the user learns why it takes long before it does"
        self.ran.append("nuts")
        return draws("nuts", sampler="none")

    def fit(self) -> inference.InferenceData:
        problem: Any = None
        found: inference.InferenceData = engine_named("auto")(problem, FitOptions(tell=self.told.append))
        return found


def test_sound_draws_of_the_fast_engine_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = Engines(monkeypatch, draws("laplace", **SOUND))
    found = engines.fit()
    assert engines.ran == ["laplace"]
    assert engines.told == []
    assert found["posterior"].attrs["engine"] == "laplace"
    assert escalation(found) == ""


@pytest.mark.parametrize(
    ("fast", "said"),
    [
        (draws("laplace", **SOUND | {"khat": 0.9}), "Pareto k of its importance weights is 0.90"),
        (draws("laplace", **SOUND | {"importance_ess": 90.0}), "worth 90 draws"),
        (draws("laplace", **SOUND | {"design_ess": 9.0}), "rest on 9 effective points"),
        (draws("laplace"), "measured nothing"),
        (
            ConfigurationError(Problem("model.structure", "bym2 is not available", "use nuts", "unavailable")),
            "bym2 is not available",
        ),
    ],
)
def test_the_exact_engine_takes_over(
    monkeypatch: pytest.MonkeyPatch, fast: inference.InferenceData | PlacewiseError, said: str
) -> None:
    engines = Engines(monkeypatch, fast)
    found = engines.fit()
    assert engines.ran == ["laplace", "nuts"]
    attrs = found["posterior"].attrs
    assert (attrs["engine"], attrs["escalated_from"], attrs["sampler"]) == ("nuts", "laplace", "none")
    assert said in attrs["escalation_reason"]
    assert said in engines.told[0]
    assert said in escalation(found)
    assert "exact engine (nuts)" in escalation(found)


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError(
            [Problem("a", "bym2 is not available", kind="unavailable"), Problem("b", "a prior is missing")]
        ),
        ModelError(Problem("model", "a prior is missing: the answers do not bound a slope", kind="model")),
    ],
)
def test_what_is_wrong_for_any_engine_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: PlacewiseError
) -> None:
    engines = Engines(monkeypatch, error)
    with pytest.raises(type(error), match="a prior is missing"):
        engines.fit()
    assert engines.ran == ["laplace"]


def test_engines_are_found_by_name_and_planned_ones_refused() -> None:
    assert AVAILABLE == ("laplace", "nuts", "auto")
    for name in PLANNED:
        with pytest.raises(ConfigurationError, match=r"not available in this version.*'laplace', 'nuts' or 'auto'"):
            engine_named(name)
    with pytest.raises(ConfigurationError, match="did you mean 'laplace'"):
        engine_named("laplce")
