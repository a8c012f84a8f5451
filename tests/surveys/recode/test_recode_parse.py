"""The recode file: what it may say, and every fault of one in one list."""

from __future__ import annotations

import itertools
import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.surveys.recode import Band, Recoding, Variable, parse_recoding, read_recoding, write_recoding
from placewise.surveys.recode.keys import key

WHOLE = """
missing = [-9, "refused"]

[variables.sex]
column = ["sex_dv", "Sex"]
wording = "Are you male or female?"
values = { "1" = "male", "Female" = "female" }

[variables.age]
missing = [-8]
bands = [
  { category = "16-24", from = 16, below = 25 },
  { category = "25+", from = 25 },
]

[variables.trust]
column = "strust"
kind = "number"
bounds = [1, 5]
reverse = true
scale = { multiply = 25, add = -25 }
required = false
note = "0 to 100"

[variables.lsoa]
kind = "code"
"""


def parsed(text: str) -> Recoding:
    problems = Problems()
    recoding = parse_recoding(tomllib.loads(text), "recode.toml", problems)
    assert recoding is not None, [str(p) for p in problems]
    assert not problems
    return recoding


def faults(text: str) -> list[str]:
    problems = Problems()
    assert parse_recoding(tomllib.loads(text), "recode.toml", problems) is None
    return [str(p) for p in problems]


def test_what_a_file_says_is_what_is_read() -> None:
    assert parsed(WHOLE) == Recoding(
        (
            Variable(
                "sex",
                ("sex_dv", "Sex"),
                "Are you male or female?",
                values={"1": "male", "Female": "female"},
            ),
            Variable("age", missing=(-8,), bands=(Band("16-24", 16.0, 25.0), Band("25+", 25.0, math.inf))),
            Variable(
                "trust",
                ("strust",),
                kind="number",
                bounds=(1.0, 5.0),
                reverse=True,
                scale=(25.0, -25.0),
                required=False,
                note="0 to 100",
            ),
            Variable("lsoa", kind="code"),
        ),
        missing=(-9, "refused"),
    )


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
CODE = st.one_of(st.integers(-99, 999), TEXT)


@st.composite
def variables(draw: st.DrawFn, name: str) -> Variable:
    kind = draw(st.sampled_from(("category", "number", "code")))
    raws = draw(st.lists(TEXT, max_size=5, unique_by=key))
    values = {raw: draw(NUMBER if kind == "number" else TEXT) for raw in raws}
    missing = [c for c in draw(st.lists(CODE, max_size=4, unique_by=key)) if key(c) not in map(key, raws)]
    ends = sorted(draw(st.sets(NUMBER, min_size=2, max_size=5)))
    bands = [Band(draw(TEXT), a, b) for a, b in itertools.pairwise(ends)] if draw(st.booleans()) else []
    if bands and draw(st.booleans()):
        bands[-1] = Band(bands[-1].category, bands[-1].lower)
    number = kind == "number"
    return Variable(
        name,
        tuple(draw(st.lists(TEXT, max_size=3, unique=True))),
        draw(st.one_of(st.just(""), TEXT)),
        kind,
        values,
        tuple(bands) if kind == "category" else (),
        tuple(missing),
        draw(st.booleans()),
        (ends[0], ends[-1]) if number else None,
        number and draw(st.booleans()),
        (draw(NUMBER), draw(NUMBER)) if number else (1.0, 0.0),
        draw(st.one_of(st.just(""), TEXT)),
    )


@st.composite
def recodings(draw: st.DrawFn) -> Recoding:
    names = draw(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), min_size=1, max_size=4, unique=True))
    missing = tuple(draw(st.lists(CODE, max_size=3, unique=True)))
    return Recoding(tuple(draw(variables(name)) for name in names), missing)


@given(recodings())
def test_a_recoding_that_is_written_reads_back_as_the_same(recoding: Recoding) -> None:
    assert parsed(write_recoding(recoding)) == recoding


def test_what_is_as_usual_is_not_written() -> None:
    written = tomllib.loads(write_recoding(Recoding((Variable("tenure", ("hsowner",), values={"1": "owned"}),))))
    assert written == {"variables": {"tenure": {"column": "hsowner", "values": {"1": "owned"}}}}


BAD = [
    ("missng = [1]\n[variables.a]", ["missng: unknown key (did you mean 'missing'?)"]),
    ("missing = [1]", ["variables: this key is required"]),
    ("variables = {}", ["variables: expected a table of variables by name, got an empty one"]),
    ("variables = [1]", ["variables: expected a table of variables by name, got a list"]),
    ("[variables.a]\ncolum = 'x'", ["variables.a.colum: unknown key (did you mean 'column'?)"]),
    ("[variables.a]\nkind = 'categry'", ["did you mean 'category'?"]),
    ("[variables.'a b']\n", ["cannot be a name in formulas"]),
    ("[variables]\na = 3", ["variables.a: expected a table, got the number 3"]),
    ("[variables.a]\nvalues = ['x']", ["variables.a.values: expected a table, got a list"]),
    ("[variables.a.values]\n'1' = 'x'\n' 1.0' = 'y'", ["this is the same as '1'"]),
    ("[variables.a.values]\n' ' = 'x'", ["a blank is missing by itself"]),
    ("[variables.a.values]\n'1' = 1.5", ["values.1: expected text or a whole number"]),
    ("[variables.a]\nkind = 'number'\nvalues = { yes = 'one' }", ["values.yes: expected a number, got the text 'one'"]),
    ("[variables.a]\nmissing = ['Refused']\nvalues = { refused = 'x' }", ["'Refused' is missing here and has a value"]),
    ("[variables.a]\nmissing = [true]", ["missing[0]: expected text or a number, got true"]),
    ("[variables.a]\nbands = [{ category = 'x' }]", ["bands[0]: the band has no end"]),
    ("[variables.a]\nbands = [{ category = 'x', from = 2, below = 2 }]", ["nothing is from 2 and below 2"]),
    (
        "[variables.a]\nbands = [{ category = 'x', below = 9 }, { category = 'y', from = 8 }]",
        ["'x' and 'y' overlap"],
    ),
    ("[variables.a]\nkind = 'number'\nbands = [{ category = 'x', from = 2 }]", ["bands make categories"]),
    ("[variables.a]\nbounds = [1, 5]", ["'bounds' is for numbers, and kind is 'category'"]),
    ("[variables.a]\nkind = 'number'\nbounds = [5, 1]", ["expected the least and the greatest value, in this order"]),
    ("[variables.a]\nkind = 'number'\nreverse = true", ["the ends of the scale are not known"]),
    ("[variables.a]\nkind = 'number'\nscale = { times = 2 }", ["scale.times: unknown key"]),
]


@pytest.mark.parametrize(("text", "messages"), BAD)
def test_a_fault_of_a_recode_file_is_named_with_its_place(text: str, messages: list[str]) -> None:
    found = faults(text)
    assert len(found) == len(messages), found
    for message, told in zip(messages, found, strict=True):
        assert message in told
        assert told.startswith("recode.toml: ")


def test_all_faults_of_a_file_are_told_at_once() -> None:
    found = faults(
        "extra = 1\n[variables.a]\ncolum = 'x'\n[variables.b]\nkind = 'no'\n[variables.c]\nreverse = true\n"
        "[variables.d]\nbands = [{ category = 'x' }, { category = 1.5, from = 1 }]\nmissing = [true]"
    )
    for part in ("extra", "a.colum", "b.kind", "c.reverse", "d.bands", "d.missing"):
        assert any(part in told for told in found), (part, found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty (write [variables.NAME]"),
        (b"missing = [-9]", "this key is required"),
        (b"[variables.a]\nwording = no quotes", "this is not TOML"),
        ("[variables.a]\nwording = 'naïve'".encode("latin-1"), "not a text file in UTF-8"),
        (b"#" * 2_000_001, "larger than 2 MB"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_recode_file_is_told_in_one_problem(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "recode.toml"
    path.write_bytes(content)
    problems = Problems()
    assert read_recoding(path, problems) is None
    assert len(problems) == 1
    assert message in str(*problems)


def test_a_file_with_a_byte_order_mark_is_read_and_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "recode.toml"
    path.write_bytes(b"\xef\xbb\xbf[variables.age]\n")
    assert read_recoding(path, Problems()) == Recoding((Variable("age"),))
    for absent in (tmp_path / "no.toml", tmp_path):
        problems = Problems()
        assert read_recoding(absent, problems) is None
        assert len(problems) == 1


def test_the_users_variables_stand_in_place_of_the_built_in_ones() -> None:
    built_in = Recoding((Variable("sex", ("sex_dv",)), Variable("age", ("dvage",))), missing=(-9, -8))
    user = Recoding((Variable("tenure"), Variable("sex", ("sex",), values={"1": "f"})), missing=(-8, -7))
    both = built_in.overridden_by(user)
    assert both == Recoding((user["sex"], built_in["age"], user["tenure"]), missing=(-9, -8, -7))
    assert both.only({"age", "tenure"}).names() == ("age", "tenure")
