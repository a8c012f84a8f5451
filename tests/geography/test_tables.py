from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placewise.errors import Problems
from placewise.geography import delimited
from placewise.geography.tables import open_table, read_raw, read_table, with_labels


def read(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    problems = Problems()
    table = read_table(path, columns, "areas.table", problems)
    assert table is not None, list(map(str, problems))
    assert not problems
    return table


def fault(path: Path, columns: list[str] | None = None) -> str:
    """The one problem of a bad file."""
    problems = Problems()
    assert read_table(path, columns, "areas.table", problems) is None
    (problem,) = problems
    assert problem.where == "areas.table"
    assert path.name in problem.message
    return str(problem)


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        'code,name,n\n01,Môn,"1,234"\n02,Ynys,5\n'.encode(),
        b"\xef\xbb\xbf" + 'code,name,n\r\n01,Môn,"1,234"\r\n02,Ynys,5\r\n'.encode(),
        "code;name;n\n01;Môn;1,234\n02;Ynys;5".encode(),
        "code\tname\tn\n01\tMôn\t1,234\n02\tYnys\t5\n".encode("latin-1"),
        "code|name|n\n 01 |Môn| 1,234\n02|Ynys |5\n\n".encode("cp1252"),
        'code,name,n\n01,Môn,"1,234"\n02,Ynys,5\n'.encode("utf-16"),
        "\n code , name,n\n01,Môn,1234\n02,Ynys,5\n".encode(),
        "code,name,n\r01,Môn,1234\r02,Ynys,5\r".encode(),
    ],
    ids=["plain", "bom", "semicolon", "tab-latin1", "bar-cp1252", "utf-16", "blanks", "carriage-return"],
)
def test_every_way_of_writing_a_text_table_gives_the_same(tmp_path: Path, content: bytes) -> None:
    table = read(write(tmp_path, content), ["code", "name", "n"])
    assert table["code"].tolist() == ["01", "02"]
    assert table["name"].tolist() == ["Môn", "Ynys"]
    assert table["n"].tolist() == [1234.0, 5.0]


def test_windows_quotes_are_not_latin_1(tmp_path: Path) -> None:
    table = read(write(tmp_path, "name,n\n“quoted”,1\n".encode("cp1252")))
    assert table["name"].tolist() == ["“quoted”"]


def test_only_needed_columns_in_the_order_asked(tmp_path: Path) -> None:
    table = read(write(tmp_path, "a,b,c\n1,2,3\n"), ["c", "a"])
    assert list(table.columns) == ["c", "a"]
    assert table.iloc[0].tolist() == [3.0, 1.0]


def test_quoted_separators_and_line_breaks(tmp_path: Path) -> None:
    table = read(write(tmp_path, 'a,b\n"x, y","two\nlines"\n"say ""hi""",z\n'))
    assert table["a"].tolist() == ["x, y", 'say "hi"']
    assert table["b"].tolist() == ["two\nlines", "z"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("code,n\n", "a header and no rows"),
        ("code,n", "a header and no rows"),
        (bytes(range(256)) * 40, "binary"),
        (b"PAR1" + bytes(50), "Parquet"),
        (b"PK\x03\x04" + bytes(50), "workbook"),
        ("code,n\nx,1\ny\nz,3\n", "1 line does not fit the header of 2 columns: line 3 with 1 value"),
        ("code,n\nx,1,2\n", "line 2 with 3 values"),
        ('code,n\nx,"1\ny,2\nz,3\n', "quotation marks are odd"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert expected in fault(write(tmp_path, content), ["code", "n"])


def test_missing_columns_are_told_together_with_the_nearest(tmp_path: Path) -> None:
    problems = Problems()
    path = write(tmp_path, "oa21,pop,pop\nx,1,2\n")
    assert read_table(path, ["oa21cd", "pop", "nothing"], "areas.table", problems) is None
    missing, twice, other = map(str, problems)
    assert "no column 'oa21cd'" in missing
    assert "did you mean 'oa21'?" in missing
    assert "2 columns named 'pop'" in twice
    assert "no column 'nothing'" in other
    assert {p.kind for p in problems} == {"data"}


def test_duplicates_matter_only_where_they_are_needed(tmp_path: Path) -> None:
    assert read(write(tmp_path, "a,b,b\n1,2,3\n"), ["a"])["a"].tolist() == [1.0]


def test_long_lines_and_wide_headers_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1000)
    monkeypatch.setattr(delimited, "MOST_COLUMNS", 100)
    assert "longer than 1,000 bytes" in fault(write(tmp_path, "a,b\n1," + "x" * 5000 + "\n"))
    assert "has 101 columns" in fault(write(tmp_path, ",".join(f"c{i}" for i in range(101)) + "\n1\n"))
    assert "longer than" in fault(write(tmp_path, ",".join(f"column{i}" for i in range(1000)) + "\n1\n"))


def test_no_file_no_folder_unknown_ending(tmp_path: Path) -> None:
    write(tmp_path, "a\n1\n", "areas.csv")
    assert "did you mean 'areas.csv'?" in fault(tmp_path / "area.csv")
    problems = Problems()
    assert open_table(tmp_path / "none" / "a.csv", "x", problems) is None
    assert open_table(write(tmp_path, "a\n1\n", "t.xlsx"), "x", problems) is None
    folder, ending = map(str, problems)
    assert "no folder" in folder
    assert "'.xlsx', expected .parquet, .csv, .tab, .sav, .dta" in ending


def test_parquet_types_become_text_or_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame(
        {
            "code": pd.Categorical(["b", "a"]),
            "whole": [1, 2],
            "flag": [True, False],
            "text": [" x", ""],
            "day": pd.to_datetime(["2021-03-21", "2021-03-22"]),
            "gap": pd.array([1, None], dtype="Int64"),
            "digits": ["1", "2,000"],
        }
    ).set_index("code")
    frame.to_parquet(path)
    table = read(path)
    assert {c: str(t) for c, t in table.dtypes.items()} == {
        "code": "str",
        "whole": "float64",
        "flag": "float64",
        "text": "str",
        "day": "str",
        "gap": "float64",
        "digits": "float64",
    }
    assert table["code"].tolist() == ["b", "a"]
    assert table["flag"].tolist() == [1.0, 0.0]
    assert table["day"].str.startswith("2021-03-2").all()
    assert table["text"].isna().tolist() == [False, True]


def test_csv_and_parquet_of_the_same_data_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "code": [f"{i:03d}" for i in range(50)],
            "x": rng.normal(size=50),
            "k": rng.integers(0, 5, 50),
            "name": rng.choice(["Ely", "Bath, Somerset", "Ynys Môn"], 50),
            "hole": np.where(np.arange(50) % 7, 1.5, np.nan),
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read(tmp_path / "t.csv"), read(tmp_path / "t.parquet"), rtol=1e-15)


def test_truncated_empty_and_false_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"a,b\n1,2\n", b"PAR1" + bytes(100)):
        assert "expected Parquet" in fault(write(tmp_path, content, "t.parquet"))
    middle = len(whole) // 4
    broken = whole[:4] + bytes(middle) + whole[4 + middle :]
    assert "corrupt" in fault(write(tmp_path, broken, "t.parquet"))


def test_nested_and_binary_columns_are_refused_only_when_needed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1], "shape": [b"\x01"], "list": [[1, 2]]}), path)
    assert read(path, ["a"])["a"].tolist() == [1.0]
    assert "'shape' holds binary values" in fault(path, ["shape"])
    assert "'list' holds list" in fault(path, ["list"])


@pytest.mark.parametrize("suffix", [".sav", ".dta"])
def test_value_labels_become_text(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    frame = pd.DataFrame({"health": [1.0, 2.0, 8.0, np.nan], "age": [34.0, 60.0, 35.0, 36.0]})
    frame["oa"] = ["E1", "E2", "", "E3"]
    labels = {"health": {1: "good", 2: "bad"}, "age": {-9: "refused"}}
    {".sav": pyreadstat.write_sav, ".dta": pyreadstat.write_dta}[suffix](frame, str(path), variable_value_labels=labels)
    table = read(path)
    assert table["health"].tolist()[:3] == ["good", "bad", "8"]
    assert pd.isna(table["health"].iloc[3])
    assert table["age"].tolist() == [34.0, 60.0, 35.0, 36.0]
    assert table["oa"].isna().tolist() == [False, False, True, False]
    assert list(read(path, ["oa"]).columns) == ["oa"]
    assert "no column 'oaa'" in fault(path, ["oaa"])


@pytest.mark.parametrize("suffix", [".sav", ".dta"])
def test_false_and_truncated_labelled_files(tmp_path: Path, suffix: str) -> None:
    good = tmp_path / f"good{suffix}"
    {".sav": pyreadstat.write_sav, ".dta": pyreadstat.write_dta}[suffix](
        pd.DataFrame({"a": np.arange(500.0)}), str(good)
    )
    for content in (b"", b"a,b\n1,2\n", good.read_bytes()[:300]):
        assert "expected" in fault(write(tmp_path, content, f"t{suffix}"))


def test_text_of_another_encoding_than_an_spss_file_declares(tmp_path: Path) -> None:
    good = tmp_path / "good.sav"
    pyreadstat.write_sav(pd.DataFrame({"place": ["Orleans St"] * 50}), str(good))
    other = good.read_bytes().replace(b"Orleans St", "Orléans St".encode("latin-1"))
    found = fault(write(tmp_path, other, "t.sav"), ["place"])
    assert "not in the encoding that the file declares" in found
    assert "Unicode" in found
    assert "truncated" not in found
    # record 7, subtype 20 names the encoding: the same bytes are sound where it says so
    at = other.index(b"UTF-8")
    named = struct.pack("<4i", 7, 20, 1, 12) + b"windows-1252"
    path = write(tmp_path, other[: at - 16] + named + other[at + 5 :], "latin.sav")
    assert read(path, ["place"])["place"].unique().tolist() == ["Orléans St"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".sav", ".dta"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_whatever_a_file_holds_it_is_read_or_told(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    good = tmp_path / f"good{suffix}"
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["x", "y", "z"]})
    {
        ".csv": lambda: frame.to_csv(good, index=False),
        ".parquet": lambda: frame.to_parquet(good),
        ".sav": lambda: pyreadstat.write_sav(frame, str(good)),
        ".dta": lambda: pyreadstat.write_dta(frame, str(good)),
    }[suffix]()
    content = good.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    damaged = content[:start] + data.draw(st.binary(max_size=40)) + content[end:]
    problems = Problems()
    table = read_table(write(tmp_path, damaged, f"t{suffix}"), None, "areas.table", problems)
    assert (table is None) == bool(problems)


def test_a_code_without_a_label_stays() -> None:
    assert with_labels(pd.Series([1.0, 97.0]), {1: "yes"}).tolist() == ["yes", "97"]
    assert with_labels(pd.Series([3.0, 4.0]), {1: "yes"}).tolist() == [3.0, 4.0]


def test_a_tab_file_has_tabs_whatever_else_its_header_holds(tmp_path: Path) -> None:
    path = tmp_path / "x.tab"
    path.write_text("a,b;c|d\te\n1,5\t2\n")
    problems = Problems()
    file = open_table(path, "x", problems)
    assert file is not None
    assert (file.columns, file.note) == (("a,b;c|d", "e"), "")
    raw = read_raw(file, ["a,b;c|d", "e"], "x", problems)
    assert raw is not None
    assert raw.frame.iloc[0].tolist() == ["1,5", "2"]


def test_codes_that_an_spss_file_declares_as_missing_are_kept_on_request(tmp_path: Path) -> None:
    path = tmp_path / "x.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"a": [-9.0, 1.0, -1.0]}), str(path), missing_ranges={"a": [{"lo": -9, "hi": -1}]}
    )
    file = open_table(path, "x", Problems())
    assert file is not None
    usual, kept = (read_raw(file, ["a"], "x", Problems(), user_missing=wanted) for wanted in (False, True))
    assert usual is not None
    assert kept is not None
    assert usual.frame["a"].isna().tolist() == [True, False, True]
    assert kept.frame["a"].tolist() == [-9.0, 1.0, -1.0]
