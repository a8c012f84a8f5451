"""The raked frame on disk: raking is the same for every outcome and every model, so an earlier run's frame is kept.

It lies in ``out/.stages/.frame``, whole or not at all, with a fingerprint of the margins, the seed, the areas and the
code that raked them, and with a hash of every file. It holds no respondent.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from placewise.frame.cells import Frame
from placewise.frame.raking import variables_of
from placewise.frame.report import RakingReport
from placewise.frame.spec import RakedFrameSpec
from placewise.pipeline import atomic
from placewise.pipeline.fingerprint import code_digest, file_digest, fingerprint, library_versions
from placewise.pipeline.inputs import Digests
from placewise.pipeline.project_spec import ProjectSpec

FOLDER = ".frame"
CODE = ("geography", "frame", "kernels/raking.py")
ARRAYS = ("indptr", "cell", "count")


class KeptFrame:
    """The frame that an earlier run of a project raked.

    Parameters
    ----------
    spec : ProjectSpec
        The project.
    digests : Digests
        Of its files.
    warn : callable
        Told, in one sentence, when something on disk is not what was written.
    fresh : bool
        Nothing on disk is taken to be up to date.
    """

    def __init__(self, spec: ProjectSpec, digests: Digests, warn: Callable[[str], None], fresh: bool = False) -> None:
        self._spec = spec
        self._digests = digests
        self._warn = warn
        self._fresh = fresh
        self.folder = spec.out / ".stages" / FOLDER

    def read(self, frame: RakedFrameSpec, columns: Collection[str]) -> Frame | None:
        """The frame as it was written; None where there is none, or one of other data, settings or code.

        Parameters
        ----------
        frame : RakedFrameSpec
            ``[frame]``.
        columns : collection of str
            Names that formulas use.
        """
        if self._fresh:
            return None
        try:
            account = json.loads((self.folder / "frame.json").read_text(encoding="utf-8"))
            if account["fingerprint"] != self._print(frame, columns):
                return None
            if any(file_digest(self.folder / name) != digest for name, digest in account["files"].items()):
                raise ValueError("a file is not what was written")
            arrays = {name: np.load(self.folder / f"{name}.npy") for name in ARRAYS}
            report = RakingReport.from_dict(account["report"])
            cells = pd.read_parquet(self.folder / "cells.parquet")
            return Frame(cells, **arrays, available=tuple(account["available"]), notes=tuple(account["notes"]),
                         report=report)  # fmt: skip
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError):
            self._warn(f"{self.folder} is damaged: the frame is raked again")
            return None

    def write(self, frame: RakedFrameSpec, columns: Collection[str], raked: Frame) -> None:
        """Keep a frame in the place of the one before.

        Raises
        ------
        ConfigurationError
            There is too little room.
        """
        assert raked.report is not None
        atomic.check_writable(self.folder.parent, raked.cell.nbytes + raked.count.nbytes + raked.indptr.nbytes)
        with atomic.replacing(self.folder) as part:
            part.mkdir()
            for name in ARRAYS:
                np.save(part / f"{name}.npy", getattr(raked, name))
            raked.cells.to_parquet(part / "cells.parquet")
            account: dict[str, Any] = {
                "fingerprint": self._print(frame, columns),
                "files": {path.name: file_digest(path) for path in sorted(part.iterdir())},
                "report": raked.report.as_dict(),
                "available": list(raked.available),
                "notes": list(raked.notes),
            }
            (part / "frame.json").write_text(json.dumps(account, indent=1, sort_keys=True), encoding="utf-8")

    def _print(self, frame: RakedFrameSpec, columns: Collection[str]) -> str:
        areas = self._spec.areas
        files: tuple[Path, ...] = (areas.table, *(join.table for join in areas.join), *frame.files)
        return fingerprint(
            areas=dataclasses.replace(areas, names={}, neighbours={}, geometry={}),
            frame=frame,
            # a covariate of the areas that joins a formula does not change the frame
            columns=sorted(set(columns) & variables_of(frame)),
            files=list(self._digests.of(files).values()),
            code=code_digest(*CODE),
            versions=library_versions(),
        )
