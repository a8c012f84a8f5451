from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.models.priors import DISTRIBUTIONS, Prior, parse_prior, reaches_below_zero

real = st.floats(allow_nan=False, allow_infinity=False)
above = st.floats(min_value=0, exclude_min=True, allow_infinity=False)


@st.composite
def priors(draw: st.DrawFn) -> Prior:
    name = draw(st.sampled_from(sorted(DISTRIBUTIONS)))
    if name == "uniform":
        ends = draw(st.lists(real, min_size=2, max_size=2, unique=True).map(sorted))
        return Prior(name, tuple(ends))
    if name == "pc":
        return Prior(name, (draw(above), draw(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True))))
    if name == "r2d2":
        return Prior(name, (draw(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True)), draw(above)))
    distribution = DISTRIBUTIONS[name]
    args = [0.0 if p == "0" else draw(above if p in distribution.above_zero else real) for p in distribution.parameters]
    return Prior(name, tuple(args))


def parse(text: Any) -> tuple[Prior | None, list[str]]:
    problems = Problems()
    return parse_prior(text, "m.toml: sd", problems), [str(p) for p in problems]


@given(priors())
def test_what_is_written_reads_back_exactly(prior: Prior) -> None:
    assert parse(str(prior)) == (prior, [])


@given(st.text(max_size=40))
def test_any_text_gives_a_prior_or_one_kind_of_problem(text: str) -> None:
    prior, problems = parse(text)
    assert (prior is None) == bool(problems)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("normal(0, 1)", (0, 1)),
        (" student_t ( 3,-1.5 , 2e-3 ) ", (3, -1.5, 0.002)),
        ("half_normal(.5)", (0.5,)),
        ("half_cauchy(5.)", (5,)),
        ("half_student_t(3, 0, 0.5)", (3, 0, 0.5)),
        ("gamma(4, 25)", (4, 25)),
        ("inv_gamma(2, 0.1)", (2, 0.1)),
        ("exponential(2)", (2,)),
        ("pc(1, 0.05)", (1, 0.05)),
        ("uniform(-1, +1)", (-1, 1)),
        ("lognormal(-1, 0.5)", (-1, 0.5)),
        ("fixed(0)", (0,)),
        ("flat()", ()),
    ],
)
def test_every_distribution_of_the_interface_parses(text: str, args: tuple[float, ...]) -> None:
    prior, problems = parse(text)
    assert problems == []
    assert prior is not None
    assert prior.args == args
    assert prior.name == text.split("(")[0].strip()


def test_every_distribution_has_an_example_that_parses() -> None:
    for name, distribution in DISTRIBUTIONS.items():
        prior, problems = parse(distribution.example)
        assert problems == []
        assert prior is not None
        assert prior.name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nromal(0, 1)", "there is no distribution 'nromal' (did you mean 'normal'?)"),
        ("normal", "expected a distribution, got 'normal' (write its name and numbers"),
        ("normal(0, 1", "expected a distribution"),
        ("normal(0, 1) + 1", "expected a distribution"),
        ("", "expected a distribution, got ''"),
        (["normal(0, 1)"], "got a value of type list"),
        (1.5, 'expected a distribution, got the number 1.5 (write "fixed(1.5)"'),
        (True, "got a value of type bool"),
        ("normal(0)", "normal(mean, sd) takes 2 numbers, got 1"),
        ("flat(1)", "flat() takes 0 numbers, got 1"),
        ("half_normal(1, 2)", "half_normal(sd) takes 1 number, got 2"),
        ("normal(0, one)", "takes finite numbers, got 'one'"),
        ("normal(0, nan)", "takes finite numbers, got 'nan'"),
        ("normal(0, 1e999)", "takes finite numbers, got '1e999'"),
        ("normal(0, 1_0)", "takes finite numbers, got '1_0'"),
        ("normal(0, ١)", "takes finite numbers"),
        ("normal(0,, 1)", "takes finite numbers, got ''"),
        ("normal(0, __import__('os'))", "takes finite numbers"),
        ("normal(0, -1)", "normal: sd must be above 0, got -1"),
        ("half_normal(0)", "half_normal: sd must be above 0, got 0"),
        ("student_t(0, 0, 1)", "student_t: df must be above 0"),
        ("gamma(2, 0)", "gamma: rate must be above 0"),
        ("half_student_t(3, 1, 0.5)", 'must be 0, got 1 (write "half_student_t(3, 0, 0.5)")'),
        ("half_student_t(3, 0.5)", "half_student_t(df, 0, scale) takes 3 numbers, got 2"),
        ("pc(1, 1)", "pc: tail is the probability of exceeding upper and must be below 1"),
        ("pc(0, 0.1)", "pc: upper must be above 0"),
        ("uniform(2, 2)", "uniform: a must be below b, got 2 and 2"),
        ("lognormal(0, 0)", "lognormal: sigma must be above 0"),
    ],
)
def test_what_is_no_prior_is_refused_with_a_reason(text: Any, message: str) -> None:
    prior, problems = parse(text)
    assert prior is None
    assert message in problems[0]
    assert problems[0].startswith("m.toml: sd: ")


def test_all_numbers_out_of_range_are_told_at_once() -> None:
    assert len(parse("gamma(0, -1)")[1]) == 2


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("normal(5, 1)", True),
        ("half_normal(1)", False),
        ("uniform(0, 1)", False),
        ("uniform(-1, 1)", True),
        ("fixed(0)", False),
        ("fixed(-1)", True),
        ("flat()", False),
        ("lognormal(0, 1)", False),
    ],
)
def test_which_priors_reach_below_zero(text: str, below: bool) -> None:
    prior, _ = parse(text)
    assert prior is not None
    assert reaches_below_zero(prior) is below
