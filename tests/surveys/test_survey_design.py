"""The design object: what it checks, what it keeps, and its rule for lonely units, against R's survey package."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import placewise
from placewise.errors import DataError
from placewise.surveys.design import SurveyDesign
from placewise.surveys.domains import ALONE, ONE_ANSWER, ONE_UNIT
from placewise.surveys.respondents import Respondents

# One stratum of three units, one of two, one of one: figures of R's survey 4.1-1 by each survey.lonely.psu.
SMALL = pd.DataFrame(
    {
        "stratum": list("aaabbc"),
        "unit": range(6),
        "weight": [1, 2, 3, 1.5, 2, 4],
        "y": [3.0, 1, 4, 1, 5, 9],
        "group": list("pqpqpq"),
    }
)
LONELY_SE = {
    "adjust": (1.3918471771649206, 38.2001308898281167, 2.4468836315143472),
    "average": (0.74716011303943142, 15.64848235452882541, 1.74185937264581558),
    "certainty": (0.61005367770226904, 12.77693233918063775, 1.42222222222222228),
    "remove": (0.61005367770226904, 12.77693233918063775, 1.42222222222222228),
}


def small(lonely="adjust") -> SurveyDesign:
    return SurveyDesign(SMALL["weight"], SMALL["unit"], SMALL["stratum"], lonely=lonely)


def clustered(seed: int = 4, n: int = 600) -> tuple[pd.DataFrame, SurveyDesign]:
    """Sixty units in six strata, with an effect of their own."""
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, 60, n)
    table = pd.DataFrame({"unit": unit, "stratum": unit % 6, "weight": rng.uniform(0.5, 3, n)})
    table["y"] = rng.normal(size=60)[unit] + rng.normal(size=n)
    table["x"] = rng.uniform(1, 2, n)
    table["domain"] = rng.choice(list("uvw"), n)
    return table, SurveyDesign(table["weight"], table["unit"], table["stratum"])


@pytest.mark.parametrize("lonely", LONELY_SE)
def test_lonely_units_are_treated_as_in_r(lonely):
    design = small(lonely)
    found = (
        design.mean(SMALL["y"], threshold=1)["se"].item(),
        design.total(SMALL["y"], threshold=1)["se"].item(),
        design.subset(SMALL["group"] == "q").mean(SMALL["y"], threshold=1)["se"].item(),
    )
    np.testing.assert_allclose(found, LONELY_SE[lonely], rtol=1e-10)
    assert design.lonely_strata == 1


def test_lonely_units_fail_where_asked_and_a_wrong_rule_names_the_nearest():
    with pytest.raises(DataError, match="1 strata have one unit each"):
        small("fail")
    with pytest.raises(placewise.errors.ConfigurationError, match="did you mean 'adjust'"):
        small("adjusted")


def test_a_domain_of_lonely_units_only_has_no_standard_error():
    two = pd.DataFrame({"s": list("aabc"), "u": range(4), "y": [1.0, 2, 3, 5], "d": list("kkll")})
    for lonely in ("remove", "certainty", "average"):
        design = SurveyDesign(None, two["u"], two["s"], lonely=lonely)
        row = design.mean(two["y"], two["d"], threshold=1).set_index("domain").loc["l"]
        assert np.isnan(row["se"])
        assert row["reason"] == ALONE
    adjusted = SurveyDesign(None, two["u"], two["s"]).mean(two["y"], two["d"], threshold=1).set_index("domain")
    assert adjusted.loc["l", "se"] > 0


def test_a_subset_keeps_the_units_it_does_not_meet():
    # Ten units of one respondent, a domain of four of them: by hand, n/(n-1) times the sum of squared residuals.
    y = np.array([1.0, 2, 4, 7, 0, 0, 0, 0, 0, 0])
    inside = np.arange(10) < 4
    design = SurveyDesign(np.ones(10), np.arange(10))
    residual = (y[:4] - 3.5) / 4
    looked = design.subset(inside).mean(y, threshold=1)
    assert looked["se"].item() == pytest.approx(np.sqrt(10 / 9 * (residual**2).sum()), rel=1e-12)
    naive = SurveyDesign(np.ones(4), np.arange(4)).mean(y[:4], threshold=1)
    assert naive["estimate"].item() == looked["estimate"].item() == 3.5
    assert naive["se"].item() == pytest.approx(np.sqrt(4 / 3 * (residual**2).sum()), rel=1e-12)
    # A domain and a subset are one idea.
    by = design.mean(y, np.where(inside, "in", "out"), threshold=1).set_index("domain")
    assert by.loc["in", "se"] == pytest.approx(looked["se"].item(), rel=1e-12)


def test_a_subset_of_a_subset_is_where_both_hold_and_values_outside_are_not_looked_at():
    table, design = clustered()
    y = table["y"].to_numpy().copy()
    y[::7] = np.nan
    first, second = np.isfinite(y), table["domain"].to_numpy() == "u"
    twice = design.subset(first).subset(second).mean(y)
    pd.testing.assert_frame_equal(twice, design.subset(first & second).mean(y))
    with pytest.raises(DataError, match="values are not finite numbers"):
        design.mean(y)
    with pytest.raises(DataError, match="expected 600 values true or false"):
        design.subset(np.arange(5))


def test_order_of_respondents_labels_of_units_and_scale_of_weights_do_not_matter():
    table, design = clustered()
    order = np.random.default_rng(1).permutation(len(table))
    mixed = table.iloc[order]
    names = mixed["unit"].map(lambda k: f"unit {k * 7 % 61:03}")
    other = SurveyDesign(11 * mixed["weight"], names, mixed["stratum"].map(lambda k: f"s{9 - k}"))
    expected = design.mean(table["y"], table["domain"])
    found = other.mean(mixed["y"], mixed["domain"])
    pd.testing.assert_frame_equal(found, expected, rtol=1e-10)
    np.testing.assert_allclose(
        other.total(mixed["y"])[["estimate", "se"]], 11 * design.total(table["y"])[["estimate", "se"]], rtol=1e-10
    )


def test_equal_numbers_in_two_strata_are_two_units():
    table, design = clustered()
    within = SurveyDesign(table["weight"], table["unit"] // 6, table["stratum"])
    assert design.degrees_of_freedom == within.degrees_of_freedom == 54
    pd.testing.assert_frame_equal(within.mean(table["y"]), design.mean(table["y"]), rtol=1e-12)


def test_weights_follow_from_the_sampling_fractions_where_none_are_given():
    frame = pd.DataFrame(
        {"u": [1, 1, 2, 2, 2], "v": [1, 2, 1, 2, 3], "units": [10.0] * 5, "people": [8.0] * 2 + [9.0] * 3}
    )
    design = SurveyDesign(psu=frame[["u", "v"]], fpc=frame[["units", "people"]])
    np.testing.assert_allclose(design.weights, [10 / 2 * 8 / 2] * 2 + [10 / 2 * 9 / 3] * 3, rtol=1e-15)
    assert design.finite


def test_a_census_has_no_sampling_error():
    y = np.array([1.0, 2, 3, 6])
    row = SurveyDesign(fpc=np.full(4, 4.0)).mean(y, threshold=1).iloc[0]
    assert (row["se"], row["reason"]) == (0.0, "every unit was drawn")


def test_reasons_stand_where_a_standard_error_is_missing():
    y = np.array([0.0, 1.0] * 6 + [1.0] * 12)
    domain = np.repeat(["one unit", "one answer"], 12)
    psu = np.concatenate([np.zeros(12), np.arange(1, 13)])
    design = SurveyDesign(None, psu)
    table = design.mean(y, domain).set_index("domain")
    assert table["reason"].to_dict() == {"one unit": ONE_UNIT, "one answer": ONE_ANSWER}
    assert table[["se", "deff", "n_eff", "lower", "upper"]].isna().all(axis=None)
    # Whether anyone of the domain was drawn is chance too: a total is uncertain all the same.
    totals = design.total(y, domain).set_index("domain")
    assert (totals["se"] > 0).all()


def test_every_problem_of_a_design_is_told_at_once_without_naming_few_respondents():
    weights = np.r_[np.ones(10), 0.0, -1.0, np.inf, np.nan]
    psu = np.array(["a"] * 7 + ["b"] * 6 + [None], dtype=object)
    with pytest.raises(DataError) as caught:
        SurveyDesign(weights, psu, np.ones(14), np.ones((2, 14)).tolist())
    told = str(caught.value)
    for part in (
        "that are zero",
        "negative",
        "infinite",
        "missing or no numbers",
        "psu: missing",
        "2 given for 1 stages",
    ):
        assert part in told
    assert "fewer than 10 of 14 respondents" in told
    with pytest.raises(DataError, match="lengths differ: weights 3, psu 2"):
        SurveyDesign(np.ones(3), np.ones(2))
    with pytest.raises(DataError, match="no respondents"):
        SurveyDesign(np.array([]))


def test_populations_are_numbers_of_units_that_agree_inside_a_stratum():
    with pytest.raises(DataError, match="give numbers of units, not fractions"):
        SurveyDesign(np.ones(4), fpc=np.full(4, 0.1))
    with pytest.raises(DataError, match="differs inside 1 strata"):
        SurveyDesign(np.ones(4), fpc=np.array([9.0, 9, 9, 8]))


def test_the_design_that_a_survey_declares():
    table, design = clustered()
    y, units, strata = (table[c].to_numpy() for c in ("y", "unit", "stratum"))
    codes, area = np.full(600, "E1", dtype=object), np.zeros(600, dtype=np.int64)
    people = Respondents("s", table, "lad", codes, area, table["weight"].to_numpy(), units, strata, 600)
    pd.testing.assert_frame_equal(SurveyDesign.of(people).mean(y), design.mean(y))
    plain = SurveyDesign.of(dataclasses.replace(people, weight=None, psu=None, strata=None)).mean(y).iloc[0]
    assert plain["se"] == pytest.approx(y.std(ddof=1) / np.sqrt(600), rel=1e-12)


def test_the_text_of_a_design_counts_nobody_out():
    design = clustered()[1]
    assert repr(design) == "SurveyDesign(600, 60 units in 6 strata)"
    assert "fewer than 10 of 600 respondents" in repr(design.subset(np.arange(600) < 3))


def test_the_package_exports_it():
    assert placewise.SurveyDesign is SurveyDesign


def test_counting_and_sorting_of_units_agree(monkeypatch: pytest.MonkeyPatch):
    table, design = clustered()
    counted = design.mean(table["y"], table["domain"])
    monkeypatch.setattr("placewise.surveys.stages._QUICK", 0)
    pd.testing.assert_frame_equal(design.mean(table["y"], table["domain"]), counted, rtol=1e-12)
