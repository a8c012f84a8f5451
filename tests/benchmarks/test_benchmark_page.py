"""The page of a study: self-contained, escaped, errors beside means."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
from common.page import Section, svg_of, table_html, write_page
from matplotlib.figure import Figure


def drawn() -> Figure:
    figure = Figure(figsize=(2, 2))
    figure.subplots().plot([1, 2], [3, 4])
    return figure


class Addresses(HTMLParser):
    """Collects what a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [v for k, v in attrs if k in ("src", "href", "xlink:href") and v and not v.startswith("#")]


def test_page_loads_nothing_and_holds_plot_table_and_foot(tmp_path: Path) -> None:
    rows = pd.DataFrame({"code": ["abc", "abc"], "machine": ["2 cores", "2 cores"], "error": ["<script>", None]})
    path = tmp_path / "new" / "page.html"
    write_page(path, "A & B", "lead", [Section("one", "text", drawn(), "a caption", rows)], rows)
    text = path.read_text()
    parser = Addresses()
    parser.feed(text)
    assert parser.found == []
    assert {"svg", "table", "figcaption", "footer"} <= parser.tags
    assert "script" not in parser.tags
    assert "A &amp; B" in text
    assert "code: abc; machine: 2 cores" in text


def test_standard_errors_stand_beside_their_means() -> None:
    table = pd.DataFrame({"n": [170_000], "wall": [23.4567], "wall_se": [0.0321], "peak": [1234.5], "engine": ["x"]})
    found = table_html(table)
    assert "<td>170,000</td><td>23.46 ± 0.032</td><td>1,234</td>" in found
    assert "wall_se" not in found
    assert '<td class="text">x</td>' in found
    assert "–" in table_html(table.assign(wall=float("nan")))


def test_equal_figures_are_equal_text() -> None:
    assert svg_of(drawn()) == svg_of(drawn())
