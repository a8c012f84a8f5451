import numpy as np
import pytest

from placewise.opendata.build import build_areas
from placewise.opendata.describe import describe_covariates


@pytest.fixture(scope="module")
def described(country, catalogue):
    areas = build_areas(catalogue, country.tables)
    return areas.frame, {d.covariate.name: d for d in describe_covariates(areas)}


def test_mean_spread_and_quantiles(described):
    frame, found = described
    d = found["no_car"]
    w = frame["adults"]
    mean = (w * frame["no_car"]).sum() / w.sum()
    assert d.mean == pytest.approx(mean)
    assert d.sd == pytest.approx(np.sqrt((w * (frame["no_car"] - mean) ** 2).sum() / w.sum()))
    assert d.quantiles[0] == frame["no_car"].min()
    assert d.quantiles[3] == frame["no_car"].median()
    wales = frame[frame["ctry"] == "W"]
    assert d.countries["W"] == pytest.approx((wales["adults"] * wales["no_car"]).sum() / wales["adults"].sum())


def test_variance_between_authorities_is_within_0_and_1_and_complete_for_a_constant(described):
    frame, found = described
    assert all(0 <= d.between <= 1 for d in found.values())
    w = frame["adults"]
    means = frame.groupby("lad22cd")[["no_car", "adults"]].apply(lambda g: np.average(g["no_car"], weights=g["adults"]))
    apart = (w * (frame["lad22cd"].map(means) - found["no_car"].mean) ** 2).sum() / w.sum()
    assert found["no_car"].between == pytest.approx(apart / found["no_car"].sd ** 2)


def test_missing_and_imputed_areas_are_counted(described):
    frame, found = described
    welsh = int((frame["ctry"] == "W").sum())
    assert (found["iod2025"].missing, found["iod2025"].imputed) == (0, welsh)
    assert (found["iod2025_crime"].missing, found["iod2025_crime"].imputed) == (welsh, 0)
    assert list(found["iod2025_crime"].countries) == ["E"]
