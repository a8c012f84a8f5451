"""Reliability of scales against R, against closed forms and over repeated samples."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.surveys.design import SurveyDesign
from placewise.surveys.scale_quality import cronbach_alpha, feldt_interval, scale_quality, scale_scores


def answers() -> pd.DataFrame:
    """Sixty people's answers to five questions, by a rule that R can follow too."""
    i = np.arange(60)
    common = ((i * 37) % 101) / 101
    own = [((i * (17 + 12 * j) + (i // 7) * (j + 3)) % 97) / 97 for j in range(5)]
    mixed = [(0.75 - 0.05 * j) * common + (0.25 + 0.05 * j) * own[j] for j in range(5)]
    return pd.DataFrame({f"q{j + 1}": 1 + np.floor(4.999 * m) for j, m in enumerate(mixed)})


def drawn(rng: np.random.Generator, n: int, loadings: np.ndarray, own: np.ndarray) -> pd.DataFrame:
    factor = rng.normal(size=(n, 1))
    values = factor * loadings + rng.normal(size=(n, loadings.size)) * np.sqrt(own)
    return pd.DataFrame(values, columns=[f"i{j}" for j in range(loadings.size)])


def test_alpha_and_its_items_are_r_s():
    found = scale_quality(answers()).unweighted
    # R 4.2.2: cov, cor of each item with the sum of the others, qf.
    assert found.alpha.value == pytest.approx(0.93186959800452462, rel=1e-12)
    assert (found.alpha.lower, found.alpha.upper) == pytest.approx(
        (0.90022094893408722, 0.95574907041619928), rel=1e-10
    )
    rest = [0.8706570048031298, 0.87014793365134546, 0.80913461009167098, 0.78762621105490382, 0.76232041700655162]
    without = [0.90626573990127923, 0.90643948396375307, 0.91820026590161641, 0.92216255908944877, 0.92690631997361628]
    np.testing.assert_allclose(found.table["item_rest"], rest, rtol=1e-12)
    np.testing.assert_allclose(found.table["alpha_without"], without, rtol=1e-12)
    assert found.table["item"].tolist() == ["q1", "q2", "q3", "q4", "q5"]


def test_omega_is_that_of_r_s_factanal():
    found = scale_quality(answers()).unweighted
    loadings = [0.91227107616524927, 0.9104334410316296, 0.83752160206731441, 0.82082706236329017, 0.8003115201621317]
    np.testing.assert_allclose(found.table["loading"], loadings, rtol=1e-8)
    assert found.omega.value == pytest.approx(0.93376821612527316, rel=1e-9)


def test_weighted_alpha_and_its_standard_error_are_those_of_r_s_survey():
    i = np.arange(60)
    design = SurveyDesign(1 + (i % 5) / 2, psu=i // 3)
    found = scale_quality(answers(), design)
    # svycralpha, and svyvar of the items with the gradient of alpha.
    assert found.weighted.alpha.value == pytest.approx(0.92909964593564243, rel=1e-12)
    assert found.weighted.alpha.se == pytest.approx(0.0092564404131797121, rel=1e-10)
    assert found.unweighted.alpha.value == pytest.approx(0.93186959800452462, rel=1e-12)
    heavy = scale_quality(answers(), SurveyDesign(9 + 4.5 * (i % 5), psu=i // 3))
    assert heavy.weighted.omega.value == pytest.approx(found.weighted.omega.value, rel=1e-9)


def test_alpha_of_parallel_items_is_spearman_s_and_brown_s():
    # Parallel items correlated r: Spearman and Brown's kr / (1 + (k - 1) r).
    for k, r in ((4, 0.5), (10, 0.2)):
        covariance = np.full((k, k), 3.0 * r) + np.eye(k) * 3.0 * (1 - r)
        assert cronbach_alpha(covariance) == pytest.approx(k * r / (1 + (k - 1) * r), rel=1e-14)


def test_feldt_s_interval_of_many_items_is_of_chi_squared():
    # F with infinite second degrees of freedom is chi-squared by 40: 26.509 and 55.758 at 5 and 95%, from a table.
    low, high = feldt_interval(0.79, 41, 10**6, 0.90)
    assert (low, high) == pytest.approx((1 - 0.21 * 55.758 / 40, 1 - 0.21 * 26.509 / 40), abs=1e-5)


def test_feldt_s_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    loadings, own = np.full(4, 1.0), np.full(4, 1.0)
    truth, inside = 0.8, 0
    for _ in range(400):
        values = drawn(rng, 60, loadings, own).to_numpy()
        low, high = feldt_interval(cronbach_alpha(np.cov(values.T)), 60, 4, 0.9)
        inside += low <= truth <= high
    assert inside / 400 == pytest.approx(0.9, abs=0.045)


def test_the_delta_method_is_near_feldt_where_that_is_exact():
    values = drawn(np.random.default_rng(1), 4000, np.full(5, 1.0), np.full(5, 1.2))
    plain = scale_quality(values).unweighted.alpha
    design = scale_quality(values, SurveyDesign(np.ones(4000))).weighted.alpha
    width = plain.upper - plain.lower
    assert design.lower == pytest.approx(plain.lower, abs=0.1 * width)
    assert design.upper == pytest.approx(plain.upper, abs=0.1 * width)


def test_omega_of_known_loadings_is_recovered_with_its_error():
    loadings, own = np.array([0.4, 0.6, 0.8, 1.0, 1.2]), np.array([1.0, 0.8, 0.6, 0.9, 0.5])
    truth = loadings.sum() ** 2 / (loadings.sum() ** 2 + own.sum())
    rng = np.random.default_rng(2)
    found = [scale_quality(drawn(rng, 500, loadings, own)).unweighted.omega for _ in range(120)]
    values, errors = np.array([f.value for f in found]), np.array([f.se for f in found])
    assert values.mean() == pytest.approx(truth, abs=3 * values.std() / np.sqrt(120) + 0.001)
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.2)
    assert np.mean([f.lower <= truth <= f.upper for f in found]) > 0.88
    # Alpha takes items as equally good, and falls short where they are not.
    assert scale_quality(drawn(rng, 20000, loadings, own)).unweighted.alpha.value < truth - 0.01


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(3)
    values = drawn(rng, 300, np.full(4, 1.0), np.full(4, 1.0))
    copied = pd.concat([values] * 4, ignore_index=True)
    alone = scale_quality(values, SurveyDesign(np.ones(300))).weighted
    units = scale_quality(copied, SurveyDesign(np.ones(1200), np.tile(np.arange(300), 4))).weighted
    naive = scale_quality(copied, SurveyDesign(np.ones(1200))).weighted
    assert units.omega.se == pytest.approx(alone.omega.se, rel=0.01)
    assert naive.omega.se == pytest.approx(alone.omega.se / 2, rel=0.01)


def test_an_item_scored_the_other_way_round_is_named():
    values = drawn(np.random.default_rng(4), 400, np.full(6, 1.0), np.full(6, 1.0))
    assert scale_quality(values).against == ()
    turned = scale_quality(values.assign(i2=5 - values["i2"], i4=-values["i4"]))
    assert turned.against == ("i2", "i4")
    assert (turned.unweighted.table.set_index("item").loc[["i2", "i4"], "item_rest"] < 0).all()


def test_missing_answers_are_counted_and_scores_need_a_minimum():
    values = answers()
    values.iloc[:12, 0] = np.nan
    values.iloc[:6, 1:3] = np.nan
    found = scale_quality(values, minimum=3)
    assert found.complete == 48
    assert found.share_complete == pytest.approx(0.8)
    assert found.share_scored == pytest.approx(0.9)
    assert found.unweighted.table["share_missing"].tolist() == pytest.approx([0.2, 0.1, 0.1, 0, 0])
    scores = scale_scores(values, 3)
    assert np.isnan(scores[:6]).all()
    assert scores[6] == pytest.approx(values.iloc[6, 1:].mean())
    part = scale_quality(values, SurveyDesign(np.ones(60)).subset(np.arange(60) >= 12)).weighted
    assert part.alpha.value == pytest.approx(scale_quality(values.iloc[12:]).unweighted.alpha.value, rel=1e-12)


def test_two_items_have_no_omega_and_copies_none_either():
    two = scale_quality(answers()[["q1", "q2"]]).unweighted
    assert np.isnan(two.omega.value)
    assert two.omega.method == "omega needs 3 items"
    copied = scale_quality(answers().assign(q6=lambda t: t["q1"])).unweighted
    assert np.isnan(copied.omega.value)
    assert copied.alpha.value > 0.9


def test_it_is_json_without_respondents():
    found = scale_quality(answers()[["q1", "q2"]], SurveyDesign(np.ones(60)))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["unweighted"]["omega"]["value"] is None
    assert told["weighted"]["items"][0]["item"] == "q1"
    assert told["minimum_answered"] == 1


def test_order_of_respondents_and_of_items_does_not_matter():
    values = answers()
    one = scale_quality(values).unweighted
    two = scale_quality(values.sample(frac=1, random_state=1)[["q4", "q2", "q5", "q1", "q3"]]).unweighted
    assert two.omega.value == pytest.approx(one.omega.value, rel=1e-10)
    assert two.alpha.se == pytest.approx(one.alpha.se, rel=1e-10)
    columns = ["mean", "item_rest", "loading"]
    mixed = two.table.set_index("item").loc[list(values.columns), columns]
    np.testing.assert_allclose(mixed, one.table[columns], rtol=1e-8)


def test_everything_wrong_is_told_at_once():
    values = answers().assign(q1="yes", q2=np.inf)
    with pytest.raises(DataError) as caught:
        scale_quality(values, SurveyDesign(np.ones(3)), minimum=9)
    for part in ("item 'q1': holds text", "item 'q2': holds infinite", "9 of 5 items", "items have 60 rows"):
        assert part in str(caught.value)
    with pytest.raises(DataError, match="item 'q3': has one answer only"):
        scale_quality(answers().assign(q3=2.0))
    with pytest.raises(DataError, match="only fewer than 10 of fewer than 10 respondents answered"):
        scale_quality(answers().iloc[:9])
