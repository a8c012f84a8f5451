"""Land: a coastline, towns, local authorities and middle-layer areas as polygons that share their boundaries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPoint, Point, Polygon

from placewise.pipeline.example.names import REGIONS, Size

# Degrees; on the equator and in mid-ocean, so that a map needs no projection and overlaps no country.
CENTRE = (-20.0, 0.0)
CITIES = ((-20.25, -0.55), (-19.7, 0.35))
GRID = 1e-5


@dataclass(frozen=True, eq=False)
class Land:
    """Polygons and positions of one country.

    Parameters
    ----------
    lads, msoas : list of Polygon or MultiPolygon
        Every middle-layer area lies inside one local authority.
    lad_region : ndarray of int, shape (lads,)
        Region of each local authority; regions are bands from south to north.
    msoa_lad : ndarray of int, shape (msoas,)
        Local authority of each middle-layer area, ascending.
    msoa_urban : ndarray of float, shape (msoas,)
        1 in the middle of a city, near 0 far from any town.
    """

    lads: list[shapely.Geometry]
    msoas: list[shapely.Geometry]
    lad_region: np.ndarray
    msoa_lad: np.ndarray
    msoa_urban: np.ndarray


def make_land(size: Size, rng: np.random.Generator) -> Land:
    """Make the country's polygons.

    Parameters
    ----------
    size : Size
    rng : Generator

    Returns
    -------
    Land
    """
    coast = _coast(rng)
    lads = _tiles(_spread(coast, size.lads, rng), coast)
    lads.sort(key=lambda p: p.centroid.y)
    lad_region = np.repeat(np.arange(len(REGIONS)), size.lads // len(REGIONS))
    urban = np.array([_nearness(p.centroid, 0.45) for p in lads])
    share = (0.5 + urban) * rng.lognormal(0, 0.3, size.lads)
    count = _shares_to_counts(share, size.msoas)
    msoas: list[shapely.Geometry] = []
    msoa_urban: list[float] = []
    for lad, n in zip(lads, count, strict=True):
        town = lad.representative_point()
        for tile in _tiles(_spread(lad, int(n), rng), lad):
            msoas.append(tile)
            own = 0.65 * np.exp(-town.distance(tile.centroid) / (0.35 * np.sqrt(lad.area)))
            msoa_urban.append(max(_nearness(tile.centroid, 0.22), own))
    return Land(lads, msoas, lad_region, np.repeat(np.arange(size.lads), count), np.array(msoa_urban))


def _coast(rng: np.random.Generator) -> Polygon:
    """One island: a circle stretched northwards, its radius disturbed by waves of falling amplitude."""
    angle = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    wave = np.arange(2, 28)
    amplitude = 0.16 * rng.normal(size=wave.size) / wave**0.85
    phase = rng.uniform(0, 2 * np.pi, wave.size)
    radius = 1 + (amplitude * np.cos(np.outer(angle, wave) + phase)).sum(axis=1)
    x = CENTRE[0] + radius * np.cos(angle)
    y = CENTRE[1] + 1.25 * radius * np.sin(angle)
    return Polygon(np.column_stack([x, y])).buffer(0)


def _nearness(point: Point, scale: float) -> float:
    distance = min(point.distance(Point(city)) for city in CITIES)
    return float(np.exp(-((distance / scale) ** 2)))


def _spread(region: shapely.Geometry, n: int, rng: np.random.Generator) -> np.ndarray:
    """Points in a region, best of many candidates each, closer together near cities; shape (n, 2)."""
    west, south, east, north = region.bounds
    points = np.empty((0, 2))
    for _ in range(n):
        inside = np.empty((0, 2))
        while len(inside) < 30:
            drawn = np.column_stack([rng.uniform(west, east, 120), rng.uniform(south, north, 120)])
            inside = np.vstack([inside, drawn[shapely.contains_xy(region, drawn)]])
        to_city = np.min([np.hypot(*(inside - city).T) for city in CITIES], axis=0)
        if len(points):
            gap = np.hypot(inside[:, None, 0] - points[:, 0], inside[:, None, 1] - points[:, 1]).min(axis=1)
            best = np.argmax(gap / (0.2 + to_city))
        else:
            best = np.argmin(to_city)
        points = np.vstack([points, inside[best]])
    return points


def _tiles(points: np.ndarray, region: shapely.Geometry) -> list[shapely.Geometry]:
    """Voronoi tiles of the points, clipped to the region, in the order of the points."""
    if len(points) == 1:
        return [region]
    cells = shapely.voronoi_polygons(MultiPoint(points), extend_to=region, ordered=True)
    clipped = shapely.intersection(np.array(cells.geoms, dtype=object), region, grid_size=GRID)
    return list(clipped)


def _shares_to_counts(share: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers, at least 1 each, that add up to the total and follow the shares (largest remainders)."""
    exact = share / share.sum() * (total - len(share))
    count: np.ndarray = np.floor(exact).astype(int)
    left = total - len(share) - count.sum()
    count[np.argsort(-(exact - count), kind="stable")[:left]] += 1
    count += 1
    return count


def adjacency(polygons: list[shapely.Geometry]) -> list[tuple[int, int]]:
    """Pairs of polygons that share more than a corner, each pair once."""
    tree = shapely.STRtree(polygons)
    left, right = tree.query(np.array(polygons, dtype=object), predicate="intersects")
    return [
        (int(i), int(j))
        for i, j in sorted(zip(left, right, strict=True))
        if i < j and polygons[i].buffer(2 * GRID).intersection(polygons[j]).area > 20 * GRID**2
    ]
