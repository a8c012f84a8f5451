"""One source's file opened, read and verified."""

from __future__ import annotations

import pandas as pd

from placewise.errors import Problems
from placewise.opendata.outlines import read_outlines
from placewise.opendata.reading import Located, read_source
from placewise.opendata.spec import Source
from placewise.opendata.verify import verify_table


def read_verified(located: Located, source: Source, problems: Problems) -> pd.DataFrame | None:
    """A source's table, or its outlines, when nothing is wrong with it; else None, and the problems are noted."""
    if source.geometry == "polygon":
        return read_outlines(located, source, problems)
    before = len(problems)
    table = read_source(located, source, problems)
    if table is not None:
        verify_table(table, source, located.path.name, problems)
    return table if len(problems) == before else None
