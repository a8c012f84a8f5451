"""Model files as tables, whole and edited, for tests of what is read from them."""

from __future__ import annotations

from typing import Any

from placewise.errors import Problem, Problems
from placewise.models.model_file import read_model
from placewise.models.spec import ModelSpec

CUMULATIVE: dict[str, Any] = {
    "outcome": {
        "title": "Belonging to the neighbourhood",
        "question": "How strongly do you feel you belong to your immediate neighbourhood?",
        "survey": "cls",
        "response": "belonging",
        "family": "cumulative",
        "order": ["not at all", "not very", "fairly", "very"],
        "estimand": {"share": ["fairly", "very"]},
        "polarity": "lower is better",
        "finite_population": True,
    },
    "model": {
        "formula": "deprivation + (1 | age)",
        "standardise": False,
        "structure": {"age": "iid"},
        "engine": "nuts",
        "reference": {"mode": "online", "year": 2023, "interviewer": "draw"},
        "priors": {"slope": "normal(0, 1)", "split:geography": 1.5},
    },
}
GAUSSIAN: dict[str, Any] = {
    "outcome": {"survey": "cls", "response": "y", "family": "gaussian"},
    "model": {"formula": "1"},
}


def read(tables: Any, **given: Any) -> tuple[ModelSpec | None, list[Problem]]:
    problems = Problems()
    return read_model(tables, "belonging", "models/belonging.toml", problems, **given), list(problems)
