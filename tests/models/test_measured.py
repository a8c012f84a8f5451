"""Expected answers and likelihoods of scales and several surveys against adaptive quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from placewise.models import inference
from placewise.models.fit import Posterior
from placewise.models.measured import answer_moments, log_likelihood, scale_of_respondents
from placewise.models.pointwise import log_likelihood as of_any
from placewise.models.prior_plan import PriorPlan
from placewise.surveys.instruments import Instruments
from placewise.surveys.outcome import Response

CUTS = np.array([[-1.0, 0.5, 0.2, -0.3, 0.4, 2.0], [-0.5, 1.5, 0.0, -1.0, 0.0, 1.0]])
SLOPES = np.array([[0.7, 1.5, 2.5], [1.0, 2.0, 0.4]])
SCALES = np.array([[0.5], [1.4]])
ANSWERS = np.array([[0, 1, 3], [2, -1, 0], [-1, 0, -1], [1, -1, 1]], dtype=np.int8)
LEVELS = (("a", "b", "c"), ("no", "yes"), ("1", "2", "3", "4"))
MU = np.array([[-0.4, 1.3, 0.2, -2.0], [0.0, 0.8, -3.0, 2.5]])
BOTH = np.arange(2)


def instruments(scale: bool) -> Instruments:
    answers = ANSWERS if scale else np.array([[0, -1, -1], [-1, 1, -1], [-1, -1, 3], [2, -1, -1]], dtype=np.int8)
    return Instruments(("x", "y", "z"), LEVELS, answers, ("first", "second"), np.array([0, 0, 1, 1]), scale)


@pytest.fixture
def posterior() -> Posterior:
    values = {"cutpoints": CUTS[None], "discrimination": SLOPES[None], "survey_scale": SCALES[None]}
    dims = {"cutpoints": ["cutpoint"], "discrimination": ["instrument"], "survey_scale": ["survey"]}
    return Posterior(inference.build(values, dims, {}), PriorPlan(None, None, None, (), None, (), (), {}, None))


def probability(draw: int, item: int, category: int, trait: float, slope: float) -> float:
    """P(answer) from the definition."""
    start = [0, 2, 3, 6][item]
    cuts = [-np.inf, *CUTS[draw, start : [2, 3, 6][item]], np.inf]
    above, over = (1.0 - expit(cut - slope * trait) for cut in cuts[category : category + 2])
    return float(above - over)


def over_persons(function, mu: float) -> float:
    """Mean over t ~ normal(mu, 1)."""
    return float(quad(lambda t: norm.pdf(t - mu) * function(t), mu - 10, mu + 10, epsabs=1e-12, limit=200)[0])


def test_the_likelihood_of_a_person_integrates_over_the_persons_own_part(posterior: Posterior) -> None:
    found = log_likelihood(instruments(True), posterior, BOTH, MU)
    for d in BOTH:
        for i, row in enumerate(ANSWERS):
            asked = [(m, int(k)) for m, k in enumerate(row) if k >= 0]
            expected = over_persons(
                lambda t, d=d, asked=asked: np.prod([probability(d, m, k, t, SLOPES[d, m]) for m, k in asked]), MU[d, i]
            )
            assert found[d, i] == pytest.approx(np.log(expected), abs=2e-6)


def test_without_a_scale_answers_are_ordered_logits_of_their_own_cutpoints(posterior: Posterior) -> None:
    one = instruments(False)
    found = log_likelihood(one, posterior, BOTH, MU)
    expected = [
        [np.log(probability(d, int(row.argmax()), int(row.max()), MU[d, i], 1.0)) for i, row in enumerate(one.answers)]
        for d in BOTH
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    response = Response(np.zeros(4), np.ones(4, dtype=bool), instruments=one)
    same = of_any(response, "cumulative", MU, posterior, BOTH, np.empty((4, 0)))
    np.testing.assert_array_equal(same, found)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("item", [0, 1, 2])
def test_moments_of_an_answer_are_those_of_its_categories(posterior: Posterior, scale: bool, item: int) -> None:
    mean, variance = answer_moments(instruments(scale), item, posterior, BOTH, MU)
    for d in BOTH:
        slope = SLOPES[d, item] if scale else 1.0
        for i in range(MU.shape[1]):
            chances = [
                over_persons(lambda t, d=d, k=k, slope=slope: probability(d, item, k, t, slope), MU[d, i])
                if scale
                else probability(d, item, k, MU[d, i], slope)
                for k in range(len(LEVELS[item]))
            ]
            scores = np.arange(1, len(chances) + 1)
            centre = np.dot(chances, scores)
            assert mean[d, i] == pytest.approx(centre, abs=2e-4)
            assert variance[d, i] == pytest.approx(np.dot(chances, scores**2) - centre**2, abs=2e-3)


def test_the_reference_has_scale_one(posterior: Posterior) -> None:
    found = scale_of_respondents(instruments(True), posterior, np.array([1, 0]))
    np.testing.assert_array_equal(found, [[1, 1, 1.4, 1.4], [1, 1, 0.5, 0.5]])
    alone = Posterior(inference.build({"cutpoints": CUTS[None]}, {"cutpoints": ["cutpoint"]}, {}), posterior.priors)
    assert scale_of_respondents(instruments(True), alone, BOTH) == 1.0
