"""Structured groups: every level in order, who is whose neighbour, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from placewise.errors import Problem, Problems
from placewise.estimates.effects import EffectSource
from placewise.estimates.grades import extrapolated_areas
from placewise.models import inference, structured
from placewise.models.build import build_design
from placewise.models.design import Design, Group
from placewise.models.fit import Posterior
from placewise.models.formula import parse_formula
from placewise.models.predict import build_predictor
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior
from placewise.models.spec import EstimandSpec, OutcomeSpec

# D5 is an island
PAIRS = pd.DataFrame({"a": ["D0", "D1", "D3", "D1"], "b": ["D1", "D2", "D4", "D0"]})


def attempt(country: Any, text: str, **more: Any) -> tuple[Design | None, list[Problem]]:
    problems = Problems()
    formula = parse_formula(text, "model.formula", problems)
    assert formula is not None
    given: dict[str, Any] = {
        "respondents": country.respondents, "area": country.area, "areas": country.areas, "frame": country.frame,
        "reference": country.reference, "orders": country.orders, "standardise": False, "cumulative": False,
    }  # fmt: skip
    design = build_design(formula, problems=problems, **(given | more))
    return design, list(problems)


def group_of(country: Any, text: str, structure: Mapping[str, str], **more: Any) -> Group:
    design, problems = attempt(country, text, structure=structure, **more)
    assert problems == []
    assert design is not None
    (name,) = structure
    (group,) = [g for g in design.groups if g.name == name]
    assert group.structure is not None
    assert group.structure.kind == structure[name]
    assert group.labels == group.all_labels
    return group


def same_levels(group: Group, plain: Group) -> None:
    """Respondents, areas and cells are in the levels they are in without a structure."""
    assert_array_equal(np.array(group.labels)[group.index], np.array(plain.labels)[plain.index])
    if plain.lookup is not None:
        assert_array_equal(projected(group), projected(plain))


def projected(group: Group) -> np.ndarray:
    """Label of every area's people of every cell."""
    assert group.lookup is not None
    labels = np.array(group.all_labels)[group.lookup]
    labels = labels if group.area_index is None else labels[group.area_index]
    return labels if group.cell_index is None else labels[:, group.cell_index]


def without_district(country: Any, district: str) -> dict[str, Any]:
    kept = country.areas.table["district"].to_numpy()[country.area] != district
    return {"respondents": country.respondents[kept].reset_index(drop=True), "area": country.area[kept]}


@pytest.mark.parametrize("kind", ["rw1", "ar1"])
def test_levels_follow_the_declared_order_whether_met_or_not(country, kind: str) -> None:
    orders = {"age": ("65+", "16-34", "under 16", "35-64")}
    group = group_of(country, "(1 | age)", {"age": kind}, orders=orders)
    assert group.labels == orders["age"]
    same_levels(group, country.build("(1 | age)").groups[0])


def test_numbers_are_their_own_order_and_gaps_are_told(country) -> None:
    waves = country.respondents.assign(wave=country.respondents["wave"].replace({2.0: 12.0}))
    group = group_of(country, "(1 | wave)", {"wave": "rw1"}, respondents=waves, reference={"wave": 3.0})
    assert group.labels == ("1", "3", "4", "12")
    assert group.lookup is not None
    assert group.labels[group.lookup[0, 0]] == "3"
    design, _ = attempt(country, "(1 | wave)", structure={"wave": "ar1"}, respondents=waves, reference={"wave": 3.0})
    assert design is not None
    assert "ar1 effects of wave take its values to be equally spaced, which they are not." in design.notes


def test_neighbours_of_a_level_with_and_without_respondents(country) -> None:
    sampled = without_district(country, "D1")
    more = {"neighbours": {"district": PAIRS}, **sampled}
    group = group_of(country, "(1 | region/district)", {"district": "bym2"}, **more)
    assert group.labels == ("D0", "D1", "D2", "D3", "D4", "D5")
    assert group.role == "geography"
    assert group.structure is not None
    assert group.structure.edges.tolist() == [[0, 1], [1, 2], [3, 4]]
    plain, _ = attempt(country, "(1 | region/district)", **sampled)
    assert plain is not None
    assert plain.groups[1].all_labels[-1] == "D1"
    same_levels(group, plain.groups[1])


def test_the_areas_themselves_may_be_neighbours(country) -> None:
    pairs = pd.DataFrame({"a": ["A2"], "b": ["A10"]})
    group = group_of(country, "1", {"code": "bym2"}, neighbours={"code": pairs})
    assert group.structure is not None
    assert [group.labels[k] for k in group.structure.edges[0]] == ["A2", "A10"]
    same_levels(group, country.build("1").groups[0])
    assert group.lookup is not None
    assert group.area_index is not None
    assert [group.labels[k] for k in group.lookup[group.area_index, 0]] == list(country.areas.codes)


def test_plain_data_have_effects_of_neighbours_nobody_is_in(country) -> None:
    plain = country.plain()
    pairs = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 99.0]})
    group = group_of(plain, "(1 | interviewer)", {"interviewer": "bym2"}, neighbours={"interviewer": pairs})
    assert group.labels[-1] == "99"
    same_levels(group, plain.build("(1 | interviewer)").groups[0])


def test_iid_is_what_it_is_without_a_structure(country) -> None:
    design, problems = attempt(country, "(1 | age)", structure={"age": "iid"})
    assert problems == []
    assert design is not None
    assert design.groups[0].structure is None


@pytest.mark.parametrize(
    ("text", "structure", "message"),
    [
        ("(1 | age)", {"aeg": "rw1"}, "structure.aeg: the formula has no group 'aeg' (did you mean 'age'?)"),
        ("(1 | kind)", {"kind": "rw1"}, "declare it: [variables.kind] order = [...]"),
        ("(1 | age:sex)", {"age:sex": "ar1"}, "'age:sex' combines columns"),
        ("(1 | district)", {"district": "bym2"}, "bym2 effects need the neighbours of 'district'"),
        ("(1 | number)", {"region": "rw1", "number": "rw1"}, "the formula has no group 'region'"),
        ("(1 | code)", {"district": "iid"}, "the formula has no group 'district'"),
    ],
)
def test_a_structure_that_cannot_be_is_refused(country, text: str, structure: Mapping[str, str], message: str) -> None:
    design, problems = attempt(country, text, structure=structure)
    assert design is None
    (problem,) = problems
    assert message in str(problem)
    assert problem.where.startswith("model.structure.")
    assert problem.kind == "configuration"


def test_a_group_left_out_says_why_it_has_no_structure(country) -> None:
    areas = country.with_area_column(zone="one")
    _, problems = attempt(areas, "(1 | zone)", structure={"zone": "rw1"})
    assert "has one level only" in str(problems[0])


def test_a_new_level_in_every_draw_is_no_part_of_a_walk(country) -> None:
    _, problems = attempt(country, "(1 | wave)", structure={"wave": "rw1"}, reference={"wave": "draw"})
    assert "rw1 effects have no new level" in str(problems[0])


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"a": ["D0"], "c": ["D1"]}, "lacks a column 'a' or 'b'"),
        ({"a": ["D0", "D1"], "b": ["D0", None]}, "2 of 2 pairs"),
    ],
)
def test_pairs_that_are_no_neighbours(country, pairs: dict[str, list[Any]], message: str) -> None:
    neighbours = {"district": pd.DataFrame(pairs)}
    _, problems = attempt(country, "(1 | district)", structure={"district": "bym2"}, neighbours=neighbours)
    assert message in str(problems[0])
    assert problems[0].kind == "data"


def test_too_many_levels_are_not_in_this_version(country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "MOST_LEVELS", 5)
    more = {"neighbours": {"district": PAIRS}}
    _, problems = attempt(country, "(1 | district)", structure={"district": "bym2"}, **more)
    assert [p.kind for p in problems] == ["unavailable"]


def test_a_broken_grouping_is_not_told_twice(country) -> None:
    holes = country.respondents.assign(age=country.respondents["age"].mask(np.arange(120) < 3))
    _, problems = attempt(country, "(1 | age)", structure={"age": "rw1"}, respondents=holes)
    assert len(problems) == 1
    assert "'age' is missing" in str(problems[0])


def test_the_sd_stays_in_the_geographys_total_and_rho_has_its_prior(country) -> None:
    text = "(1 | region/district) + (1 | age)"
    design, _ = attempt(country, text, structure={"district": "bym2", "age": "ar1"}, neighbours={"district": PAIRS})
    assert design is not None
    plan = plan_priors({}, None, design, "code", "bernoulli")
    assert plan.shared == ("region", "district", "code")
    assert {name: str(prior) for name, prior in plan.rho.items()} == {
        "district": "uniform(0, 1)",
        "age": "uniform(-1, 1)",
    }
    own = {"rho:district": Prior("beta", (0.5, 0.5)), "sd:district": Prior("half_normal", (1.0,))}
    plan = plan_priors(own, None, design, "code", "bernoulli")
    assert plan.shared == ("region", "code")
    assert plan.rho["district"] == Prior("beta", (0.5, 0.5))


def test_a_level_without_respondents_is_projected_with_its_posterior_draw(country) -> None:
    more = without_district(country, "D1") | {"neighbours": {"district": PAIRS}}
    design, _ = attempt(country, "(1 | district)", structure={"district": "bym2"}, **more)
    assert design is not None
    rng = np.random.default_rng(2)
    shape = (2, 3)
    variables = {"intercept": rng.normal(size=shape)}
    dims: dict[str, list[str]] = {"intercept": []}
    coords = {}
    for group in design.groups:
        variables |= {f"sd_{group.name}": np.ones(shape)}
        variables |= {f"effect_{group.name}": rng.normal(size=(*shape, len(group.labels)))}
        dims |= {f"sd_{group.name}": [], f"effect_{group.name}": [group.name]}
        coords[group.name] = list(group.labels)
    plan = plan_priors({}, None, design, "code", "bernoulli")
    posterior = Posterior(inference.build(variables, dims, coords), plan)
    outcome = OutcomeSpec("o", "O", ("s",), "bernoulli", estimands=(EstimandSpec("", "share"),))
    predictor = build_predictor(outcome, design, posterior, country.areas, country.frame, seed=1)
    (effect,) = [e for e in predictor.effects if e.name == "district"]
    here = int(np.flatnonzero(country.areas.table["district"] == "D1")[0])
    position = effect.lookup[effect.area_index[here]]
    out = np.empty((1, 6), dtype=np.float32)
    EffectSource(effect, 1).fill(position, out)
    expected = posterior.draws("effect_district")[:, design.groups[0].labels.index("D1")]
    assert out[0] == pytest.approx(expected, rel=1e-6)
    assert effect.met is not None
    assert [effect.labels[k] for k in np.flatnonzero(~effect.met)] == ["D1"]
    (own,) = [e for e in predictor.effects if e.name == "code"]
    assert own.met is None
    # as a class or as the largest level it would be outside of what was surveyed
    found = extrapolated_areas(replace(predictor, levels={"district": predictor.levels["district"]}, classes={}))
    assert_array_equal(found, country.areas.table["district"] == "D1")
