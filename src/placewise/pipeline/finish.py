"""What speaks of all outcomes: the first page, the metadata and, last of all, the manifest."""

from __future__ import annotations

import datetime
import json
import resource
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import file_digest, library_versions
from placewise.pipeline.inputs import Digests, input_files, source_print
from placewise.pipeline.joint import FILE
from placewise.pipeline.progress import Reporter
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.stages import STAGES, Record, Stage, StageStore

# folder of the pages that ``survey describe`` writes
SURVEYS = "surveys"
# of the manifest: what a run that computes nothing would overwrite with its own
OF_THE_RUN = ("created", "peak_memory_bytes", "warnings")


def write_pages(spec: ProjectSpec, digests: Digests, reporter: Reporter) -> None:
    """Write ``index.html`` and ``metadata.json`` over every outcome whose report is up to date with its sources.

    An outcome that was published before its files changed is left out, with a warning.
    """
    published: dict[str, Mapping[str, Any]] = {}
    for name, model in spec.models.items():
        record = StageStore(spec.out, name, reporter.warn).read("publish")
        if record is None:
            continue
        if record.facts["source"] == source_print(spec, model, digests):
            published[name] = record.facts
        else:
            reporter.warn(f"{name} was published before its files changed and is left out of index.html: run it again")
    if not published:
        for name in ("index.html", "metadata.json"):
            atomic.remove(spec.out / name)
        return
    from placewise.publish.metadata import build_metadata

    atomic.write_text(spec.out / "index.html", _index(spec, published))
    metadata = build_metadata(spec.title, [table for facts in published.values() for table in facts["metadata"]])
    atomic.write_text(spec.out / "metadata.json", json.dumps(metadata, indent=1, ensure_ascii=False))


def write_manifest(spec: ProjectSpec, digests: Digests, reporter: Reporter) -> None:
    """Write ``manifest.json``: what went in, what came out, how long each stage took.

    ``draws`` is the number that every fit kept, null where they differ; each outcome has its own. A manifest of the
    same inputs, outputs and stages is left as the run that computed them wrote it.
    """
    records = {name: _records(StageStore(spec.out, name, reporter.warn)) for name in spec.models}
    records = {name: found for name, found in records.items() if found}
    inputs: dict[str, str] = digests.of(_configuration(spec, tuple(records)))
    for name in records:
        inputs |= digests.of(input_files(spec, spec.models[name]))
    outputs = {
        f"{name}/{path}": digest
        for name, found in records.items()
        for record in found.values()
        for path, digest in record.outputs.items()
    }
    common = ("index.html", "metadata.json", *((FILE,) if spec.joint else ()))
    outputs |= {name: file_digest(spec.out / name) for name in common if (spec.out / name).is_file()}
    outcomes = {name: _outcome(found) for name, found in records.items()}
    manifest = {
        "format": 1,
        "audience": "internal",
        "project": spec.name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seed": spec.seed,
        "draws": _common(outcome["draws"] for outcome in outcomes.values()),
        "versions": dict(library_versions()),
        "peak_memory_bytes": peak_memory(),
        "inputs": inputs,
        "outputs": outputs,
        "outcomes": outcomes,
        "warnings": reporter.warnings,
    }
    path, written = spec.out / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True)
    if not _says_the_same(path, json.loads(written)):
        atomic.write_text(path, written)


def _says_the_same(path: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is on disk that differs only in what tells of the run that wrote it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    kept = {key: value for key, value in manifest.items() if key not in OF_THE_RUN}
    return isinstance(found, dict) and {**found, **kept} == found and found.keys() == manifest.keys()


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _common(values: Iterable[Any]) -> Any:
    """The value that all share, else None."""
    different = set(values)
    return different.pop() if len(different) == 1 else None


def _records(store: StageStore) -> dict[Stage, Record]:
    found = {stage: store.read(stage) for stage in STAGES}
    return {stage: record for stage, record in found.items() if record is not None}


def _outcome(records: Mapping[Stage, Record]) -> dict[str, Any]:
    data, diagnose, fit = records.get("data"), records.get("diagnose"), records.get("fit")
    failed = diagnose is not None and diagnose.facts["status"] == "fail"
    fitted = {} if fit is None else fit.facts
    return {
        "status": diagnose.facts["status"] if diagnose is not None else "",
        # what --allow-fail leaves in the folder is marked, here too
        "not_for_use": failed and "project" in records,
        "engine": fitted.get("engine", ""),
        "draws": fitted.get("draws"),
        "escalation": fitted.get("escalation", ""),
        "frame": None if data is None else data.facts.get("frame"),
        "stages": {
            stage: {"fingerprint": r.fingerprint, "seconds": r.seconds, "finished": r.finished}
            for stage, r in records.items()
        },
    }


def _configuration(spec: ProjectSpec, outcomes: tuple[str, ...]) -> tuple[Path, ...]:
    files = [spec.root / "placewise.toml", *(spec.root / "models" / f"{name}.toml" for name in outcomes)]
    return tuple(path for path in files if path.is_file())


def _index(spec: ProjectSpec, published: Mapping[str, Mapping[str, Any]]) -> str:
    from placewise.publish.context import IndexContext, OutcomeSummary
    from placewise.publish.index_page import render_index

    outcomes = [OutcomeSummary(**facts["summary"]) for facts in published.values()]
    date = max(str(facts["date"]) for facts in published.values())
    pages = {name: f"{SURVEYS}/{name}.html" for name in spec.surveys}
    return render_index(
        IndexContext(
            title=spec.title,
            date=date,
            outcomes=outcomes,
            version=library_versions()["placewise"],
            surveys=[(name, page) for name, page in pages.items() if (spec.out / page).is_file()],
        )
    )
