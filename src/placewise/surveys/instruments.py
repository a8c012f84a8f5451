"""Answers to several questions about one trait: the items of a scale, and one question asked by several surveys."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Instruments:
    """What measures a trait t, and what each respondent answered.

    Answer y of respondent i to instrument m is ordered: P(y > k) = logit⁻¹(a_m t_i − c_mk). In a scale (the graded
    response model) t_i = λ_s η_i + w_i + z_i, with z ~ normal(0, 1) the person's own; else a_m = 1 and there is no z.
    λ_s is 1 in the reference survey; w sums the effects of groups that belong to one survey (``Group.survey``).

    Parameters
    ----------
    names : tuple of str, length M
        Of the instruments. Items of the same name in several surveys are one instrument; an item, or the question, of
        one survey only carries the survey's name where there are several: ``ukhls:scopngbha``.
    levels : tuple of tuple of str
        Categories of each, lowest first.
    answers : ndarray of int8, shape (n, M)
        Category of each answer, -1 where not asked or not answered; every respondent has one or more.
    surveys : tuple of str
        The reference first.
    survey : ndarray of int64, shape (n,)
        Survey of each respondent.
    scale : bool
        Whether persons have a part of their own: items of a scale.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    answers: np.ndarray
    surveys: tuple[str, ...]
    survey: np.ndarray
    scale: bool

    @cached_property
    def cuts(self) -> np.ndarray:
        """First cutpoint of each instrument among those of all, and their number; shape (M + 1,)."""
        return np.concatenate([[0], np.cumsum([len(own) - 1 for own in self.levels])]).astype(np.int64)

    @property
    def cut_labels(self) -> list[str]:
        """Name of each cutpoint, instrument by instrument."""
        return [
            f"{name}: {a} | {b}"
            for name, own in zip(self.names, self.levels, strict=True)
            for a, b in itertools.pairwise(own)
        ]

    @property
    def asked(self) -> np.ndarray:
        """Which instruments each survey has, bool (surveys, M)."""
        answered = self.answers >= 0
        return np.array([answered[self.survey == s].any(axis=0) for s in range(len(self.surveys))])

    def named(self, item: str, survey: str) -> int:
        """Position of a survey's item, by its column."""
        return self.names.index(item if item in self.names else f"{survey}:{item}")

    def take(self, kept: np.ndarray) -> Instruments:
        """The answers of some respondents; ``kept`` of bool or positions."""
        return Instruments(self.names, self.levels, self.answers[kept], self.surveys, self.survey[kept], self.scale)
