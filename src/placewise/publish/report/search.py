"""Section 4: find an area. The packed index and the words that the page's script puts together."""

from __future__ import annotations

from typing import Any

import numpy as np

from placewise.publish.area_index import FLAG_BITS, pack
from placewise.publish.context import ReportContext
from placewise.publish.verdicts import LABELS, sides
from placewise.publish.wording import FLAGS, GRADES, count


def search_view(context: ReportContext) -> dict[str, Any]:
    """The packed index, the settings of the script, and an example to search for."""
    packed = pack(context)
    words = {level: list(context.words(level)) for level in [context.code, *context.levels]}
    rows = context.rows(context.code)
    below, above = sides(context.higher_is_better)
    reliability = rows["reliability"].to_numpy(dtype=float, na_value=np.nan)
    low = int((reliability < 0.3).sum())
    settings = {
        **packed.header,
        "words": words,
        "estimand": context.estimand,
        "kind": context.kind,
        "labels": list(LABELS),
        "grades": GRADES,
        "flags": [[bit, FLAGS[name]] for name, bit in FLAG_BITS.items()],
        "below": below,
        "above": above,
        "frame": context.has_frame,
        "small": context.code,
    }
    grey = (
        f" {count(low)} {context.words(context.code)[1]} are shown in grey: their figures say little beyond the "
        "average of areas like them."
        if low
        else ""
    )
    return {
        "data": packed.data,
        "settings": settings,
        "example": str(rows["area_code"].iloc[0]),
        "total": count(packed.header["rows"] - 1),
        "grey": grey,
        "grades": list(GRADES.items()),
    }
