"""An exact engine passes; engines that are wrong in a known way fail, each where it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from placewise.diagnostics.calibration import Calibration, Experiment, calibrate, prior_only, shrunk, simulate_once
from placewise.errors import ModelError, Problem
from placewise.models.engines import Engine, FitOptions, FitProblem

Fit = Callable[[FitProblem, FitOptions], Any]


def _p_value(found: Calibration, scalar: str) -> float:
    return float(found.ranks.set_index("scalar").loc[scalar, "p_value"])


def _row(found: Calibration, quantity: str) -> dict[str, Any]:
    return found.areas.set_index("quantity").loc[quantity].to_dict()


def test_an_exact_engine_passes(experiment: Experiment, exact: Fit, options: FitOptions) -> None:
    found = calibrate(experiment, exact, fits=200, options=options, seed=11)
    assert found.status == "pass"
    assert set(found.ranks["scalar"]) >= {"intercept", "slopes[x]", "sd_area", "effect_district[1]", "log likelihood"}
    assert not {"sigma", "sd_region"} & set(found.ranks["scalar"])  # fixed by their priors
    assert _row(found, "index")["cov90"] == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("factor", [0.8, 1.4])
def test_effects_that_vary_too_little_or_too_much_fail(
    experiment: Experiment, exact: Fit, options: FitOptions, factor: float
) -> None:
    found = calibrate(experiment, shrunk(exact, factor), fits=100, options=options, seed=3)
    assert found.status == "fail"
    assert _p_value(found, "sd_area") < 1e-4
    for quantity in ("eta", "index"):
        assert _row(found, quantity)["verdict"] == "fail"
        assert (_row(found, quantity)["sd_z"] > 1) == (factor < 1)
    # what the control leaves alone stays right
    assert _p_value(found, "intercept") > 0.01


def test_an_engine_that_ignores_the_answers_is_found_by_the_likelihood_alone(
    experiment: Experiment, options: FitOptions
) -> None:
    found = calibrate(experiment, prior_only, fits=60, options=options, seed=4)
    assert found.ranks[found.ranks["verdict"] == "fail"]["scalar"].tolist() == ["log likelihood"]


def test_draws_beyond_the_region_are_dropped_before_ranks(yes_or_no: Experiment, by_grid: Fit) -> None:
    options = FitOptions(draws=200)
    fits = [simulate_once(yes_or_no, by_grid, options, 3, k) for k in range(50)]
    assert sum(f.kept < f.draws for f in fits) > 10
    assert all(f.eta is None for f in fits)
    assert calibrate(yes_or_no, by_grid, fits=400, options=options, seed=3).status == "pass"


def test_a_region_that_only_the_simulation_knows_is_found(yes_or_no: Experiment, by_grid: Fit) -> None:
    class OnlyOfTheTruth(Experiment):
        def inside(self, levels: np.ndarray) -> np.ndarray:
            return super().inside(levels) | (len(levels) > 1)

    wrong = OnlyOfTheTruth(yes_or_no.design, "bernoulli", yes_or_no.priors, yes_or_no.areas)
    assert calibrate(wrong, by_grid, fits=400, options=FitOptions(draws=200), seed=3).status == "fail"


def test_draws_that_depend_on_each_other_are_thinned(experiment: Experiment, exact: Fit, options: FitOptions) -> None:
    def sticky(problem: FitProblem, options: FitOptions) -> Any:
        idata = exact(problem, options)
        return idata.isel(draw=np.repeat(np.arange(options.draws), 5))

    once = calibrate(experiment, exact, fits=40, options=options, seed=5)
    often = calibrate(experiment, sticky, fits=40, options=options, seed=5)
    assert often.ranks["statistic"].to_numpy() == pytest.approx(once.ranks["statistic"].to_numpy(), abs=1.0)
    assert often.areas["sd_z"].to_numpy() == pytest.approx(once.areas["sd_z"].to_numpy(), rel=0.01)


def test_an_engine_that_gives_up_is_not_passed_over(experiment: Experiment, exact: Fit, options: FitOptions) -> None:
    def timid(problem: FitProblem, options: FitOptions) -> Any:
        if problem.response.y.mean() > 1.0:
            raise ModelError(Problem("fit", "no mode was found", kind="model"))
        return exact(problem, options)

    found = calibrate(experiment, timid, fits=20, options=options, seed=3)
    lost = found.checks.checks[0]
    assert lost.verdict == found.status == "fail"
    assert 0 < lost.value < 20
    assert "the engine failed in" in lost.sentence


def test_a_simulation_depends_on_seed_and_number_alone(experiment: Experiment, exact: Engine) -> None:
    options = FitOptions(draws=50)
    first, again, other = (simulate_once(experiment, exact, options, 7, k) for k in (2, 2, 3))
    assert first.places == again.places
    assert first.eta == again.eta
    assert first.places != other.places
