from __future__ import annotations

from pathlib import Path

import pytest

from placewise.errors import Problems
from placewise.schema import Place
from placewise.toml_file import MOST_BYTES, plain, read_toml


def read(path: Path) -> tuple[object, list[str]]:
    problems = Problems()
    return read_toml(path, Place("p.toml", problems)), [str(p) for p in problems]


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    for content in (b'[project]\ntitle = "\xc3\xa9"\r\n', b'\xef\xbb\xbf[project]\ntitle = "\xc3\xa9"\n'):
        (tmp_path / "p.toml").write_bytes(content)
        assert read(tmp_path / "p.toml") == ({"project": {"title": "é"}}, [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"[project\n", "this is not TOML: Expected ']'"),
        (b"a = 1\na = 2\n", "this is not TOML: Cannot overwrite a value"),
        (b"\x80\x04\x95pickle", "this is not a text file in UTF-8"),
        (b"a = \x00", "this is not TOML"),
        (b'title = "caf\xe9"', "this is not a text file in UTF-8"),
        (b"a = " + b"[" * 20_000, "this is not TOML: its values are nested too deeply"),
        (b"a = 1" + b"0" * 5000, "this is not TOML: Exceeds the limit"),
        (b"# " + b"x" * MOST_BYTES, "the file is larger than 2 MB"),
        (b'[priors]\nsd:geography = "gamma(4, 25)"\n', 'a key with a colon stands in quotes: "sd:geography" = …'),
        (b"[survey.a]\npath = data/survey.csv # here\n", 'text needs quotes: "data/survey.csv"'),
        (b"formula = y ~ x\n", 'text needs quotes: "y ~ x"'),
        (b"order = [low, high]\n", 'text needs quotes: "low"'),
        (b"out = ./results\n", 'text needs quotes: "./results"'),
        (b"standardise = True\n", "write true"),
    ],
)
def test_what_is_no_toml_is_told_in_one_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "p.toml").write_bytes(content)
    tables, problems = read(tmp_path / "p.toml")
    assert tables is None
    assert len(problems) == 1
    assert message in problems[0]
    assert len(problems[0]) < 400


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    assert "there is no such file" in read(tmp_path / "p.toml")[1][0]
    assert "this is a folder" in read(tmp_path)[1][0]


def test_settings_given_in_python_become_plain_tables() -> None:
    given = {"a": (1, 2), "b": {"c": Path("x/y")}, 3: [Path("z")]}
    assert plain(given) == {"a": [1, 2], "b": {"c": "x/y"}, "3": ["z"]}
