"""Both engines on realistic problems whose posterior a long independent run found, by the gates of their kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from common import anchors
from gates import blocks, group_sds, passes

from placewise.models.engines import FitOptions, engine_named
from placewise.models.quality import quality


def _found(name: str, shared: Path, engine: str, options: FitOptions) -> tuple[Any, pd.DataFrame, anchors.Anchor]:
    anchor = anchors.read(name, shared / "anchors/nuts")
    fit = engine_named(engine)(anchor.problem, options)
    return fit, anchors.summarise(anchor, fit.posterior), anchor


@pytest.mark.parametrize("name", ["P1", "P2", "P4"])
def test_the_fast_engine_passes_every_gate(shared: Path, name: str) -> None:
    # the effects of P1's five ethnic groups have heavy tails, and their sds a large Monte-Carlo error
    draws = 8000 if name == "P1" else 4000
    fit, found, anchor = _found(name, shared, "laplace", FitOptions(draws=draws, seed=1))
    assert quality(fit) == ()
    assert found.index.equals(anchor.reference.index)
    effects, sds = blocks(found, anchor.reference), group_sds(found, anchor.reference)
    assert {"eta", "eta, unmet", "p, unmet"} <= set(effects.index)
    assert set(sds.index) == {f"sd[{group}]" for group in anchor.model.groups}
    assert passes("laplace", effects, sds), f"{effects}\n{sds}"


@pytest.mark.parametrize(
    "name",
    [
        "P4",
        pytest.param("P2", marks=pytest.mark.slow),
        pytest.param("P1", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_the_exact_engine_passes_every_gate(shared: Path, name: str) -> None:
    # the long chains of P4 are for sd[oa], of which two answers an area say little
    draws = 6000 if name == "P4" else 2000
    _, found, anchor = _found(name, shared, "nuts", FitOptions(draws=draws, seed=1, thin=3 if name == "P4" else 1))
    effects, sds = blocks(found, anchor.reference), group_sds(found, anchor.reference)
    assert passes("nuts", effects, sds), f"{effects}\n{sds}"
    if name == "P4":
        both = found.join(anchor.reference.add_suffix("_reference"))
        known = both[(both["ess"] > 1000) & (both["ess_bulk_reference"] > 1000)]
        assert len(known) > 3000
        assert ((known["mean"] - known["mean_reference"]).abs() / known["sd_reference"]).max() <= 0.1
        assert np.abs(sds[["q05", "q95"]]).to_numpy().max() <= 0.35
