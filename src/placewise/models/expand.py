"""The algebra of terms: what ``*``, ``/``, ``:`` and ``**`` stand for (Wilkinson and Rogers 1973, as in R)."""

from __future__ import annotations

from placewise.errors import Kind
from placewise.models.terms import Factor, Term

MOST_TERMS = 500


class RefusedError(Exception):
    """One part of a formula that cannot be read, and what to write instead."""

    def __init__(self, message: str, hint: str = "", kind: Kind = "configuration") -> None:
        super().__init__(message)
        self.message, self.hint, self.kind = message, hint, kind


def union(*parts: list[Term]) -> list[Term]:
    """Terms of all parts, each once, in order of appearance."""
    terms = list(dict.fromkeys(term for part in parts for term in part))
    if len(terms) > MOST_TERMS:
        raise RefusedError(f"the formula stands for more than {MOST_TERMS} terms")
    return terms


def interact(left: list[Term], right: list[Term]) -> list[Term]:
    """``a:b``: every term of one side with every term of the other."""
    if len(left) * len(right) > MOST_TERMS**2:
        raise RefusedError(f"the formula stands for more than {MOST_TERMS} terms")
    return union([_product(a, b) for a in left for b in right])


def cross(left: list[Term], right: list[Term]) -> list[Term]:
    """``a*b = a + b + a:b``."""
    return union(left, right, interact(left, right))


def nest(left: list[Term], right: list[Term]) -> list[Term]:
    """``a/b = a + a:b``; ``(a + b)/c = a + b + a:b:c``."""
    factors: tuple[Factor, ...] = tuple(dict.fromkeys(f for term in left for f in term.factors))
    return union(left, interact([Term(factors)], right))


def power(terms: list[Term], exponent: int) -> list[Term]:
    """``(a + b)**2 = a + b + a:b``: crossed with itself."""
    result = terms
    for _ in range(exponent - 1):
        grown = cross(result, terms)
        if len(grown) == len(result):
            break
        result = grown
    return result


def by_order(terms: list[Term]) -> tuple[Term, ...]:
    """Main effects before interactions, else as written."""
    return tuple(sorted(terms, key=lambda term: len(term.factors)))


def _product(a: Term, b: Term) -> Term:
    return Term(tuple(dict.fromkeys([*a.factors, *b.factors])))
