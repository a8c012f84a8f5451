import numpy as np
import pandas as pd
import pytest

from placewise.opendata.imputation import predict_score, to_lsoa21


def test_scores_of_2011_are_split_merged_and_kept():
    scores = pd.DataFrame({"s": [1.0, 2.0, 4.0, 8.0]}, pd.Index(["a", "b", "c", "d"], name="lsoa11cd"))
    pairs = [("a", "A"), ("b", "B1"), ("b", "B2"), ("c", "C"), ("d", "C"), ("d", "D"), ("x", "D"), ("y", "Y")]
    changes = pd.DataFrame(pairs, columns=["lsoa11cd", "lsoa21cd"]).set_index("lsoa11cd")
    found = to_lsoa21(scores, changes)["s"]
    # D has a predecessor without a score, Y has no other
    assert found.to_dict() == {"A": 1.0, "B1": 2.0, "B2": 2.0, "C": 6.0}


@pytest.fixture
def nation():
    rng = np.random.default_rng(5)
    lsoas = np.repeat(np.arange(400), 3)
    x = pd.DataFrame(rng.normal(size=(1200, 2)), columns=["u", "v"])
    weights = pd.Series(rng.integers(50, 300, 1200).astype(float))
    total = np.bincount(lsoas, weights)
    means = np.column_stack([np.bincount(lsoas, weights * x[c]) / total for c in x])
    return {
        "means": means,
        "predictors": x,
        "lsoas": pd.Series([f"L{k:03d}" for k in lsoas]),
        "regions": pd.Series([f"R{k % 4}" for k in lsoas]),
        "weights": weights,
        "score": 3.0 + means @ np.array([2.0, -1.0]),
        "known": np.arange(400) % 4 < 3,
        "rng": rng,
    }


def _predict(nation, score):
    number = nation["lsoas"].str[1:].astype(int).to_numpy()
    values = pd.Series(np.where(nation["known"], score, np.nan)[number])
    return values, predict_score(values, nation["predictors"], nation["lsoas"], nation["regions"], nation["weights"])


def test_an_exact_line_is_found_exactly_from_weighted_means(nation):
    values, found = _predict(nation, nation["score"])
    number = nation["lsoas"].str[1:].astype(int).to_numpy()
    np.testing.assert_allclose(found.values, nation["score"][number], atol=1e-10)
    assert found.fitted == 300
    assert found.r_squared == pytest.approx(1.0)
    np.testing.assert_allclose(found.errors, 0.0, atol=1e-10)
    assert (found.values[values.notna()] == values[values.notna()]).all()


def test_the_standard_error_is_that_of_regions_left_out(nation):
    noise = nation["rng"].normal(0, 0.5, 400) + np.array([0.0, 0.8, -0.8, 0.0])[np.arange(400) % 4]
    score = nation["score"] + noise
    values, found = _predict(nation, score)
    design = np.column_stack([np.ones(400), nation["means"]])
    squares = []
    for left in range(3):
        inside = np.arange(400) % 4 == left
        rows = nation["known"] & ~inside
        slopes = np.linalg.solve(design[rows].T @ design[rows], design[rows].T @ score[rows])
        squares += list((score[inside] - design[inside] @ slopes) ** 2)
    expected = np.sqrt(np.mean(squares))
    missing = values.isna()
    np.testing.assert_allclose(found.errors[missing], expected, rtol=1e-9)
    assert (found.errors[~missing] == 0).all()
    assert found.r_squared == pytest.approx(1 - expected**2 / np.var(score[nation["known"]]))
    # regions differ beyond the noise of areas, and the error says so
    assert expected > 0.6


def test_one_region_cannot_tell_how_far_a_prediction_is_off(nation):
    nation["regions"][:] = "R0"
    with pytest.raises(ValueError, match="too few"):
        _predict(nation, nation["score"])
