import numpy as np
import pytest

from placewise.diagnostics.sensitivity import (
    FIXED,
    by_chance,
    power_verdict,
    share_verdict,
    shift_in_sds,
    weights_checks,
)


def test_shifts_are_in_units_of_the_published_uncertainty():
    draws = np.array([[0.0, 2.0], [5.0, 5.0], [5.0, 5.0]])
    other = np.array([[3.0, 3.0], [5.0, 5.0], [4.0, 4.0]])
    np.testing.assert_allclose(shift_in_sds(other, draws), [2.0, 0.0, -FIXED])


@pytest.mark.parametrize(
    ("national", "moved", "verdicts"), [(0.5, [], ["pass", "pass"]), (-0.51, ["L1"], ["warn"] * 2)]
)
def test_a_move_beyond_half_a_posterior_sd_is_a_warning(national, moved, verdicts):
    found = weights_checks({"national": national, "largest": 0.6, "moved": moved, "areas": 24, "chance": 3.4}, "lad")
    assert [c.verdict for c in found] == verdicts
    assert "lower" in found[0].sentence or national > 0
    assert "by chance alone up to 3.4 would" in found[1].sentence


def test_weights_that_tell_nothing_move_means_as_often_as_is_said():
    rng = np.random.default_rng(1)
    weight = rng.lognormal(0.0, 0.35, (4000, 200))
    y = rng.standard_normal((4000, 200))
    move = ((weight * y).sum(axis=1) / weight.sum(axis=1) - y.mean(axis=1)) * np.sqrt(200)
    kish = np.mean(weight.sum(axis=1) ** 2 / (weight**2).sum(axis=1) / 200)
    assert by_chance(float(kish)) == pytest.approx(np.mean(np.abs(move) > 0.5), abs=0.02)
    assert by_chance(1.0) == 0


def test_a_weighted_fit_that_fails_is_told_and_none_is_not():
    assert weights_checks(None, "lad") == []
    (check,) = weights_checks({"failed": "no mode was found"}, "lad")
    assert check.verdict == "warn"
    assert "no mode was found" in check.sentence


def test_verdicts_on_priors():
    assert not power_verdict(0.05)["leans"]
    assert power_verdict(0.051)["leans"]
    # from .10 to .14 over two doublings: .02 a doubling, a sixth of .12
    found = share_verdict(0.10, 0.12, 0.14, 2.0)
    assert found["value"] == pytest.approx(1 / 6)
    assert found["leans"]
    assert not share_verdict(0.0, 0.0, 0.0, 2.0)["leans"]
