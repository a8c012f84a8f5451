"""A miniature England and Wales in the publishers' layout and in the Parquet layout, and a server that gives it out.

432 output areas in 216 LSOAs, 12 MSOAs, 6 local authorities, two English regions and Wales; every census table adds up.
"""

from __future__ import annotations

import io
import json
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import shapely
import tomli_w

from placewise.errors import Problems
from placewise.opendata.catalogue import COVARIATES_FILE, SOURCES_FILE, read_catalogue
from placewise.opendata.spec import Catalogue, Source
from placewise.schema import Place

LADS = ("E06000001", "E06000002", "E06000003", "E06000004", "W06000001", "W06000002")
REGIONS = {"E06000001": "E12000001", "E06000002": "E12000001", "E06000003": "E12000002", "E06000004": "E12000002"}
REGION_NAMES = {"E12000001": "North", "E12000002": "South", "W92000004": "Wales"}
SUFFIXED = ("ts001", "ts011", "ts017")


@dataclass
class Country:
    """Tables of every source by its own column names, the code as index."""

    tables: dict[str, pd.DataFrame]
    outlines: dict[str, pd.DataFrame]

    @property
    def areas(self) -> pd.Index:
        return self.tables["oa21_lookup"].index


def builtin() -> Catalogue:
    problems = Problems()
    return read_catalogue(
        tomllib.loads(SOURCES_FILE.read_text(encoding="utf-8")),
        tomllib.loads(COVARIATES_FILE.read_text(encoding="utf-8")),
        Place("catalogue.toml", problems),
        Place("covariates.toml", problems),
    )


def make_country(seed: int = 1) -> Country:
    rng = np.random.default_rng(seed)
    lookup = _lookup()
    tables = {"oa21_lookup": lookup, **_places(lookup, rng)}
    for name, source in builtin().sources.items():
        if source.layouts[0].member:
            tables[name] = _census(name, source, lookup.index, rng)
    lsoas = pd.Index(lookup["lsoa21cd"].unique(), name="lsoa21cd")
    english = lsoas[lsoas.str.startswith("E")]
    columns = builtin().sources["iod2025"].columns
    tables["iod2025"] = pd.DataFrame(rng.normal(20, 8, (len(english), len(columns))), english, list(columns)).round(3)
    old = tables["lsoa_changes"].index.unique()
    old = old[old.str.startswith("W")].rename("lsoa11cd")
    tables["wimd2019"] = pd.DataFrame({"wimd": rng.uniform(1, 80, len(old)).round(3)}, old)
    return Country(tables, {"lad22_outlines": _outlines()})


def _lookup() -> pd.DataFrame:
    rows = []
    for lad in LADS:
        for _ in range(2):
            msoa = f"{lad[0]}02{len({r[3] for r in rows}) + 1:06d}"
            for _ in range(18):
                lsoa = f"{lad[0]}01{len({r[1] for r in rows}) + 1:06d}"
                for _ in range(2):
                    rows.append((f"{lad[0]}00{len(rows) + 1:06d}", lsoa, f"N {lsoa}", msoa, f"N {msoa}", lad))
    names = ["oa21cd", "lsoa21cd", "lsoa21nm", "msoa21cd", "msoa21nm", "lad22cd"]
    return pd.DataFrame(rows, columns=names, dtype="str").set_index("oa21cd")


def _places(lookup: pd.DataFrame, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    lsoas = lookup.drop_duplicates("lsoa21cd").set_index("lsoa21cd")["lad22cd"]
    pairs = [(f"{new[:3]}9{new[4:]}", new, "U", lad) for new, lad in lsoas.items()]
    welsh = [k for k, p in enumerate(pairs) if p[1].startswith("W")]
    split, merged = welsh[0], welsh[5]
    # one area of 2011 became two of 2021, and two of 2011 became one
    pairs[split + 1] = (pairs[split][0], pairs[split + 1][1], "S", pairs[split + 1][3])
    pairs.append(("W01099999", pairs[merged][1], "M", pairs[merged][3]))
    changes = pd.DataFrame(pairs, columns=["lsoa11cd", "lsoa21cd", "change", "lad22cd"], dtype="str")
    changes["lad22nm"] = "Town of " + changes["lad22cd"]
    region = [REGIONS.get(lad, "W92000004") for lad in LADS]
    regions = pd.DataFrame(
        {"rgn24cd": region, "rgn24nm": [REGION_NAMES[r] for r in region]}, pd.Index(LADS, name="lad22cd")
    )
    group = rng.integers(0, 3, len(lookup))
    oac = pd.DataFrame({"oac21_supergroup": (group + 1).astype(str)}, lookup.index)
    oac["oac21_group"] = oac["oac21_supergroup"] + "a"
    oac["oac21_subgroup"] = oac["oac21_group"] + "1"
    where = pd.DataFrame(rng.uniform(0, 1, (len(lookup), 2)).round(6), lookup.index, ["lng", "lat"])
    return {
        "lsoa_changes": changes.set_index("lsoa11cd"),
        "lad22_region": regions.astype("str"),
        "oac21": oac.astype("str"),
        "oa21_centroids": where,
    }


def _census(name: str, source: Source, areas: pd.Index, rng: np.random.Generator) -> pd.DataFrame:
    table = pd.DataFrame({c: rng.integers(5, 60, len(areas)) for c in source.columns}, areas).astype(float)
    if name == "ts006":
        table["density"] = rng.uniform(20, 9000, len(areas)).round(1)
    if name == "ts017":
        table["zero"] = 0.0
    if name == "ts054":
        table["owned"] = table["outright"] + table["mortgage"]
    if name == "ts007a":
        table["total"] = table.drop(columns="total").sum(axis=1) + rng.integers(10, 90, len(areas))
    if source.parts:
        table["total"] = table[list(source.parts)].sum(axis=1)
    return table


def _outlines() -> pd.DataFrame:
    """Squares in a row, each touching the next."""
    squares = [shapely.box(k, 0, k + 1, 1) for k in range(len(LADS))]
    names = [f"Town of {lad}" for lad in LADS]
    return pd.DataFrame({"code": LADS, "name": names, "geometry": squares})


def write_published(country: Country, folder: Path) -> None:
    """The publishers' files: zip archives with a CSV a level, CSV and Parquet files, GeoJSON."""
    for name, source in builtin().sources.items():
        if name not in country.tables:
            continue
        target = folder / source.file
        frame = published_columns(name, source, country.tables[name])
        if source.layouts[0].member:
            target.write_bytes(
                zipped({source.layouts[0].member: csv_bytes(frame), f"census2021-{name}-ctry.csv": b"x\n1\n"})
            )
        elif target.suffix == ".parquet":
            frame.to_parquet(target, index=False)
        else:
            target.write_bytes(csv_bytes(frame))
    for name, shapes in country.outlines.items():
        features = [
            {
                "type": "Feature",
                "properties": {"LAD22CD": row.code, "LAD22NM": row.name},
                "geometry": json.loads(shapely.to_geojson(row.geometry)),
            }
            for row in shapes.itertuples(index=False)
        ]
        content = {"type": "FeatureCollection", "features": features}
        (folder / builtin().sources[name].file).write_text(json.dumps(content), encoding="utf-8")


def published_columns(name: str, source: Source, table: pd.DataFrame) -> pd.DataFrame:
    """A table under the publisher's headings; a column that is a sum is spread over its parts."""
    layout = source.layouts[0]
    frame: dict[str, Any] = {"date": "2021", "geography": table.index} if layout.member else {}
    frame[layout.key] = table.index
    suffix = "; measures: Value" if name in SUFFIXED else ""
    for column, headings in layout.columns.items():
        rest = table[column].to_numpy()
        for k, heading in enumerate(headings):
            given = rest if k == len(headings) - 1 else np.floor(rest / 2)
            frame[f"{source.topic}: {heading}{suffix}" if source.topic else heading] = given
            if k < len(headings) - 1:
                rest = rest - given
    found = pd.DataFrame(frame).reset_index(drop=True)
    if name == "oac21":
        elsewhere = pd.DataFrame({c: ["S00000001" if c == layout.key else "1"] for c in found.columns})
        found = pd.concat([found, elsewhere], ignore_index=True)
    return found[found[layout.key].str.startswith("E")] if name == "lad22_region" else found


def write_parquet(country: Country, folder: Path) -> None:
    """The Parquet layout: one file a table, several sources in the lookup."""
    files: dict[str, pd.DataFrame] = {}
    for name, source in builtin().sources.items():
        if name not in country.tables:
            continue
        layout, table = source.layouts[1], country.tables[name]
        frame = pd.DataFrame({names[0]: table[c] for c, names in layout.columns.items() if len(names) == 1})
        if name == "ts007a":
            frame["age_16_24"] = 3.0
            frame["age_0_15"] = table["total"] - frame.sum(axis=1)
        if name == "lad22_region":
            lads = country.tables["oa21_lookup"]["lad22cd"]
            files[layout.file] = files[layout.file].join(frame, on=lads.rename("lad22cd"))
            continue
        frame.index.name = layout.key
        files[layout.file] = files[layout.file].join(frame) if layout.file in files else frame
    for file, frame in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        frame.reset_index().to_parquet(folder / file, index=False)
    for name, shapes in country.outlines.items():
        layout = builtin().sources[name].layouts[1]
        (folder / layout.file).parent.mkdir(parents=True, exist_ok=True)
        frame = shapes.assign(geometry=[shapely.to_wkb(g) for g in shapes["geometry"]])
        frame.columns = [layout.key, layout.columns["name"][0], "geometry"]
        frame.to_parquet(folder / layout.file, index=False)


def csv_bytes(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as box:
        for name, content in members.items():
            box.writestr(name, content)
    return buffer.getvalue()


def catalogue_tables(country: Country, base: str = "") -> dict[str, Any]:
    """The built-in catalogue with the miniature's numbers of areas and the local server's addresses."""
    found = tomllib.loads(SOURCES_FILE.read_text(encoding="utf-8"))
    found["family"]["census"]["areas"] = len(country.areas)
    if base:
        found["family"]["census"]["url"] = base + "/census2021-{name}.zip"
    for name, source in found["source"].items():
        rows = country.tables.get(name)
        if rows is None and name not in country.outlines:
            source["areas"] = 1
        elif "areas" in source:
            source["areas"] = len(rows if rows is not None else country.outlines[name])
        if base and "url" in source:
            service = source.get("family") == "portal"
            source["url"] = f"{base}/services/{name}/FeatureServer/0" if service else f"{base}/{source['file'][0]}"
    total = float(country.tables["ts001"]["total"].sum())
    found["source"]["ts001"]["control"] = {"column": "total", "total": total, "tolerance": 0.001}
    return found


def write_catalogue(country: Country, path: Path, base: str = "") -> Path:
    path.write_text(tomli_w.dumps(catalogue_tables(country, base)), encoding="utf-8")
    return path


@dataclass
class Publisher:
    """What the server gives out, how it misbehaves, and what it was asked.

    Parameters
    ----------
    cut : dict of path to list of int
        The next answers for the path stop after so many bytes, one answer an entry.
    stalls : dict of path to int
        The next answer for the path stops after so many bytes and waits for ``go_on``.
    pages, moved, failing : by path
        Web pages instead of files; redirects; status codes, one answer an entry.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    services: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    go_on: threading.Event = field(default_factory=threading.Event)
    pages: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    failing: dict[str, list[int]] = field(default_factory=dict)
    without_marks: bool = False
    largest_page: int = 100
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    base: str = ""


def publish(publisher: Publisher, country: Country, folder: Path) -> None:
    """Give out every file of a folder, and every portal table as a feature service."""
    publisher.files = {f"/{p.name}": p.read_bytes() for p in folder.iterdir() if p.is_file()}
    for name, source in builtin().sources.items():
        if source.fetch != "service" or (name not in country.tables and name not in country.outlines):
            continue
        if source.geometry == "polygon":
            shapes = json.loads((folder / source.file).read_text(encoding="utf-8"))
            publisher.services[name] = shapes["features"]
            continue
        frame = published_columns(name, source, country.tables[name])
        rows = frame.to_dict("records")
        if source.geometry == "point":
            key = source.layouts[0].key
            found = [{"attributes": {key: r[key]}, "geometry": {"x": r["lng"], "y": r["lat"]}} for r in rows]
        else:
            found = [{"attributes": row} for row in rows]
        publisher.services[name] = found


@contextmanager
def serving(publisher: Publisher) -> Iterator[str]:
    """The address of a server on this machine that gives out what the publisher has."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            publisher.asked.append((self.path, dict(self.headers)))
            parts = urlsplit(self.path)
            if publisher.failing.get(parts.path):
                self.send_error(publisher.failing[parts.path].pop(0))
            elif parts.path in publisher.moved:
                self.send_response(302)
                self.send_header("Location", publisher.moved[parts.path])
                self.end_headers()
            elif parts.path in publisher.pages:
                self._answer(200, publisher.pages[parts.path], {"Content-Type": "text/html; charset=utf-8"})
            elif parts.path.startswith("/services/"):
                self._service(parts.path.split("/"), parse_qs(parts.query))
            elif parts.path in publisher.files:
                self._file(parts.path)
            else:
                self.send_error(404)

        def _file(self, path: str) -> None:
            content = publisher.files[path]
            mark = f'"{hash(content)}"'
            headers = {} if publisher.without_marks else {"ETag": mark}
            asked = self.headers.get("Range")
            if asked and self.headers.get("If-Range") == mark:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self._answer(206, content[start:], headers, path)
            else:
                self._answer(200, content, headers, path)

        def _answer(self, status: int, content: bytes, headers: dict[str, str], path: str = "") -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if path in publisher.stalls:
                size = publisher.stalls.pop(path)
                self.wfile.write(content[:size])
                self.wfile.flush()
                publisher.go_on.wait(60)
                content = content[size:]
            stops = publisher.cut.get(path)
            self.wfile.write(content[: stops.pop(0)] if stops else content)

        def _service(self, path: list[str], query: dict[str, list[str]]) -> None:
            rows = publisher.services.get(path[2])
            if rows is None:
                found: dict[str, Any] = {"error": {"code": 400, "message": "Invalid URL"}}
            elif path[-1] != "query":
                found = {"name": path[2], "editingInfo": {"lastEditDate": len(rows)}}
            elif "returnCountOnly" in query:
                found = {"count": len(rows)}
            else:
                start, most = int(query["resultOffset"][0]), int(query["resultRecordCount"][0])
                found = {"features": rows[start : start + min(most, publisher.largest_page)]}
            self._answer(200, json.dumps(found).encode(), {"Content-Type": "application/json"}, self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # a client that stops reading is what some tests are about
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        publisher.base = f"http://127.0.0.1:{server.server_address[1]}"
        yield publisher.base
    finally:
        publisher.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
