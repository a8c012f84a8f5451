"""The stages of one outcome, what each left on disk, and whether that is still what it would compute."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import file_digest

Stage = Literal["data", "fit", "joint", "sensitivity", "diagnose", "project", "publish"]

# an outcome that is modelled by itself has no stage "joint"
STAGES: tuple[Stage, ...] = ("data", "fit", "joint", "sensitivity", "diagnose", "project", "publish")

# What each stage may leave in the outcome's folder. Everything here goes when the stage is out of date, so that
# results of two different runs never stand side by side.
PATTERNS: Mapping[Stage, tuple[str, ...]] = {
    "data": (),
    # a fit that is to be coupled leaves its posterior apart
    "fit": ("posterior.nc", "separate.nc"),
    "joint": ("posterior.nc",),
    "sensitivity": ("sensitivity.json",),
    "diagnose": ("diagnostics.json",),
    "project": ("estimates.*", "estimates_*.*", "benchmark.json", "release"),
    "publish": ("report.html",),
}


@dataclass(frozen=True)
class Record:
    """A finished stage.

    Parameters
    ----------
    stage : str
        One of ``STAGES``.
    fingerprint : str
        Of everything the stage depends on.
    outputs : mapping of str to str
        Path relative to the outcome's folder → SHA-256.
    seconds : float
        Wall time.
    finished : str
        Date and time, UTC, ISO 8601.
    facts : mapping
        What later stages and the manifest need to know without computing it again; JSON values only.
    """

    stage: Stage
    fingerprint: str
    outputs: Mapping[str, str]
    seconds: float
    finished: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class StageStore:
    """Records of the finished stages of one outcome, under ``out/.stages/<outcome>/``.

    Parameters
    ----------
    out : Path
        Folder of results.
    outcome : str
        Name of the outcome, also of its folder.
    warn : callable
        Told, in one sentence, when something on disk is not what was recorded.
    """

    def __init__(self, out: Path, outcome: str, warn: Callable[[str], None]) -> None:
        self.folder = atomic.inside(out, outcome)
        self._records = atomic.inside(out / ".stages", outcome)
        self._warn = warn

    def current(self, stage: Stage, fingerprint: str) -> Record | None:
        """The stage's record where it is up to date and its outputs are intact, else None."""
        record = self.read(stage)
        if record is None or record.fingerprint != fingerprint:
            return None
        for name, digest in record.outputs.items():
            path = self.folder / name
            if not path.is_file() or file_digest(path) != digest:
                state = "is not what was written" if path.is_file() else "is gone"
                self._warn(f"{path} {state}: the stage '{stage}' and what follows are made again")
                return None
        return record

    def read(self, stage: Stage) -> Record | None:
        """The stage's record whatever its state, None where there is none that can be read."""
        path = self._records / f"{stage}.json"
        try:
            return Record(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            self._warn(f"{path} is damaged: the stage '{stage}' and what follows are made again")
            return None

    def invalidate(self, stage: Stage) -> None:
        """Remove the records of a stage and of all that follow it, then what they left on disk."""
        later = STAGES[STAGES.index(stage) :]
        for name in later:
            atomic.remove(self._records / f"{name}.json")
        for name in later:
            for pattern in PATTERNS[name]:
                for path in self.folder.glob(pattern):
                    atomic.remove(path)

    def finish(self, stage: Stage, fingerprint: str, seconds: float, facts: Mapping[str, Any]) -> Record:
        """Record a stage whose outputs are all in their places.

        Parameters
        ----------
        seconds : float
            Wall time that its work took.
        facts : mapping
            JSON values.
        """
        outputs = {p.relative_to(self.folder).as_posix(): file_digest(p) for p in self._outputs(stage)}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        record = Record(stage, fingerprint, outputs, round(seconds, 3), now, facts)
        atomic.write_text(self._records / f"{stage}.json", json.dumps(asdict(record), indent=1, sort_keys=True))
        return record

    def _outputs(self, stage: Stage) -> Sequence[Path]:
        found: list[Path] = []
        for pattern in PATTERNS[stage]:
            for path in sorted(self.folder.glob(pattern)):
                found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        return found
