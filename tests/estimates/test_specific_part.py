"""Slopes that differ by cutpoint and sds that differ by class, projected; crossed cutpoints sorted and counted."""

import dataclasses

import numpy as np
import pytest

from placewise.estimates.crossings import crossed_share
from placewise.estimates.describe import Standard
from placewise.estimates.predictor import Estimand
from placewise.estimates.projector import Projector
from placewise.estimates.release import read_release, write_release


def values(projector, rows=None):
    rows = np.arange(len(projector.predictor.codes)) if rows is None else rows
    return projector.block(rows).values.astype(float)


def _specific(predictor, kind, size=0.15, columns=None):
    """The same with slopes that differ by cutpoint, for columns over areas, over cells and over both."""
    rng = np.random.default_rng(8)
    s, columns = predictor.n_draws, np.arange(predictor.beta.shape[0]) if columns is None else np.array(columns)
    cuts = np.sort(rng.normal(0, 0.05, (3, s)) + np.array([-1.0, 0.2, 1.4])[:, None], axis=0)
    deviations = rng.normal(0, size, (3, len(columns), s))
    weights = {"top": [0.0, 0.0, -1.0], "middle": [-1.0, 0.0, 1.0], "bottom": [1.0, 0.0, 0.0]}
    if kind == "score":
        estimand = Estimand(
            "", "mean", "logit", 4.0, -np.ones(3), 16.0, -np.array([3.0, 5.0, 7.0]), cuts, lower=1.0, upper=4.0
        )
    else:
        constant = 1.0 if kind == "top" else 0.0
        estimand = Estimand("", "share", "logit", constant, np.array(weights[kind]), cuts=cuts)
    estimand = dataclasses.replace(estimand, deviations=deviations)
    return dataclasses.replace(predictor, estimands=(estimand,), specific=columns)


def _crossings(predictor):
    """Areas × draws with a crossing, by brute force."""
    p, e = predictor, predictor.estimands[0]
    count = 0
    for a in range(len(p.codes)):
        cells = p.cell[p.indptr[a] : p.indptr[a + 1]][p.count[p.indptr[a] : p.indptr[a + 1]] > 0]
        x = p.area_x[a].astype(float) * p.cell_x[cells]
        cuts = e.cuts[None] - np.einsum("ck,jks->cjs", x[:, p.specific], e.deviations)
        count += (np.diff(cuts, axis=1) < 0).any(axis=(0, 1)).sum()
    return count


@pytest.mark.parametrize("kind", ["top", "middle", "bottom", "score"])
@pytest.mark.parametrize(("frame", "mixed"), [(True, True), (True, False), (False, False)])
def test_rates_and_variances_equal_brute_force(make_predictor, brute, kind, frame, mixed):
    p = _specific(make_predictor(frame=frame, mixed=mixed), kind)
    rate, variance = brute(p)
    assert np.allclose(values(Projector(p, people=False)), rate, atol=1e-6, rtol=1e-6)
    chance = Projector(p).block(np.arange(60)).chance
    assert np.allclose(chance, (variance / p.population[:, None]).mean(axis=1), rtol=2e-5)


@pytest.mark.parametrize("columns", [[0], [1], [2], [2, 0]])
def test_each_kind_of_column_finds_its_deviations(make_predictor, brute, columns):
    p = _specific(make_predictor(), "middle", columns=columns)
    assert np.allclose(values(Projector(p, people=False)), brute(p)[0], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", ["middle", "top", "score"])
def test_crossed_cutpoints_are_sorted_and_counted(make_predictor, brute, kind):
    p = _specific(make_predictor(), kind, size=0.9)
    assert np.allclose(values(Projector(p, people=False)), brute(p)[0], atol=1e-6, rtol=1e-6)
    expected = _crossings(p)
    assert 100 < expected < 60 * 40
    assert Projector(p).block(np.arange(60)).crossed == expected
    assert crossed_share(p) == expected / (60 * 40)


def test_cells_without_people_do_not_cross(make_predictor):
    p = _specific(make_predictor(mixed=False), "score", columns=[1])
    far = p.estimands[0].deviations.copy()
    far[0] = -50.0  # where the cell's column is not 0, the first cutpoint leaps over the others
    count = np.where(p.cell_x[p.cell, 1] > 0, 0.0, p.count + 1.0)
    estimand = dataclasses.replace(p.estimands[0], deviations=far)
    p = dataclasses.replace(p, estimands=(estimand,), count=count)
    whole = np.add.reduceat(count, p.indptr[:-1]) > 0
    assert whole.sum() > 30
    p = dataclasses.replace(p, count=np.where(np.repeat(whole, np.diff(p.indptr)), count, 1.0))
    assert Projector(p).block(np.flatnonzero(whole)).crossed == 0


def test_no_deviation_is_proportional_odds_and_nothing_crosses(make_predictor):
    p = _specific(make_predictor(), "middle", size=0.0)
    plain = dataclasses.replace(p, estimands=(dataclasses.replace(p.estimands[0], deviations=None),))
    assert np.allclose(values(Projector(p)), values(Projector(plain)), atol=1e-6)
    assert crossed_share(p) == 0.0
    assert crossed_share(plain) is None


def test_blocks_change_no_bit(make_predictor):
    p = _specific(make_predictor(n_areas=83, n_draws=301), "score", size=0.5)
    projector = Projector(p)
    whole = projector.block(np.arange(83)).values
    parts = [projector.block(np.arange(i, min(i + 7, 83))).values for i in range(0, 83, 7)]
    assert np.array_equal(np.vstack(parts), whole)


def _by_class(predictor):
    """The same with three classes of areas, whose own effects have sds 1, .3 and 3 times the common one."""
    rng = np.random.default_rng(2)
    own = predictor.effects[3]
    scale = np.array([1.0, 0.3, 3.0])[:, None] * np.exp(rng.normal(0, 0.1, (3, predictor.n_draws)))
    own = dataclasses.replace(own, scale=scale, scale_class=np.arange(len(own.all_labels)) % 3)
    return dataclasses.replace(predictor, effects=(*predictor.effects[:3], own, *predictor.effects[4:]))


def test_new_areas_are_drawn_with_the_sd_of_their_class(make_predictor, brute):
    p = _by_class(make_predictor(n_areas=90, n_draws=500, kind="latent"))
    found = values(Projector(p)) + Projector(p).origin
    assert np.allclose(found, brute(p)[0], atol=1e-5)
    without = dataclasses.replace(p, effects=tuple(e for e in p.effects if e.name != "oa"))
    own = found - values(Projector(without)) - Projector(without).origin
    effect = p.effects[3]
    for k in range(3):
        new = np.arange(30, 90)[effect.scale_class[30:] == k]
        assert (own[new] / (effect.sd * effect.scale[k])).std() == pytest.approx(1, abs=0.03)


def test_a_release_keeps_both(make_predictor, tmp_path):
    p = _by_class(_specific(make_predictor(), "score", size=0.5))
    write_release(tmp_path, p, (Standard(np.zeros(40), np.ones(40), 1),))
    again = read_release(tmp_path).predictor
    assert np.array_equal(Projector(again).block(np.arange(60)).values, Projector(p).block(np.arange(60)).values)
