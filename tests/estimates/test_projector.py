import dataclasses

import numpy as np
import pytest
from scipy import special, stats

from placewise.errors import DataError
from placewise.estimates.projector import Projector

KINDS = ["share", "top", "middle", "score", "smooth", "normal", "count", "latent"]


def values(projector, rows=None):
    rows = np.arange(len(projector.predictor.codes)) if rows is None else rows
    return projector.block(rows).values.astype(float) + projector.origin


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("frame", "mixed"), [(True, True), (True, False), (False, False)])
def test_rates_equal_brute_force(make_predictor, brute, kind, frame, mixed):
    p = make_predictor(kind=kind, frame=frame, mixed=mixed)
    rate, _ = brute(p)
    assert np.allclose(values(Projector(p, people=False)), rate, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", ["share", "top", "middle", "score", "normal", "count"])
def test_variance_of_people_equals_brute_force(make_predictor, brute, kind):
    p = make_predictor(kind=kind)
    _, variance = brute(p)
    chance = Projector(p).block(np.arange(60)).chance
    assert np.allclose(chance, (variance / p.population[:, None]).mean(axis=1), rtol=2e-5)


@pytest.mark.parametrize("intercept", [-9.0, 9.0])
def test_shares_near_the_ends_keep_their_digits(make_predictor, brute, intercept):
    p = make_predictor(intercept=intercept)
    rate, _ = brute(p)
    found = values(Projector(p, people=False))
    assert np.allclose(found, rate, atol=1e-6)
    if intercept < 0:
        assert np.allclose(found, rate, rtol=1e-5)


def test_large_opposite_parts_do_not_overflow(make_predictor, brute):
    p = make_predictor(mixed=False)
    cells = p.cell_x.copy()
    cells[:, 1] = 1.0 + 0.01 * cells[:, 1]
    p = dataclasses.replace(p, intercept=p.intercept + 500.0, beta=p.beta + np.array([[0.0], [-500.0]]), cell_x=cells)
    rate, _ = brute(p)
    assert np.allclose(values(Projector(p, people=False)), rate, atol=1e-4)


@pytest.mark.parametrize("kind", ["normal", "count", "score"])
def test_means_of_people_are_the_normal_quantile(make_predictor, brute, person_uniforms, kind):
    p = make_predictor(kind=kind, population=np.full(60, 500.0))
    rate, variance = brute(p)
    expected = rate + np.sqrt(variance / 500) * special.ndtri(person_uniforms(p))
    assert np.allclose(values(Projector(p)), expected, rtol=3e-6, atol=3e-6)


def test_shares_of_few_people_are_binomial(make_predictor, brute, person_uniforms):
    p = make_predictor(frame=False, population=np.full(60, 17.0))
    rate, _ = brute(p)
    u = person_uniforms(p)
    expected = np.where(rate > 0.5, 17 - stats.binom.ppf(1 - u, 17, 1 - rate), stats.binom.ppf(u, 17, rate))
    found = np.round(values(Projector(p)) * 17)
    assert (found == expected).mean() > 0.999


def test_estimands_of_one_area_see_the_same_people(make_predictor):
    p = make_predictor(kind="score")
    share = make_predictor(kind="top").estimands[0]
    both = dataclasses.replace(p, estimands=(p.estimands[0], dataclasses.replace(share, name="top")))
    mean_error = values(Projector(both)) - values(Projector(both, people=False))
    share_error = values(Projector(both, 1)) - values(Projector(both, 1, people=False))
    assert np.corrcoef(mean_error.ravel(), share_error.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("kind", ["share", "score", "smooth", "normal"])
def test_blocks_change_no_bit(make_predictor, kind):
    p = make_predictor(kind=kind, n_areas=83, n_draws=301)
    projector = Projector(p)
    whole = projector.block(np.arange(83)).values
    for size in (1, 7, 50):
        parts = [projector.block(np.arange(i, min(i + size, 83))).values for i in range(0, 83, size)]
        assert np.array_equal(np.vstack(parts), whole)
    shuffled = np.random.default_rng(0).permutation(83)
    assert np.array_equal(projector.block(shuffled).values, whole[shuffled])


def test_own_effect_is_new_for_every_area_and_draw(make_predictor):
    p = make_predictor(n_areas=90, n_draws=500, kind="latent")
    without = dataclasses.replace(p, effects=tuple(e for e in p.effects if e.name != "oa"))
    own = (values(Projector(p)) - values(Projector(without)))[30:]
    sd = p.effects[3].sd
    assert own.shape == (60, 500)
    assert (own / sd).std() == pytest.approx(1, abs=0.02)
    assert np.abs(np.corrcoef(own / sd)[np.triu_indices(60, 1)]).max() < 0.25


def test_identity_keeps_digits_far_from_zero(make_predictor):
    near = make_predictor(kind="normal", n_draws=60)
    far = dataclasses.replace(near, intercept=near.intercept + 1e7)
    assert np.allclose(values(Projector(far)) - 1e7, values(Projector(near)), atol=1e-5)


def test_areas_without_people_are_named(make_predictor):
    p = make_predictor()
    empty = p.population.copy()
    empty[[3, 8]] = 0
    with pytest.raises(DataError, match=r"2 areas have no people: E00003, E00008"):
        Projector(dataclasses.replace(p, population=empty))
