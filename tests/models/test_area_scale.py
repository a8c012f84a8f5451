"""The area's own sd by class: labels, positions, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.errors import Problems
from placewise.models.area_scale import with_area_scale
from placewise.models.design import Structure


def _ask(country, asked, areas=True):
    problems = Problems()
    design = country.build("deprivation")
    table = country.areas if areas else None
    return with_area_scale(design, asked, table, "m.toml: model.area_scale", problems), list(problems)


def test_absent_key_leaves_one_sd(country):
    assert _ask(country, None)[0].area_scale is None


def test_every_level_of_the_area_has_its_class(country):
    design, problems = _ask(country, "kind")
    assert problems == []
    scale, group = design.area_scale, design.groups[-1]
    kind = dict(zip(country.areas.codes, country.areas.table["kind"], strict=True))
    assert scale.classes == ("city", "rural", "town")
    assert [scale.classes[k] for k in scale.index] == [kind[label] for label in group.all_labels]
    assert (scale.group, scale.by, scale.multipliers) == (group.name, "kind", None)


def test_classes_without_a_multiplier_have_one(country):
    design, problems = _ask(country, {"by": "kind", "multipliers": {"rural": 1.8}})
    assert problems == []
    assert np.array_equal(design.area_scale.multipliers, [1.0, 1.8, 1.0])


def test_levels_are_classes_too(country):
    assert _ask(country, {"by": "region"})[0].area_scale.classes == ("North", "South")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("knid", "'knid' is neither a class nor a level of the areas table (did you mean 'kind'?)"),
        ("deprivation", "'deprivation' is neither a class nor a level"),
        ({"by": "kind", "multipliers": {"rurl": 2.0}}, "'kind' has no area in 'rurl' (did you mean 'rural'?)"),
    ],
)
def test_what_cannot_be_meant_is_refused(country, asked, message):
    _, problems = _ask(country, asked)
    assert [message in str(p) for p in problems] == [True]


def test_one_class_or_no_areas_cannot_differ(country):
    one = country.with_area_column(kind="rural")
    assert "all areas have the same 'kind'" in str(_ask(one, "kind")[1][0])
    assert "there is no areas table" in str(_ask(country, "kind", areas=False)[1][0])


def test_effects_that_depend_on_others_have_one_sd(country):
    design = country.build("deprivation")
    k = len(design.groups) - 1
    own = replace(design.groups[k], structure=Structure("bym2"))
    for changed in (replace(design, groups=(*design.groups[:k], own)), replace(design, correlated=((k, 0),))):
        problems = Problems()
        with_area_scale(changed, "kind", country.areas, "m", problems)
        assert ["have one sd, which cannot differ by 'kind'" in str(p) for p in problems] == [True]
