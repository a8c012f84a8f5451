"""Levels whose areas are too small for it to be told in which of them a survey was made."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES = re.compile(r"(oa|lsoa|dz|data_?zone|pcds?|postcode)\d*(cd)?", re.IGNORECASE)
# GSS codes of output areas and of LSOAs or data zones; in Northern Ireland also those of 2021
_CODES = re.compile(r"[EWSN]0[01]\d{6}|N20\d{6}")


def below_msoa(name: str, codes: Iterable[str]) -> bool:
    """Whether a level is finer than middle layer areas, by the name of its column or by all of its codes.

    Which of some 35,000 LSOAs were sampled is not published by surveys whose access is licensed, and narrows down who
    answered. Levels that neither name nor codes tell are taken to be coarse enough.

    Parameters
    ----------
    name : str
        Column of the areas table.
    codes : iterable of str
        Its distinct codes.

    Examples
    --------
    >>> below_msoa("lsoa21cd", []), below_msoa("msoa21cd", ["E02000001"]), below_msoa("place", ["E01000001"])
    (True, False, True)
    """
    known = list(codes)
    return bool(_NAMES.fullmatch(name)) or (bool(known) and all(_CODES.fullmatch(code) for code in known))
