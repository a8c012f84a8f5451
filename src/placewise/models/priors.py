"""Prior distributions as written in a model file: a name and its numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from placewise.errors import Problems, nearest

Support = Literal["real", "positive", "bounded", "unit", "point", "slopes", "correlations"]

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Prior:
    """A prior such as ``gamma(4, 25)`` or ``half_student_t(3, 0, 0.5)``.

    Parameters
    ----------
    name : str
        One of normal, student_t, half_normal, half_cauchy, half_student_t, gamma, inv_gamma, exponential, pc,
        uniform, lognormal, beta, fixed, flat; for all slopes together r2d2, horseshoe;
        for a correlation matrix lkj.
    args : tuple of float
        In the order of the interface: normal(mean, sd), student_t(df, mean, scale), half_normal(sd),
        half_cauchy(scale), half_student_t(df, 0, scale), gamma(shape, rate), inv_gamma(shape, scale),
        exponential(rate), pc(upper, tail), uniform(a, b), lognormal(mu, sigma), beta(a, b), fixed(x), flat(),
        r2d2(mean_r2, precision), horseshoe(p0), lkj(eta).
    """

    name: str
    args: tuple[float, ...] = ()

    def __str__(self) -> str:
        """As written in a model file; reads back as the same prior."""
        return f"{self.name}({', '.join(_number(a) for a in self.args)})"


@dataclass(frozen=True)
class Distribution:
    """What a distribution's arguments are called, and where its draws lie.

    Parameters
    ----------
    parameters : tuple of str
        In order; those of ``above_zero`` must exceed 0.
    support : {"real", "positive", "bounded", "unit", "point", "slopes", "correlations"}
        The whole line; above 0; between its arguments; between 0 and 1; one point; all slopes together; a matrix of
        correlations.
    example : str
        A prior that is right, for messages.
    """

    parameters: tuple[str, ...]
    support: Support
    example: str
    above_zero: tuple[str, ...] = ()


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "normal": Distribution(("mean", "sd"), "real", "normal(0, 1)", ("sd",)),
    "student_t": Distribution(("df", "mean", "scale"), "real", "student_t(3, 0, 1)", ("df", "scale")),
    "half_normal": Distribution(("sd",), "positive", "half_normal(0.5)", ("sd",)),
    "half_cauchy": Distribution(("scale",), "positive", "half_cauchy(0.5)", ("scale",)),
    "half_student_t": Distribution(("df", "0", "scale"), "positive", "half_student_t(3, 0, 0.5)", ("df", "scale")),
    "gamma": Distribution(("shape", "rate"), "positive", "gamma(2, 10)", ("shape", "rate")),
    "inv_gamma": Distribution(("shape", "scale"), "positive", "inv_gamma(2, 0.1)", ("shape", "scale")),
    "exponential": Distribution(("rate",), "positive", "exponential(2)", ("rate",)),
    "pc": Distribution(("upper", "tail"), "positive", "pc(1, 0.05)", ("upper", "tail")),
    "uniform": Distribution(("a", "b"), "bounded", "uniform(0, 2)"),
    "lognormal": Distribution(("mu", "sigma"), "positive", "lognormal(-1, 0.5)", ("sigma",)),
    "beta": Distribution(("a", "b"), "unit", "beta(2, 2)", ("a", "b")),
    "fixed": Distribution(("x",), "point", "fixed(0.5)"),
    "flat": Distribution((), "real", "flat()"),
    "r2d2": Distribution(("mean_r2", "precision"), "slopes", "r2d2(0.5, 2)", ("mean_r2", "precision")),
    "horseshoe": Distribution(("p0",), "slopes", "horseshoe(3)", ("p0",)),
    "lkj": Distribution(("eta",), "correlations", "lkj(2)", ("eta",)),
}


def parse_prior(text: Any, where: str, problems: Problems) -> Prior | None:
    """Read a prior such as ``"gamma(4, 25)"``.

    Parameters
    ----------
    text : object
        The value as it stands in the model file.
    where : str
        File and key, for messages.
    problems : Problems
        Takes what is wrong.

    Returns
    -------
    Prior or None
        None where a problem was noted.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        problems.add(where, f"expected a distribution, got the number {text}", f'write "fixed({text})" to fix it there')
        return None
    call = _CALL.fullmatch(text) if isinstance(text, str) else None
    if call is None:
        got = repr(text) if isinstance(text, str) else f"a value of type {type(text).__name__}"
        problems.add(where, f"expected a distribution, got {got}", 'write its name and numbers, as in "normal(0, 1)"')
        return None
    name, inside = call.groups()
    if name not in DISTRIBUTIONS:
        problems.add(where, f"there is no distribution {name!r}", nearest(name, DISTRIBUTIONS))
        return None
    args = _arguments(name, inside, where, problems)
    if args is None or not _in_domain(name, args, where, problems):
        return None
    return Prior(name, args)


def reaches_below_zero(prior: Prior) -> bool:
    """Whether a parameter with this prior may be negative; ``flat()`` on an sd means flat above 0."""
    match DISTRIBUTIONS[prior.name].support:
        case "positive" | "unit":
            return False
        case "bounded" | "point":
            return prior.args[0] < 0
    return prior.name != "flat"


def _arguments(name: str, inside: str, where: str, problems: Problems) -> tuple[float, ...] | None:
    """The numbers between the brackets, as many as the distribution takes."""
    given = [part.strip() for part in inside.split(",")] if inside.strip() else []
    wanted = DISTRIBUTIONS[name].parameters
    form = f"{name}({', '.join(wanted)})"
    wrong = [part for part in given if not _NUMBER.fullmatch(part) or not math.isfinite(float(part))]
    if wrong:
        found = ", ".join(repr(part) for part in wrong)
        problems.add(where, f"{form} takes finite numbers, got {found}", f'for example "{DISTRIBUTIONS[name].example}"')
        return None
    if len(given) != len(wanted):
        count = f"{len(wanted)} number{'s' * (len(wanted) != 1)}"
        problems.add(where, f"{form} takes {count}, got {len(given)}", f'for example "{DISTRIBUTIONS[name].example}"')
        return None
    return tuple(float(part) for part in given)


def _in_domain(name: str, args: tuple[float, ...], where: str, problems: Problems) -> bool:
    """Whether the numbers are ones the distribution allows; notes each that is not."""
    distribution = DISTRIBUTIONS[name]
    found = Problems()
    for parameter, value in zip(distribution.parameters, args, strict=True):
        if parameter in distribution.above_zero and value <= 0:
            found.add(where, f"{name}: {parameter} must be above 0, got {_number(value)}")
    if name == "half_student_t" and args[1] != 0:
        found.add(
            where,
            f"half_student_t: the middle number is its location and must be 0, got {_number(args[1])}",
            f'write "{Prior(name, (args[0], 0.0, args[2]))}"',
        )
    if name == "pc" and args[1] >= 1:
        found.add(where, f"pc: tail is the probability of exceeding upper and must be below 1, got {_number(args[1])}")
    if name == "uniform" and args[0] >= args[1]:
        found.add(where, f"uniform: a must be below b, got {_number(args[0])} and {_number(args[1])}")
    if name == "r2d2" and args[0] >= 1:
        found.add(where, f"r2d2: mean_r2 is a share of variance and must be below 1, got {_number(args[0])}")
    problems.extend(found)
    return not found


def _number(value: float) -> str:
    """The shortest text that reads back as the same float, whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
