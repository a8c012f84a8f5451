from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from placewise.surveys.respondents import Respondents
from placewise.surveys.spec import GeographyFile, SurveySpec

Make = Callable[..., Any]
WANTED = ("nbrsnci", "scopngbha", "sclfsato")
FORMULA = (
    "sex",
    "age",
    "age_years",
    "ethnic_group",
    "tenure",
    "qualification",
    "economic_activity",
    "marital_status",
    "fimngrs",
)


def digest(respondents: Respondents) -> str:
    """Of everything about the respondents but their codes of areas, to the last bit."""
    found = hashlib.sha256()
    table = respondents.table
    for name in table.columns:
        values = table[name].to_numpy()
        text = values.tobytes() if values.dtype == float else "\x1f".join(map(str, table[name].tolist())).encode()
        found.update(f"{name}:{table[name].dtype}".encode() + text)
    for array in (respondents.weight, respondents.psu, respondents.strata):
        assert array is not None
        found.update(array.tobytes() if array.dtype == float else "\x1f".join(array).encode())
    for name, mask in sorted(respondents.declared.items()):
        found.update(name.encode() + mask.tobytes())
    return found.hexdigest()


def of_vintage(spec: SurveySpec, vintage: str) -> SurveySpec:
    level = {"lsoa11": "lsoa11cd", "lsoa01": "lsoa01cd", "msoa11": "msoa11cd", "msoa01": "msoa01cd"}.get(vintage, "")
    spec = replace(spec, area_level=level, geography=GeographyFile(spec.path / "geo", vintage))
    if vintage == "oac":
        geography = GeographyFile(spec.path / "geo", vintage, file="{w}_oac")
        return replace(spec, area_level="oac_subgroup", area_column="{w}_oac", geography=geography)
    return spec


@pytest.fixture
def pool(spec: SurveySpec) -> SurveySpec:
    return replace(spec, waves=("c", "f"))


def test_every_format_layout_and_vintage_gives_the_same_respondents(
    tmp_path: Path, deposit: Make, pool: SurveySpec, reading: Any
) -> None:
    seen = {}
    for suffix in (".tab", ".sav", ".dta"):
        for layout in ("flat", "edition", "by wave"):
            for vintage in ("lsoa21", "lsoa11", "lsoa01", "msoa21", "msoa11", "msoa01", "lad", "oac"):
                if vintage != "lsoa21" and layout != "flat":
                    continue
                root = deposit("cf", vintage).write(tmp_path / f"{suffix} {layout} {vintage}", suffix, layout)
                people = reading.people(of_vintage(replace(pool, path=root), vintage), *WANTED, columns=FORMULA)
                seen[suffix, layout, vintage] = digest(people)
    assert len(seen) == 30
    assert len(set(seen.values())) == 1, seen
