"""Draws under the names that every engine uses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from placewise.models.design import Group
from placewise.models.engines import FitOptions
from placewise.models.engines.laplace.fit import fit
from placewise.models.priors import Prior

OPTIONS = FitOptions(draws=400, seed=1, jobs=1)


def with_unmet(problem: Any, name: str, extra: int) -> Any:
    """The problem with levels of one group that no respondent is in."""
    groups: list[Group] = list(problem.design.groups)
    (k,) = [k for k, g in enumerate(groups) if g.name == name]
    groups[k] = replace(groups[k], labels=(*groups[k].labels, *(f"unmet {j}" for j in range(extra))))
    return replace(problem, design=replace(problem.design, groups=tuple(groups)))


@pytest.mark.parametrize("name", ["oa", "age"])
def test_levels_without_respondents_are_drawn_from_the_prior(make_problem: Any, name: str) -> None:
    found = fit(with_unmet(make_problem(), name, 12), OPTIONS)["posterior"]
    effects = found[f"effect_{name}"].to_numpy()[0, :, -12:] / found[f"sd_{name}"].to_numpy()[0][:, None]
    if name == "oa":
        assert stats.kstest(effects.ravel(), "norm").pvalue > 1e-3
    # of the core they are proposals like all others, of which some weigh more
    assert effects.mean() == pytest.approx(0.0, abs=0.1)
    assert effects.std() == pytest.approx(1.0, abs=0.1)
    assert np.abs(np.corrcoef(effects.T) - np.eye(12)).max() < 0.3


def test_areas_without_respondents_have_their_classs_sd(make_problem: Any) -> None:
    problem = with_unmet(make_problem(scale=(np.array([1.0, 5.0, 0.2]),)), "oa", 3)
    scale = problem.design.area_scale
    index = np.concatenate([scale.index, [0, 1, 2]])
    problem = replace(problem, design=replace(problem.design, area_scale=replace(scale, index=index)))
    found = fit(problem, OPTIONS)["posterior"]
    assert "area_scale" not in found
    effects = found["effect_oa"].to_numpy()[0, :, -3:] / found["sd_oa"].to_numpy()[0][:, None]
    assert effects.std(axis=0) == pytest.approx([1.0, 5.0, 0.2], rel=0.15)


def test_names_dims_and_what_adds_up(make_problem: Any) -> None:
    problem = make_problem(
        "cumulative", structures={"g": "bym2"}, slopes=True, correlated=True, specific=(1,), scale=()
    )
    found = fit(problem, OPTIONS)["posterior"]
    dims = {str(name): found[name].dims[2:] for name in found.data_vars}
    assert dims["cutpoints"] == ("cutpoint",)
    assert found["cutpoint"].to_numpy().tolist() == ["a | b", "b | c", "c | d"]
    assert (np.diff(found["cutpoints"]) > 0.0).all()
    assert dims["slopes"] == ("covariate",)
    assert dims["slope_deviations"] == ("covariate_specific", "cutpoint")
    assert found["covariate_specific"].to_numpy().tolist() == ["x1"]
    assert dims["effect_x0|eth"] == dims["effect_eth"] == ("eth",)
    assert dims["cor_eth"] == ("eth_term", "eth_term2")
    assert found["eth_term"].to_numpy().tolist() == ["intercept", "x0", "x1"]
    assert np.linalg.eigvalsh(found["cor_eth"]).min() > 0.0
    assert np.asarray(found["cor_eth"])[..., [0, 1, 2], [0, 1, 2]] == pytest.approx(1.0)
    assert dims["area_scale"] == ("area_class",)
    assert dims["split"] == ("geography",)
    assert {"rho_g", "sd_g", "deviation_sd", "area_scale_sd", "slope_sd", "sd_age"} <= set(dims)
    assert not {"intercept", "sigma"} & set(dims)
    for name in problem.priors.shared:
        share = np.sqrt(found["split"].sel(geography=name).to_numpy())
        assert found[f"sd_{name}"].to_numpy() == pytest.approx(found["sd_total"].to_numpy() * share)
    for values in found.data_vars.values():
        assert np.isfinite(values).all()


def test_deviations_stand_by_covariate_and_cutpoint(make_problem: Any) -> None:
    """Slopes that differ, one at the first cutpoint and the other at the last, are found there."""
    n, fixed = 3000, {"sd:category_specific": Prior("fixed", (2.0,))}
    problem = make_problem("cumulative", n=n, depth=0, specific=(0, 1), priors=fixed)
    first, second = (np.tanh(column.values) for column in problem.design.columns)
    zero = np.zeros(n)
    cuts = np.column_stack([zero - 3.0 + 0.8 * second, zero, zero + 2.0 + 0.8 * first])
    y = (np.random.default_rng(5).logistic(size=n)[:, None] > cuts).sum(axis=1)
    problem = replace(problem, response=replace(problem.response, y=y))
    found = fit(problem, OPTIONS)["posterior"]["slope_deviations"].mean(("chain", "draw"))
    relative = (found - found.mean("cutpoint")).to_numpy()
    assert (np.argwhere(relative < -0.2) == [[0, 2], [1, 0]]).all()


def test_slopes_without_an_intercept_or_columns(make_problem: Any) -> None:
    problem = make_problem(depth=1)
    design = replace(problem.design, columns=(), intercept=False)
    plan = replace(problem.priors, slopes=(), slope_sd=None, intercept=None)
    found = fit(replace(problem, design=design, priors=plan), OPTIONS)["posterior"]
    assert set(map(str, found.data_vars)) == {"sd_oa", "effect_oa", "sd_age", "effect_age"}
