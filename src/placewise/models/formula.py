"""From the text of a formula to its terms.

formulae's scanner and parser make the tree; its evaluator and its resolver of names are never called. The scanner calls
``eval`` on True, False and None, so those are refused, with everything else a formula may not hold, before it runs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from placewise.errors import Problems
from placewise.models.expand import RefusedError, by_order, cross, interact, nest, power, union
from placewise.models.formula_text import ALLOWED, check_text
from placewise.models.terms import (
    FUNCTIONS,
    Arithmetic,
    Call,
    Expression,
    Factor,
    Formula,
    GroupTerm,
    Name,
    Negative,
    Number,
    Term,
)

MOST_DEGREES = 10
MOST_STEPS = 60
_BARS = ("|", "||")
_TOO_DEEP = "the formula is nested too deeply"
_VARYING = "write (1 | group): each group its own intercept, or (x | group): its own slope too"


class _Item(NamedTuple):
    """One summand: added or taken away."""

    added: bool
    node: Any


def parse_formula(text: str, where: str, problems: Problems) -> Formula | None:
    """Read a formula in lme4's and Bambi's syntax.

    Parameters
    ----------
    text : str
        ``"y ~ x + (1 | g)"``; the response and ``~`` may be missing.
    where : str
        File and key of the formula, for messages.
    problems : Problems
        Every problem found is noted here.

    Returns
    -------
    Formula or None
        None where a problem was noted.
    """
    before = len(problems)
    if not check_text(text, where, problems):
        return None
    try:
        tree = _tree(text)
        response, right = _sides(tree)
        items = _summands(right)
    except RefusedError as refused:
        problems.add(where, refused.message, refused.hint, refused.kind)
        return None
    except RecursionError:
        problems.add(where, _TOO_DEEP)
        return None
    intercept, terms, groups = _collect(items, where, problems)
    if response is not None and any(response in term.names() for term in [*terms, *_slopes(groups)]):
        problems.add(where, f"the response {response!r} is among the covariates")
    if len(problems) > before:
        return None
    return Formula(text, where, response or "", intercept, by_order(terms), tuple(groups))


def _tree(text: str) -> Any:
    """formulae's syntax tree of a text that `check_text` let pass."""
    from formulae.parser import ParseError, Parser
    from formulae.scanner import Scanner

    stripped = text.strip().removeprefix("~")
    if not stripped.strip():
        raise RefusedError("nothing stands right of ~", "write 1 for a model without covariates")
    parser = Parser(_with_double_bars(Scanner(stripped).scan(add_intercept=False)))
    try:
        tree = parser.parse()
    except ParseError:
        raise RefusedError(f"the formula cannot be read {_position(parser)}", ALLOWED) from None
    if not parser.at_end():
        if parser.peek().kind == "PIPE":
            raise RefusedError("a | stands outside brackets", _VARYING)
        raise RefusedError(f"the formula cannot be read {_position(parser)}", ALLOWED)
    return tree


def _with_double_bars(tokens: list[Any]) -> list[Any]:
    """formulae's tokens, two bars joined into one operator: its scanner knows the single bar only."""
    joined = list[Any]()
    for token in tokens:
        if token.kind == "PIPE" and joined and joined[-1].kind == "PIPE":
            joined[-1] = type(token)("PIPE", "||")
        else:
            joined.append(token)
    return joined


def _slopes(groups: list[GroupTerm]) -> list[Term]:
    return [term for group in groups for term in group.slopes]


def _position(parser: Any) -> str:
    here = "at its end" if parser.at_end() else f"at {parser.peek().lexeme!r}"
    return here if parser.current == 0 else f"{here}, after {parser.previous().lexeme!r}"


def _sides(tree: Any) -> tuple[str | None, Any]:
    """Response and right-hand side."""
    if _operator(tree) != "~":
        return None, tree
    name = _name_of(tree.left)
    if name is None:
        raise RefusedError("the response is not one column", "write its name alone left of ~, transformed in the data")
    return name, tree.right


def _summands(node: Any, added: bool = True) -> list[_Item]:
    """Summands with their signs; brackets around a plain sum are opened. Long sums are walked, not recursed into."""
    items: list[_Item] = []
    while _operator(node) in ("+", "-") and _kind(node) == "Binary":
        items.append(_Item(added == (_operator(node) == "+"), node.right))
        node = node.left
    items.append(_Item(added, node))
    opened: list[_Item] = []
    for item in reversed(items):
        if _kind(item.node) == "Grouping" and _operator(item.node.expression) not in (*_BARS, "~"):
            opened += _summands(item.node.expression, item.added)
        elif _kind(item.node) == "Unary":
            opened += _summands(item.node.right, item.added == (_operator(item.node) == "+"))
        else:
            opened.append(item)
    return opened


def _collect(items: list[_Item], where: str, problems: Problems) -> tuple[bool, list[Term], list[GroupTerm]]:
    """Walk the summands, noting the problem of each."""
    intercept, terms, groups = True, list[Term](), list[GroupTerm]()
    for added, node in items:
        try:
            if _kind(node) == "Literal":
                intercept = _intercept(node.value, added)
            elif _kind(node) == "Grouping" or _operator(node) in _BARS:
                new = _group_terms(node)
                if not added:
                    raise RefusedError("a varying term cannot be taken away")
                groups += [group for group in new if group not in groups]
            elif added:
                terms = union(terms, _terms(node))
            else:
                terms = _without(terms, _terms(node))
        except RefusedError as refused:
            problems.add(where, refused.message, refused.hint, refused.kind)
        except RecursionError:
            problems.add(where, _TOO_DEEP)
    return intercept, terms, groups


def _intercept(value: Any, added: bool) -> bool:
    if value not in (0, 1):
        raise RefusedError(
            f"the number {value:g} is no term", "only 1 and 0 are, for the intercept; I() holds arithmetic"
        )
    return bool(value) == added


def _without(terms: list[Term], gone: list[Term]) -> list[Term]:
    absent = [str(term) for term in gone if term not in terms]
    if absent:
        raise RefusedError(f"{', '.join(absent)} is taken away but was not there")
    return [term for term in terms if term not in gone]


def _terms(node: Any) -> list[Term]:
    """Fixed terms that one part of a formula stands for."""
    if _kind(node) == "Grouping":
        if _operator(node.expression) in _BARS:
            raise RefusedError("a varying term stands inside a product", "add it: … + (1 | group)")
        return union(*[_added(item) for item in _summands(node.expression)])
    operator = _operator(node)
    if _kind(node) == "Binary" and operator in (":", "*", "/"):
        combine = {":": interact, "*": cross, "/": nest}[operator]
        return combine(_terms(node.left), _terms(node.right))
    if _kind(node) == "Binary" and operator == "**":
        return _power(node)
    return [Term((_factor(node),))]


def _added(item: _Item) -> list[Term]:
    if not item.added or _kind(item.node) == "Literal":
        raise RefusedError("numbers and minus signs cannot stand inside a product of terms", "I() holds arithmetic")
    return _terms(item.node)


def _power(node: Any) -> list[Term]:
    terms, exponent = _terms(node.left), getattr(node.right, "value", None)
    if not isinstance(exponent, int) or not 1 <= exponent <= MOST_DEGREES:
        raise RefusedError("the right of ** is a whole number from 1 to 10", "I(x ** 2) is the square of x")
    if len(terms) == 1:
        raise RefusedError(
            f"{terms[0]} ** {exponent} crosses a term with itself and is only {terms[0]}",
            f"write I({terms[0]} ** {exponent}) for the power",
        )
    return power(terms, exponent)


def _factor(node: Any) -> Factor:
    name = _name_of(node)
    if name is not None:
        return Name(name)
    if _kind(node) != "Call":
        raise RefusedError(f"{_described(node)} cannot stand inside a product of terms", ALLOWED)
    call = _call(node)
    if not any(True for _ in call.names()):
        raise RefusedError(f"{call} uses no column")
    return call


def _call(node: Any, depth: int = 0) -> Call:
    """One of the allowed functions, its argument walked."""
    function = _name_of(node.callee)
    if function not in FUNCTIONS:
        raise RefusedError("a bracket follows something that is no function", ALLOWED)
    if function == "poly":
        if depth:
            raise RefusedError("poly() stands inside another function", "it makes several columns: let it stand alone")
        degree = getattr(node.args[1], "value", None) if len(node.args) == 2 else None
        if not isinstance(degree, int) or not 1 <= degree <= MOST_DEGREES:
            raise RefusedError("poly() takes a column and a degree from 1 to 10", "write poly(x, 2)")
        return Call("poly", _expression(node.args[0], depth), degree)
    if len(node.args) != 1:
        raise RefusedError(f"{function}() takes one argument, not {len(node.args)}")
    return Call(function, _expression(node.args[0], depth))


def _expression(node: Any, depth: int = 0) -> Expression:
    """Arithmetic inside a function."""
    kind, name = _kind(node), _name_of(node)
    if depth > MOST_STEPS:
        raise RefusedError(_TOO_DEEP)
    if name is not None:
        return Name(name)
    if kind == "Literal":
        return Number(node.value)
    if kind == "Grouping":
        return _expression(node.expression, depth + 1)
    if kind == "Call":
        return _call(node, depth + 1)
    if kind == "Unary":
        operand = _expression(node.right, depth + 1)
        return operand if _operator(node) == "+" else Negative(operand)
    if kind == "Binary" and _operator(node) == "**":
        return _raised(node, depth + 1)
    if kind == "Binary" and _operator(node) in ("+", "-", "*", "/"):
        return Arithmetic(_operator(node), _expression(node.left, depth + 1), _expression(node.right, depth + 1))
    raise RefusedError(f"{_described(node)} is not arithmetic", "inside a function + - * / ** are")


def _raised(node: Any, depth: int) -> Expression:
    """``a ** b``; formulae binds the minus of ``-a ** b`` to a, everyone else to the power."""
    left = node.left
    if _kind(left) == "Binary":
        raise RefusedError("a ** b ** c reads two ways", "write (a ** b) ** c or a ** (b ** c)")
    if _kind(left) == "Unary":
        inner = Arithmetic("**", _expression(left.right, depth), _expression(node.right, depth))
        return inner if _operator(left) == "+" else Negative(inner)
    return Arithmetic("**", _expression(left, depth), _expression(node.right, depth))


def _group_terms(node: Any) -> list[GroupTerm]:
    """Grouping factors of ``(x | a/b/c)``, a, a:b and a:b:c, each with what varies over it."""
    pipe = node.expression if _kind(node) == "Grouping" else node
    if _kind(node) != "Grouping":
        raise RefusedError("a | stands outside brackets", _VARYING)
    if _operator(pipe) not in _BARS:
        raise RefusedError("a ~ stands inside brackets", ALLOWED)
    if _operator(pipe.left) in _BARS:
        raise RefusedError("two | stand in one bracket", _VARYING)
    steps = _nesting(pipe.right)
    intercept, slopes = _varying(pipe.left, ":".join(dict.fromkeys(c for step in steps for c in step)))
    correlated = _operator(pipe) == "|" or not slopes
    made, columns = list[GroupTerm](), tuple[str, ...]()
    for step in steps:
        columns = tuple(dict.fromkeys([*columns, *step]))
        made.append(GroupTerm(columns, step, intercept, slopes, correlated))
    for name in (name for term in slopes for name in term.names() if name in columns):
        raise RefusedError(f"{name!r} stands on both sides of |", "a slope cannot vary over its own column")
    return made


def _nesting(node: Any) -> list[tuple[str, ...]]:
    """Steps of ``a/b/c``, each the columns of one."""
    node = _opened(node)
    if _operator(node) == "/":
        return _nesting(node.left) + _nesting(node.right)
    return [_grouping_columns(node)]


def _varying(left: Any, groups: str) -> tuple[bool, tuple[Term, ...]]:
    """What stands left of the bar: whether the intercept varies, as it does unless taken away, and which slopes."""
    intercept, terms = True, list[Term]()
    for added, node in _summands(left):
        if _kind(node) == "Literal":
            intercept = _intercept(node.value, added)
        elif added:
            terms = union(terms, _terms(node))
        else:
            terms = _without(terms, _terms(node))
    if not intercept and not terms:
        raise RefusedError(f"(0 | {groups}) varies nothing", f"write (1 | {groups})")
    return intercept, by_order(terms)


def _grouping_columns(node: Any) -> tuple[str, ...]:
    """Columns of ``a:b``."""
    node = _opened(node)
    name = _name_of(node)
    if name is not None:
        return (name,)
    if _operator(node) == ":":
        return tuple(dict.fromkeys([*_grouping_columns(node.left), *_grouping_columns(node.right)]))
    raise RefusedError(
        f"{_described(node)} stands right of |",
        "grouping factors are column names joined by : or /; write (1 | a) + (1 | b) for two",
    )


def _opened(node: Any) -> Any:
    while _kind(node) == "Grouping":
        node = node.expression
    return node


def _kind(node: Any) -> str:
    return type(node).__name__


def _operator(node: Any) -> str:
    """The operator's text, or an empty string."""
    return str(node.operator.lexeme) if _kind(node) in ("Binary", "Unary") else ""


def _name_of(node: Any) -> str | None:
    """The column's name where the node is one."""
    if _kind(node) == "Variable":
        return str(node.name.lexeme)
    return str(node.expression.lexeme)[1:-1] if _kind(node) == "QuotedName" else None


def _described(node: Any) -> str:
    """A node in words, for messages."""
    match _kind(node):
        case "Literal":
            return f"the number {node.value:g}"
        case "Call":
            return "a function"
        case "Binary" | "Unary":
            return f"an expression with {_operator(node)}"
    return "this"
