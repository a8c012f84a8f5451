from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from placewise.errors import PlacewiseError
from placewise.surveys.cls.workbook import read_cls_workbook

COLUMNS = (
    "Question",
    "Response Breakdown ",
    "2023/24 Percentage (%)",
    "2023/24 Lower Estimate percentage (%)",
    "2023/24 Upper Estimate percentage (%)",
    "2023/24 Number of respondents",
    "2023/24 Unweighted Base - number of people aged 16 and over",
    "Significance",
)
QUESTION = "How strongly do you feel you belong to your immediate neighbourhood?"
NAMES = {
    "E06000023": "Bristol, City of",
    "E07000146": "King's Lynn and West Norfolk",
    "E08000013": "St. Helens",
    "E09000001": "City of London",
    "E07000240": "St Albans",
}
FIGURES = {
    "England": (61.0, 60.6, 61.4, 105_000, 172_000),
    "Bristol, City of [note 3]": (60.0, 56.0, 64.0, 300, 500),
    "Kings Lynn & West Norfolk": (71.5, 66.5, 76.5, 250, 350),
    "St Helens": ("[c]", "[c]", "[c]", "[c]", "[c]"),
    "City of London": ("52.25", "40.25", "64.25", "1,030", "2,000"),
    "Trafford": (66.0, 62.0, 70.0, 330, 500),
}


def rows_of(areas: Mapping[str, tuple[Any, ...]]) -> list[list[Any]]:
    """Rows of name, percent, lower, upper, respondents, base."""
    return [[QUESTION, name, *figures, None] for name, figures in areas.items()]


def write_book(
    path: Path,
    rows: Sequence[Sequence[Any]],
    columns: Sequence[str] = COLUMNS,
    sheet: str = "B1c",
    above: int = 6,
) -> Path:
    """A workbook with a cover and one sheet, whose header stands below ``above`` lines of text."""
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    page = book.create_sheet(sheet)
    for i in range(above):
        page.append([f"Line {i} about the table"])
    page.append(list(columns))
    for row in rows:
        page.append(list(row))
    page.append(["[c] withheld: fewer than 30 respondents"])
    book.save(path)
    return path


def fails(path: Path, *patterns: str, sheet: str = "B1c", **how: Any) -> None:
    with pytest.raises(PlacewiseError) as found:
        read_cls_workbook(path, sheet, NAMES, **how)
    for pattern in patterns:
        assert re.search(pattern, str(found.value)), (pattern, str(found.value))


@pytest.mark.parametrize("above", [0, 6, 7])
def test_estimates_and_errors_from_the_published_bounds(tmp_path: Path, above: int) -> None:
    found = read_cls_workbook(write_book(tmp_path / "t.xlsx", rows_of(FIGURES), above=above), "b1c", NAMES)
    assert found.table["code"].tolist() == ["E06000023", "E07000146", "E09000001"]
    np.testing.assert_allclose(found.table["estimate"], [0.6, 0.715, 0.5225])
    # half the width of a 95% interval is 1.96 standard errors
    np.testing.assert_allclose(found.table["se"], [0.04 / 1.96, 0.05 / 1.96, 0.12 / 1.96], rtol=1e-4)
    assert found.table["n"].tolist() == [500, 350, 2000]
    assert found.unmatched == ("Trafford",)
    assert found.absent == ("E07000240", "E08000013")
    assert found.suppressed == {"St Helens": "[c]"}
    assert "Trafford" in " ".join(found.notes)


@pytest.mark.parametrize("mark", ["[c]", "[x]", "-", "–", "..", "[low]", None])
def test_every_mark_of_suppression_withholds_an_area_and_no_other(tmp_path: Path, mark: str | None) -> None:
    figures = FIGURES | {"St Helens": (mark, mark, mark, 20, 25)}
    found = read_cls_workbook(write_book(tmp_path / "t.xlsx", rows_of(figures)), "B1c", NAMES)
    assert list(found.suppressed) == ["St Helens"]
    assert len(found.table) == 3


def test_without_bounds_a_design_effect_is_asked_for(tmp_path: Path) -> None:
    keep = [0, 1, 2, 6]
    rows = [[row[i] for i in keep] for row in rows_of(FIGURES | {"St Helens": (100.0, 0, 0, 0, 99)})]
    path = write_book(tmp_path / "t.xlsx", rows, [COLUMNS[i] for i in keep])
    fails(path, r"no bounds, only numbers of respondents", r"--design-effect")
    table = read_cls_workbook(path, "B1c", NAMES, design_effect=1.5).table.set_index("code")
    share = (0.6 * 500 + 0.5) / 501
    assert table.loc["E06000023", "se"] == pytest.approx(np.sqrt(1.5 * share * (1 - share) / 500))
    assert 0 < table.loc["E08000013", "se"] < 0.02
    without = write_book(tmp_path / "u.xlsx", [row[:3] for row in rows], COLUMNS[:3])
    fails(without, "neither lower and upper bounds nor the number of respondents", design_effect=1.5)


def test_fractions_behind_a_percent_format_are_the_same_shares(tmp_path: Path) -> None:
    fractions = {k: (*(f / 100 for f in v[:3]), *v[3:]) for k, v in FIGURES.items() if not isinstance(v[0], str)}
    shares = read_cls_workbook(write_book(tmp_path / "t.xlsx", rows_of(fractions)), "B1c", NAMES).table
    percent = read_cls_workbook(
        write_book(tmp_path / "u.xlsx", rows_of({k: FIGURES[k] for k in fractions})), "B1c", NAMES
    ).table
    np.testing.assert_allclose(shares["estimate"], percent["estimate"])
    np.testing.assert_allclose(shares["se"], percent["se"])


def test_columns_of_another_year_are_left_alone(tmp_path: Path) -> None:
    columns = [*COLUMNS[:2], "2021/22 Percentage (%)", *COLUMNS[2:]]
    rows = [[*row[:2], 11.0, *row[2:]] for row in rows_of(FIGURES)]
    path = write_book(tmp_path / "t.xlsx", rows, columns)
    assert read_cls_workbook(path, "B1c", NAMES).column == "2023/24 Percentage (%)"
    fails(path, "no column '2019/20 Percentage", year="2019/20")
    fails(path, "'2023' is no survey year", year="2023")
    path = write_book(tmp_path / "u.xlsx", rows, [name.removeprefix("2023/24 ") for name in columns])
    found = read_cls_workbook(path, "B1c", NAMES, year="2023-24")
    assert found.column == "Percentage (%)"
    assert found.table["n"].tolist() == [500, 350, 2000]


def test_what_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    rows = rows_of(FIGURES | {"Trafford": ("sixty", 70.0, 62.0, 1, 2)})
    path = write_book(tmp_path / "t.xlsx", [*rows, rows[1]])
    fails(path, "2 problems", "'sixty'", "more than once: 'Bristol")
    fails(path, "no sheet 'B15c'", "did you mean 'B1c'", sheet="B15c")
    fails(write_book(tmp_path / "u.xlsx", rows_of({"Trafford": (66, 62, 70, 3, 5)})), "none of its names", "St. Helens")
    fails(
        write_book(tmp_path / "v.xlsx", rows_of({"St Helens": (66, 67, 70, 3, 5), "St Albans": (50, 50, 50, 3, 5)})),
        "outside its bounds: 'St Helens'",
        "no width: 'St Albans'",
    )
    fails(write_book(tmp_path / "w.xlsx", [], ("Table", "x")), "begins with 'Question'")
    fails(tmp_path / "x.xlsx", "no such file", "did you mean 'w.xlsx'")


def test_a_file_that_is_no_workbook_or_is_cut_short(tmp_path: Path) -> None:
    whole = write_book(tmp_path / "t.xlsx", rows_of(FIGURES)).read_bytes()
    for name, content, message in (
        ("cut.xlsx", whole[: len(whole) // 2], "truncated"),
        ("old.xlsx", b"\xd0\xcf\x11\xe0" + bytes(512), "encrypted, or a workbook of the old kind"),
        ("text.xlsx", b"Question,Response Breakdown\n", "no workbook"),
        ("empty.xlsx", b"", "no workbook"),
    ):
        (tmp_path / name).write_bytes(content)
        fails(tmp_path / name, message)


def test_two_published_names_are_never_one_area(tmp_path: Path) -> None:
    figures = {"Bristol": (60, 56, 64, 1, 2), "City of Bristol": (61, 56, 64, 1, 2)}
    fails(write_book(tmp_path / "t.xlsx", rows_of(figures)), "are all matched to 'E06000023'")
    figures = {"London": (50, 49, 51, 1, 2), "City of London": (52, 48, 56, 1, 2)}
    found = read_cls_workbook(write_book(tmp_path / "t.xlsx", rows_of(figures)), "B1c", NAMES)
    assert found.table["estimate"].tolist() == [0.52]
    assert found.unmatched == ("London",)
