"""Which covariates of a cumulative model have a slope that may differ by cutpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from placewise.errors import Problems, nearest
from placewise.models.design import Design
from placewise.models.proportional import ScoreTest, score_tests, term_columns
from placewise.models.spec import AUTO
from placewise.models.terms import Formula
from placewise.surveys.outcome import Response

MOST = 5
UNMEASURED = "departures from proportional odds cannot be measured: without groups some covariate separates the answers"

Asked = tuple[str, ...] | Literal["auto"] | None


def with_specific(
    design: Design, asked: Asked, formula: Formula, response: Response, where: str, problems: Problems
) -> Design:
    """The design with its category-specific columns.

    Parameters
    ----------
    design : Design
        n respondents.
    asked : tuple of str, "auto" or None
        Fixed terms as the formula writes them, all of whose columns are meant; ``"auto"``: the five with the largest
        score statistic per degree of freedom, which the design's notes then tell. None, where nothing was written: as
        ``"auto"`` where departures can be measured, else none.
    formula : Formula
        What the design was made of.
    response : Response
        The same respondents' answers; with two categories there is one cutpoint and nothing can differ.
    where : str
        File and key, for messages.
    problems : Problems
        Takes what is wrong.
    """
    if asked is None:
        return _by_default(design, formula, response)
    if not asked:
        return design
    if len(response.levels) < 3:
        problems.add(where, "an outcome of two categories has one cutpoint", "leave this key out")
        return design
    terms = term_columns(formula, design.columns)
    if not terms:
        problems.add(where, "the formula has no covariates", "leave this key out")
        return design
    if asked == AUTO:
        tests = _tests(design, response.y, terms)
        if tests is None:
            problems.add(where, UNMEASURED, "name the covariates in a list", "data")
            return design
        return _by_score(design, tests, terms)
    for name in asked:
        if name not in terms:
            problems.add(where, f"{name!r} is not a covariate of the formula", nearest(name, terms))
        elif not terms[name]:
            problems.add(where, f"all columns of {name!r} were left out of the model", "leave it out here too", "data")
    chosen = {k for name in asked for k in terms.get(name, ())}
    return replace(design, category_specific=tuple(sorted(chosen)))


def _by_default(design: Design, formula: Formula, response: Response) -> Design:
    """What is done where the model file says nothing: proportional odds is checked, not assumed."""
    terms = term_columns(formula, design.columns)
    if len(response.levels) < 3 or not any(terms.values()):
        return design
    tests = _tests(design, response.y, terms)
    if tests is None:
        return replace(design, notes=(*design.notes, f"Every slope is the same at every cutpoint: {UNMEASURED}."))
    return _by_score(design, tests, terms)


def _tests(design: Design, y: np.ndarray, terms: dict[str, tuple[int, ...]]) -> list[ScoreTest] | None:
    return score_tests(design.matrix, y, terms) if len(np.unique(y)) > 2 else None


def _by_score(design: Design, tests: list[ScoreTest], terms: dict[str, tuple[int, ...]]) -> Design:
    """The terms that depart most from proportional odds."""
    chosen = tests[:MOST]
    columns = sorted(k for test in chosen for k in terms[test.name])
    return replace(design, category_specific=tuple(columns), notes=(*design.notes, _note(tests, chosen)))


def _note(tests: list[ScoreTest], chosen: list[ScoreTest]) -> str:
    """What was measured and chosen, in one sentence."""
    rest = ", ".join(str(test) for test in tests[len(chosen) :])
    return (
        "Slopes may differ by cutpoint for the covariates that depart most from proportional odds "
        f"(score statistic on degrees of freedom): {', '.join(map(str, chosen))}"
        f"{f'; the same slope at every cutpoint for {rest}' if rest else ''}."
    )
