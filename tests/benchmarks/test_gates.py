"""The gates an engine has to pass, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from common.anchors import Anchor, Model, summarise
from gates import blocks, group_sds, passes
from scipy.special import expit, logit

NAMES = ["beta[x1]", "beta[x2]", "u[la][17]", "u[la][18]", "eta[A000]", "sd[la]"]


def _reference() -> pd.DataFrame:
    table = pd.DataFrame({"in_data": True, "mean": 0.5, "sd": 0.2, "mcse": 0.002, "mcse_sd": 0.001}, index=NAMES)
    table.loc["u[la][18]", "in_data"] = False
    return table.assign(q05=0.2, q50=0.4, q95=0.8, ess_bulk=10_000.0, ess=10_000.0, sd_error=0.005)


def test_an_engine_that_finds_the_reference_passes() -> None:
    reference = _reference()
    effects, sds = blocks(reference, reference), group_sds(reference, reference)
    assert effects["rows"].to_dict() == {"beta": 2, "u[la]": 1, "u[la], unmet": 1, "eta": 1}
    assert (effects["mean"] == 0.0).all()
    assert (effects["sd_ratio"] == 1.0).all()
    assert passes("laplace", effects, sds)
    assert passes("nuts", effects, sds)


@pytest.mark.parametrize(
    ("name", "column", "by", "where"),
    [
        ("beta[x2]", "mean", 0.03, "beta"),  # .15 sd in one of two is .075 on average
        ("u[la][18]", "sd", 0.02, "u[la], unmet"),
        ("sd[la]", "q05", 0.025, "sd[la]"),
        ("sd[la]", "q50", -0.025, "sd[la]"),
        ("sd[la]", "q95", 0.09, "sd[la]"),
    ],
)
def test_every_gate_can_be_missed(name: str, column: str, by: float, where: str) -> None:
    reference, found = _reference(), _reference()
    found.loc[name, column] += by
    effects, sds = blocks(found, reference), group_sds(found, reference)
    assert not passes("laplace", effects, sds)
    within = pd.concat([effects["within"], sds["within"]])
    assert list(within.index[~within]) == [where]


def test_one_far_mean_among_many_misses_the_gate_of_the_largest() -> None:
    reference = pd.concat([_reference()] + [_reference().iloc[:1].set_axis([f"beta[x{k}]"]) for k in range(3, 40)])
    found = reference.copy()
    found.loc["beta[x2]", "mean"] += 0.05
    effects = blocks(found, reference)
    assert effects.loc["beta", "mean"] < 0.05
    assert effects.loc["beta", "max"] == pytest.approx(0.25)
    assert not effects.loc["beta", "within"]


def test_the_exact_gate_is_in_standard_errors() -> None:
    reference, found = _reference(), _reference()
    found.loc["beta[x1]", "mean"] += 4.6 * np.hypot(0.002, 0.002)
    assert passes("nuts", blocks(found, reference), group_sds(found, reference))
    found.loc["beta[x1]", "mean"] += 0.2 * np.hypot(0.002, 0.002)
    assert not passes("nuts", blocks(found, reference), group_sds(found, reference))


@pytest.mark.parametrize("categories", [0, 3])
def test_named_areas_add_up_slopes_and_effects_of_levels_met_or_not(categories: int) -> None:
    areas = pd.DataFrame({"area": ["A", "B"], "x1": [1.0, 2.0], "la": ["7", "9"]})
    names = ["beta[x1]", "sd[la]", "u[la][7]", "u[la][9]", "eta[A]", "eta[B]"]
    names += [f"p[A][{k}]" for k in range(3)] if categories else ["intercept", "p[A]"]
    anchor = Anchor(Model(1, ("la",), {}, categories), pd.DataFrame(), areas, pd.DataFrame(index=names))
    rng, shape = np.random.default_rng(1), (2, 4000)
    of = ("chain", "draw")
    place = {"la": ["3", "7"]}
    variables = {
        "slopes": ((*of, "covariate"), rng.normal(0.5, 1e-6, (*shape, 1))),
        "sd_la": (of, rng.normal(2.0, 1e-6, shape)),
        "effect_la": ((*of, "la"), rng.normal([0.0, 1.0], 1e-6, (*shape, 2))),
    }
    if categories:
        variables["cutpoints"] = ((*of, "cutpoint"), rng.normal([0.0, 3.0], 1e-6, (*shape, 2)))
    else:
        variables["intercept"] = (of, rng.normal(-1.0, 1e-6, shape))
    found = summarise(anchor, xr.Dataset(variables, coords=place))
    assert list(found.index) == names
    eta = 0.5 + 1.0 - (0 if categories else 1.0)
    assert found.loc["eta[A]", "mean"] == pytest.approx(eta, abs=1e-5)
    # nobody was met in 9: its effect is new, with the group's sd
    assert found.loc["u[la][9]", "sd"] == pytest.approx(2.0, rel=0.05)
    assert found.loc["eta[B]", "sd"] == pytest.approx(found.loc["u[la][9]", "sd"], rel=1e-4)
    if categories:
        below = expit(np.array([0.0, 3.0]) - eta)
        shares = [found.loc[f"p[A][{k}]", "mean"] for k in range(3)]
        assert shares == pytest.approx(np.diff(below, prepend=0.0, append=1.0), abs=1e-5)
    else:
        assert logit(found.loc["p[A]", "mean"]) == pytest.approx(eta, abs=1e-5)
