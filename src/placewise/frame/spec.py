"""Table ``[frame]`` of the project file as typed data. Paths are absolute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FrameSpec:
    """Table ``[frame]``: long cells; margins come in a later version."""

    cells: Path
    count: str
