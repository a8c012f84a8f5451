"""Areas below the level at which respondents are linked, through projector, subset and release."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.errors import DataError
from placewise.estimates.below_link import sources_of
from placewise.estimates.describe import Standard
from placewise.estimates.draws import AreaDraws
from placewise.estimates.projector import Projector
from placewise.estimates.release import read_release, write_release
from placewise.estimates.subset import only

LINK, N_AREAS, N_DRAWS = 1, 60, 41


def linked(predictor, ratio=2.5):
    """The same, its respondents linked at districts, of which nine of twelve have any."""
    effects = list(predictor.effects)
    district, own = effects[LINK], effects[3]
    parent = np.arange(len(predictor.codes)) * 12 // len(predictor.codes)
    people = np.bincount(parent, predictor.population)
    share = predictor.population / people[parent]
    below = ratio * district.sd
    effects[LINK] = replace(district, below_sd=below, squares=np.bincount(parent, share**2))
    effects[3] = replace(
        own, labels=(), draws=own.draws[:0], sd=below, within=district.name, parent=parent, share=share
    )
    return replace(predictor, effects=tuple(effects))


@pytest.fixture
def predictor(make_predictor):
    return linked(make_predictor(n_areas=N_AREAS, n_draws=N_DRAWS, kind="latent"))


def rows_of(predictor, k):
    effect = predictor.effects[k]
    out = np.empty((len(effect.all_labels), predictor.n_draws), dtype=np.float32)
    sources_of(predictor)[k].fill(np.arange(len(out)), out)
    return out.astype(float)


def test_the_mean_deviation_of_a_groups_areas_is_its_fitted_effect_in_every_draw(predictor):
    own, district = rows_of(predictor, 3), rows_of(predictor, LINK)
    deviation = district[predictor.effects[3].parent] + own
    assert np.array_equal(district[:9], predictor.effects[LINK].draws)
    for g in range(12):
        inside = predictor.effects[3].parent == g
        mean = predictor.effects[3].share[inside] @ deviation[inside]
        assert np.abs(mean - district[g]).max() < 1e-7


def test_groups_without_respondents_are_drawn_from_the_prior(make_predictor):
    p = linked(make_predictor(n_areas=N_AREAS, n_draws=20_000, kind="latent"))
    sd = np.full(p.n_draws, 0.2)
    effects = list(p.effects)
    effects[LINK] = replace(effects[LINK], sd=sd, below_sd=2 * sd)
    effects[3] = replace(effects[3], sd=2 * sd)
    p = replace(p, effects=tuple(effects))
    deviation = rows_of(p, LINK)[p.effects[3].parent] + rows_of(p, 3)
    inside = np.flatnonzero(p.effects[3].parent == 11)
    covariance = np.cov(deviation[inside])
    assert np.allclose(covariance, 0.04 + 0.16 * np.eye(len(inside)), atol=5 * 0.2 * np.sqrt(2 / p.n_draws))


def test_blocks_orders_and_table_order_change_no_bit(predictor):
    whole = Projector(predictor).block(np.arange(N_AREAS)).values
    for size in (1, 7, 50):
        parts = [Projector(predictor).block(np.arange(i, min(i + size, N_AREAS))).values
                 for i in range(0, N_AREAS, size)]  # fmt: skip
        assert np.array_equal(np.vstack(parts), whole)
    order = np.random.default_rng(0).permutation(N_AREAS)
    own = predictor.effects[3]
    moved = replace(own, all_labels=tuple(own.all_labels[k] for k in order), parent=own.parent[order],
                    share=own.share[order], lookup=np.argsort(order).reshape(-1, 1))  # fmt: skip
    effects = (*predictor.effects[:3], moved, *predictor.effects[4:])
    assert np.array_equal(Projector(replace(predictor, effects=effects)).block(np.arange(N_AREAS)).values, whole)


def test_some_areas_alone_have_the_same_draws(predictor):
    rows = np.array([3, 17, 18, 59])
    whole = Projector(predictor).block(np.arange(N_AREAS)).values
    part = only(predictor, rows)
    assert len(part.effects[3].all_labels) < N_AREAS
    assert np.array_equal(Projector(part).block(np.arange(4)).values, whole[rows])


def test_release_and_draws_are_those_of_the_run(predictor, tmp_path):
    write_release(tmp_path, predictor, (Standard(np.zeros(N_DRAWS), np.ones(N_DRAWS), 1),))
    back = read_release(tmp_path).predictor
    ours, theirs = (AreaDraws(p).aggregate("district").draws() for p in (predictor, back))
    assert np.array_equal(ours, theirs)
    assert np.array_equal(Projector(back).block(np.arange(N_AREAS)).values,
                          Projector(predictor).block(np.arange(N_AREAS)).values)  # fmt: skip


def test_a_release_without_the_linked_effect_is_refused(predictor, tmp_path):
    lacking = replace(predictor, effects=(*predictor.effects[:LINK], *predictor.effects[LINK + 1 :]))
    write_release(tmp_path, lacking, (Standard(np.zeros(N_DRAWS), np.ones(N_DRAWS), 1),))
    with pytest.raises(DataError, match="what it needs of 'district' is missing"):
        read_release(tmp_path)
