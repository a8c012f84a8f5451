"""What the text of a formula may hold: everything else is refused before a scanner sees it."""

from __future__ import annotations

import re
from itertools import pairwise

from placewise.errors import Problems
from placewise.models.terms import FUNCTIONS

LONGEST = 10_000
DEEPEST = 50
# Below what Python's own limit of recursion allows the parser: libraries raise that limit when they are imported.
MOST_OPERATORS = 450
ALLOWED = (
    "a formula holds column names, + - : * / **, 1 and 0, brackets, (1 | group), (x | group) and the functions "
    f"{', '.join(FUNCTIONS)}; names with other characters stand in backquotes"
)

_PIECE = re.compile(
    r"`[^`]*`|(?:[0-9]+\.?[0-9]*|\.[0-9]+)\w*|\w+(?:\.\w+)*|'[^']*'?|\"[^\"]*\"?|\*\*|//|\|\||[=!<>]=|\s+|.", re.DOTALL
)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?|\.[0-9]{1,15}")
_OPERATORS = frozenset(["~", "+", "-", "*", "**", "/", ":", "(", ")", "|", "||", ","])
_LITERALS = frozenset(["True", "False", "None"])
_NOT_IN_NAMES = frozenset("`:|[]{}\"'\\")


def pieces_of(text: str) -> list[str]:
    """Split a formula into names, numbers, operators and blanks; nothing is left out."""
    return _PIECE.findall(text)


def check_text(text: str, where: str, problems: Problems) -> bool:
    """Note everything in the text that no formula may hold.

    Returns
    -------
    bool
        True where the text is safe to scan.
    """
    if len(text) > LONGEST:
        problems.add(where, f"the formula has {len(text)} characters, at most {LONGEST} are read")
        return False
    pieces = [p for p in pieces_of(text) if not p.isspace() or p.strip(" \n\t\r")]
    if not pieces:
        problems.add(where, "the formula is empty", "write 1 for a model without covariates")
        return False
    refused = [
        _shown(piece, after)
        for piece, after in zip(pieces, [*pieces[1:], ""], strict=True)
        if not _is_allowed(piece, after)
    ]
    if refused:
        verb = "is" if len(set(refused)) == 1 else "are"
        problems.add(where, f"{', '.join(dict.fromkeys(refused))} {verb} not allowed in a formula", ALLOWED)
    doubled = any(a[0] == b[0] == "|" for a, b in pairwise(pieces))
    if doubled:
        problems.add(where, "a | follows another", "write (x | group), or (x || group) for uncorrelated effects")
    tildes = pieces.count("~")
    if tildes > 1:
        problems.add(where, "the formula has more than one ~")
    operators = sum(piece in _OPERATORS - {"(", ")", ","} for piece in pieces)
    if operators > MOST_OPERATORS:
        problems.add(where, f"the formula goes too deeply: {operators} operators, at most {MOST_OPERATORS} are read")
        return False
    return not refused and not doubled and tildes <= 1 and _brackets_match(pieces, where, problems)


def _is_allowed(piece: str, after: str) -> bool:
    if piece[0] == "`":
        inside = piece[1:-1]
        return len(piece) > 2 and inside.isprintable() and not _NOT_IN_NAMES & set(inside)
    if piece[0].isascii() and (piece[0].isdigit() or (piece[0] == "." and len(piece) > 1)):
        return _NUMBER.fullmatch(piece) is not None
    if piece[0].isalpha():
        is_name = "." not in piece and piece not in _LITERALS
        return is_name and (after != "(" or piece in FUNCTIONS)
    return piece in _OPERATORS


def _shown(piece: str, after: str) -> str:
    text = f"{piece}(" if after == "(" and (piece[0].isalpha() or piece[0] == "_") else piece
    return repr(text) if len(text) <= 40 else repr(text[:40] + "…")


def _brackets_match(pieces: list[str], where: str, problems: Problems) -> bool:
    depth = deepest = 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        deepest = max(deepest, depth)
        if depth < 0:
            problems.add(where, "a ) in the formula closes nothing")
            return False
    if depth:
        problems.add(
            where,
            f"{depth} bracket{'s' if depth > 1 else ''} of the formula {'are' if depth > 1 else 'is'} never closed",
        )
    elif deepest > DEEPEST:
        problems.add(where, f"brackets are nested {deepest} deep, at most {DEEPEST} are read")
    return depth == 0 and deepest <= DEEPEST
