"""Varying slopes: an effect times a column, wherever the two vary, drawn anew where nobody answered."""

import dataclasses
import json

import numpy as np
import pytest

from placewise.errors import DataError
from placewise.estimates.effects import EffectSource
from placewise.estimates.projector import Projector
from placewise.estimates.release import read_release, write_release
from placewise.estimates.summarise import summarise


def values(projector, rows=None):
    rows = np.arange(len(projector.predictor.codes)) if rows is None else rows
    return projector.block(rows).values.astype(float) + projector.origin


@pytest.mark.parametrize("kind", ["share", "top", "middle", "score", "normal", "count", "latent"])
@pytest.mark.parametrize(("frame", "mixed"), [(True, True), (True, False), (False, False)])
def test_rates_with_slopes_equal_brute_force(make_predictor, with_slopes, brute, kind, frame, mixed):
    p = with_slopes(make_predictor(kind=kind, frame=frame, mixed=mixed))
    rate, _ = brute(p)
    assert np.allclose(values(Projector(p, people=False)), rate, atol=2e-6, rtol=2e-6)


def test_each_slope_alone_equals_brute_force(make_predictor, with_slopes, brute):
    p = with_slopes(make_predictor(kind="latent"))
    without = tuple(e for e in p.effects if not e.scaled)
    assert len(p.effects) - len(without) == 10
    for effect in p.effects[len(without) :]:
        one = dataclasses.replace(p, effects=(*without, effect))
        plain = dataclasses.replace(p, effects=without)
        rate, _ = brute(one)
        assert np.allclose(values(Projector(one)), rate, atol=2e-6), effect.name
        assert np.abs(values(Projector(one)) - values(Projector(plain))).max() > 0.1, effect.name


def test_blocks_of_slopes_change_no_bit(make_predictor, with_slopes):
    p = with_slopes(make_predictor(n_areas=83, n_draws=301))
    projector = Projector(p)
    whole = projector.block(np.arange(83)).values
    for size in (1, 7, 50):
        parts = [projector.block(np.arange(i, min(i + size, 83))).values for i in range(0, 83, size)]
        assert np.array_equal(np.vstack(parts), whole)
    shuffled = np.random.default_rng(0).permutation(83)
    assert np.array_equal(projector.block(shuffled).values, whole[shuffled])
    assert np.array_equal(Projector(p).block(np.arange(83)).values, whole)


def test_slopes_leave_the_draws_of_other_effects_alone(make_predictor, with_slopes):
    p = make_predictor(kind="latent", n_areas=90)
    more = with_slopes(p)
    still = [dataclasses.replace(e, draws=0 * e.draws, sd=0 * e.sd) if e.scaled else e for e in more.effects]
    zero = dataclasses.replace(more, effects=tuple(still))
    assert np.allclose(values(Projector(zero)), values(Projector(p)), atol=1e-6)


def test_new_levels_have_the_correlations_and_sds_of_the_model(make_predictor):
    p = make_predictor(n_areas=600, n_draws=400, kind="latent")
    own = next(e for e in p.effects if e.name == "oa")
    loading = np.tile([-0.6, 0.8], (400, 1))
    slope = dataclasses.replace(own, name="x|oa", along=("oa",), loading=loading, area_x=np.ones(600))
    third = np.tile([0.3, 0.5, np.sqrt(1 - 0.09 - 0.25)], (400, 1))
    other = dataclasses.replace(own, name="z|oa", along=("oa", "x|oa"), loading=third, area_x=np.ones(600))
    drawn = []
    for effect in (own, slope, other):
        out = np.empty((400, 400), np.float32)
        EffectSource(effect, p.seed).fill(np.arange(200, 600), out)
        drawn.append((out / effect.sd).ravel().astype(float))
    expected = np.array([[1, -0.6, 0.3], [-0.6, 1, -0.6 * 0.3 + 0.8 * 0.5], [0.3, 0.22, 1]])
    assert np.cov(drawn) == pytest.approx(expected, abs=4 * 400**-1)


def test_a_release_gives_slopes_again_to_the_last_bit(make_predictor, with_slopes, tmp_path):
    p = with_slopes(make_predictor(n_draws=60))
    write_release(tmp_path, p, (summarise(p).standard,))
    again = read_release(tmp_path).predictor
    rows = np.arange(60)
    assert np.array_equal(Projector(again).block(rows).values, Projector(p).block(rows).values)
    for mine, theirs in zip(p.effects, again.effects, strict=True):
        assert (mine.along, mine.scaled) == (theirs.along, theirs.scaled)


def test_a_release_whose_slopes_do_not_fit_is_refused(make_predictor, with_slopes, tmp_path):
    p = with_slopes(make_predictor(n_draws=20))
    write_release(tmp_path, p, (summarise(p).standard,))
    written = (tmp_path / "release.json").read_text()
    facts = json.loads(written)
    k = next(k for k, e in enumerate(facts["effects"]) if len(e["along"]) == 1)
    facts["effects"][k]["along"] = ["a", "b"]
    (tmp_path / "release.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match=rf"effect{k}.loading has shape \(20, 2\), expected \(20, 3\)"):
        read_release(tmp_path)
    facts["effects"][0]["along"] = ["a"]
    (tmp_path / "release.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="arrays of effect 'region' are missing"):
        read_release(tmp_path)
