from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from placewise import schema
from placewise.errors import Problems
from placewise.schema import Key, Place, data_file, expand, list_of, one_of, table, table_of, walk


def read(reader: schema.Reader, value: Any, folder: Path = Path("/nowhere")) -> tuple[Any, list[str]]:
    problems = Problems()
    found = reader(value, Place("p.toml", problems, folder, "a"))
    return found, [str(p) for p in problems]


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        (schema.text, "two words", "two words"),
        (schema.label, 3, "3"),
        (schema.label, 3.0, "3"),
        (schema.label, "3", "3"),
        (schema.scalar, -9, -9),
        (schema.scalar, True, True),
        (schema.boolean, False, False),
        (schema.positive, 2, 2.0),
        (schema.seed_number, 2**63 - 1, 2**63 - 1),
        (schema.safe_name, "very_good-health2", "very_good-health2"),
        (one_of("x", "y"), "y", "y"),
        (list_of(schema.text), ["b", "a"], ("b", "a")),
        (list_of(schema.text), [], ()),
        (table_of(schema.positive), {"u": 1}, {"u": 1.0}),
        (table({"u": Key(schema.text), "v": Key(schema.text)}), {"u": "x"}, {"u": "x"}),
    ],
)
def test_a_reader_returns_the_typed_value(reader: schema.Reader, value: Any, expected: Any) -> None:
    found, problems = read(reader, value)
    assert problems == []
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("reader", "value", "message"),
    [
        (schema.text, 3, "p.toml: a: expected text, got the number 3"),
        (schema.text, "  ", "expected text, got an empty one"),
        (schema.text, "a\0b", "control character"),
        (schema.text, date(2020, 1, 1), "got a date or time"),
        (schema.label, 1.5, "expected text or a whole number, got the number 1.5"),
        (schema.label, True, "expected text or a whole number, got true"),
        (schema.label, 10**400, "got a huge number"),
        (schema.scalar, float("nan"), "got the number nan"),
        (schema.scalar, [1], "got a list"),
        (schema.boolean, 1, "expected true or false, got the number 1"),
        (schema.positive, 0, "expected a number above 0, got the number 0"),
        (schema.positive, float("inf"), "got the number inf"),
        (schema.positive, True, "got true"),
        (schema.seed_number, -1, "expected a whole number from 0"),
        (schema.seed_number, 2**63, "expected a whole number from 0"),
        (schema.seed_number, 1.0, "got the number 1.0"),
        (one_of("nuts", "hmc"), "nut", "one of 'nuts', 'hmc', got the text 'nut' (did you mean 'nuts'?)"),
        (one_of("nuts"), {}, "got a table"),
        (list_of(schema.text), "x", "expected a list, got the text 'x'"),
        (list_of(schema.text), ["x", 1], "a[1]: expected text, got the number 1"),
        (list_of(schema.text), ["x", "y", "x"], "'x' stands there more than once"),
        (list_of(schema.text, least=2), ["x"], "expected at least 2 values, got 1"),
        (table_of(schema.text), [], "expected a table, got an empty list"),
        (table_of(schema.text), {"b c": 1}, 'a."b c": expected text'),
        (table({"levels": Key(schema.text)}), {"levles": "x"}, "a.levles: unknown key (did you mean 'levels'?)"),
        (table({"u": Key(schema.text, required=True)}), {}, "a.u: this key is required"),
    ],
)
def test_a_reader_says_what_it_got_and_what_it_expected(reader: schema.Reader, value: Any, message: str) -> None:
    found, problems = read(reader, value)
    assert found is None
    assert len(problems) == 1
    assert message in problems[0]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "..\\b", "/etc", "a\0b", "a b", "a.b", "-x", "x" * 101, 3]
)
def test_names_that_would_leave_the_output_folder_are_refused(name: Any) -> None:
    found, problems = read(schema.safe_name, name)
    assert found is None
    assert "cannot be a name" in problems[0]


def test_one_walk_notes_every_problem_and_keeps_what_is_right() -> None:
    problems = Problems()
    keys = {
        "good": Key(schema.text),
        "bad": Key(schema.text),
        "absent": Key(schema.text, default="usual"),
        "needed": Key(schema.text, required=True),
        "later": Key(schema.text, instead="write 'good'"),
    }
    found = walk({"good": "g", "bad": 1, "later": "x", "odd": 1}, keys, Place("p.toml", problems))
    assert found == {"good": "g", "bad": None, "absent": "usual", "needed": None, "later": "x"}
    kinds = {p.where: p.kind for p in problems}
    assert kinds == {
        "p.toml: bad": "configuration",
        "p.toml: odd": "configuration",
        "p.toml: needed": "configuration",
        "p.toml: later": "unavailable",
    }
    assert [p.hint for p in problems if p.kind == "unavailable"] == ["write 'good'"]


def test_a_path_is_resolved_against_its_folder_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x\n1\n")
    monkeypatch.setenv("SOMEWHERE", str(tmp_path / "data"))
    assert read(data_file(".csv"), "data/a.csv", tmp_path) == (tmp_path / "data" / "a.csv", [])
    assert read(data_file(".csv"), "${SOMEWHERE}/a.csv") == (tmp_path / "data" / "a.csv", [])
    assert read(expand, "$SOMEWHERE/a.csv", tmp_path) == (tmp_path / "$SOMEWHERE" / "a.csv", [])


@pytest.mark.parametrize(
    "prepare", [lambda m: m.delenv("SOMEWHERE", raising=False), lambda m: m.setenv("SOMEWHERE", "")]
)
def test_an_unset_variable_is_named(prepare: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    found, problems = read(expand, "${SOMEWHERE}/a.csv")
    assert found is None
    assert problems == [
        "p.toml: a: the environment variable 'SOMEWHERE' is not set (set it, for example: export SOMEWHERE=…)"
    ]


def test_a_variable_left_open_is_refused() -> None:
    assert read(expand, "${SOMEWHERE/a.csv")[1] == [
        "p.toml: a: '${SOMEWHERE/a.csv' opens '${' without closing it (write ${NAME})"
    ]


def test_files_that_are_absent_are_a_matter_of_data(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for written, message in [
        ("b.csv", "there is no file 'b.csv'"),
        ("folder.csv", "is a folder"),
        ("x" * 999 + ".csv", "no file"),
    ]:
        problems = Problems()
        path = data_file(".csv")(written, Place("p.toml", problems, tmp_path))
        assert path == tmp_path / written
        assert [p.kind for p in problems] == ["data"]
        assert message in str(next(iter(problems)))


def test_files_of_another_kind_are_refused() -> None:
    found, problems = read(data_file(".parquet", ".csv"), "areas.xlsx")
    assert found is None
    assert problems == ["p.toml: a: expected a file that ends in .parquet or .csv, got 'areas.xlsx'"]
