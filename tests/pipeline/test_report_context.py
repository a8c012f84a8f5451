"""What the report's context makes of a project's levels."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from placewise.pipeline.report import _middle_level


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((), None),
        (("two",), None),
        (("nine", "two"), "nine"),
        (("nine", "three"), "nine"),
        (("nine",), "nine"),
    ],
)
def test_the_level_of_direct_figures_has_three_areas_or_there_is_none(levels, expected):
    table = pd.DataFrame({"two": list("ab") * 9, "three": list("abc") * 6, "nine": list("abcdefghi") * 2})
    run = SimpleNamespace(data=SimpleNamespace(areas=SimpleNamespace(table=table)))
    assert _middle_level(levels, run) == expected
