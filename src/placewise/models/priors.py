"""Prior distributions as written in a model file: a name and its numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prior:
    """A prior such as ``gamma(4, 25)`` or ``half_student_t(3, 0, 0.5)``.

    Parameters
    ----------
    name : str
        One of normal, student_t, half_normal, half_cauchy, half_student_t, gamma, inv_gamma, exponential, pc,
        uniform, lognormal, fixed, flat.
    args : tuple of float
        In the order of the interface: normal(mean, sd), student_t(df, mean, scale), half_normal(sd),
        half_cauchy(scale), half_student_t(df, 0, scale), gamma(shape, rate), inv_gamma(shape, scale),
        exponential(rate), pc(upper, tail), uniform(a, b), lognormal(mu, sigma), fixed(x), flat().
    """

    name: str
    args: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{a:g}' for a in self.args)})"
