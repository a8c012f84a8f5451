"""Respondents linked above the area: what they have of areas, what is refused, and the ratio below the link."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from placewise.errors import Problems
from placewise.models.area_scale import with_area_scale
from placewise.models.build import build_design
from placewise.models.formula import parse_formula
from placewise.models.linking import check_link, default_ratio, link_rows, with_below_link
from placewise.models.prior_plan import plan_priors
from placewise.models.priors import Prior


@dataclass(frozen=True)
class Linked:
    """The small country, its respondents known by district only."""

    country: object

    @property
    def rows(self):
        table = self.country.areas.table
        return link_rows("district", table["district"].to_numpy(dtype=object)[self.country.area], self.country.areas)

    def attempt(self, text, standardise=False):
        c, problems = self.country, Problems()
        design = build_design(
            parse_formula(text, "model.formula", problems), respondents=c.respondents, area=np.full(120, -1),
            areas=c.areas, frame=c.frame, reference={}, orders=c.orders, standardise=standardise, cumulative=False,
            problems=problems, link=self.rows,
        )  # fmt: skip
        return design, problems

    def build(self, text, **more):
        design, problems = self.attempt(text, **more)
        assert list(map(str, problems)) == []
        return design


@pytest.fixture
def linked(country):
    return Linked(country)


def means(country, values):
    """Population-weighted mean over the areas of each respondent's district, by hand."""
    table = country.areas.table.assign(v=values, w=country.areas.population)
    by = {d: float((t["v"] * t["w"]).sum() / t["w"].sum()) for d, t in table.groupby("district")}
    return np.array([by[d] for d in table["district"].to_numpy()[country.area]])


def test_columns_are_population_weighted_means_of_the_transformed_and_standardised(country, linked):
    design = linked.build("log(density)", standardise=True)
    area = design.columns[0].area
    assert abs(np.average(area, weights=country.areas.population)) < 1e-12
    assert design.columns[0].values == pytest.approx(means(country, area), abs=1e-12)


def test_products_are_averaged_as_products_and_people_keep_their_own(country, linked):
    design = linked.build("deprivation + density + deprivation:density + sex + deprivation:sex")
    by_name = {c.name: c for c in design.columns}
    table, sex = country.areas.table, (country.respondents["sex"] == "male").to_numpy()
    product = by_name["deprivation:density"].values
    assert product == pytest.approx(means(country, table["deprivation"] * table["density"]))
    assert by_name["deprivation:sex[male]"].values == pytest.approx(means(country, table["deprivation"]) * sex)


def test_categories_of_areas_become_shares(country, linked):
    design = linked.build("kind")
    for column in design.columns:
        kind = column.name.removeprefix("kind[").rstrip("]")
        assert column.values == pytest.approx(means(country, (country.areas.table["kind"] == kind).astype(float)))


def test_a_class_that_differs_inside_a_group_counts_by_its_share(country, linked):
    design = linked.build("deprivation + (1 | kind)")
    group = next(g for g in design.groups if g.name == "kind")
    assert group.shares.sum(axis=1) == pytest.approx(1.0)
    effects = np.random.default_rng(0).normal(size=(4, len(group.labels)))
    of_area = effects[:, group.lookup[group.area_index, 0]]
    for s in range(4):
        assert group.of_respondents(effects)[s] == pytest.approx(means(country, of_area[s]))


def test_the_linked_group_is_there_whether_written_or_not(country, linked):
    for text in ("deprivation", "deprivation + (1 | region/district)", "deprivation + (1 | code)"):
        design = linked.build(text)
        assert (design.link.group, design.link.area) == ("district", "code")
        group = next(g for g in design.groups if g.name == "district")
        assert group.shares is None
        labels = np.array(group.all_labels, dtype=object)
        assert list(labels[design.link.parent]) == list(country.areas.table["district"])
        assert np.bincount(design.link.parent, design.link.share) == pytest.approx(1.0)
        assert all(g.name != "code" for g in design.groups)


def test_terms_that_the_link_does_not_tell_are_refused(country):
    finer = country.with_area_column(block=country.areas.table["code"].str.slice(0, 2))
    finer = replace(finer, areas=replace(finer.areas, levels=("block", "district", "region")))
    for text, term in (
        ("(1 | block)", "(1 | block)"),
        ("(deprivation | code)", "code"),
        ("(1 | sex:kind)", "sex:kind"),
    ):
        _, problems = Linked(finer).attempt(f"deprivation + {text}")
        assert [("linked at 'district'" in str(p), term in str(p)) for p in problems] == [(True, True)]


def settled(linked, asked, priors=None, split=None, text="deprivation + (1 | region/district)"):
    problems = Problems()
    design = linked.build(text)
    design = with_below_link(design, asked, split, priors or {}, linked.country.areas, "m.toml: model", problems)
    return design, list(map(str, problems))


def test_the_ratio_follows_from_the_priors_split_unless_declared(linked):
    design, problems = settled(linked, {})
    assert problems == []
    assert design.link.ratio == pytest.approx(np.sqrt(1.5 * 2))
    assert not design.link.declared
    assert settled(linked, {}, split=3.0)[0].link.ratio == pytest.approx(np.sqrt(6.0))
    declared = settled(linked, {"ratio": 4.0})[0].link
    assert (declared.ratio, declared.declared) == (4.0, True)


def test_four_levels_above_the_area_make_about_two_and_a_half(linked):
    areas, design = linked.country.areas, linked.build("deprivation + (1 | region/district)")
    more = replace(design, groups=(*design.groups, *(g for g in design.groups if g.role == "geography")))
    assert default_ratio(more, areas, None) == pytest.approx(np.sqrt(6.0))
    two_below = replace(areas, levels=("a", "b", "district", "region"))
    assert default_ratio(design, two_below, None) == pytest.approx(np.sqrt(1.5 * 4 + 2))


def test_the_share_of_the_linked_group_holds_that_of_the_areas(linked):
    plan = plan_priors({}, None, settled(linked, {})[0], "code", "bernoulli")
    assert plan.shared == ("region", "district")
    assert plan.concentration == pytest.approx((1.0, 4.0))
    assert plan.below == ("district", "code", pytest.approx(np.sqrt(3.0)))
    learned = plan_priors({}, None, settled(linked, {"sd": Prior("half_normal", (0.2,))})[0], "code", "bernoulli")
    assert (learned.concentration, learned.below) == ((1.0, 1.0), None)
    assert str(learned.sds["code"]) == "half_normal(0.2)"


def test_what_cannot_be_meant_is_refused(country, linked):
    assert "which does not tell how the areas" in settled(linked, {}, {"sd:code": Prior("half_normal", (1.0,))})[1][0]
    correlated = settled(linked, {}, text="deprivation + (1 + sex | district)")[1]
    assert ["cannot be correlated with slopes" in p for p in correlated] == [True]
    problems = Problems()
    at_area = with_below_link(
        country.build("deprivation"), {"ratio": 2.0}, None, {}, country.areas, "m.toml: model", problems
    )
    assert at_area.link is None
    assert ["linked at the area itself" in str(p) for p in problems] == [True]
    problems = Problems()
    with_area_scale(settled(linked, {})[0], "kind", country.areas, "m", problems)
    assert ["does not tell how the areas inside differ" in str(p) for p in problems] == [True]


def test_a_link_must_group_some_areas(country):
    one = country.with_area_column(whole="all", alone=country.areas.table["code"])
    for column, message in (("whole", "of which there is only one"), ("alone", "each of which is one area")):
        problems = Problems()
        check_link(column, one.areas, "survey.s.area", problems)
        assert [message in str(p) for p in problems] == [True]
