"""The likelihood averaged over areas inside, as PyMC has it, against sums written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from placewise.models.engines.pymc_model import build_model
from placewise.models.link_scale import area_sd_per_unit


@pytest.mark.parametrize("family", ["bernoulli", "cumulative"])
def test_sum_over_areas(linked_problem: Any, averaged_by_hand: Any, family: str) -> None:
    import pytensor

    specific = (0, 1) if family == "cumulative" else ()
    formula = "+ old + old:x1 + (x2 | region)"
    problem, truth = linked_problem(family, 300, 160, formula=formula, specific=specific, with_truth=True)
    design, per_unit = problem.design, area_sd_per_unit(problem.priors)
    names = [f"effect_{g.name}" for g in design.groups] + ["slopes", f"sd_{design.link.group}", "likelihood"]
    names += ["cutpoints", "slope_deviations"] if family == "cumulative" else ["intercept"]
    rng = np.random.default_rng(5)
    with pytensor.config.change_flags(cxx="", linker="py", mode="FAST_COMPILE"):
        model = build_model(problem)
        wanted = model.replace_rvs_by_values([model[n] for n in names])
        values_at = model.compile_fn(wanted, inputs=model.value_vars, on_unused_input="ignore")
        for _ in range(2):
            point = {k: v + rng.normal(0.0, 0.3, np.shape(v)) for k, v in model.initial_point().items()}
            values: dict[str, Any] = dict(zip(names, values_at(point), strict=True))
            values["inside"] = per_unit * values[f"sd_{design.link.group}"]
            by_hand = averaged_by_hand(problem, truth.survey.areas.table, values)
            assert float(values["likelihood"]) == pytest.approx(by_hand, rel=1e-9)
