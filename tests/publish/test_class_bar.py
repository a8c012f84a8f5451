"""Every share of the bar of classes is written, inside its part or above it, and none on another."""

from __future__ import annotations

import itertools
import re

import pytest

from placewise.publish.figures.bars import LETTER, WIDTH, draw_class_bar


def written(counts: tuple[int, ...]) -> list[tuple[str, float]]:
    """Texts of the bar and the middle of each, from left to right."""
    found = re.findall(r'<text[^>]*? x="([\d.]+)"[^>]*>([^<]+)</text>', draw_class_bar(counts, "bar", "bar"))
    return [(text.replace("&lt;", "<"), float(x)) for x, text in found]


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ((10, 60, 800, 60, 70), ["1%", "6%", "80%", "6%", "7%"]),
        ((3, 3, 3, 3, 1000), ["<1%", "<1%", "<1%", "<1%", "99%"]),
        ((400, 0, 300, 0, 300), ["40%", "30%", "30%"]),
        ((0, 0, 5, 0, 0), ["100%"]),
    ],
)
def test_every_share_is_written_once(counts: tuple[int, ...], shares: list[str]) -> None:
    assert [text for text, _ in written(counts)] == shares


@pytest.mark.parametrize("counts", [(3, 3, 3, 3, 1000), (1000, 2, 1, 1, 2), (40, 40, 1000, 40, 40)])
def test_shares_above_the_bar_stand_side_by_side_inside_the_figure(counts: tuple[int, ...]) -> None:
    above = [(x, LETTER * len(text)) for (text, x), n in zip(written(counts), counts, strict=True) if n < 500]
    assert len(above) == 4
    for (left, first), (right, second) in itertools.pairwise(above):
        assert right - left >= (first + second) / 2 - 0.01
    assert above[0][0] >= above[0][1] / 2 - 0.01
    assert above[-1][0] <= WIDTH - above[-1][1] / 2 + 0.01
