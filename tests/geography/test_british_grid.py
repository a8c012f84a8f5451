import numpy as np
import pytest

from placewise.geography.british_grid import _airy_degrees, to_degrees


def test_the_ordnance_surveys_worked_example():
    """E 651409.903, N 313177.270 is 52° 39' 27.2531" N, 1° 43' 4.5177" E on the Airy ellipsoid (annex C.2)."""
    lat, lon = _airy_degrees(np.array([651409.903]), np.array([313177.270]))
    assert np.rad2deg(lat[0]) == pytest.approx(52 + 39 / 60 + 27.2531 / 3600, abs=1e-7)
    assert np.rad2deg(lon[0]) == pytest.approx(1 + 43 / 60 + 4.5177 / 3600, abs=1e-7)


def test_known_places_to_ten_metres():
    """OS grid references and published WGS84 positions: the water tower at Caister, and the Ordnance Survey's own."""
    found = to_degrees(np.array([[651409.903, 313177.270]]))
    assert found[0] == pytest.approx([1 + 42 / 60 + 57.79 / 3600, 52 + 39 / 60 + 28.72 / 3600], abs=1e-4)


def test_distances_are_kept():
    """A kilometre of the grid is a kilometre on the ground, to the grid's scale."""
    points = to_degrees(np.array([[430000.0, 400000.0], [431000.0, 400000.0], [430000.0, 401000.0]]))
    metres = (points[1:] - points[0]) * 111_320 * np.array([np.cos(np.deg2rad(points[0, 1])), 1.0])
    assert np.hypot(*metres.T) == pytest.approx([1000, 1000], rel=0.006)
