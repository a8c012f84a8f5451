"""The hyperparameters' Laplace posterior: its mode, its axes, and the unknowns near it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from placewise.models.engines.laplace.explore import in_parallel, survey_landscape

CASES: dict[str, dict[str, Any]] = {
    "bernoulli": {"n": 160}, "gaussian": {"family": "gaussian", "n": 160}, "cumulative": {"family": "cumulative"},
}  # fmt: skip


def slope(conditional: Any, z: np.ndarray) -> np.ndarray:
    e = conditional.find_mode(conditional.hyper.at(z), conditional.start())
    return np.asarray(conditional.gradient(e)[0] + conditional.hyper.log_prior(z)[1])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_mode_and_axes(make_problem: Any, conditional_of: Any, case: dict[str, Any]) -> None:
    conditional = conditional_of(make_problem(**case))
    land = survey_landscape(conditional, 1)
    d = conditional.hyper.size
    assert np.abs(slope(conditional, land.centre)).max() < 0.05
    step = 0.05
    ends = [slope(conditional, land.centre + s * step * v) for v in np.eye(d) for s in (1.0, -1.0)]
    hessian = np.array([(down - up) / (2 * step) for up, down in zip(ends[::2], ends[1::2], strict=True)])
    # along the axes the density is about standard normal, or wider where it is hardly curved
    curvature = land.axes.T @ hessian @ land.axes
    assert np.diag(curvature) == pytest.approx(1.0, abs=0.3)
    assert np.abs(curvature - np.diag(np.diag(curvature))).max() < 0.2


def test_mode_of_the_unknowns_is_followed(make_problem: Any, conditional_of: Any) -> None:
    conditional = conditional_of(make_problem(n=160))
    land = survey_landscape(conditional, 1)
    z = land.centre + land.axes @ np.full(len(land.centre), 0.3)
    e = conditional.find_mode(conditional.hyper.at(z), conditional.start())
    _, skew = conditional.gradient(e)
    guess, moved = land.guess(z)
    off, rough = (np.linalg.norm(e.mode.nodes - of.nodes) for of in (guess, land.mode))
    assert off < 0.35 * rough
    assert np.linalg.norm(skew.nodes - moved.nodes) < 0.5 * np.linalg.norm(skew.nodes - land.skew.nodes)


def test_nothing_to_explore(make_problem: Any, conditional_of: Any, fixed_sds: Any) -> None:
    land = survey_landscape(conditional_of(fixed_sds(make_problem(), {"oa": 0.6, "msoa": 0.3, "age": 0.4})), 1)
    assert land.centre.shape == (0,)
    assert land.axes.shape == (0, 0)


def test_results_in_order_whatever_the_threads() -> None:
    seen = set()

    def work(k: int) -> int:
        seen.add(threading.get_ident())
        threading.Event().wait(0.002 * (5 - k))
        return k * k

    assert in_parallel(work, range(5), 1) == in_parallel(work, range(5), 3) == [0, 1, 4, 9, 16]
    assert len(seen) > 1
