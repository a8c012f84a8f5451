"""Tables of a TOML file with some keys changed, for tests of what reads them."""

from __future__ import annotations

import copy
from typing import Any

# TOML has no null
DELETE = None


def edited(tables: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with some keys, written with dots, replaced, or deleted by ``DELETE``."""
    new = copy.deepcopy(tables)
    for path, value in changes.items():
        *folders, last = path.split(".")
        place = new
        for folder in folders:
            place = place.setdefault(folder, {})
        if value is DELETE:
            del place[last]
        else:
            place[last] = value
    return new
