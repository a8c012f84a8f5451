"""``placewise data areas``: the areas table, its description, outlines and neighbours, from the folder of open data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from placewise.errors import ConfigurationError, Problem, Problems
from placewise.opendata.build import AreasTable, build_areas, needed_sources, used_sources
from placewise.opendata.describe import QUANTILES, Distribution, describe_covariates
from placewise.opendata.imputation import ERROR_SUFFIX
from placewise.opendata.outlines import touching
from placewise.opendata.places import CLASSES, CODE, LEVELS, NAMES
from placewise.opendata.reading import Located, expected_names, locate
from placewise.opendata.spec import Catalogue
from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import code_digest, file_digest, fingerprint, library_versions
from placewise.pipeline.lock import locked
from placewise.pipeline.open_data.inspect import read_verified
from placewise.pipeline.open_data.store import PINS, load_catalogue, read_pins
from placewise.pipeline.progress import Bar, Reporter
from placewise.publish.covariates_page import render_covariates

TABLE, METADATA, PAGE = "areas.parquet", "areas.json", "areas.html"
ROOM = 200_000_000
_MARK = {b"made_by": b"placewise data areas"}


@dataclass(frozen=True)
class Built:
    """What was written.

    Parameters
    ----------
    folder : Path
        Where they are.
    project : Path
        Folder of the project file, against which the settings that are shown name the files.
    files : tuple of str
        Names inside the folder.
    notes : tuple of str
        What was filled in or left out.
    imputed : tuple of str
        Covariates that were filled in for some areas.
    """

    folder: Path
    project: Path
    areas: int
    covariates: int
    files: tuple[str, ...]
    notes: tuple[str, ...]
    imputed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        found = {
            "areas": self.areas,
            "covariates": self.covariates,
            "files": list(self.files),
            "notes": list(self.notes),
        }
        return {"status": "done", "exit_status": 0, "folder": str(self.folder), **found}

    def text(self) -> str:
        """A few lines for a person, and the settings to put into placewise.toml."""
        lines = [f"{self.folder}: {self.areas:,} areas, {self.covariates} covariates, in {', '.join(self.files)}."]
        lines += [f"  - {note}" for note in self.notes]
        lines += [f"Open {self.folder / PAGE} for what each covariate is. In placewise.toml:", ""]
        return "\n".join([*lines, *self._settings()])

    def _settings(self) -> list[str]:
        """The table ``areas`` of a project file."""
        names = ", ".join(f'{level} = "{column}"' for level, column in NAMES.items())
        # outlines of the finest level take time to read and are too many for a map
        drawn = [level for level in LEVELS[1:] if f"outlines_{level}.parquet" in self.files]
        near = ", ".join(f"{v} = {self._path(f'neighbours_{v}.parquet')}" for v in drawn)
        filled = ", ".join(f'{name} = "{name}{ERROR_SUFFIX}"' for name in self.imputed)
        shapes = [f'{v} = {{ table = {self._path(f"outlines_{v}.parquet")}, code = "code" }}' for v in drawn]
        return [
            "[areas]",
            f"table      = {self._path(TABLE)}",
            f'code       = "{CODE}"',
            f"levels     = {json.dumps(LEVELS)}",
            f"classes    = {json.dumps(CLASSES)}",
            f"names      = {{ {names} }}",
            'population = "adults"',
            'centroid   = { x = "lng", y = "lat" }',
            *([f"imputed    = {{ {filled} }}"] if filled else []),
            *([f"neighbours = {{ {near} }}", "", "[areas.geometry]", *shapes] if drawn else []),
        ]

    def _path(self, name: str) -> str:
        here, project = self.folder.resolve(), self.project.resolve()
        shown = here.relative_to(project) if here.is_relative_to(project) else here
        return json.dumps((shown / name).as_posix())


def build_folder(
    folder: Path, out: Path, *, project: Path = Path(), catalogue_file: Path | None = None, quiet: bool = False
) -> Built:
    """Make the areas table from a folder of open data.

    Parameters
    ----------
    folder : Path
        Open data in either layout: that of ``placewise data fetch``, or any other.
    out : Path
        Folder to write ``areas.parquet``, ``areas.json``, ``areas.html`` and, where there are outlines,
        ``outlines_<level>.parquet`` and ``neighbours_<level>.parquet`` to.
    project : Path
        Folder of the project file.

    Raises
    ------
    ConfigurationError
        The folder holds files of these names that this command did not make.
    DataError
        Everything that is wrong with the sources, at once; nothing is written then.
    """
    catalogue = load_catalogue(catalogue_file)
    _refuse_overwriting(out)
    atomic.check_writable(out, ROOM)
    located, digests = _find(folder, catalogue)
    names = used_sources(catalogue)
    steps = len(located) + 3
    with locked(out), Reporter(quiet).bar("areas", steps) as bar:
        tables = _read(catalogue, {n: located[n] for n in names if n in located}, bar, steps)
        outlines = _read(catalogue, {n: found for n, found in located.items() if n not in names}, bar, steps)
        areas = build_areas(catalogue, tables)
        del tables
        bar(steps - 2, steps)
        found = describe_covariates(areas)
        page = render_covariates(catalogue, areas, found)
        bar(steps - 1, steps)
        files = [TABLE, PAGE]
        _write_table(areas.frame, out / TABLE, _MARK)
        atomic.write_text(out / PAGE, page)
        for name, shapes in outlines.items():
            files += _write_outlines(shapes, catalogue.sources[name].level, out)
        described = _metadata(catalogue, areas, found, located, digests, out, files)
        atomic.write_text(out / METADATA, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    written, imputed = (*files, METADATA), tuple(areas.imputations)
    return Built(out, project, len(areas.frame), len(areas.covariates), written, _notes(areas), imputed)


def _find(folder: Path, catalogue: Catalogue) -> tuple[dict[str, Located], dict[str, str]]:
    """Where every source lies and its SHA-256; a pinned file that has changed is a problem."""
    problems = Problems()
    if not folder.is_dir():
        problems.add(str(folder), "there is no such folder", "placewise data fetch makes it, --folder names another")
        problems.raise_if_any()
    pins = read_pins(folder)
    located = {name: found for name, s in catalogue.sources.items() if (found := locate(folder, s)) is not None}
    digests = {name: file_digest(found.path) for name, found in located.items()}
    for name in needed_sources(catalogue):
        if name not in located:
            hint = f"looked for {' and '.join(expected_names(catalogue.sources[name]))}; placewise data fetch {name}"
            problems.add(name, f"is not in {folder}", hint, "data")
    for name, found in located.items():
        pin = pins.get(name)
        if pin is not None and folder / pin.file == found.path and pin.sha256 != digests[name]:
            message = f"{pin.file} is not the file that {PINS} pins"
            problems.add(name, message, f"placewise data fetch {name} brings it again", "data")
    problems.raise_if_any()
    return located, digests


def _read(catalogue: Catalogue, located: Mapping[str, Located], bar: Bar, steps: int) -> dict[str, pd.DataFrame]:
    problems = Problems()
    tables = {}
    for k, (name, found) in enumerate(located.items()):
        table = read_verified(found, catalogue.sources[name], problems)
        if table is not None:
            tables[name] = table
        bar(k + 1, steps)
    problems.raise_if_any()
    return tables


def _refuse_overwriting(out: Path) -> None:
    """A project's own table may bear the same name: only one that this command made is replaced."""
    there = [name for name in (TABLE, METADATA, PAGE) if (out / name).exists()]
    if not there:
        return
    try:
        ours = (pq.read_schema(out / TABLE).metadata or {}).items() >= _MARK.items()
    except (pa.ArrowException, OSError):
        ours = False
    if not ours:
        message = f"already holds {', '.join(there)}, and not from placewise data areas"
        raise ConfigurationError(Problem(str(out), message, "choose another folder with --out"))


def _write_table(frame: pd.DataFrame, path: Path, mark: dict[bytes, bytes] | None = None) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(mark)
    with atomic.replacing(path) as part:
        pq.write_table(table, part, compression="zstd")


def _write_outlines(outlines: pd.DataFrame, level: str, out: Path) -> list[str]:
    shapes, pairs = f"outlines_{level}.parquet", f"neighbours_{level}.parquet"
    _write_table(outlines, out / shapes)
    _write_table(touching(outlines), out / pairs)
    return [shapes, pairs]


def _notes(areas: AreasTable) -> tuple[str, ...]:
    filled = [
        f"{n}: filled in for {i.areas:,} area{'s' * (i.areas > 1)}, {i.method}" for n, i in areas.imputations.items()
    ]
    imputed = set(areas.imputations)
    single = [
        f"{c.name}: missing for {int(areas.frame[c.name].isna().sum()):,} areas, which its publisher does not cover"
        for c in areas.covariates
        if c.name not in imputed and areas.frame[c.name].isna().any()
    ]
    return (*filled, *single, *(f"{name}: left out, {why}" for name, why in areas.left_out.items()))


def _metadata(
    catalogue: Catalogue,
    areas: AreasTable,
    distributions: tuple[Distribution, ...],
    located: Mapping[str, Located],
    digests: Mapping[str, str],
    out: Path,
    files: list[str],
) -> dict[str, Any]:
    """What the table holds, from what it was made, and a fingerprint of both."""
    version = library_versions()["placewise"]
    sources = []
    for name, found in located.items():
        s = catalogue.sources[name]
        facts = {"title": s.title, "vintage": s.vintage, "page": s.page, "address": s.url}
        publisher = asdict(catalogue.publishers[s.publisher])
        file = {"file": found.path.name, "layout": found.layout.name, "sha256": digests[name]}
        sources.append({"name": name, **facts, "publisher": publisher, **file})
    return {
        "table": TABLE,
        "areas": len(areas.frame),
        "code": CODE,
        "levels": list(LEVELS),
        "classes": list(CLASSES),
        "names": NAMES,
        "population": "adults",
        "counts": {c.name: {"title": c.title, "formula": c.formula} for c in catalogue.counts.values()},
        "covariates": [_described(d) for d in distributions],
        "imputations": {name: asdict(i) for name, i in areas.imputations.items()},
        "left_out": dict(areas.left_out),
        "sources": sources,
        "files": {name: file_digest(out / name) for name in files},
        "fingerprint": fingerprint(sources=digests, code=code_digest("opendata"), placewise=version),
        "placewise": version,
    }


def _described(d: Distribution) -> dict[str, Any]:
    return {
        "name": d.covariate.name,
        "title": d.covariate.title,
        "unit": d.covariate.unit,
        "formula": d.covariate.formula,
        "mean": d.mean,
        "sd": d.sd,
        "quantiles": {str(q): v for q, v in zip(QUANTILES, d.quantiles, strict=True)},
        "between_local_authorities": d.between,
        "countries": d.countries,
        "missing": d.missing,
        "imputed": d.imputed,
    }
