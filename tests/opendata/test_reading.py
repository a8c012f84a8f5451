import country as mini
import numpy as np
import pandas as pd
import pytest

from placewise.errors import Problems
from placewise.opendata.reading import expected_names, locate, read_source


def _read(folder, source):
    problems = Problems()
    located = locate(folder, source)
    assert located is not None
    return read_source(located, source, problems), problems


TABLES = [n for n, s in mini.builtin().sources.items() if s.geometry != "polygon"]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("layout", ["published", "parquet"])
def test_both_layouts_give_the_table_that_was_written(name, layout, request, country, catalogue):
    table, problems = _read(request.getfixturevalue(layout), catalogue.sources[name])
    assert list(problems) == []
    expected = country.tables[name]
    if layout == "published" and name == "lad22_region":
        expected = expected[expected.index.str.startswith("E")]
    pd.testing.assert_frame_equal(table.sort_index(), expected.sort_index(), check_dtype=False, check_index_type=False)


def test_areas_of_other_countries_are_left_out(published, catalogue):
    table, _ = _read(published, catalogue.sources["oac21"])
    assert not table.index.str.startswith("S").any()


def test_the_unpacked_table_is_taken_too(published, country, catalogue, tmp_path):
    source = catalogue.sources["ts037"]
    frame = mini.published_columns("ts037", source, country.tables["ts037"])
    (tmp_path / "census2021-ts037-oa.csv").write_bytes(mini.csv_bytes(frame))
    table, problems = _read(tmp_path, source)
    assert not problems
    assert table["total"].sum() == country.tables["ts037"]["total"].sum()


def test_the_publishers_file_comes_first_and_nothing_is_none(published, parquet, catalogue, tmp_path):
    source = catalogue.sources["ts037"]
    assert locate(tmp_path, source) is None
    assert expected_names(source) == ("census2021-ts037.zip", "census2021-ts037-oa.csv", "census2021_oa/ts037.parquet")
    assert locate(published, source).packed
    assert locate(parquet, source).layout.name == "parquet"


def _csv(tmp_path, catalogue, change):
    source = catalogue.sources["ts008"]
    frame = pd.DataFrame(
        {
            "geography code": ["E00000001", "W00000002"],
            "Sex: All persons; measures: Value": [5, 7],
            "Sex:  female": [2, 3],
            "SEX: Male": [3, 4],
        }
    )
    frame = change(frame)
    (tmp_path / "census2021-ts008-oa.csv").write_bytes(mini.csv_bytes(frame))
    return _read(tmp_path, source)


def test_headings_are_known_in_every_edition(tmp_path, catalogue):
    table, problems = _csv(tmp_path, catalogue, lambda f: f)
    assert not problems
    assert table.to_dict("list") == {"total": [5, 7], "female": [2, 3], "male": [3, 4]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.rename(columns={"SEX: Male": "Sex: Men"}), "no column 'Male'"),
        (lambda f: f.assign(**{"Sex: Male": 1}), "2 columns 'Male'"),
        (lambda f: f.assign(**{"SEX: Male": ["3", "four"]}), "1 values of 'SEX: Male' are no numbers"),
        (lambda f: f.assign(**{"geography code": ["E00000001", None]}), "1 rows have no code"),
        (lambda f: f.assign(**{"geography code": ["E00000001", "E00000001"]}), "1 codes stand there twice"),
        (lambda f: f.assign(**{"geography code": ["S00000001", "S00000002"]}), "no code begins with 'E', 'W'"),
        (lambda f: f.iloc[:0], "header and no rows"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(change, words, tmp_path, catalogue):
    table, problems = _csv(tmp_path, catalogue, change)
    assert table is None
    assert len(problems) == 1
    assert words in str(next(iter(problems)))


def test_all_missing_headings_are_told_at_once(tmp_path, catalogue):
    _, problems = _csv(tmp_path, catalogue, lambda f: f.rename(columns={"SEX: Male": "m", "Sex:  female": "f"}))
    assert len(problems) == 2


def test_a_sum_of_headings_is_their_sum(published, country, catalogue):
    table, _ = _read(published, catalogue.sources["ts066"])
    np.testing.assert_array_equal(table["employed"], country.tables["ts066"]["employed"])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"<html>gone</html>"])
def test_a_broken_archive_is_told(content, tmp_path, catalogue):
    (tmp_path / "census2021-ts008.zip").write_bytes(content)
    table, problems = _read(tmp_path, catalogue.sources["ts008"])
    assert table is None
    assert "no zip archive" in str(next(iter(problems)))
