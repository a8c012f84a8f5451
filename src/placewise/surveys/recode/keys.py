"""What makes a code or a label in a recoding the same as one in a file."""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d+)?")


def key(value: object) -> str:
    """Text under which a code or a label is looked up: without case and outer blanks, a number as a number.

    Leading zeros count, as everywhere in codes.

    Examples
    --------
    >>> key(" Very Strongly "), key(1), key(1.0), key("1.0"), key("01"), key("2.50")
    ('very strongly', '1', '1', '1', '01', '2.5')
    """
    text = str(value).strip().casefold()
    if not _DECIMAL.fullmatch(text):
        return text
    number = float(text)
    return str(int(number)) if number.is_integer() else repr(number)
