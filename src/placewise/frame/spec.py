"""Table ``[frame]`` of the project file as typed data. Paths are absolute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FrameSpec:
    """Table ``[frame]`` with long cells."""

    cells: Path
    count: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the frame is made from."""
        return (self.cells,)


@dataclass(frozen=True)
class MarginSpec:
    """One margin: a long table of areas, categories of one or more variables, and counts."""

    table: Path
    variables: tuple[str, ...]
    count: str


@dataclass(frozen=True)
class SeedSpec:
    """The table that carries the interactions; ``by``: columns of areas that it differs by, coarsest first."""

    table: Path
    count: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class RakedFrameSpec:
    """Table ``[frame]`` with margins to be raked; without a seed they are independent in each area."""

    margins: tuple[MarginSpec, ...]
    seed: SeedSpec | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the frame is made from."""
        seed = () if self.seed is None else (self.seed.table,)
        return tuple(dict.fromkeys((*(m.table for m in self.margins), *seed)))
