import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.centroids import read_centroids
from placewise.geography.spec import AreasSpec, CentroidSpec

CODES = pd.Series(["A", "B", "C"])


def read(x, y, epsg=4326):
    found = Problems()
    centroids = read_centroids(pd.DataFrame({"lng": x, "lat": y}), CODES, CentroidSpec("lng", "lat", epsg), found)
    return centroids, [str(p) for p in found]


def test_points_and_their_system():
    centroids, problems = read(["-2.5", "0", "1.75"], [50.0, 51.0, 52.0])
    assert problems == []
    assert np.array_equal(centroids.points, [[-2.5, 50], [0, 51], [1.75, 52]])
    assert AreasSpec("t", "c").centroid is None


def test_points_that_are_missing_or_no_angles():
    centroids, problems = read([1.0, np.nan, np.inf], ["50", "x", "52"])
    assert centroids is None
    assert problems[0].startswith("areas.centroid.x: column 'lng' is no number for 2 areas: 'B', 'C'")
    assert "areas.centroid.y: column 'lat' is no number for 1 areas: 'B'" in problems[1]
    grid = ([430000.0, 440000, 450000], [400000.0, 410000, 420000])
    assert "reaches 450,000, which is no angle (say which system it is, as in epsg = 27700" in read(*grid)[1][0]
    assert read(*grid, epsg=27700)[0].epsg == 27700
