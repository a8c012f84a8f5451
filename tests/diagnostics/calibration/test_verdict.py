from __future__ import annotations

import numpy as np
import pytest

from placewise.diagnostics.calibration import Replicate, Spread, judge_calibration


def _made(z: np.ndarray, places: np.ndarray) -> list[Replicate]:
    spreads = [Spread(len(row), row.mean(), np.mean(row**2), np.mean(np.abs(row) < 1.645)) for row in z]
    return [
        Replicate(k, 0.1, 100, 100, {"a": u}, s, None) for k, (u, s) in enumerate(zip(places, spreads, strict=True))
    ]


def test_pooled_moments_are_those_of_all_areas_together() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(0.05, 1.02, (200, 50))
    row = judge_calibration(_made(z, rng.random(200))).areas.iloc[0]
    assert row["mean_z"] == pytest.approx(z.mean())
    assert row["sd_z"] == pytest.approx(z.std())
    assert row["n"] == 10_000
    half = (row["mean_z_upper"] - row["mean_z_lower"]) / 2
    assert half == pytest.approx(1.96 * z.std() / 100, rel=0.15)
    assert row["verdict"] == "pass"


def test_fits_are_resampled_whole() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 0.8, (200, 50)) + rng.normal(0, 0.6, (200, 1))
    row = judge_calibration(_made(z, rng.random(200))).areas.iloc[0]
    half = (row["mean_z_upper"] - row["mean_z_lower"]) / 2
    assert half == pytest.approx(1.96 * np.sqrt(0.36 / 200 + 0.64 / 10_000), rel=0.2)


@pytest.mark.parametrize(("sd", "fits", "verdict"), [(1.0, 200, "pass"), (1.25, 200, "fail"), (0.9, 200, "fail")])
def test_sd_of_standardised_errors_is_judged(sd: float, fits: int, verdict: str) -> None:
    rng = np.random.default_rng(1)
    assert judge_calibration(_made(rng.normal(0, sd, (fits, 50)), rng.random(fits))).status == verdict


def test_beyond_the_limits_but_not_surely_warns() -> None:
    z = np.random.default_rng(2).normal(0, 1, (6, 10))
    z *= 1.07 / z.std()
    found = judge_calibration(_made(z, np.linspace(0.1, 0.9, 6)))
    assert found.areas.iloc[0]["verdict"] == "warn"
    assert found.status == "warn"


def test_ranks_are_judged_for_all_scalars_together() -> None:
    rng = np.random.default_rng(3)
    made = [
        Replicate(k, 0.1, 9, 9, {"good": rng.random(), "bad": rng.random() ** 3, "low": rng.beta(3, 1)}, None, None)
        for k in range(100)
    ]
    found = judge_calibration(made)
    table = found.ranks.set_index("scalar")
    assert table["verdict"].to_dict() == {"good": "pass", "bad": "fail", "low": "fail"}
    assert (table["threshold"] == 0.01 / 3).all()
    assert found.areas.empty
    assert found.status == "fail"


def test_fits_without_draws_inside_the_region_fail() -> None:
    made = [Replicate(k, 0.1, 9, 9, {"a": u}, None, None) for k, u in enumerate(np.linspace(0.02, 0.98, 49))]
    assert judge_calibration(made).status == "pass"
    assert judge_calibration([*made, Replicate(49, 0.1, 9, 0, {}, None, None)]).status == "fail"


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(ValueError, match="no simulations"):
        judge_calibration([])
