"""What a model file says as typed data, its defaults, and every mistake in one."""

from __future__ import annotations

from typing import Any

import pytest
from edited_tables import DELETE, edited
from model_files import CUMULATIVE, GAUSSIAN, read

from placewise.errors import Problems
from placewise.models.engines import AVAILABLE
from placewise.models.model_file import read_model
from placewise.models.priors import Prior
from placewise.models.spec import EstimandSpec, ModelSpec


def test_a_full_model_file_becomes_typed_data() -> None:
    spec, problems = read(CUMULATIVE, surveys=["cls", "ukhls"])
    assert problems == []
    assert spec is not None
    assert spec.outcome.name == "belonging"
    assert spec.outcome.surveys == ("cls",)
    assert spec.outcome.order == ("not at all", "not very", "fairly", "very")
    assert spec.outcome.estimands == (EstimandSpec("", "share", ("fairly", "very")),)
    assert spec.outcome.higher_is_better is False
    assert spec.outcome.finite_population is True
    assert spec.formula == "deprivation + (1 | age)"
    assert spec.standardise is False
    assert spec.reference == {"mode": "online", "year": 2023.0, "interviewer": "draw"}
    assert spec.priors == {"slope": Prior("normal", (0.0, 1.0))}
    assert spec.split == 1.5
    assert spec.raw == CUMULATIVE


def test_defaults_where_keys_are_absent() -> None:
    spec, problems = read(GAUSSIAN)
    assert problems == []
    assert spec is not None
    assert spec.outcome.title == "belonging"
    assert spec.outcome.estimands == (EstimandSpec("", "mean"),)
    assert spec.outcome.higher_is_better is True
    assert spec.outcome.finite_population is None
    assert spec.standardise is True
    assert spec.engine == ModelSpec.engine
    assert (spec.structure, spec.priors, spec.split, spec.reference) == ({}, {}, None, {})


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("gaussian", {"variance": "v"}),
        ("bernoulli", {"success": ["yes", "rather yes"]}),
        ("bernoulli", {}),
        ("binomial", {"trials": "n"}),
        ("poisson", {"exposure": "t"}),
        ("cumulative", {"order": ["no", "yes"]}),
        ("cumulative", {"order": [1, 2, 3]}),
    ],
)
def test_each_family_takes_its_own_keys(family: str, more: dict[str, Any]) -> None:
    changes = {"outcome.family": family} | {f"outcome.{k}": v for k, v in more.items()}
    spec, problems = read(edited(GAUSSIAN, changes))
    assert problems == []
    assert spec is not None
    for key, value in more.items():
        expected = tuple(str(v) for v in value) if isinstance(value, list) else value
        assert getattr(spec.outcome, key) == expected


LATER: list[tuple[dict[str, Any], str, str]] = [
    ({"model.engine": "hmc"}, "engine 'hmc'", "'laplace', 'nuts' or 'auto'"),
    (
        {"outcome.survey": ["cls", "ukhls"], "model.category_specific": ["deprivation"]},
        "a slope that differs by cutpoint in a model of several items or surveys",
        "leave this key out",
    ),
]


@pytest.mark.parametrize(("changes", "what", "instead"), LATER)
def test_what_a_later_version_brings_parses_and_is_called_unavailable(
    changes: dict[str, Any], what: str, instead: str
) -> None:
    tables = edited(CUMULATIVE, changes)
    spec, problems = read(tables)
    assert [p.kind for p in problems] == ["unavailable"]
    assert f"{what} is not available in this version" in str(problems[0])
    assert instead in problems[0].hint
    assert spec is not None
    assert spec.raw == tables


def test_an_engine_given_from_outside_replaces_the_file_before_it_is_judged() -> None:
    later = edited(GAUSSIAN, {"model.engine": "hmc"})
    spec, problems = read(later, engine="nuts")
    assert problems == []
    assert spec is not None
    assert spec.engine == "nuts"
    assert spec.raw["model"]["engine"] == "hmc"
    assert [p.kind for p in read(GAUSSIAN, engine="hmc")[1]] == ["unavailable"]
    for name in AVAILABLE:
        spec, problems = read(GAUSSIAN, engine=name)
        assert problems == []
        assert spec is not None
        assert spec.engine == name
    spec, problems = read(GAUSSIAN, engine="nutss")
    assert spec is None
    assert problems[0].where == "--engine"
    assert problems[0].hint == "did you mean 'nuts'?"


WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (GAUSSIAN, {"outcme": {}}, "models/belonging.toml: outcme: unknown key (did you mean 'outcome'?)"),
    (GAUSSIAN, {"outcome": DELETE}, "outcome: this key is required"),
    (GAUSSIAN, {"model": DELETE}, "model: this key is required"),
    (GAUSSIAN, {"outcome": 3}, "outcome: expected a table, got the number 3"),
    (GAUSSIAN, {"outcome.titel": "x"}, "outcome.titel: unknown key (did you mean 'title'?)"),
    (GAUSSIAN, {"outcome.survey": DELETE}, "outcome.survey: this key is required"),
    (GAUSSIAN, {"outcome.survey": "csl"}, "'csl' is not a survey of the project (did you mean 'cls'?)"),
    (GAUSSIAN, {"outcome.response": DELETE}, "outcome.response: this key is required (it names the survey's column)"),
    (GAUSSIAN, {"outcome.response": 3}, "outcome.response: expected text, got the number 3"),
    (GAUSSIAN, {"outcome.family": DELETE}, "outcome.family: this key is required"),
    (GAUSSIAN, {"outcome.family": "gausian"}, "(did you mean 'gaussian'?)"),
    (GAUSSIAN, {"outcome.order": ["a", "b"]}, "a gaussian outcome has no 'order' (it belongs to cumulative"),
    (GAUSSIAN, {"outcome.success": ["a"]}, "a gaussian outcome has no 'success' (it belongs to bernoulli)"),
    (GAUSSIAN, {"outcome.trials": "n"}, "a gaussian outcome has no 'trials'"),
    (GAUSSIAN, {"outcome.exposure": "t"}, "a gaussian outcome has no 'exposure'"),
    (GAUSSIAN, {"outcome.family": "binomial"}, "outcome.trials: a binomial outcome needs this key"),
    (GAUSSIAN, {"outcome.family": "poisson", "outcome.variance": "v"}, "a poisson outcome has no 'variance'"),
    (GAUSSIAN, {"outcome.polarity": "higher"}, "expected one of 'higher is better', 'lower is better'"),
    (GAUSSIAN, {"outcome.finite_population": "yes"}, "expected true or false, got the text 'yes'"),
    (
        GAUSSIAN,
        {"outcome.estimand": "latent", "outcome.finite_population": True},
        "latent score has no finite population",
    ),
    (
        GAUSSIAN,
        {"outcome.variance": "v", "outcome.finite_population": True},
        "finite_population: where the variances are known",
    ),
    (GAUSSIAN, {"outcome.estimand": "men"}, "outcome.estimand: this is no estimand"),
    (CUMULATIVE, {"outcome.order": DELETE}, "outcome.order: a cumulative outcome needs this key"),
    (CUMULATIVE, {"outcome.order": ["fairly"]}, "expected at least 2 values, got 1"),
    (CUMULATIVE, {"outcome.order": ["fairly", "very", "fairly"]}, "'fairly' stands there more than once"),
    (CUMULATIVE, {"outcome.estimand": {"share": ["fairley"]}}, "(did you mean 'fairly'?)"),
    (CUMULATIVE, {"outcome.response": {"cls": "a", "uk": "b"}}, "'uk' is not a survey of this outcome"),
    (CUMULATIVE, {"outcome.response": {}}, "outcome.response: there is none for survey 'cls'"),
    (CUMULATIVE, {"model.priors": {"intercept": "normal(0, 1)"}}, "a cumulative model has no intercept"),
    (GAUSSIAN, {"model.priors": {"cutpoints": "normal(0, 1)"}}, "a gaussian model has no cutpoints"),
    (GAUSSIAN, {"model.priors": {"sd": "normal(0, 1)"}}, "model.priors.sd: 'sd' cannot be negative"),
    (GAUSSIAN, {"model.formula": DELETE}, "model.formula: this key is required"),
    (GAUSSIAN, {"model.formula": ["x"]}, "model.formula: expected text, got a list"),
    (GAUSSIAN, {"model.formla": "x"}, "model.formla: unknown key (did you mean 'formula'?)"),
    (GAUSSIAN, {"model.standardise": 1}, "expected true or false, got the number 1"),
    (GAUSSIAN, {"model.structure": {"age": "rw"}}, "model.structure.age: expected one of"),
    (GAUSSIAN, {"model.priors": {"rho:age": "beta(1, 1)"}}, "the effects of 'age' are independent and have no rho"),
    (
        GAUSSIAN,
        {"model.structure": {"age": "rw1"}, "model.priors": {"rho:age": "beta(1, 1)"}},
        "the effects of 'age' are a rw1 and have no rho",
    ),
    (
        GAUSSIAN,
        {"model.structure": {"age": "bym2"}, "model.priors": {"rho:age": "uniform(-1, 1)"}},
        "the rho of bym2 effects lies between 0 and 1, uniform(-1, 1) does not",
    ),
    (
        GAUSSIAN,
        {"model.structure": {"age": "ar1"}, "model.priors": {"rho:age": "fixed(1)"}},
        "the rho of ar1 effects lies between -1 and 1, the ends excluded, fixed(1) does not",
    ),
    (GAUSSIAN, {"model.structure": "rw1"}, "model.structure: expected a table, got the text 'rw1'"),
    (GAUSSIAN, {"model.engine": "stan"}, "expected one of 'laplace', 'nuts', 'auto', got the text 'stan'"),
    (GAUSSIAN, {"model.engine": "hmcc"}, "expected one of 'laplace', 'nuts', 'auto', got the text 'hmcc'"),
    (GAUSSIAN, {"outcome.different": ["a"]}, "a gaussian outcome has no 'different' (it belongs to cumulative"),
    (GAUSSIAN, {"model.discrepancy": "lad"}, "model.discrepancy: there is one survey"),
    (GAUSSIAN, {"model.priors": {"shift": "normal(0, 1)"}}, "an outcome of one survey has no such parameter"),
    (GAUSSIAN, {"model.priors": {"discrimination": "lognormal(0, 1)"}}, "one question has no discrimination"),
    (GAUSSIAN, {"model.category_specific": ["x"]}, "a gaussian model has no cutpoints"),
    (
        GAUSSIAN,
        {"model.category_specific": "x"},
        "category_specific: expected a list of fixed terms, or 'auto', got the text 'x'",
    ),
    (CUMULATIVE, {"model.category_specific": "autoo"}, "expected a list of fixed terms, or 'auto'"),
    (CUMULATIVE, {"model.category_specific": ["x", 3]}, "expected text, got the number 3"),
    (CUMULATIVE, {"model.category_specific": ["x", "x"]}, "'x' stands there more than once"),
    (CUMULATIVE, {"model.area_scale": 3}, "model.area_scale: expected"),
    (CUMULATIVE, {"model.area_scale": {"by": "oac", "multipliers": {"3": -1}}}, "expected a number above 0"),
    (GAUSSIAN, {"model.reference": {"mode": True}}, "expected a category, a number or 'draw', got true"),
    (GAUSSIAN, {"model.area_scale": {"multipliers": {"3": 0}}}, "model.area_scale.by: this key is required"),
    (GAUSSIAN, {"model.below_link": {"ratio": 1, "sd": "half_normal(1)"}}, "expected one of 'ratio' and 'sd'"),
    (GAUSSIAN, {"model.below_link": {"sd": "normal(0, 1)"}}, "a standard deviation cannot be negative"),
    (GAUSSIAN, {"benchmark": {"level": "rgn"}}, "benchmark.targets: this key is required"),
    (GAUSSIAN, {"benchmark": {"level": "r", "targets": "t.csv", "mode": "drown"}}, "(did you mean 'drawn'?)"),
]


@pytest.mark.parametrize(("tables", "changes", "message"), WRONG)
def test_a_wrong_model_file_is_refused_with_a_reason(
    tables: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    spec, problems = read(edited(tables, changes), surveys=["cls", "ukhls"])
    assert spec is None
    assert any(message in str(p) and p.kind == "configuration" for p in problems), [str(p) for p in problems]


@pytest.mark.parametrize("changes", [c for t, c, _ in WRONG if t is GAUSSIAN and len(c) == 1])
def test_one_mistake_gives_one_problem(changes: dict[str, Any]) -> None:
    _, problems = read(edited(GAUSSIAN, changes), surveys=["cls", "ukhls"])
    several = {"model.area_scale"}
    assert len([p for p in problems if p.kind == "configuration"]) == 1 + bool(several & set(changes))


@pytest.mark.parametrize(
    ("tables", "changes", "expected"),
    [
        (CUMULATIVE, {"model.category_specific": ["x"]}, (("x",), None)),
        (CUMULATIVE, {"model.category_specific": "auto"}, ("auto", None)),
        (GAUSSIAN, {"model.category_specific": []}, ((), None)),
        (GAUSSIAN, {"model.area_scale": "oac"}, (None, "oac")),
        (GAUSSIAN, {"model.area_scale": {"by": "oac", "multipliers": {"3": 2}}},
         (None, {"by": "oac", "multipliers": {"3": 2.0}})),
    ],
)  # fmt: skip
def test_category_specific_and_area_scale_are_read(
    tables: dict[str, Any], changes: dict[str, Any], expected: tuple[Any, Any]
) -> None:
    spec, problems = read(edited(tables, changes))
    assert problems == []
    assert spec is not None
    assert (spec.category_specific, spec.area_scale) == expected


@pytest.mark.parametrize("name", ["../up", "a\0b", ".hidden", ""])
def test_an_outcome_name_that_is_a_path_is_refused(name: str) -> None:
    problems = Problems()
    assert read_model(GAUSSIAN, name, "models/x.toml", problems) is None
    assert "cannot be a name" in str(next(iter(problems)))


@pytest.mark.parametrize("tables", [3, [], "text"])
def test_tables_that_are_none_are_refused(tables: Any) -> None:
    spec, problems = read(tables)
    assert spec is None
    assert [str(p).split(", got")[0] for p in problems] == ["models/belonging.toml: expected a table"]
