"""What raking found: how far the margins were from each other, and how well they are met."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from placewise.frame.harmonise import Discrepancy

BYTES = 12  # an entry: its cell and its people
LARGE = 1e9


@dataclass(frozen=True)
class RakingReport:
    """The account of a raked frame; JSON values only.

    Parameters
    ----------
    margins : tuple of Discrepancy
        How far each margin was from the population and from those before it.
    population : float
        People of all areas.
    areas, cells, entries : int
        Size of the frame: areas, kinds of people, and kinds of people in each area that somebody is of.
    structural_zeros : int
        Cells of the grid that are empty in every area by the seed.
    seed_by : tuple of str
        What the seed differs by; empty also where there is none.
    seeded : bool
        Whether there is a seed.
    areas_without_seed : int
        Areas that take the shape of a coarser class.
    sweeps : int
        Most sweeps over the margins that an area took.
    error : float
        Largest relative difference between a cell of a margin, as harmonised, and the frame.
    reconciled : int
        Areas whose margins no table has, so that the nearest ones were taken.
    moved : float
        Most people by which a category of those changed.
    """

    margins: tuple[Discrepancy, ...]
    population: float
    areas: int
    cells: int
    entries: int
    structural_zeros: int
    seed_by: tuple[str, ...]
    seeded: bool
    areas_without_seed: int
    sweeps: int
    error: float
    reconciled: int
    moved: float

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        found: Mapping[str, Any] = dataclasses.asdict(self)
        return {**found, "margins": [dict(m) for m in found["margins"]], "seed_by": list(self.seed_by)}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> RakingReport:
        """The report that :meth:`as_dict` wrote."""
        margins = tuple(Discrepancy(**m) for m in written["margins"])
        return cls(**{**written, "margins": margins, "seed_by": tuple(written["seed_by"])})

    def notes(self) -> list[str]:
        """A few sentences for a person."""
        names = ", ".join(m.name for m in self.margins)
        seed = "without a seed, as if independent in each area"
        if self.seeded:
            by = f" by {' and '.join(self.seed_by)}" if self.seed_by else ""
            seed = f"from a seed{by}"
        found = [
            f"the frame was raked to {names}, {seed}: {self.cells:,} kinds of people, margins met to "
            f"{self.error:.0e} of their size"
        ]
        apart = max(self.margins, key=lambda m: m.largest)
        if apart.areas:
            found.append(
                f"margins were scaled to one population; the largest discrepancy is that of {apart.name}, "
                f"{apart.counted:,.0f} against {self.population:,.0f} in all, by {apart.largest:.1%} in {apart.area}"
            )
        adjusted = max(self.margins, key=lambda m: m.adjusted)
        if adjusted.adjusted > 0:
            found.append(
                f"{adjusted.name} was made to agree with the margins before it: by {adjusted.adjusted:.2g} people at "
                "most in a category of an area"
            )
        found += [
            f"the table of {m.name} counts nobody in {m.silent:,} areas, which follow the other margins and the seed"
            for m in self.margins
            if m.silent
        ]
        if self.reconciled:
            found.append(
                f"in {self.reconciled:,} areas no table has all margins, and the nearest ones were taken: "
                f"{self.moved:.2g} people at most in a category"
            )
        if self.entries * BYTES > LARGE:
            size = f"{self.entries * BYTES / 1e9:.1f} GB of memory"
            found.append(f"the frame takes about {size}: fewer or coarser variables take less")
        return found
