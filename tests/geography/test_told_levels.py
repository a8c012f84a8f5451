"""Which levels are too small to be told of: by the column's name, or by what all of its codes are."""

from __future__ import annotations

import pytest

from placewise.geography.told_levels import below_msoa


@pytest.mark.parametrize("name", ["oa21cd", "LSOA21CD", "lsoa", "dz2011", "postcode", "pcds"])
def test_small_areas_are_known_by_name(name: str) -> None:
    assert below_msoa(name, ["a"])


@pytest.mark.parametrize("code", ["E00000001", "W01000003", "S01006506", "N00000001", "N20000001"])
def test_small_areas_are_known_by_their_codes(code: str) -> None:
    assert below_msoa("place", [code, code])
    assert not below_msoa("place", [code, "E07000008"])


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("msoa21cd", ["E02000001"]),
        ("lad22cd", ["E06000001", "E07000008", "W06000001"]),
        ("oac21_supergroup", ["1", "2"]),
        ("place", []),
        ("iz", ["S02001236"]),
    ],
)
def test_larger_areas_and_classes_may_be_told(name: str, codes: list[str]) -> None:
    assert not below_msoa(name, codes)
