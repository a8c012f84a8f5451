"""What the catalogue knows, and which of it lies in the folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placewise.opendata.reading import locate
from placewise.opendata.spec import Catalogue
from placewise.pipeline.open_data.store import load_catalogue

_ADDRESS = {"seen": "", "unconfirmed": "address unconfirmed", "none": "by hand"}


@dataclass(frozen=True)
class Listing:
    """The catalogue beside a folder.

    Parameters
    ----------
    there : mapping of source to str
        File in the folder; sources that are not there are left out.
    """

    catalogue: Catalogue
    folder: Path
    there: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        sources = []
        for s in self.catalogue.sources.values():
            publisher = self.catalogue.publishers[s.publisher]
            sources.append(
                {
                    "name": s.name,
                    "title": s.title,
                    "publisher": publisher.name,
                    "licence": publisher.licence,
                    "attribution": publisher.attribution,
                    "vintage": s.vintage,
                    "page": s.page,
                    "address": s.url,
                    "address_is": s.address,
                    "file": s.file,
                    "optional": s.optional,
                    "there": self.there.get(s.name, ""),
                }
            )
        return {"status": "done", "exit_status": 0, "folder": str(self.folder), "sources": sources}

    def text(self) -> str:
        """One line a source, then licences."""
        width = max(len(name) for name in self.catalogue.sources)
        lines = [f"{self.catalogue.title}; + lies in {self.folder}", ""]
        for s in self.catalogue.sources.values():
            notes = [n for n in (_ADDRESS[s.address], "optional" if s.optional else "") if n]
            mark = "+" if s.name in self.there else " "
            note = f" [{', '.join(notes)}]" if notes else ""
            lines.append(f"{mark} {s.name:<{width}}  {s.title}; {s.vintage}{note}")
        lines.append("")
        for p in self.catalogue.publishers.values():
            lines.append(f"{p.name}: {p.licence}. {p.attribution}")
        return "\n".join(lines)


def list_sources(folder: Path, catalogue_file: Path | None = None) -> Listing:
    """Every source of the catalogue, and where it lies in a folder."""
    catalogue = load_catalogue(catalogue_file)
    found = {name: locate(folder, source) for name, source in catalogue.sources.items()}
    there = {name: located.path.relative_to(folder).as_posix() for name, located in found.items() if located}
    return Listing(catalogue, folder, there)
