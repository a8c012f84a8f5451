import numpy as np
import pytest

from placewise.estimates.draws import AreaDraws
from placewise.estimates.lists import stand_out
from placewise.estimates.notable import notable
from placewise.estimates.summarise import summarise


@pytest.fixture(scope="module", params=[1, -1])
def predictor(request, make_predictor, with_slopes):
    return with_slopes(make_predictor(n_areas=240, n_draws=200, polarity=request.param))


@pytest.fixture(scope="module")
def found(predictor):
    return notable(predictor, "district", summarise(predictor).standard)


def test_lists_are_those_of_the_draws(predictor, found):
    table = AreaDraws(predictor).aggregate("district").beyond_expected().set_index("area_code")
    assert found["areas"] == len(table)
    assert len(found["better"]["rows"]) + len(found["worse"]["rows"]) > 0
    for side, p in (("better", table["p_better"]), ("worse", 1 - table["p_better"])):
        listed = stand_out(p.rename("p").reset_index())
        rows = found[side]["rows"]
        assert [row["area_code"] for row in rows] == listed.table["area_code"].tolist()[:20]
        assert found[side]["found"] == len(listed.table)
        assert found[side]["wrong_share"] == pytest.approx(
            np.mean([1 - p[c] for c in listed.table["area_code"]] or [0])
        )
        for row in rows:
            known = table.loc[row["area_code"]]
            for name in ("rate", "expected", "difference", "ci90_lower", "ci90_upper"):
                assert row[name] == pytest.approx(known[name], abs=1e-9)
            assert row["p"] == pytest.approx(p[row["area_code"]])


def test_a_level_of_few_areas_none_of_which_are_alike(predictor):
    found = notable(predictor, "region", summarise(predictor).standard)
    assert found["areas"] == 3
    assert found["pairs"]["wrong_share"] == pytest.approx(
        np.mean([1 - row["p"] for row in found["pairs"]["rows"]] or [0.0])
    )


def test_pairs_are_those_of_the_draws(predictor, found):
    pairs = AreaDraws(predictor).aggregate("district").matched_pairs()
    sure = pairs[pairs["p_greater"] >= 0.9]
    assert [(row["a"], row["b"]) for row in found["pairs"]["rows"]] == list(zip(sure["a"], sure["b"], strict=True))
    assert found["pairs"]["wrong_share"] == pytest.approx((1 - sure["p_greater"]).mean() if len(sure) else 0.0)
