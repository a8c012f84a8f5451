from __future__ import annotations

import builtins

import pytest
from formulae import model_description
from hypothesis import given, settings
from hypothesis import strategies as st

from placewise.errors import Problem, Problems
from placewise.models.formula import parse_formula
from placewise.models.terms import FUNCTIONS, Formula

WHERE = "models/x.toml: model.formula"


def read(text: str) -> Formula:
    problems = Problems()
    formula = parse_formula(text, WHERE, problems)
    problems.raise_if_any()
    assert formula is not None
    return formula


def refuse(text: str) -> list[Problem]:
    problems = Problems()
    assert parse_formula(text, WHERE, problems) is None
    assert all(p.where == WHERE for p in problems)
    return list(problems)


def fixed(text: str) -> list[str]:
    return [str(term) for term in read(text).terms]


def groups(text: str) -> list[str]:
    return [str(group) for group in read(text).groups]


def test_formula_of_the_interface_is_read():
    formula = read(
        "deprivation + log(density) + private_rent + (1 | sex) + (1 | age) + (1 | age:sex)"
        " + (1 | oac21_supergroup/oac21_group/oac21_subgroup) + (1 | rgn24cd/lad22cd/msoa21cd)"
    )
    assert [str(t) for t in formula.terms] == ["deprivation", "log(density)", "private_rent"]
    assert formula.intercept
    assert formula.response == ""
    assert formula.group_columns() == (
        "sex",
        "age",
        "oac21_supergroup",
        "oac21_group",
        "oac21_subgroup",
        "rgn24cd",
        "lad22cd",
        "msoa21cd",
    )
    assert formula.variables() == ("deprivation", "density", "private_rent", *formula.group_columns())


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("a*b", ["a", "b", "a:b"]),
        ("a/b", ["a", "a:b"]),
        ("(a + b)/c", ["a", "b", "a:b:c"]),
        ("a/(b + c)", ["a", "a:b", "a:c"]),
        ("(a + b):c", ["a:c", "b:c"]),
        ("(a + b + c)**2", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("(a + b + c)**2 - a:b", ["a", "b", "c", "a:c", "b:c"]),
        ("a*b*c - a:b:c", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("a:b + b:a + a", ["a", "a:b"]),
        ("a:a", ["a"]),
        ("(a + (b + c)) - c", ["a", "b"]),
        ("`my column` + a", ["my column", "a"]),
    ],
)
def test_algebra_of_terms_is_that_of_r(text: str, terms: list[str]):
    assert fixed(text) == terms


@pytest.mark.parametrize("text", ["a*b", "a/b", "(a + b):c", "(a + b + c)**2", "a*b*c", "a + b:c", "a*b - a", "a/b/c"])
def test_algebra_of_terms_is_that_of_formulae(text: str):
    description = model_description(f"y ~ {text}")
    names = [t.name for t in description.common_terms if t.name != "Intercept"]
    expected = {frozenset(name.split(":")) for name in names}
    assert {frozenset(str(f) for f in term.factors) for term in read(text).terms} == expected


@pytest.mark.parametrize(
    ("text", "intercept"),
    [
        ("x", True),
        ("1 + x", True),
        ("0 + x", False),
        ("x - 1", False),
        ("-1 + x", False),
        ("x + 0", False),
        ("0 + x + 1", True),
        ("1", True),
        ("y ~ 0 + x", False),
        ("(x + 0)", False),
    ],
)
def test_intercept(text: str, intercept: bool):
    assert read(text).intercept is intercept


def test_response_stands_left_of_the_tilde():
    assert read("y ~ x").response == "y"
    assert read("~ x").response == ""
    assert read("`my y` ~ x").response == "my y"
    assert read("y ~ x").variables() == ("x",)


def test_nesting_of_groups():
    assert groups("(1 | a/b/c)") == ["a", "a:b", "a:b:c"]
    assert groups("(1 | a/(b/c))") == ["a", "a:b", "a:b:c"]
    assert [g.finest for g in read("(1 | a/b:c)").groups] == [("a",), ("b", "c")]
    assert groups("(1 | a:b) + (1 | a) + (1 | a)") == ["a:b", "a"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("log( density )", "log(density)"),
        ("I(x**2)", "I(x ** 2)"),
        ("I(-x**2)", "I(-x ** 2)"),
        ("I((-x)**2)", "I((-x) ** 2)"),
        ("I((a + b)*c/(d - e))", "I((a + b) * c / (d - e))"),
        ("I(a - (b - c))", "I(a - (b - c))"),
        ("I((x**2)**3)", "I((x ** 2) ** 3)"),
        ("poly(x,2)", "poly(x, 2)"),
        ("log(x+.5)", "log(x + 0.5)"),
        ("scale(log1p(x))", "scale(log1p(x))"),
    ],
)
def test_names_are_written_one_way_and_read_back_to_themselves(text: str, name: str):
    assert fixed(text) == [name]
    assert read(name).terms == read(text).terms


@pytest.mark.parametrize(
    ("text", "offender"),
    [
        ("__import__('os').system('true')", "__import__("),
        ("x + `a` + __import__", "__import__"),
        ("np.log(x)", "np.log("),
        ("x.real", "x.real"),
        ("eval(x)", "eval("),
        ("C(x)", "C("),
        ("x + True", "True"),
        ("None", "None"),
        ("False:x", "False"),
        ("{x + 1}", "{"),
        ("sex[female]", "["),
        ("x == 1", "=="),
        ("log(x=1)", "="),
        ("x <= 2", "<="),
        ("x % 2", "%"),
        ("x // 2", "//"),
        ("'x'", "'x'"),
        ('"x"', '"x"'),
        ("x; y", ";"),
        ("x @ y", "@"),
        ("x ^ 2", "^"),
        ("I(1e5 * x)", "1e5"),
        ("``", "``"),
        ("`a", "`"),
        ("x\u00a0+ z", "\\xa0"),
        ("²", "²"),
        ("\\x", "\\\\"),
    ],
)
def test_everything_else_is_refused_with_what_is_allowed(text: str, offender: str):
    (problem,) = refuse(text)
    assert offender in problem.message
    for function in FUNCTIONS:
        assert function in problem.hint


def test_all_that_is_refused_is_told_at_once():
    (problem,) = refuse("f(x) + a.b + True")
    assert all(offender in problem.message for offender in ("'f('", "'a.b'", "'True'"))
    problems = refuse("x ** 2 + (g | g) + 7 + (1 | a + b)")
    assert len(problems) == 4


@pytest.mark.parametrize(
    ("text", "intercept", "slopes", "correlated"),
    [
        ("(x | g)", True, ["x"], True),
        ("(1 + x | g)", True, ["x"], True),
        ("(x + 1 | g)", True, ["x"], True),
        ("(0 + x | g)", False, ["x"], True),
        ("(x - 1 | g)", False, ["x"], True),
        ("(x || g)", True, ["x"], False),
        ("(0 + x || g)", False, ["x"], False),
        ("((x + log(z)) | g)", True, ["x", "log(z)"], True),
        ("(x*z | g)", True, ["x", "z", "x:z"], True),
        ("(x*z - x:z | g)", True, ["x", "z"], True),
        ("(poly(x, 2) | g)", True, ["poly(x, 2)"], True),
        ("(1 || g)", True, [], True),
        ("(`a b` | g)", True, ["a b"], True),
    ],
)
def test_varying_slopes(text: str, intercept: bool, slopes: list[str], correlated: bool):
    formula = read(f"y ~ w + {text}")
    (group,) = formula.groups
    assert (group.columns, group.finest) == (("g",), ("g",))
    assert (group.intercept, [str(t) for t in group.slopes], group.correlated) == (intercept, slopes, correlated)
    assert [str(t) for t in formula.terms] == ["w"]
    assert formula.variables() == ("w", *dict.fromkeys(n for t in group.slopes for n in t.names()), "g")


def test_slopes_vary_over_every_step_of_a_nesting():
    groups = read("(x || a/b:c)").groups
    assert [(g.columns, g.finest, [str(t) for t in g.slopes]) for g in groups] == [
        (("a",), ("a",), ["x"]),
        (("a", "b", "c"), ("b", "c"), ["x"]),
    ]
    assert [g.written(str(g)) for g in groups] == ["(1 + x || a)", "(1 + x || a:b:c)"]
    assert len(read("(x | g) + (1 + x | g) + (1 | g)").groups) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(x ||| g)", "follows another"),
        ("(x | | g)", "follows another"),
        ("x || g", "outside brackets"),
        ("(x || g || h)", "two |"),
        ("(0 + 0 | g)", "varies nothing"),
        ("(2 + x | g)", "number 2"),
        ("(x - z | g)", "was not there"),
        ("(g | g)", "both sides"),
        ("(log(b) | a/b)", "both sides"),
        ("((x | g) | h)", "inside a product"),
        ("(x ~ z | g)", "cannot be read"),
        ("y ~ (y | g)", "among the covariates"),
        ("(f(x) | g)", "not allowed"),
    ],
)
def test_varying_terms_that_mean_nothing_are_refused(text: str, words: str):
    (problem,) = refuse(text)
    assert words in problem.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("~", "nothing stands right"),
        ("y ~ x ~ z", "more than one ~"),
        ("(1 | g", "never closed"),
        ("x)", "closes nothing"),
        ("x +", "at its end"),
        ("x y", "at 'y'"),
        ("x | g", "outside brackets"),
        ("y ~ x | g", "outside brackets"),
        ("(a | b | c)", "two |"),
        ("(0 | g)", "varies nothing"),
        ("x:(1 | g)", "inside a product"),
        ("- (1 | g)", "taken away"),
        ("(1 | log(g))", "right of |"),
        ("(1 | a*b)", "right of |"),
        ("2 + x", "number 2"),
        ("x ** 2", "only x"),
        ("(a + b) ** 0", "whole number"),
        ("a - b", "was not there"),
        ("I(x ** 2 ** 3)", "two ways"),
        ("(x)(z)", "no function"),
        ("log(x, 2)", "one argument"),
        ("log()", "one argument"),
        ("poly(x)", "degree"),
        ("poly(x, 11)", "degree"),
        ("poly(x, z)", "degree"),
        ("I(poly(x, 2))", "another function"),
        ("I(3)", "no column"),
        ("I(a:b)", "not arithmetic"),
        ("I(a ~ b)", "not arithmetic"),
        ("log(y) ~ x", "response"),
        ("y ~ y + x", "response"),
        ("(y ~ x)", "inside brackets"),
        ("a:(b - c)", "inside a product"),
        ("a:-b", "inside a product"),
        ("+".join("abc" * 9999), "characters"),
        ("(" * 60 + "x" + ")" * 60, "deep"),
        ("-" * 5000 + "x", "deeply"),
        (f"I({'+'.join(['x'] * 900)})", "deeply"),
        (":".join(["x"] * 4900), "deeply"),
        ("*".join("abcdefghijkl"), "more than 500"),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, words: str):
    assert any(words in p.message for p in refuse(text))


def test_long_sums_are_read():
    assert len(read(" + ".join(f"x{i}" for i in range(400))).terms) == 400


def test_eval_is_never_reached(monkeypatch: pytest.MonkeyPatch):
    parse_formula("x", WHERE, Problems())

    def forbidden(*_: object) -> None:
        raise AssertionError("an evaluator was reached")

    monkeypatch.setattr(builtins, "eval", forbidden)
    monkeypatch.setattr(builtins, "exec", forbidden)
    monkeypatch.setattr(builtins, "compile", forbidden)
    monkeypatch.setattr("formulae.environment.Environment.capture", forbidden)
    read("y ~ x*log(z) + poly(w, 2) + (1 | a/b)")
    for text in ("True", "x + None", "log(False)", "__import__('os')", "I(True + x)", "(True | g)", "(1 | None)"):
        refuse(text)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(
                [
                    "x",
                    "z",
                    "1",
                    "0",
                    "2.5",
                    "+",
                    "-",
                    "*",
                    "**",
                    "/",
                    ":",
                    "~",
                    "|",
                    "(",
                    ")",
                    ",",
                    "log(",
                    "poly(",
                    "I(",
                    "`a b`",
                    " ",
                    "True",
                    "'s'",
                    "(1 | g)",
                    "(x || g)",
                    "||",
                ]
            ),
            max_size=14,
        ).map("".join),
    )
)
def test_any_text_is_read_or_refused_never_an_exception(text: str):
    problems = Problems()
    formula = parse_formula(text, WHERE, problems)
    assert (formula is None) == bool(len(problems))
