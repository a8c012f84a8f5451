"""Codes for areas that a publication calls by name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

_NOTE = re.compile(r"\[[^\]]*\]|\(note[^)]*\)", re.IGNORECASE)
# Of "Bristol, City of" and "County Durham" publications write one or the other form.
_STYLE = re.compile(r"\b(city|county|borough) of\b|\b(the|county)\b")


def plain_name(name: str) -> str:
    """A place's name without case, accents, punctuation, footnotes, and the words that only say what it is.

    Examples
    --------
    >>> plain_name("Bristol, City of"), plain_name("City of Bristol [note 3]")
    ('bristol', 'bristol')
    >>> plain_name("St. Helens"), plain_name("King's Lynn & West Norfolk")
    ('st helens', 'kings lynn and west norfolk')
    """
    spelt = re.sub(r"[^a-z0-9]+", " ", _letters(name)).strip()
    return " ".join(_STYLE.sub(" ", spelt).split()) or spelt


def codes_by_name(wanted: Iterable[str], names: Mapping[str, str]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Find the code of each place that is called by name.

    Parameters
    ----------
    wanted : iterable of str
        Names as published.
    names : mapping of code to name
        The areas that there are.

    Returns
    -------
    codes : dict of name to code
        Names that are one area's: as they are written, else as ``plain_name`` has them.
    unclear : dict of name to tuple of codes
        Names that are none's (no codes) or several areas'.
    """
    exact: dict[str, list[str]] = defaultdict(list)
    plain: dict[str, list[str]] = defaultdict(list)
    for code, name in names.items():
        exact[_letters(name).strip()].append(code)
        plain[plain_name(name)].append(code)
    written = {name: tuple(exact.get(_letters(name).strip(), ())) for name in wanted}
    # "London" beside "City of London" is not the same place
    taken = {code for found in written.values() for code in found}
    found = {
        name: codes or tuple(c for c in plain.get(plain_name(name), ()) if c not in taken)
        for name, codes in written.items()
    }
    return (
        {name: codes[0] for name, codes in found.items() if len(codes) == 1},
        {name: codes for name, codes in found.items() if len(codes) != 1},
    )


def _letters(name: str) -> str:
    """Lower case, without footnotes, accents and apostrophes; & is "and"."""
    text = unicodedata.normalize("NFKD", _NOTE.sub(" ", name).replace("&", " and "))
    return re.sub(r"['’‘`]", "", "".join(c for c in text if not unicodedata.combining(c))).casefold()
