import numpy as np
import pandas as pd
import pytest

from placewise.estimates.draws import AreaDraws
from placewise.estimates.lists import stand_out


def table(p):
    return pd.DataFrame({"area_code": [f"A{i:03d}" for i in range(len(p))], "p": p})


def brute(p, at_least, wrong):
    """The longest list by trying every threshold."""
    best = 0
    for cut in np.unique(p[p >= at_least]):
        chosen = p[p >= cut]
        if np.mean(1 - chosen) <= wrong:
            best = max(best, len(chosen))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_longest_list_that_keeps_its_promise(seed):
    p = np.round(np.random.default_rng(seed).beta(3, 1, 300), 3)
    for at_least, wrong in ((0.9, 0.05), (0.8, 0.05), (0.9, 0.02), (0.99, 0.001)):
        found = stand_out(table(p), at_least, wrong)
        assert len(found.table) == brute(p, at_least, wrong)
        assert found.table["p"].min() >= at_least or not len(found.table)
        assert found.wrong_share <= wrong
        assert found.wrong == pytest.approx((1 - found.table["p"]).sum())


def test_the_surest_first_and_none_where_none_is_sure():
    found = stand_out(table([0.91, 0.999, np.nan, 0.95, 0.5]))
    assert found.table["area_code"].tolist() == ["A001", "A003", "A000"]
    assert found.wrong_share == pytest.approx(np.mean([0.09, 0.001, 0.05]))
    assert len(stand_out(table([0.5, 0.89])).table) == 0
    assert stand_out(table([])).wrong_share == 0.0


def test_expected_errors_happen_as_often_as_they_are_expected():
    """Truth drawn from the probabilities: the list's expected share is the share that is wrong."""
    rng = np.random.default_rng(3)
    wrong, said = 0.0, 0.0
    for _ in range(200):
        p = rng.beta(2, 0.6, 400)
        found = stand_out(table(p))
        truth = rng.uniform(size=len(p)) < p
        wrong += (~truth[found.table["area_code"].str[1:].astype(int)]).sum()
        said += found.wrong
    assert wrong == pytest.approx(said, rel=0.05)


def test_areas_that_stand_out_of_the_nation(make_predictor):
    areas = AreaDraws(make_predictor(n_draws=300, n_areas=90, population=np.full(90, 500.0)))
    index = areas.index().draws()
    for better in (True, False):
        p = (index > 0).mean(axis=0) if better else 1 - (index > 0).mean(axis=0)
        found = areas.stand_out(better)
        assert len(found.table) == brute(p, 0.9, 0.05) > 3
        assert np.allclose(found.table["p"], np.sort(p)[::-1][: len(found.table)])
