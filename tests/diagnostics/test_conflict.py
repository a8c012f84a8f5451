"""Differences of two surveys on gaussian constructions, where all that the draws must tell is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from placewise.diagnostics.conflict import Contrast, best_departures, conflict_check, contrast_surveys, discoveries

PLACES, DRAWS, STEP = 40, 1500, 0.1


class World:
    """Places u ~ N(0, .3²) told by a reference survey and by a second with a level m of its own and departures w.

    Everything is gaussian: y1 = u + e1, y2 = m + u + w + e2, with known variances, so that the posterior is exact.
    """

    def __init__(self, seed: int, tau: float, first: float = 0.15, second: float = 0.2) -> None:
        self.rng = np.random.default_rng(seed)
        self.tau, self.second = tau, second
        self.first = first * self.rng.uniform(0.7, 1.5, PLACES)
        self.own = second * self.rng.uniform(0.7, 1.5, PLACES)
        self.u = 0.3 * self.rng.standard_normal(PLACES)

    def contrast(self, departure: np.ndarray, draws: int = DRAWS) -> tuple[Contrast, np.ndarray]:
        """What is found, and y2."""
        rng = self.rng
        y1 = self.u + self.first * rng.standard_normal(PLACES)
        y2 = 0.7 + self.u + departure + self.own * rng.standard_normal(PLACES)
        # parameters (u, w, m), flat in m
        eye, zero = np.eye(PLACES), np.zeros((PLACES, PLACES))
        x1 = np.column_stack([eye, zero, np.zeros(PLACES)]) / self.first[:, None]
        x2 = np.column_stack([eye, eye, np.ones(PLACES)]) / self.own[:, None]
        prior = np.diag(np.r_[np.full(PLACES, 0.3**-2), np.full(PLACES, self.tau**-2), 1e-6])
        precision = x1.T @ x1 + x2.T @ x2 + prior
        mean = np.linalg.solve(precision, x1.T @ (y1 / self.first) + x2.T @ (y2 / self.own))
        root = np.linalg.cholesky(precision)
        drawn = mean + np.linalg.solve(root.T, rng.standard_normal((len(mean), draws))).T
        effect = drawn[:, PLACES : 2 * PLACES]
        rest = y2 - drawn[:, :PLACES] - drawn[:, -1:]

        def loglik(w: np.ndarray) -> np.ndarray:
            return -0.5 * ((rest - w) / self.own) ** 2

        best, information = best_departures(effect, loglik(effect - STEP), loglik(effect), loglik(effect + STEP), STEP)
        np.testing.assert_allclose(information, self.own**-2.0, rtol=1e-6)
        np.testing.assert_allclose(best, rest, atol=1e-8)
        self.y1 = y1
        return contrast_surveys(best, information, np.full(draws, self.tau)), y2

    def exact(self, y2: np.ndarray, place: int) -> tuple[float, float]:
        """Difference and se of one place, the second survey's answers there left out of the fit by hand."""
        kept = np.delete(np.arange(PLACES), place)
        # y2 of the others about the model, given m; and m from them
        told = 1.0 / (self.first**-2.0 + 0.3**-2.0)
        at = told * self.y1 / self.first**2
        spread = told + self.own**2 + self.tau**2
        weight = 1.0 / spread[kept]
        level = float(weight @ (y2[kept] - at[kept]) / weight.sum())
        se = np.sqrt(told[place] + 1.0 / weight.sum() + self.own[place] ** 2)
        return float(y2[place] - at[place] - level), float(se)


@pytest.mark.parametrize("tau", [0.02, 0.1])
def test_differences_are_those_of_a_fit_without_the_place(tau: float) -> None:
    world = World(1, tau)
    found, y2 = world.contrast(tau * world.rng.standard_normal(PLACES), draws=20_000)
    difference, se = np.array([world.exact(y2, place) for place in range(PLACES)]).T
    # those found are told from the middle one
    offset = found.difference - difference
    np.testing.assert_allclose(offset, np.median(offset), atol=0.02)
    assert found.se == pytest.approx(se, rel=0.04)
    assert found.z == pytest.approx(found.difference / np.hypot(se, tau), abs=0.15)
    assert abs(np.median(found.difference)) < 0.06


def test_probabilities_are_uniform_under_the_model_and_under_agreement() -> None:
    each, agreed = [], []
    for seed in range(60):
        world = World(100 + seed, 0.1)
        each.append(world.contrast(0.1 * world.rng.standard_normal(PLACES), draws=600)[0].p)
        world = World(500 + seed, 0.03)
        agreed.append(world.contrast(np.zeros(PLACES), draws=600)[0].agreement)
    assert stats.kstest(np.concatenate(each), "uniform").statistic < 0.04
    assert stats.kstest(agreed, "uniform").pvalue > 0.01
    assert 0.02 <= np.mean(np.array(agreed) < 0.1) <= 0.2


def test_places_that_are_shifted_are_found_and_hardly_any_others() -> None:
    found, wrong = [], []
    for seed in range(20):
        world = World(900 + seed, 0.05)
        departure = np.where(np.arange(PLACES) < 6, 1.2, 0.0)
        contrast = world.contrast(departure, draws=600)[0]
        beyond = contrast.beyond
        found.append(np.isin(np.arange(6), beyond).mean())
        wrong.append((beyond >= 6).sum() / max(len(beyond), 1))
        assert contrast.agreement < 1e-3
        assert set(beyond) <= set(contrast.apart)
    assert np.mean(found) > 0.85
    assert np.mean(wrong) < 0.15


def test_what_only_one_survey_tells_is_not_compared() -> None:
    rng = np.random.default_rng(1)
    best = rng.standard_normal((800, 3)) * np.array([0.1, 0.1, 1.0])
    found = contrast_surveys(best, np.full(3, 1.0), np.zeros(800))
    assert np.isfinite(found.z).tolist() == [True, True, False]
    assert found.degrees <= 2.0
    none = contrast_surveys(best[:, 2:], np.ones(1), np.zeros(800))
    assert (none.agreement, none.statistic) == (1.0, 0.0)
    assert not len(none.beyond)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    # the first example of their paper: at .05 the four smallest of fifteen
    p = np.array([
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
        1.0000,
    ])  # fmt: skip
    turn = np.random.default_rng(2).permutation(15)
    assert discoveries(p[turn], 0.05).tolist() == (p[turn] < 0.01).tolist()
    assert not discoveries(np.array([0.9, 0.2]), 0.05).any()
    assert not discoveries(np.empty(0), 0.05).any()


def test_the_check_warns_where_a_place_is_beyond_the_model() -> None:
    told = {"reference": "cls", "compared": 30, "apart": ["E1", "E2"], "beyond": ["E1"], "agreement": {"p": 0.001}}
    check = conflict_check("ukhls", told)
    assert (check.verdict, check.where, check.value) == ("warn", ("E1",), 1.0)
    assert (
        "differ by more than chance; looked at one by one, 2 of them stand out from chance and 1 from" in check.sentence
    )
    agreed = conflict_check("ukhls", {**told, "apart": [], "beyond": [], "agreement": {"p": 0.4}})
    assert (agreed.verdict, agreed.sentence) == (
        "pass", "Over 30 areas together the surveys ukhls and cls differ by no more than chance."
    )  # fmt: skip
