"""Spatial effects by the exact engine against a long run of Stan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def test_spatial_effects_on_a_lattice(shared: Path, fit_formula: Any, faults: Any) -> None:
    d = json.loads((shared / "anchors/simulated/binomial_bym2.json").read_text())["data"]
    codes = [f"{k + 1}" for k in range(d["m"])]
    fit = fit_formula(
        "x + (1 | place)",
        pd.DataFrame({"x": d["x"], "place": codes}),
        "binomial",
        np.array(d["y"], float),
        {
            "intercept": "normal(0, 2)",
            "slope": "normal(0, 1)",
            "sd": "half_normal(1)",
            "rho:place": "beta(0.5, 0.5)",
        },
        trials=np.array(d["n"], float),
        structure={"place": "bym2"},
        neighbours={"place": pd.DataFrame({"a": d["n1"], "b": d["n2"]})},
    )
    assert fit.idata.posterior["place"].values.tolist() == codes
    slopes = fit.draws("slopes")
    eta = fit.draws("intercept")[:, None] + slopes * np.array(d["x"]) + fit.draws("effect_place")
    pairs = {"b0": fit.draws("intercept"), "b1": slopes[:, 0]}
    pairs |= {"sigma": fit.draws("sd_place"), "rho": fit.draws("rho_place")}
    pairs |= {f"eta[{k}]": eta[:, k] for k in range(d["m"])}
    reference = pd.read_csv(shared / "anchors/stan/sim-binomial_bym2.summary.csv", index_col="parameter")
    assert faults(pairs, reference) == {}
