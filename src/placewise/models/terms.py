"""What a formula says, as plain data: expressions, terms, grouping factors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = ("log", "log1p", "sqrt", "exp", "logit", "scale", "center", "poly", "I")

_SIMPLE = re.compile(r"[^\W\d_]\w*")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}


@dataclass(frozen=True)
class Name:
    """A column, by its name."""

    name: str

    def __str__(self) -> str:
        return self.name

    def names(self) -> Iterator[str]:
        """Column names used."""
        yield self.name


@dataclass(frozen=True)
class Number:
    """A number inside a function."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:.15g}"

    def names(self) -> Iterator[str]:
        """Column names used: none."""
        yield from ()


@dataclass(frozen=True)
class Negative:
    """Minus something, inside a function."""

    operand: Expression

    def __str__(self) -> str:
        return f"-{_bracketed(self.operand, 3)}"

    def names(self) -> Iterator[str]:
        """Column names used."""
        yield from self.operand.names()


@dataclass(frozen=True)
class Arithmetic:
    """Two expressions joined by ``+ - * /`` or ``**``, inside a function."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        rank = _PRECEDENCE[self.operator]
        left = _bracketed(self.left, rank + (self.operator == "**"))
        return f"{left} {self.operator} {_bracketed(self.right, rank + 1)}"

    def names(self) -> Iterator[str]:
        """Column names used."""
        yield from self.left.names()
        yield from self.right.names()


@dataclass(frozen=True)
class Call:
    """One of the allowed functions of an expression; ``degree`` is that of ``poly``, else 0."""

    function: str
    argument: Expression
    degree: int = 0

    def __str__(self) -> str:
        return f"{self.function}({self.argument}{f', {self.degree}' if self.function == 'poly' else ''})"

    def names(self) -> Iterator[str]:
        """Column names used."""
        yield from self.argument.names()


Expression = Name | Number | Negative | Arithmetic | Call
Factor = Name | Call


def _bracketed(expression: Expression, rank: int) -> str:
    """Text of an operand, in brackets where it binds less tightly than ``rank``."""
    binds = 5
    if isinstance(expression, Arithmetic):
        binds = _PRECEDENCE[expression.operator]
    elif isinstance(expression, Negative):
        binds = 3
    return f"({expression})" if binds < rank else str(expression)


@dataclass(frozen=True)
class Term:
    """Factors that interact; a main effect has one. Two terms are equal whatever the order of their factors."""

    factors: tuple[Factor, ...]

    @property
    def key(self) -> frozenset[Factor]:
        """The same for ``a:b`` and ``b:a``."""
        return frozenset(self.factors)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return ":".join(str(f) for f in self.factors)

    def names(self) -> Iterator[str]:
        """Column names used."""
        for factor in self.factors:
            yield from factor.names()


@dataclass(frozen=True)
class GroupTerm:
    """A grouping factor and what varies over it.

    Parameters
    ----------
    columns : tuple of str
        Columns whose combinations are the groups.
    finest : tuple of str
        In a nesting ``a/b`` the columns of its last step, else the same as ``columns``.
    intercept : bool
        Whether the intercept varies.
    slopes : tuple of Term
        Terms whose slopes vary.
    correlated : bool
        False after ``||``: the effects of one group are then independent of each other.
    """

    columns: tuple[str, ...]
    finest: tuple[str, ...]
    intercept: bool = True
    slopes: tuple[Term, ...] = ()
    correlated: bool = True

    def __str__(self) -> str:
        return ":".join(self.columns)

    def written(self, factor: str) -> str:
        """The term as a formula writes it, over a grouping of that name."""
        varying = " + ".join(["1" if self.intercept else "0", *map(str, self.slopes)])
        return f"({varying} {'|' if self.correlated else '||'} {factor})"

    def slope_names(self) -> Iterator[str]:
        """Column names that the slopes use."""
        for term in self.slopes:
            yield from term.names()


@dataclass(frozen=True)
class Formula:
    """A formula, read.

    Parameters
    ----------
    text : str
        As written.
    where : str
        File and key it stands in, for messages.
    response : str
        Left of ``~``; empty where there is none.
    intercept : bool
        False after ``0 +`` or ``- 1``.
    terms : tuple of Term
        Fixed terms, main effects before interactions, else as written.
    groups : tuple of GroupTerm
        Grouping factors as written and what varies over each, nesting expanded.
    """

    text: str
    where: str
    response: str
    intercept: bool
    terms: tuple[Term, ...]
    groups: tuple[GroupTerm, ...]

    def variables(self) -> tuple[str, ...]:
        """Every column the formula uses, fixed terms, slopes, groupings, each once; the response is not among them."""
        fixed = (name for term in self.terms for name in term.names())
        slopes = (name for group in self.groups for name in group.slope_names())
        return tuple(dict.fromkeys([*fixed, *slopes, *self.group_columns()]))

    def group_columns(self) -> tuple[str, ...]:
        """Every column that a grouping factor uses, each once."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group.columns))


def is_simple(name: str) -> bool:
    """Whether a name can stand in a formula without backquotes."""
    return _SIMPLE.fullmatch(name) is not None and name[0].isalpha()
