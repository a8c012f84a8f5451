from __future__ import annotations

import base64
import csv
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.publish.area_index import pack
from placewise.publish.context import ReportContext, Shapes
from placewise.publish.figures.outlines import fit_outlines
from placewise.publish.metadata import COLUMNS, build_metadata, outcome_metadata
from placewise.publish.tables import safe_cells, write_estimates
from placewise.publish.verdicts import headline, probability_higher, verdicts
from placewise.publish.wording import Scale, level_words, percent, probability, rounded


def test_text_that_a_workbook_would_run_is_escaped_and_numbers_are_not(tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain", "a=b", 'say "hi", you']
    table = pd.DataFrame({"=area": names, "index": np.linspace(-2, 2, 9), "rank": pd.array(range(9), dtype="Int64")})
    _, path = write_estimates(table, tmp_path)
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.reader(handle))
    assert rows[0] == ["'=area", "index", "rank"]
    assert [r[0] for r in rows[1:]] == [f"'{n}".replace("\r", " ") for n in names[:6]] + names[6:]
    assert rows[1][1] == "-2"
    assert [float(r[1]) for r in rows[1:]] == pytest.approx(np.linspace(-2, 2, 9))
    assert [r[2] for r in rows[1:]] == [str(k) for k in range(9)]


def test_estimates_round_trip_with_the_same_bytes_and_no_leftovers(context: ReportContext, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = write_estimates(context.estimates, tmp_path / "a")
    second = write_estimates(context.estimates, tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["estimates.csv", "estimates.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(first[0]), context.estimates)
    read = pd.read_csv(first[1])
    assert list(read.columns) == list(context.estimates.columns)
    numbers = context.estimates.select_dtypes("number")
    np.testing.assert_allclose(read[numbers.columns], numbers, rtol=1e-8)


def test_missing_cells_are_empty(tmp_path: Path) -> None:
    _, path = write_estimates(pd.DataFrame({"p": [0.5, np.nan], "name": ["a", None]}), tmp_path)
    assert path.read_text() == "p,name\n0.5,a\n,\n"


def test_escaping_leaves_the_table_as_it_was() -> None:
    table = pd.DataFrame({"name": ["=x"]})
    assert safe_cells(table)["name"].tolist() == ["'=x"]
    assert table["name"].tolist() == ["=x"]


def test_metadata_describes_every_column_and_can_be_written(context: ReportContext) -> None:
    metadata = build_metadata("Community Dynamics", [outcome_metadata(context)], "CC BY 4.0")
    assert json.loads(json.dumps(metadata, allow_nan=False)) == metadata
    assert metadata["@context"][0] == "http://www.w3.org/ns/csvw"
    table = metadata["tables"][0]
    assert table["url"] == "belonging/estimates.csv"
    assert [c["name"] for c in table["tableSchema"]["columns"]] == list(context.estimates.columns)
    about = table["placewise:outcome"]
    for key in ("question", "surveys", "respondents", "model", "seed", "data_sha256", "versions", "index",
                "orientation"):  # fmt: skip
        assert about[key], key
    assert about["surveys"][0]["mode"] == "online and on paper"
    assert metadata["placewise:forbidden_uses"]
    assert metadata["placewise:caveats"]
    assert metadata["dc:license"] == "CC BY 4.0"


def test_columns_are_those_of_the_interface() -> None:
    promised = (
        "area_code, area_name, area_level, outcome, population, mean, sd, ci50_lower, ci50_upper, ci90_lower, "
        "ci90_upper, ci95_lower, ci95_upper, index, index_sd, index_ci90_lower, index_ci90_upper, index_ci95_lower, "
        "index_ci95_upper, p_above_national, p_top_decile, p_bottom_decile, rank_median, rank_ci90_lower, "
        "rank_ci90_upper, triple_goal, reliability, grade, flag, flag_reason"
    )
    assert [c[0] for c in COLUMNS] == promised.split(", ")


def test_classes_at_their_limits() -> None:
    p = np.array([0.0, 0.025, 0.0251, 0.2, 0.201, 0.5, 0.799, 0.8, 0.974, 0.975, 1.0, np.nan])
    assert verdicts(p).tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, -1]


def test_headline_counts_the_clear_and_the_wrong() -> None:
    rows = pd.DataFrame({"p_above_national": [0.99, 0.98, 0.9, 0.5, 0.01, np.nan]})
    better = headline(rows, higher_is_better=True)
    assert (better.above, better.below, better.areas) == (2, 1, 6)
    assert better.counts == (1, 0, 1, 1, 2)
    assert better.wrong_side == pytest.approx(0.01 + 0.02 + 0.01)
    worse = headline(rows, higher_is_better=False)
    assert (worse.above, worse.below) == (1, 2)
    assert worse.wrong_side == pytest.approx(better.wrong_side)
    assert probability_higher(rows["p_above_national"], False)[0] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("kind", "mean", "lower", "upper", "text"),
    [
        ("share", 0.6812, 0.61, 0.7523, "68% (61% to 75%)"),
        ("share", 0.6182, 0.6151, 0.6213, "61.8% (61.5% to 62.1%)"),
        ("mean", 3.4216, 3.27, 3.57, "3.42 (3.27 to 3.57)"),
        ("mean", 31234.0, 29800.0, 32800.0, "31,200 (29,800 to 32,800)"),
        ("latent", -0.213, -0.41, -0.02, "−0.21 (−0.41 to −0.02)"),
        ("latent", -0.0001, -0.3, 0.3, "0.00 (−0.30 to 0.30)"),
    ],
)
def test_figures_are_rounded_to_what_the_interval_supports(
    kind: str, mean: float, lower: float, upper: float, text: str
) -> None:
    assert Scale(kind).estimate(mean, lower, upper) == text  # type: ignore[arg-type]


def test_probabilities_are_never_certain() -> None:
    assert [probability(p) for p in (0.0, 0.004, 0.91, 0.996, 1.0)] == [
        "less than 1%", "less than 1%", "91%", "more than 99%", "more than 99%",
    ]  # fmt: skip
    assert [percent(s) for s in (0.0, 0.004, 0.114, 1.0)] == ["0%", "less than 1%", "11%", "100%"]
    assert [rounded(n) for n in (194.2, 9876, 12_934, 188_880)] == [194, 9876, 12_900, 189_000]


@pytest.mark.parametrize(
    ("column", "one"),
    [("oa21cd", "output area"), ("lad22cd", "local authority"), ("rgn24cd", "region"), ("state", "state"),
     ("health_board", "health board area")],
)  # fmt: skip
def test_levels_are_called_by_their_names(column: str, one: str) -> None:
    assert level_words(column)[0] == one


def test_packed_index_holds_every_area_within_its_steps(context: ReportContext) -> None:
    packed = pack(context)
    raw = gzip.decompress(base64.b64decode(packed.data))
    columns = {}
    for c in packed.header["columns"]:
        part = raw[c["offset"] : c["offset"] + c["length"]]
        columns[c["name"]] = part if c["name"] in ("codes", "names") else np.frombuffer(part, dtype=f"<{c['type']}")
    codes = columns["codes"].decode().split("\n")
    assert len(codes) == packed.header["rows"] == len(context.estimates)
    level = np.concatenate([[item["level"]] * item["rows"] for item in packed.header["levels"]])
    rows = context.estimates.set_index(["area_level", "area_code"]).loc[list(zip(level, codes, strict=True))]
    low, step = packed.header["low"], packed.header["step"]
    mean = low + step * columns["mean"].astype(float)
    assert np.abs(mean - rows["mean"].to_numpy()).max() <= step / 2 + 1e-12
    assert np.abs(mean + step * columns["above"] - rows["ci90_upper"].to_numpy()).max() <= step + 1e-12
    assert step < 0.0003
    parent = columns["parent"]
    wanted = dict(zip(context.areas["oa"], context.areas["lad"], strict=True))
    assert all(codes[parent[k]] == wanted[codes[k]] for k in range(600))
    assert parent[-1] == len(codes) - 1
    chain = [parent[0], parent[parent[0]], parent[parent[parent[0]]]]
    assert [level[k] for k in chain] == ["lad", "region", "national"]
    assert columns["p"][-1] == 255


def test_outlines_keep_shape_and_order_does_not_matter(context: ReportContext) -> None:
    shapes = context.geometry["lad"]
    page = fit_outlines(shapes, shapes.codes)
    assert len(page.codes) == 24
    assert page.width == 330
    turned = Shapes(codes=shapes.codes[::-1], wkb=shapes.wkb[::-1])
    other = fit_outlines(turned, shapes.codes)
    assert other.codes == page.codes
    first, last = page.outlines[0].get_extents(), page.outlines[-1].get_extents()
    assert first.x0 == 0
    assert first.y0 == 0
    assert math.isclose(last.x1, 330, abs_tol=0.2)


def test_bad_geometry_is_named() -> None:
    point = b"\x01\x01\x00\x00\x00" + b"\x00" * 16
    with pytest.raises(DataError, match=r"2 geometries are not polygons .* 'A', 'B'"):
        fit_outlines(Shapes(codes=["A", "B"], wkb=[b"rubbish", point]), ["A", "B"])
