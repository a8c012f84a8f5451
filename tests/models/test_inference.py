"""InferenceData: round trips, and summaries that agree with ArviZ one scalar at a time."""

from __future__ import annotations

from pathlib import Path

import arviz as az
import numpy as np
import pytest

from placewise.errors import DataError
from placewise.models import inference


def autocorrelated(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> np.ndarray:
    noise = rng.standard_normal(shape)
    x = np.empty(shape)
    x[:, 0] = noise[:, 0]
    for t in range(1, shape[1]):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    return x


@pytest.fixture
def idata() -> inference.InferenceData:
    rng = np.random.default_rng(3)
    effect = autocorrelated(rng, (4, 300, 5), 0.6)
    effect[0, :, 1] += 1.0
    effect[:, :, 2] = 0.25
    effect[1, 7, 3] = np.nan
    return inference.build(
        {"effect": effect, "intercept": rng.standard_normal((4, 300))},
        {"effect": ["lad"]},
        {"lad": ["Bath", "Ely", "Hull", "Leeds", "Ynys Môn"]},
        {"energy": rng.standard_normal((4, 300)), "diverging": np.zeros((4, 300), dtype=bool)},
        {"seed": 7, "formula": "x + (1 | lad)"},
    )


def test_netcdf_round_trip_keeps_draws_names_and_attributes(idata: inference.InferenceData, tmp_path: Path):
    path = tmp_path / "posterior.nc"
    inference.save(idata, path)
    back = inference.load(path)
    assert back["posterior"].equals(idata["posterior"])
    assert back["sample_stats"].equals(idata["sample_stats"])
    assert list(back["posterior"]["lad"].to_numpy())[-1] == "Ynys Môn"
    assert back["posterior"].attrs["formula"] == "x + (1 | lad)"


def test_equal_fits_are_equal_on_disk(idata: inference.InferenceData, tmp_path: Path):
    inference.save(idata, tmp_path / "a.nc")
    inference.save(idata, tmp_path / "b.nc")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_file_that_is_no_posterior_is_an_error(tmp_path: Path):
    (tmp_path / "posterior.nc").write_bytes(b"not netCDF")
    with pytest.raises(DataError, match=r"posterior\.nc"):
        inference.load(tmp_path / "posterior.nc")
    with pytest.raises(DataError, match="fit again"):
        inference.load(tmp_path / "absent.nc")


@pytest.mark.parametrize(
    ("ours", "theirs", "method"),
    [
        (inference.rhat, az.rhat, "rank"),
        (inference.ess_bulk, az.ess, "bulk"),
        (inference.ess_tail, az.ess, "tail"),
    ],
)
def test_each_scalar_has_arviz_value_and_still_ones_have_none(idata, ours, theirs, method):
    found = ours(idata)
    effect = idata["posterior"]["effect"].to_numpy()
    for k in (0, 1, 4):
        assert float(found["effect"][k]) == pytest.approx(float(theirs(effect[:, :, k], method=method)), rel=1e-12)
    assert np.isnan(found["effect"].to_numpy()[[2, 3]]).all()
    assert float(found["intercept"]) == pytest.approx(
        float(theirs(idata["posterior"]["intercept"].to_numpy(), method=method)), rel=1e-12
    )


def test_one_chain_has_no_rhat():
    rng = np.random.default_rng(1)
    one = inference.build({"x": rng.standard_normal((1, 200))}, {}, {})
    assert np.isnan(float(inference.rhat(one)["x"]))
    assert float(inference.ess_bulk(one)["x"]) > 50


def test_moves_and_finite_tell_still_from_broken(idata: inference.InferenceData):
    assert inference.moves(idata)["effect"].to_numpy().tolist() == [True, True, False, False, True]
    assert inference.finite(idata)["effect"].to_numpy().tolist() == [True, True, True, False, True]


def test_summary_matches_numpy_by_name(idata: inference.InferenceData):
    table = inference.summary_table(idata)
    draws = idata["posterior"]["effect"].to_numpy()[:, :, 0]
    row = table.loc["effect[Bath]"]
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["sd"] == pytest.approx(draws.std(ddof=1))
    assert [row["q05"], row["q50"], row["q95"]] == pytest.approx(np.quantile(draws, [0.05, 0.5, 0.95]))
    # ESS for the mean of an AR(1) is n (1 - rho) / (1 + rho) = 300 of 1,200.
    assert row["mcse"] == pytest.approx(row["sd"] / np.sqrt(300), rel=0.25)
    assert list(table.index[-1:]) == ["intercept"]
    assert table.loc["effect[Ely]", "rhat"] > 1.05
    assert list(table.columns) == ["mean", "sd", "q05", "q50", "q95", "mcse", "ess_bulk", "ess_tail", "rhat"]


def test_energy_is_optional(idata: inference.InferenceData):
    assert inference.bfmi(idata).shape == (4,)
    assert inference.bfmi(inference.build({"x": np.ones((2, 5))}, {}, {})).size == 0
