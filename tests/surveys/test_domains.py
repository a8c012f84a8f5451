"""Means, totals, ratios and shares of domains against R's survey package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.errors import ConfigurationError, DataError
from placewise.surveys.design import SurveyDesign


@pytest.fixture(scope="module")
def schools(shared: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_csv(shared / "sae" / "data" / f"{name}.csv") for name in ("apistrat", "apiclus1", "apiclus2")}


@pytest.fixture(scope="module")
def designs(schools) -> dict[str, SurveyDesign]:
    strat, one, two = schools["apistrat"], schools["apiclus1"], schools["apiclus2"]
    return {
        "apistrat": SurveyDesign(strat["pw"], strata=strat["stype"], fpc=strat["fpc"]),
        "apiclus1": SurveyDesign(one["pw"], psu=one["dnum"], fpc=one["fpc"]),
        "apiclus2": SurveyDesign(psu=two[["dnum", "snum"]], fpc=two[["fpc1", "fpc2"]]),
    }


def expected(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared / "sae" / "expected" / f"survey_{name}.csv")


def same(found: pd.DataFrame, estimate: pd.Series, se: pd.Series) -> None:
    np.testing.assert_allclose(found["estimate"], estimate, rtol=1e-10)
    np.testing.assert_allclose(found["se"], se, rtol=1e-10)


def test_means_of_domains_in_two_stages_are_r_s(shared, schools, designs):
    data, want = schools["apiclus2"], expected(shared, "svyby_clus2_stype_mean")
    found = designs["apiclus2"].mean(data["api00"], data["stype"])
    assert list(found["domain"]) == list(want["stype"])
    same(found, want["api00"], want["se"])
    np.testing.assert_allclose(designs["apiclus2"].weights, data["pw"], rtol=1e-12)


@pytest.mark.parametrize(
    ("sample", "name", "by"), [("apistrat", "strat_cnum", "cnum"), ("apiclus1", "clus1_stype", "stype")]
)
def test_totals_of_domains_are_r_s(shared, schools, designs, sample, name, by):
    want = expected(shared, f"svyby_{name}_total")
    found = designs[sample].total(schools[sample]["enroll"], schools[sample][by], threshold=1)
    assert list(found["domain"]) == list(want[by])
    same(found, want["enroll"], want["se"])


def test_totals_and_ratios_of_a_subset_in_two_stages_are_r_s(schools, designs):
    data = schools["apiclus2"]
    answered = designs["apiclus2"].subset(data[["enroll", "api.stu"]].notna().all(axis=1))
    same(answered.total(data["enroll"]), pd.Series(2639272.93000000017), pd.Series(799637.77364835783))
    ratio = answered.ratio(data["api.stu"], data["enroll"])
    same(ratio, pd.Series(0.819737042125461390), pd.Series(0.018850563312671216))


def test_a_ratio_is_r_s(shared, schools, designs):
    want, data = expected(shared, "ratio_strat"), schools["apistrat"]
    same(designs["apistrat"].ratio(data["api.stu"], data["enroll"]), want["est"], want["se"])


def test_domains_named_by_two_columns_are_r_s(shared, schools, designs):
    want, data = expected(shared, "svyby_strat_awards_mean"), schools["apistrat"]
    for value in ("api00", "enroll"):
        found = designs["apistrat"].mean(data[value], data[["awards", "comp.imp"]], threshold=1)
        assert found[["awards", "comp.imp"]].to_numpy().tolist() == want[["awards", "comp.imp"]].to_numpy().tolist()
        same(found, want[value], want[f"se.{value}"])


def test_shares_of_every_answer_are_r_s(shared, schools, designs):
    want, data = expected(shared, "svyby_clus1_dnum_prop"), schools["apiclus1"]
    found = designs["apiclus1"].share(data["awards"], data["stype"])
    assert found["category"].tolist() == ["No", "Yes"] * 3
    for answer, column in (("No", 'I(awards == "Yes")FALSE'), ("Yes", 'I(awards == "Yes")TRUE')):
        same(found[found["category"] == answer], want[column], want[f"se.{column}"])


# svyciprop(~I(awards == "Yes"), dclus1), svyciprop(~I(stype == "H"), dclus1) by survey 4.1-1.
@pytest.mark.parametrize(
    ("method", "awards", "high"),
    [
        ("logit", (0.634839191610523157, 0.775816511446147494), (0.035408834620628861, 0.157501118284651742)),
        ("beta", (0.633436839061471302, 0.779338536178299734), (0.029638106207170316, 0.156022548788451898)),
    ],
)
def test_intervals_of_shares_are_r_s(schools, designs, method, awards, high):
    data, design = schools["apiclus1"], designs["apiclus1"]
    for answers, category, want in ((data["awards"], "Yes", awards), (data["stype"], "H", high)):
        row = design.share(answers, interval=method).set_index("category").loc[category]
        np.testing.assert_allclose(row[["lower", "upper"]].astype(float), want, rtol=1e-10)


def test_intervals_of_shares_in_a_subset_are_r_s(schools, designs):
    data = schools["apistrat"]
    part = designs["apistrat"].subset((data["cnum"] == 19) | (data["stype"] == "H"))
    for method, want in {
        "logit": (0.20612034158229031, 0.46031567048121624),
        "beta": (0.19798468804275138, 0.46315436830710266),
    }.items():
        row = part.share(data["awards"], interval=method).set_index("category").loc["Yes"]
        np.testing.assert_allclose(row[["lower", "upper"]].astype(float), want, rtol=1e-10)


def test_an_interval_of_a_mean_is_of_student_s_t():
    y = np.random.default_rng(0).normal(size=12)
    row = SurveyDesign(np.ones(12)).mean(y, level=0.9).iloc[0]
    # t of 11 degrees of freedom at 95%, from a table.
    assert row["upper"] - row["estimate"] == pytest.approx(1.7958848187 * row["se"], rel=1e-9)
    assert row["estimate"] - row["lower"] == pytest.approx(row["upper"] - row["estimate"], rel=1e-12)


def test_shares_keep_the_order_and_the_categories_of_the_answers():
    answers = pd.Series(pd.Categorical(["often", "never"] * 10 + ["often"] * 10, ["never", "sometimes", "often"]))
    found = SurveyDesign(np.ones(30)).share(answers, np.repeat(["a", "b", "c"], 10))
    assert found["category"].tolist() == ["never", "sometimes", "often"] * 3
    assert found.groupby("domain")["estimate"].sum().tolist() == [1, 1, 1]
    nobody = found[found["category"] == "sometimes"]
    assert nobody["se"].isna().all()
    # Nobody of ten said so: the exact binomial limit of 0 of 10, 1 - 0.025^(1/10).
    assert nobody["lower"].tolist() == [0, 0, 0]
    unit = SurveyDesign(np.ones(10)).share(answers[:10])
    assert unit.set_index("category").loc["sometimes", "upper"] == pytest.approx(1 - 0.025**0.1, rel=1e-12)


def test_shares_are_presentable_by_the_width_of_their_interval():
    answers = np.repeat(["yes", "no"], [100, 300])
    large = SurveyDesign(np.ones(400)).share(answers)
    assert large["presentable"].all()
    few = SurveyDesign(np.ones(29)).share(answers[90:119])
    assert not few["presentable"].any()
    rare = SurveyDesign(np.ones(400)).share(np.repeat(["yes", "no"], [6, 394])).set_index("category")
    # Width .028, at most .05: shown although wide beside the share itself.
    assert rare.loc["yes", "presentable"]
    scarce = SurveyDesign(np.ones(60)).share(np.repeat(["yes", "no"], [3, 57])).set_index("category")
    assert not scarce.loc["yes", "presentable"]


def test_each_domain_is_named_by_its_key_and_few_respondents_are_withheld():
    domain = np.array(["b"] * 10 + ["a"] * 12 + ["c"] * 9 + [None] * 4, dtype=object)
    y = np.random.default_rng(2).normal(size=35)
    table = SurveyDesign(np.ones(35)).mean(y, domain)
    assert table["domain"].tolist() == ["a", "b"]
    np.testing.assert_allclose(table["estimate"], [y[10:22].mean(), y[:10].mean()], rtol=1e-12)


def test_what_cannot_be_estimated_is_one_clear_error():
    design = SurveyDesign(np.ones(20))
    with pytest.raises(DataError, match="values has 3 values for 20 respondents"):
        design.mean([1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="answers are missing for fewer than 10 of 20 respondents"):
        design.share(np.array(["a"] * 19 + [None], dtype=object))
    with pytest.raises(ConfigurationError, match="did you mean 'logit'"):
        design.share(np.array(["a"] * 20), interval="logits")
    with pytest.raises(DataError, match="nobody is looked at"):
        design.subset(np.zeros(20, dtype=bool)).share(np.array(["a"] * 20))
    assert design.subset(np.zeros(20, dtype=bool)).mean(np.ones(20)).empty
    zero = design.ratio(np.ones(20), np.zeros(20)).iloc[0]
    assert (np.isnan(zero["se"]), zero["reason"]) == (True, "the denominator is zero")


def test_strata_two_stages_populations_and_lonely_units_at_once_are_r_s():
    i = np.arange(48)
    i = i[~np.isin(i // 4, (10, 11))]
    # Ten units in four strata, the last alone in its own; the third holds one second-stage unit.
    data = pd.DataFrame({"stratum": i // 12, "unit": i // 4, "household": np.where(i // 4 == 2, 0, i // 2 % 2)})
    data["weight"], data["y"], data["x"] = 2.0 + i + i % 3, (i * i * 3 + i) % 11, 1 + i * 5 % 7
    data["domain"] = np.array(["p", "q", "r"])[(i * i + i // 5) % 3]
    populations = [np.array([5, 6, 3, 4])[data["stratum"]], 3 + data["unit"] % 3]
    # svydesign(~unit + household, strata = ~stratum, fpc = ~N + M), svyby by each survey.lonely.psu.
    expected = {
        "adjust": [
            [0.68191840322952468, 0.58305926022640253, 0.68458870081964729],
            [256.48953195013632, 503.89908050455227, 471.10888338047710],
            [0.18951338686246780, 0.21003329778497770, 0.28119542210180687],
        ],
        "remove": [
            [0.65984298664504815, 0.51309839891896714, 0.58078041873861486],
            [255.85620961782422, 289.54841276258679, 269.22128444831395],
            [0.18520166638169708, 0.19799193609224855, 0.23845781521305570],
        ],
    }
    for lonely, want in expected.items():
        design = SurveyDesign(data["weight"], data[["unit", "household"]], data["stratum"], populations, lonely=lonely)
        found = [
            design.mean(data["y"], data["domain"]),
            design.total(data["y"], data["domain"]),
            design.ratio(data["y"], data["x"], data["domain"]),
        ]
        np.testing.assert_allclose([table["se"] for table in found], want, rtol=1e-10)
