"""Convergence checks: each passes on good draws and fails on draws broken on purpose."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from placewise.diagnostics.convergence import Check, Diagnostics, diagnose
from placewise.models import inference

CHAINS, DRAWS = 4, 500


def posterior(seed: int = 1, **changes: Any) -> inference.InferenceData:
    rng = np.random.default_rng(seed)
    variables = {"intercept": rng.standard_normal((CHAINS, DRAWS)), "age": rng.standard_normal((CHAINS, DRAWS, 3))}
    stats = {"diverging": np.zeros((CHAINS, DRAWS), dtype=bool), "energy": rng.standard_normal((CHAINS, DRAWS))}
    for name, value in changes.items():
        (stats if name in stats else variables)[name] = value
    return inference.build(variables, {"age": ["age_band"]}, {"age_band": ["16-34", "35-64", "65+"]}, stats)


def check(found: Diagnostics, name: str) -> Check:
    (one,) = [c for c in found.checks if c.name == name]
    return one


def test_independent_draws_pass_every_check():
    found = diagnose(posterior())
    assert found.status == "pass"
    assert [c.name for c in found.checks] == ["finite", "rhat", "ess_bulk", "ess_tail", "divergences", "bfmi"]
    assert 0.99 < (check(found, "rhat").value or 0) < 1.01
    assert 1000 < (check(found, "ess_bulk").value or 0) < 2600


def test_a_chain_elsewhere_fails_rhat_and_is_named():
    age = np.random.default_rng(2).standard_normal((CHAINS, DRAWS, 3))
    age[2, :, 1] += 2
    found = diagnose(posterior(age=age))
    assert found.status == "fail"
    assert check(found, "rhat").where[0] == "age[35-64]"
    assert "1 is beyond" in check(found, "rhat").sentence


def test_a_slow_chain_fails_ess():
    steps = np.random.default_rng(2).standard_normal((CHAINS, DRAWS))
    slow = np.empty_like(steps)
    slow[:, 0] = steps[:, 0]
    for t in range(1, DRAWS):
        slow[:, t] = 0.8 * slow[:, t - 1] + 0.6 * steps[:, t]
    bulk = check(diagnose(posterior(intercept=slow)), "ess_bulk")
    assert bulk.verdict == "fail"
    assert bulk.where[0] == "intercept"
    # 2,000 draws of an AR(1) with .8 are worth 2,000 · .2 / 1.8 = 222.
    assert bulk.value == pytest.approx(222, rel=0.5)


@pytest.mark.parametrize(("count", "verdict"), [(0, "pass"), (1, "warn"), (2, "warn"), (3, "fail")])
def test_divergences_warn_then_fail_beyond_one_in_a_thousand(count: int, verdict: str):
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging[0, :count] = True
    one = check(diagnose(posterior(diverging=diverging)), "divergences")
    assert (one.value, one.verdict) == (count, verdict)


def test_low_energy_fraction_warns():
    energy = np.cumsum(np.random.default_rng(2).standard_normal((CHAINS, DRAWS)), axis=1)
    found = diagnose(posterior(energy=energy))
    assert check(found, "bfmi").verdict == "warn"
    assert found.status == "warn"


def test_a_draw_that_is_not_finite_fails_and_a_fixed_parameter_does_not():
    age = np.random.default_rng(2).standard_normal((CHAINS, DRAWS, 3))
    age[:, :, 0] = 0.3
    assert diagnose(posterior(age=age)).status == "pass"
    age[1, 2, 2] = np.inf
    found = diagnose(posterior(age=age))
    assert check(found, "finite").verdict == "fail"
    assert check(found, "finite").where == ("age[65+]",)


def test_one_chain_fails_rather_than_pass_vacuously():
    rng = np.random.default_rng(2)
    found = diagnose(inference.build({"x": rng.standard_normal((1, 2000))}, {}, {}))
    assert check(found, "rhat").verdict == "fail"
    assert check(found, "rhat").value is None


def test_labels_that_tell_who_was_sampled_are_not_written():
    rng = np.random.default_rng(2)
    many = rng.standard_normal((CHAINS, DRAWS, 60))
    few = rng.standard_normal((CHAINS, DRAWS, 4))
    idata = inference.build(
        {"area": many, "psu": few},
        {"area": ["oa"], "psu": ["cluster"]},
        {"oa": [f"E{i}" for i in range(60)], "cluster": list("wxyz")},
    )
    places = {w for c in diagnose(idata, private=["cluster"]).checks for w in c.where}
    assert places == {"area", "psu"}
    assert any("psu[" in w for c in diagnose(idata, names=["psu"]).checks for w in c.where)


def test_further_checks_join_and_the_worst_verdict_is_the_status():
    good = diagnose(posterior())
    extra = Check("frame", float("nan"), 0.01, "warn", "Half a percent of people lack a group.")
    assert good.with_checks([extra]).status == "warn"
    written = json.loads(json.dumps(good.with_checks([extra]).to_dict(), allow_nan=False))
    assert written["status"] == "warn"
    assert written["checks"][-1] == {
        "name": "frame",
        "value": None,
        "threshold": 0.01,
        "verdict": "warn",
        "sentence": "Half a percent of people lack a group.",
        "where": [],
        "of": None,
    }


def test_what_diagnose_returns_reads_as_a_list_of_checks():
    shown = repr(diagnose(approximate(importance_ess=12.0, proposals=4096, design_points=512)))
    lines = shown.splitlines()
    assert lines[0] == "<Diagnostics: fail, 6 checks>"
    assert "  pass khat: Pareto k of the importance weights must be below 0.7 and is 0.20." in lines
    assert any(
        line.startswith("  fail importance_ess: ") and line.endswith("12, of 4,096 proposals.") for line in lines
    )
    assert "rest on 300, of 512." in shown


def approximate(draws: int = 1000, **attrs: Any) -> inference.InferenceData:
    """Independent draws with an approximate engine's own measures."""
    rng = np.random.default_rng(3)
    variables = {
        "intercept": rng.standard_normal((1, draws)),
        "slopes": rng.standard_normal((1, draws, 2)),
        "effect_lad": rng.standard_normal((1, draws, 2)),
        "effect_age": rng.standard_normal((1, draws, 2)),
    }
    dims = {"slopes": ["covariate"], "effect_lad": ["lad"], "effect_age": ["age"]}
    coords = {"covariate": ["deprivation", "sex[female]"], "lad": ["E06000001", "E06000002"], "age": ["16-34", "35+"]}
    told = {"engine": "laplace", "khat": 0.2, "importance_ess": 1200.0, "design_ess": 300.0, "separated": "[]"}
    return inference.build(variables, dims, coords, attrs=told | attrs)


def test_an_approximation_is_asked_for_its_weights_and_not_for_rhat():
    found = diagnose(approximate())
    assert found.status == "pass"
    assert [c.name for c in found.checks] == ["finite", "khat", "importance_ess", "design_ess", "draws", "separation"]
    said = " ".join(c.sentence for c in found.checks)
    assert not any(word in said for word in ("chain", "R-hat", "diverge", "sampler"))


@pytest.mark.parametrize(
    ("khat", "verdict"),
    [(-0.1, "pass"), (0.49, "pass"), (0.5, "warn"), (0.69, "warn"), (0.7, "fail"), (float("nan"), "fail")],
)
def test_khat_warns_from_a_half_and_fails_from_seven_tenths(khat: float, verdict: str):
    assert check(diagnose(approximate(khat=khat)), "khat").verdict == verdict


@pytest.mark.parametrize(("ess", "verdict"), [(400.0, "pass"), (399.9, "fail"), (float("nan"), "fail")])
def test_weights_worth_few_draws_fail(ess: float, verdict: str):
    found = diagnose(approximate(importance_ess=ess))
    assert check(found, "importance_ess").verdict == verdict
    assert found.status == verdict


@pytest.mark.parametrize(("ess", "verdict"), [(100.0, "pass"), (99.9, "fail"), (float("nan"), "fail")])
def test_hyperparameters_that_rest_on_few_points_fail(ess: float, verdict: str):
    found = diagnose(approximate(design_ess=ess))
    assert check(found, "design_ess").verdict == verdict
    assert found.status == verdict


def test_few_draws_of_an_approximation_warn():
    found = check(diagnose(approximate(draws=200)), "draws")
    assert (found.value, found.verdict) == (200, "warn")


def test_a_draw_of_an_approximation_that_is_not_finite_fails():
    found = approximate()
    found["posterior"]["intercept"][0, 3] = np.nan
    assert check(diagnose(found), "finite").verdict == "fail"


def test_separation_fails_and_names_the_columns():
    found = check(diagnose(approximate(separated=json.dumps(["sex[female]", "deprivation"]))), "separation")
    assert (found.value, found.verdict, found.where) == (2, "fail", ("sex[female]", "deprivation"))
    assert "push the slopes of sex[female], deprivation to infinity" in found.sentence


@pytest.mark.parametrize("missing", ["engine", "khat", "importance_ess", "design_ess"])
def test_draws_without_an_approximation_s_measures_are_judged_as_chains(missing: str):
    old = approximate()
    del old["posterior"].attrs[missing]
    found = diagnose(old)
    assert [c.name for c in found.checks] == ["finite", "rhat", "ess_bulk", "ess_tail"]
    assert found.status == "fail", "one chain"
