from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from placewise.models.design import Group


def label_of(group: Group, area: int, cell: int) -> str:
    assert group.lookup is not None
    row = 0 if group.area_index is None else group.area_index[area]
    column = 0 if group.cell_index is None else group.cell_index[cell]
    return group.all_labels[group.lookup[row, column]]


def by_name(design) -> dict[str, Group]:
    return {group.name: group for group in design.groups}


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("(1 | region)", ["region"]),
        ("(1 | age)", ["age"]),
        ("(1 | age:sex)", ["age", "sex"]),
        ("(1 | kind:age)", ["kind", "age"]),
        ("(1 | sex:region:age)", ["sex", "region", "age"]),
        ("(1 | zone)", ["zone"]),
        ("(1 | region:kind)", ["region", "kind"]),
    ],
)
def test_every_area_and_cell_finds_its_own_label(text: str, columns: list[str], country):
    group = by_name(country.build(text))[":".join(columns)]
    table, cells = country.areas.table, country.frame.cells

    def value(name: str, area: int, cell: int) -> str:
        held = table[name][area] if name in table else cells[name][cell]
        return f"{held:.0f}" if isinstance(held, float) else str(held)

    for area in range(30):
        for cell in range(6):
            assert label_of(group, area, cell) == ":".join(value(name, area, cell) for name in columns)


@pytest.mark.parametrize("text", ["(1 | region)", "(1 | age:sex)", "(1 | kind:age)", "(1 | zone:age:sex)"])
def test_respondents_have_the_label_of_their_area_and_cell(text: str, country):
    design = country.build(text)
    key = country.frame.cells["age"] + country.frame.cells["sex"]
    cell = pd.Index(key).get_indexer(country.respondents["age"] + country.respondents["sex"])
    for group in design.groups:
        expected = [label_of(group, a, c) for a, c in zip(country.area, cell, strict=True)]
        assert [group.labels[i] for i in group.index] == expected
        assert set(group.labels) == set(expected)
        assert group.all_labels[: len(group.labels)] == group.labels
        assert len(set(group.all_labels)) == len(group.all_labels)


def test_the_area_itself_always_has_its_effect(country):
    (group,) = country.build("deprivation").groups
    assert (group.name, group.role) == ("code", "geography")
    sampled = [f"A{i}" for i in range(30) if i % 3 != 2]
    assert list(group.labels) == sampled
    assert list(group.all_labels) == sampled + [f"A{i}" for i in range(30) if i % 3 == 2]
    assert [label_of(group, a, 0) for a in range(30)] == country.areas.codes.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "(1 | region/district/code)",
        "(1 | code) + (1 | region/district)",
        "(1 | region) + (1 | region:district) + (1 | district:code)",
    ],
)
def test_writing_the_area_changes_nothing(text: str, country):
    expected = country.build("(1 | region/district)").groups
    made = country.build(text).groups
    assert (made[0].name, made[-1].name) == ("region", "code")
    for a, b in zip(made, expected, strict=True):
        assert (a.role, a.index.tolist()) == (b.role, b.index.tolist())


def test_order_and_roles(country):
    text = "(1 | sex) + (1 | region/district) + (1 | kind) + (1 | kind:age) + (1 | region:age) + (1 | zone)"
    assert [(g.name, g.role) for g in country.build(text).groups] == [
        ("sex", "other"),
        ("region", "geography"),
        ("district", "geography"),
        ("code", "geography"),
        ("kind", "class"),
        ("kind:age", "other"),
        ("region:age", "other"),
        ("zone", "other"),
    ]
    assert [g.name for g in country.build("(1 | kind) + (1 | sex)").groups] == ["kind", "sex", "code"]


def test_nested_codes_are_named_alone_only_where_unique(country):
    names = [g.name for g in country.build("(1 | region/district)").groups]
    assert names == ["region", "district", "code"]
    repeated = country.with_area_column(block=pd.Series([f"{i % 5 // 2}" for i in range(30)], dtype="str"))
    assert [g.name for g in repeated.build("(1 | district/block)").groups] == ["district", "code", "district:block"]
    assert [g.name for g in country.build("(1 | region/age)").groups] == ["region", "code", "region:age"]
    assert [g.name for g in country.plain().build("(1 | age/sex)").groups] == ["age", "age:sex"]


def test_labels_follow_declared_order_then_numbers(country):
    assert by_name(country.build("(1 | age)"))["age"].labels == ("16-34", "35-64", "65+")
    turned = replace(country, orders={"age": ("65+", "35-64", "16-34")})
    assert by_name(turned.build("(1 | age)"))["age"].labels == ("65+", "35-64", "16-34")
    tens = country.with_area_column(zone=np.arange(30) // 3 + 1.0)
    labels = by_name(tens.build("(1 | zone)"))["zone"].labels
    assert list(labels) == [str(k) for k in range(1, 11)]


def test_levels_without_respondents_follow_those_with(country):
    far = country.areas.table["region"].where(np.arange(30) % 3 != 2, "Atlantis")
    group = by_name(country.with_area_column(region=far).build("(1 | region)"))["region"]
    assert group.labels == ("North", "South")
    assert group.all_labels == ("North", "South", "Atlantis")


def test_reference_picks_one_level_or_a_new_one(country):
    group = by_name(country.at(mode="phone").build("(1 | mode)"))["mode"]
    assert (group.labels, label_of(group, 3, 2)) == (("online", "phone"), "phone")
    group = by_name(country.at(interviewer="draw").build("(1 | interviewer)"))["interviewer"]
    assert group.labels == tuple("12345678")
    assert label_of(group, 0, 0) == "(new)"
    assert group.all_labels == (*group.labels, "(new)")
    mixed = by_name(country.at(mode="online").build("(1 | mode:age)"))["mode:age"]
    assert [label_of(mixed, 0, c) for c in (0, 2, 4)] == ["online:16-34", "online:35-64", "online:65+"]


def test_groups_that_divide_nothing_or_divide_alike_are_left_out(country):
    flat = country.with_area_column(nation="England", twin=country.areas.table["district"] + "x", unit=np.arange(30.0))
    design = flat.build("(1 | nation) + (1 | district) + (1 | twin) + (1 | unit) + (1 | sex)")
    assert [g.name for g in design.groups] == ["district", "code", "sex"]
    assert [sentence.split(" was left out: ")[1] for sentence in design.dropped] == [
        "it has one level only, 'England'.",
        "it divides the areas as district does.",
        "it divides the areas as code does.",
    ]


def test_one_level_among_the_respondents_is_kept_and_noted(country):
    north = country.area < 15
    part = replace(country, respondents=country.respondents[north].reset_index(drop=True), area=country.area[north])
    design = part.build("(1 | region)")
    assert by_name(design)["region"].all_labels == ("North", "South")
    assert "set by the prior" in design.notes[0]


def test_rare_categories_of_the_frame_are_drawn_and_noted(country):
    cells = country.frame.cells.assign(age=[*country.frame.cells["age"][:5], "90+"])
    kept = country.respondents["age"].ne("65+") | country.respondents["sex"].ne("male")
    part = replace(
        country,
        orders={},
        respondents=country.respondents[kept].reset_index(drop=True),
        area=country.area[kept.to_numpy()],
    )
    few = np.where(country.frame.cell == 5, 0.01, country.frame.count)
    rare = replace(part, frame=replace(country.frame, cells=cells, count=few))
    design = rare.build("(1 | age)")
    assert by_name(design)["age"].all_labels == ("16-34", "35-64", "65+", "90+")
    assert "'90+' (0.0" in design.notes[0]
    (problem,) = replace(part, frame=replace(country.frame, cells=cells)).refuse("(1 | age)")
    assert problem.kind == "data"
    assert "'90+'" in problem.message
    assert "% of the people" in problem.message


def test_colliding_labels_are_refused(country):
    both = country.with_area_column(
        p=pd.Series(np.resize(["a:b", "a"], 30), dtype="str"), q=pd.Series(np.resize(["c", "b:c"], 30), dtype="str")
    )
    (problem,) = both.refuse("(1 | p:q)")
    assert "share one label" in problem.message


def test_plain_data_are_not_projected(country):
    design = country.plain().build("(1 | sex) + (1 | sex:age)")
    for group in design.groups:
        assert group.area_index is group.cell_index is group.lookup is None
        assert group.all_labels == group.labels
    rows = country.respondents["sex"] + ":" + country.respondents["age"]
    assert [design.groups[1].labels[i] for i in design.groups[1].index] == rows.tolist()


@pytest.mark.parametrize("name", ["chain", "total", "up/down", "size_squared"])
def test_groups_whose_name_the_posterior_cannot_hold_are_refused(name: str, country):
    problems = country.with_area_column(**{name: country.areas.table["kind"]}).refuse(f"(1 | `{name}`)")
    assert [f"called {name!r}" in str(p) for p in problems] == [True]
