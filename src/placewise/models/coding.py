"""How categorical factors of each term are coded so that the columns span the model once.

A term spans the effects of every subset of its categorical factors. What earlier terms span already is left out, and
two subsets that differ by one factor merge into a full coding of it: ``a:b`` alone after an intercept becomes b with
its first category left out and, within every category of b, a with its first left out. R's rule gives the same columns
where the margins are present and redundant ones where they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True)
class Coding:
    """Categorical factors that enter one block of columns, and whether each has a column for every category."""

    full: Mapping[str, bool]


class CodingRule:
    """Hands out the codings of terms in turn, remembering what is spanned.

    Parameters
    ----------
    intercept : bool
        Whether the constant is in the model (cutpoints count).
    """

    def __init__(self, intercept: bool) -> None:
        self._spanned: set[tuple[frozenset[str], frozenset[str]]] = set()
        if intercept:
            self._spanned.add((frozenset(), frozenset()))

    def codings(self, categorical: Sequence[str], numeric: Sequence[str]) -> list[Coding]:
        """Blocks of columns of one term.

        Parameters
        ----------
        categorical, numeric : sequence of str
            Factors of the term.
        """
        bucket = frozenset(numeric)
        blocks: list[dict[str, bool]] = []
        for size in range(len(categorical) + 1):
            for subset in combinations(categorical, size):
                if (bucket, frozenset(subset)) not in self._spanned:
                    self._spanned.add((bucket, frozenset(subset)))
                    blocks.append(dict.fromkeys(subset, False))
        while _merge_once(blocks):
            pass
        return [Coding(block) for block in blocks]


def _merge_once(blocks: list[dict[str, bool]]) -> bool:
    """Merge the first pair that differs by one factor; False where there is none."""
    for i, smaller in enumerate(blocks):
        for j in range(i + 1, len(blocks)):
            larger = blocks[j]
            extra = set(larger) - set(smaller)
            if len(extra) == 1 and smaller.items() <= larger.items() and not larger[min(extra)]:
                blocks[j] = {name: full or name in extra for name, full in larger.items()}
                del blocks[i]
                return True
    return False
