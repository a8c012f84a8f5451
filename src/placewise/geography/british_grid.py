"""From the British National Grid to longitude and latitude, to about five metres.

Ordnance Survey, A Guide to Coordinate Systems in Great Britain (2020): the inverse transverse Mercator projection of
annex C.2 on the Airy 1830 ellipsoid, then the Helmert transformation of section 6.6 to WGS84.
"""

from __future__ import annotations

import numpy as np

BRITISH_GRID = 27700

_AIRY = (6_377_563.396, 6_356_256.909)
_WGS84 = (6_378_137.000, 6_356_752.3141)
_SCALE, _LAT0, _LON0, _E0, _N0 = 0.9996012717, np.deg2rad(49.0), np.deg2rad(-2.0), 400_000.0, -100_000.0
# of OSGB36 → WGS84: metres, parts per million, seconds
_MOVE = (446.448, -125.157, 542.060)
_GROW = -20.4894e-6
_TURN = tuple(np.deg2rad(s / 3600) for s in (0.1502, 0.2470, 0.8421))
_ROUNDS = 10


def to_degrees(points: np.ndarray) -> np.ndarray:
    """Longitude and latitude (WGS84) of eastings and northings; float64, shape (n, 2) both."""
    lat, lon = _airy_degrees(points[:, 0], points[:, 1])
    return _to_wgs84(lat, lon)


def _meridian_arc(lat: np.ndarray, n: float, b: float) -> np.ndarray:
    d, s = lat - _LAT0, lat + _LAT0
    arc = (1 + n + 1.25 * (n**2 + n**3)) * d
    arc = arc - (3 * n + 3 * n**2 + 2.625 * n**3) * np.sin(d) * np.cos(s)
    arc = arc + 1.875 * (n**2 + n**3) * np.sin(2 * d) * np.cos(2 * s)
    arc = arc - 35 / 24 * n**3 * np.sin(3 * d) * np.cos(3 * s)
    return np.asarray(b * _SCALE * arc)


def _airy_degrees(east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude on the Airy ellipsoid, radians."""
    a, b = _AIRY
    e2, n = 1 - (b / a) ** 2, (a - b) / (a + b)
    lat = (north - _N0) / (a * _SCALE) + _LAT0
    for _ in range(_ROUNDS):
        lat = lat + (north - _N0 - _meridian_arc(lat, n, b)) / (a * _SCALE)
    sine2 = np.sin(lat) ** 2
    nu = a * _SCALE / np.sqrt(1 - e2 * sine2)
    rho = a * _SCALE * (1 - e2) / (1 - e2 * sine2) ** 1.5
    eta2, t, sec = nu / rho - 1, np.tan(lat), 1 / np.cos(lat)
    d = east - _E0
    seven = t / (2 * rho * nu)
    eight = t / (24 * rho * nu**3) * (5 + 3 * t**2 + eta2 - 9 * t**2 * eta2)
    nine = t / (720 * rho * nu**5) * (61 + 90 * t**2 + 45 * t**4)
    ten = sec / nu
    eleven = sec / (6 * nu**3) * (nu / rho + 2 * t**2)
    twelve = sec / (120 * nu**5) * (5 + 28 * t**2 + 24 * t**4)
    last = sec / (5040 * nu**7) * (61 + 662 * t**2 + 1320 * t**4 + 720 * t**6)
    latitude = lat - seven * d**2 + eight * d**4 - nine * d**6
    return latitude, _LON0 + ten * d - eleven * d**3 + twelve * d**5 - last * d**7


def _to_wgs84(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Longitude and latitude in degrees after the Helmert transformation; heights are taken as 0."""
    a, b = _AIRY
    e2 = 1 - (b / a) ** 2
    nu = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    x, y, z = nu * np.cos(lat) * np.cos(lon), nu * np.cos(lat) * np.sin(lon), (1 - e2) * nu * np.sin(lat)
    rx, ry, rz = _TURN
    moved = (
        _MOVE[0] + (1 + _GROW) * x - rz * y + ry * z,
        _MOVE[1] + rz * x + (1 + _GROW) * y - rx * z,
        _MOVE[2] - ry * x + rx * y + (1 + _GROW) * z,
    )
    a, b = _WGS84
    e2 = 1 - (b / a) ** 2
    flat = np.hypot(moved[0], moved[1])
    latitude = np.arctan2(moved[2], flat * (1 - e2))
    for _ in range(_ROUNDS):
        nu = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
        latitude = np.arctan2(moved[2] + e2 * nu * np.sin(latitude), flat)
    return np.asarray(np.rad2deg(np.column_stack([np.arctan2(moved[1], moved[0]), latitude])))
