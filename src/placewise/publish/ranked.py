"""Which level has few enough areas to be shown side by side."""

from __future__ import annotations

from collections.abc import Mapping

from placewise.geography.level_names import is_authority

MOST_RANKED = 400


def level_to_rank(sizes: Mapping[str, int]) -> str | None:
    """Local authorities, else the finest level with at most 400 areas; None where there is none.

    Parameters
    ----------
    sizes : mapping of level to int
        Number of areas, the small areas first, then finer levels before larger ones.
    """
    levels = list(sizes)[1:]
    authority = [level for level in levels if is_authority(level) and 2 <= sizes[level] <= MOST_RANKED]
    if authority:
        return authority[0]
    fitting = [level for level, n in sizes.items() if 2 <= n <= MOST_RANKED]
    return fitting[0] if fitting else None
