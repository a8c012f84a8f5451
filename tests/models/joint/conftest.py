"""Made-up surveys of several outcomes, as the study of them draws them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from placewise.models.engines import FitOptions
from placewise.models.engines.laplace.fit import fit
from placewise.models.fit import Posterior
from placewise.models.joint.couple import Member
from placewise.models.joint.factors import Factor

# the worlds are a study's
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

from common.joint_worlds import JointSurvey


@pytest.fixture(scope="session")
def members_of() -> Callable[[JointSurvey, int], list[Member]]:
    """Separate fits of a survey's outcomes."""

    def make(survey: JointSurvey, draws: int) -> list[Member]:
        found = []
        for o, problem in enumerate(survey.problems):
            posterior = Posterior(fit(problem, FitOptions(draws=draws, seed=o, jobs=1)), problem.priors)
            found.append(Member(f"outcome {o}", problem, posterior, survey.people[o].astype(object)))
        return found

    return make


@pytest.fixture
def two_factors() -> tuple[Factor, ...]:
    """Places that three outcomes have, and classes that the first and the last have."""
    places, classes = np.arange(4), np.arange(3)
    return (
        Factor("place", tuple("abcd"), {0: places, 1: places, 2: places}),
        Factor("class", tuple("xyz"), {0: classes, 2: classes}),
    )
