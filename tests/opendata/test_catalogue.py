import tomllib

import pytest

from placewise.errors import ConfigurationError, Problems
from placewise.opendata.catalogue import COVARIATES_FILE, SOURCES_FILE, is_allowed, read_catalogue
from placewise.schema import Place


def _tables():
    return tomllib.loads(SOURCES_FILE.read_text("utf-8")), tomllib.loads(COVARIATES_FILE.read_text("utf-8"))


def _read(sources, covariates):
    problems = Problems()
    return read_catalogue(sources, covariates, Place("c.toml", problems), Place("v.toml", problems))


def _refused(sources, covariates):
    with pytest.raises(ConfigurationError) as raised:
        _read(sources, covariates)
    return str(raised.value)


def test_every_source_says_where_it_is_and_what_it_asks_for(catalogue):
    for source in catalogue.sources.values():
        publisher = catalogue.publishers[source.publisher]
        assert publisher.attribution
        assert publisher.licence_url.startswith("https://")
        assert source.page.startswith("https://")
        assert (source.url == "") == (source.fetch == "hand")
        assert source.url == "" or source.address in ("seen", "unconfirmed")
        assert source.url.startswith("https://") or source.fetch == "hand"
        # no checksum can be known before a download has been seen
        assert source.sha256 == ""


def test_the_familys_patterns_are_filled_in(catalogue):
    source = catalogue.sources["ts037"]
    assert source.url == "https://www.nomisweb.co.uk/output/census/2021/census2021-ts037.zip"
    assert source.layouts[0].member == "census2021-ts037-oa.csv"
    assert source.layouts[1].file == "census2021_oa/ts037.parquet"
    assert source.areas == 188_880


def test_files_of_two_sources_never_collide_in_the_publishers_layout(catalogue):
    files = [s.file for s in catalogue.sources.values()]
    assert len(set(files)) == len(files)


def test_formulas_are_read_not_evaluated(catalogue):
    made = catalogue.covariates["deprivation"]
    assert made.numerator == {("ts011", "one"): 1, ("ts011", "two"): 2, ("ts011", "three"): 3, ("ts011", "four"): 4}
    assert made.denominator == {("ts011", "total"): 1}
    assert made.formula == "(ts011.one + 2 × ts011.two + 3 × ts011.three + 4 × ts011.four) / ts011.total"
    assert catalogue.covariates["no_car"].formula == "ts045.none / ts045.total"
    sources, covariates = _tables()
    covariates["covariate"]["no_car"]["numerator"] = ["__import__('os')"]
    assert "names no source" in _refused(sources, covariates)


def test_a_share_never_mixes_tables_nor_counts_a_column_twice(catalogue):
    for covariate in catalogue.covariates.values():
        if covariate.kind == "share":
            assert {s for s, _ in covariate.inputs} == {next(iter(covariate.denominator))[0]}
            assert set(covariate.numerator.values()) == {1.0}
            assert [c for _, c in covariate.denominator] == ["total"]


def test_parts_of_a_census_table_are_all_its_other_columns_but_finer_ones(catalogue):
    finer = {"ts054": {"outright", "mortgage"}}
    for name, source in catalogue.sources.items():
        if source.parts:
            assert set(source.columns) - set(source.parts) - {"total"} == finer.get(name, set())


def test_every_problem_is_told_at_once():
    sources, covariates = _tables()
    sources["source"]["ts037"]["columns"]["total"] = "Total"
    sources["source"]["ts045"]["colour"] = "red"
    sources["source"]["iod2025"]["publisher"] = "mhcgl"
    sources["source"]["oac21"]["url"] = "http://example.org/x"
    sources["source"]["wimd2019"]["file"] = ["../x.csv", "/etc/x.parquet"]
    said = _refused(sources, covariates)
    for words in (
        "source.ts037.columns.total: expected the publisher's heading",
        "source.ts045.colour: unknown key",
        "did you mean 'mhclg'?",
        "it begins with https://",
        "source.wimd2019.file: the text '../x.csv' is no path inside a folder",
        "'/etc/x.parquet' is no path inside a folder",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": "ts045.none"}, "expected a numerator and a denominator, or a value"),
        ({"denominator": []}, "expected columns such as"),
        ({"numerator": ["ts045.nine"]}, "source 'ts045' has no column 'nine'"),
        ({"numerator": {"ts045.none": "two"}}, "expected a number as the weight"),
        ({"imputed_by": ["no_cat"]}, "did you mean 'no_car'?"),
        ({"kind": "ratio"}, "expected one of 'share', 'rate'"),
    ],
)
def test_wrong_covariates_are_refused(change, words):
    sources, covariates = _tables()
    covariates["covariate"]["no_car"].update(change)
    assert words in _refused(sources, covariates)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parts": ["very_good", "splendid"]}, "'splendid' is not a column of the source"),
        ({"sha256": "abc"}, "expected a SHA-256"),
        ({"family": "consus"}, "did you mean 'census'?"),
        ({"control": {"column": "all", "total": 1, "tolerance": 0.1}}, "'all' is not a column"),
        ({"values": "text"}, ""),
    ],
)
def test_wrong_sources_are_refused(change, words):
    sources, covariates = _tables()
    sources["source"]["ts037"].update(change)
    if change == {"values": "text"}:
        sources["source"]["ts037"]["columns"]["good"] = [["a", "b"], "c"]
        words = "text cannot be added up"
    assert words in _refused(sources, covariates)


def test_what_the_places_are_made_from_must_be_there():
    sources, covariates = _tables()
    del sources["source"]["oac21"]
    del sources["source"]["oa21_lookup"]["columns"]["msoa21nm"]
    sources["source"]["lad22_region"]["fill"]["W"]["rgn22cd"] = "W92000004"
    sources["source"]["lad22_outlines"]["columns"]["code"] = ["a", "b"]
    said = _refused(sources, covariates)
    assert "source.oac21: this source is required" in said
    assert "source.oa21_lookup.columns.msoa21nm: this column is required" in said
    assert "source.lad22_region.fill.W: 'rgn22cd' is not a column" in said
    assert "outlines have one column, 'name'" in said


def test_a_source_without_an_address_is_taken_by_hand():
    sources, covariates = _tables()
    del sources["source"]["iod2025"]["url"]
    assert 'write fetch = "hand"' in _refused(sources, covariates)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://www.nomisweb.co.uk/x", True),
        ("http://127.0.0.1:8000/x", True),
        ("http://localhost/x", True),
        ("http://www.nomisweb.co.uk/x", False),
        ("http://127.0.0.1.example.org/x", False),
        ("file:///etc/passwd", False),
        ("ftp://example.org/x", False),
        ("https:///x", False),
    ],
)
def test_only_https_is_fetched_from(address, allowed):
    assert is_allowed(address) is allowed
