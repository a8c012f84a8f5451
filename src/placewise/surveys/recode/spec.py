"""A recoding as typed data: how a survey's columns become the variables that formulas and the frame use."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

VariableKind = Literal["category", "number", "code"]

KINDS: tuple[VariableKind, ...] = ("category", "number", "code")


@dataclass(frozen=True)
class Band:
    """A range of numbers that is one category: ``lower`` ≤ value < ``upper``.

    Parameters
    ----------
    category : str
        What the range becomes.
    lower, upper : float
        Ends; minus and plus infinity where the band is open.
    """

    category: str
    lower: float = -math.inf
    upper: float = math.inf


@dataclass(frozen=True)
class Variable:
    """How one variable is made from one column.

    Parameters
    ----------
    name : str
        Name in formulas and in the frame.
    columns : tuple of str
        Names the column may have, matched without regard to case; the first that the file has is read. Empty: the
        variable's own name.
    wording : str
        The question as respondents saw it.
    kind : {"category", "number", "code"}
        ``category``: text out of a few, made by ``values`` or ``bands``; with neither, the value label or the text
        itself. ``number``: the number as stored, value labels passed over; ``values`` may give numbers to labels or
        codes. ``code``: text of many kinds as stored, such as an area's code; value labels passed over.
    values : mapping of str to str or float
        Code or value label, matched without regard to case and outer blanks, to the category (``category``,
        ``code``) or the number (``number``).
    bands : tuple of Band
        For ``category``: ranges of numbers; codes in ``values`` come first.
    missing : tuple of str, int or float
        Codes or labels that stand for no answer; what is blank is missing anyway.
    required : bool
        Whether a file without the column is a problem; else the variable is absent.
    bounds : tuple of two floats, or None
        For ``number``: least and greatest value there can be, before ``reverse`` and ``scale``.
    reverse : bool
        For ``number``: the value becomes least + greatest − value; needs ``bounds``.
    scale : tuple of two floats
        For ``number``: (multiply, add), after ``reverse``.
    note : str
        What a reader of the account should know.
    """

    name: str
    columns: tuple[str, ...] = ()
    wording: str = ""
    kind: VariableKind = "category"
    values: Mapping[str, str | float] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    missing: tuple[str | int | float, ...] = ()
    required: bool = True
    bounds: tuple[float, float] | None = None
    reverse: bool = False
    scale: tuple[float, float] = (1.0, 0.0)
    note: str = ""

    def sources(self) -> tuple[str, ...]:
        """Names the column may have."""
        return self.columns or (self.name,)

    def find(self, available: Collection[str]) -> str | None:
        """The file's column of this variable, or None; exact spelling before any other."""
        folded: dict[str, str] = {}
        for column in available:
            folded.setdefault(column.casefold(), column)
        for name in self.sources():
            if name in available:
                return name
            if name.casefold() in folded:
                return folded[name.casefold()]
        return None


@dataclass(frozen=True)
class Recoding:
    """The variables made from a survey's columns.

    Parameters
    ----------
    variables : tuple of Variable
        In order; names differ.
    missing : tuple of str, int or float
        Codes or labels that stand for no answer in every variable that does not say otherwise in its own ``values``.

    Examples
    --------
    >>> sex = Variable("sex", ("sex_dv",), values={"1": "male", "2": "female"})
    >>> Recoding((sex,), missing=(-9,)).names()
    ('sex',)
    """

    variables: tuple[Variable, ...]
    missing: tuple[str | int | float, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Names of the variables, in order."""
        return tuple(variable.name for variable in self.variables)

    def __getitem__(self, name: str) -> Variable:
        """The variable of a name."""
        return next(v for v in self.variables if v.name == name)

    def overridden_by(self, other: Recoding) -> Recoding:
        """This recoding with each variable of the other in place of its namesake, or at the end; missing codes of both.

        Examples
        --------
        >>> built_in = Recoding((Variable("sex"), Variable("age")))
        >>> built_in.overridden_by(Recoding((Variable("age", ("age_dv",)), Variable("tenure")))).names()
        ('sex', 'age', 'tenure')
        """
        theirs = {v.name: v for v in other.variables}
        kept = tuple(theirs.pop(v.name, v) for v in self.variables)
        missing = tuple(dict.fromkeys((*self.missing, *other.missing)))
        return Recoding((*kept, *theirs.values()), missing)

    def only(self, names: Collection[str]) -> Recoding:
        """Only the variables of these names, in this recoding's order."""
        return replace(self, variables=tuple(v for v in self.variables if v.name in names))

    def columns(self, available: Collection[str]) -> tuple[str, ...]:
        """Columns of a file that the variables are made from, each once, in the variables' order."""
        found = (v.find(available) for v in self.variables)
        return tuple(dict.fromkeys(column for column in found if column is not None))


def nearest_column(variable: Variable, available: Collection[str]) -> str:
    """Hint that names the file's column most like one of a variable's, without regard to case; may be empty."""
    folded = {column.casefold(): column for column in available}
    for name in variable.sources():
        if close := difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6):
            return f"did you mean {folded[close[0]]!r}?"
    return ""
