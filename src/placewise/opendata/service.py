"""A table or outlines from an ArcGIS feature service, page by page, written as one file in the order of the codes."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placewise.opendata.download import ATTEMPTS, FetchError, Progress, UnreachableError, answer
from placewise.opendata.spec import Source

PAGE = 2000
MOST_PAGE_BYTES = 256 << 20
MOST_ROWS = 2_000_000


@dataclass(frozen=True)
class _Layer:
    """What is asked of a service."""

    url: str
    key: str
    fields: tuple[str, ...]
    geometry: str

    @property
    def parameters(self) -> dict[str, str]:
        asked = {"where": "1=1", "outFields": ",".join((self.key, *self.fields)), "orderByFields": self.key}
        if not self.geometry:
            return {**asked, "returnGeometry": "false", "f": "json"}
        form = "geojson" if self.geometry == "polygon" else "json"
        return {**asked, "returnGeometry": "true", "outSR": "4326", "f": form}


def fetch_service(source: Source, target: Path, pages: Path, *, progress: Progress, pause: float = 1.0) -> None:
    """Bring every row of a feature service.

    Pages that an earlier run brought are kept, unless the service was edited since.

    Parameters
    ----------
    source : Source
        Its fields are the headings of the published layout.
    target : Path
        CSV, or GeoJSON for outlines, sorted by code: the same bytes for the same rows.
    pages : Path
        Folder that keeps the pages for the next run.
    progress : callable
        Gets the rows so far and in all.

    Raises
    ------
    FetchError
        No answer, an error, fewer rows than the service says it has, or a code without a row.
    """
    layout = source.layouts[0]
    columns = tuple(names[0] for names in layout.columns.values())
    fields = () if source.geometry == "point" else columns
    layer = _Layer(source.url, layout.key, fields, source.geometry)
    total = _ready(layer, pages, pause)
    features: list[Any] = []
    while len(features) < total:
        found = _page(layer, pages, len(features), pause)
        if not found:
            raise FetchError(f"the service gives {len(features):,} of its {total:,} rows", "run the same command again")
        features += found
        progress(len(features), total)
    if len(features) > total:
        raise FetchError(f"the service gives {len(features):,} rows, and said {total:,}", "run the same command again")
    if source.geometry == "polygon":
        _write_geojson(layer, features, target)
    else:
        _write_csv(layer, columns, features, target)


def _ready(layer: _Layer, pages: Path, pause: float) -> int:
    """Number of rows; pages of an earlier edition or of another question are removed."""
    about = _ask(layer.url, {"f": "json"}, pause)
    count = _ask(f"{layer.url}/query", {"where": "1=1", "returnCountOnly": "true", "f": "json"}, pause).get("count")
    if not isinstance(count, int) or not 0 < count <= MOST_ROWS:
        raise FetchError(f"the service says that it has {count!r} rows", "is the address that of a layer?")
    edited = (about.get("editingInfo") or {}).get("lastEditDate")
    state = json.dumps([layer.url, layer.parameters, count, edited])
    note = pages / "state.json"
    if not note.is_file() or note.read_text(encoding="utf-8") != state:
        for old in pages.glob("*.json"):
            old.unlink()
        pages.mkdir(parents=True, exist_ok=True)
        note.write_text(state, encoding="utf-8")
    return count


def _page(layer: _Layer, pages: Path, offset: int, pause: float) -> list[Any]:
    kept = pages / f"page-{offset:08d}.json"
    try:
        return list(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        # not there yet, or a page that a killed run left half-written
        pass
    asked = {**layer.parameters, "resultOffset": str(offset), "resultRecordCount": str(PAGE)}
    features = _ask(f"{layer.url}/query", asked, pause).get("features")
    if not isinstance(features, list):
        raise FetchError("the service answers without rows", "is the address that of a layer?")
    kept.write_text(json.dumps(features), encoding="utf-8")
    return features


def _ask(address: str, parameters: dict[str, str], pause: float) -> dict[str, Any]:
    """The service's answer as JSON; errors that pass are tried again."""
    import requests

    message = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause * 2 ** (attempt - 1))
        try:
            with answer(address, parameters=parameters) as response:
                content = _bounded(response)
                if response.status_code >= 400:
                    message = f"the service answers {response.status_code} {response.reason}"
                    continue
            found = json.loads(content)
        except UnreachableError:
            if attempt:
                raise
            continue
        except requests.RequestException as error:
            message = f"the connection fails: {type(error).__name__}"
            continue
        except ValueError:
            message = "the service answers with something else than JSON"
            continue
        if not isinstance(found, dict) or "error" in found:
            detail = found.get("error") if isinstance(found, dict) else None
            words = detail.get("message") if isinstance(detail, dict) else None
            raise FetchError(f"the service refuses: {str(words)[:200]}", "has the layer been replaced?")
        return found
    raise FetchError(message, "run the same command again: pages that came are kept")


def _bounded(response: Any) -> bytes:
    found = bytearray()
    for block in response.iter_content(1 << 18):
        found += block
        if len(found) > MOST_PAGE_BYTES:
            raise FetchError(f"one page has more than {MOST_PAGE_BYTES >> 20} MB", "is the address that of a layer?")
    return bytes(found)


def _attributes(feature: Any, layer: _Layer) -> dict[str, Any]:
    values = (
        feature.get("attributes" if layer.geometry != "polygon" else "properties")
        if isinstance(feature, dict)
        else None
    )
    if not isinstance(values, dict) or values.get(layer.key) is None:
        raise FetchError(f"a row has no {layer.key!r}", "has the layer been replaced?")
    return values


def _write_csv(layer: _Layer, columns: tuple[str, ...], features: list[Any], target: Path) -> None:
    rows = set()
    for feature in features:
        values = _attributes(feature, layer)
        if layer.geometry == "point":
            point = feature.get("geometry") or {}
            cells = [f"{point[axis]:.6f}" if isinstance(point.get(axis), int | float) else "" for axis in ("x", "y")]
        else:
            cells = ["" if values.get(name) is None else str(values[name]) for name in columns]
        rows.add((str(values[layer.key]), *cells))
    if len(rows) < len(features):
        raise FetchError(
            f"{len(features) - len(rows):,} rows came twice: the pages overlap", "run the same command again"
        )
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([(layer.key, *columns), *sorted(rows)])


def _write_geojson(layer: _Layer, features: list[Any], target: Path) -> None:
    names = (layer.key, *layer.fields)
    found = {}
    for feature in features:
        values = _attributes(feature, layer)
        shown = {name: values.get(name) for name in names}
        found[str(values[layer.key])] = {"type": "Feature", "properties": shown, "geometry": feature.get("geometry")}
    if len(found) < len(features):
        raise FetchError(
            f"{len(features) - len(found):,} codes came twice: the pages overlap", "run the same command again"
        )
    collection = {"type": "FeatureCollection", "features": [found[code] for code in sorted(found)]}
    target.write_text(json.dumps(collection, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
