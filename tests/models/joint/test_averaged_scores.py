"""Scores of answers whose likelihood is averaged over areas: slopes of the exact average, found by differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from placewise.models.design import BelowLink, Column, Design, Group
from placewise.models.joint.persons import scores_of
from placewise.surveys.outcome import Response

GROUPS, EACH, PEOPLE = 12, 6, 40
SLOPE, AREA_SD, INTERCEPT = 0.5, 0.3, -0.7
CUTS = np.array([-1.2, 0.4])
STEP = 1e-4


def made(family: str) -> tuple[Design, Response]:
    """Respondents of groups whose areas' x'β differs with an sd of about .5."""
    rng = np.random.default_rng(4)
    parent = np.repeat(np.arange(GROUPS), EACH)
    share = rng.dirichlet(np.full(EACH, 4.0), GROUPS).ravel()
    area = rng.normal(size=GROUPS * EACH)
    own = np.repeat(np.arange(GROUPS), PEOPLE)
    labels = tuple(f"g{k:02d}" for k in range(GROUPS))
    group = Group("lsoa", "geography", labels, own, labels)
    column = Column("x", np.bincount(parent, share * area)[own], area)
    link = BelowLink("lsoa", "oa", tuple(map(str, range(len(area)))), parent, share, 2.5)
    link = replace(link, places=np.tile(np.arange(EACH), GROUPS))
    design = Design(family != "cumulative", (column,), (group,), len(own), link=link)
    trials = rng.integers(1, 5, len(own)).astype(float) if family == "binomial" else None
    top = 3 if family == "cumulative" else 2
    y = np.floor((1.0 + trials) * rng.random(len(own))) if trials is not None else rng.integers(0, top, len(own)) * 1.0
    levels = ("a", "b", "c") if family == "cumulative" else ()
    response = Response(y, np.ones(len(y), dtype=bool), levels, trials=trials)
    return design, response


class Draws:
    """A posterior of one draw."""

    n_draws = 1

    def __init__(self, design: Design) -> None:
        effect = np.random.default_rng(5).normal(0.0, 0.2, GROUPS)
        self.values: dict[str, Any] = {
            "slopes": np.array([SLOPE]), "effect_lsoa": effect, "sd_oa": AREA_SD, "cutpoints": CUTS
        }  # fmt: skip
        if design.intercept:
            self.values["intercept"] = INTERCEPT

    def has(self, name: str) -> bool:
        return name in self.values

    def draws(self, name: str) -> np.ndarray:
        return np.array([self.values[name]])


def exact(design: Design, response: Response, family: str, values: dict[str, Any], shift: float) -> np.ndarray:
    """Log likelihood of each answer, area by area, with η of all areas moved."""
    link, area = design.link, design.columns[0].area
    assert link is not None
    assert area is not None
    found = np.empty(design.n)
    for i, g in enumerate(design.groups[0].index):
        inside = link.parent == g
        share = link.share[inside]
        own = AREA_SD * np.sqrt(1.0 - share @ share)
        eta = shift + values.get("intercept", 0.0) + values["effect_lsoa"][g] + SLOPE * area[inside]
        both = np.array([eta + own, eta - own])
        cuts = [np.inf, *(share @ expit(both - c).mean(axis=0) for c in (CUTS if family == "cumulative" else [0.0])), 0]
        chance = -np.diff([1.0, *cuts[1:]])
        y = int(response.y[i])
        if response.trials is None:
            found[i] = np.log(chance[y])
        else:
            found[i] = y * np.log(chance[1]) + (response.trials[i] - y) * np.log(chance[0])
    return found


@pytest.mark.parametrize("family", ["bernoulli", "binomial", "cumulative"])
def test_scores_are_the_slopes_of_the_average(family: str) -> None:
    design, response = made(family)
    assert design.link is not None
    assert design.link.places is not None
    posterior: Any = Draws(design)
    up, here, down = (exact(design, response, family, posterior.values, by) for by in (STEP, 0.0, -STEP))
    score, information = (up - down) / (2 * STEP), (2 * here - up - down) / STEP**2
    found = scores_of(design, response, family, posterior)
    at_mean = scores_of(replace(design, link=replace(design.link, places=None)), response, family, posterior)
    for mine, plain, wanted, most in (
        (found.score, at_mean.score, score, 0.01),
        (found.information, at_mean.information, information, 0.03),
    ):
        size = np.abs(wanted).mean()
        assert np.abs(mine - wanted).mean() < most * size
        # what the average is for: the answers at the groups' means would tell more
        assert np.abs(plain - wanted).mean() > 0.05 * size
