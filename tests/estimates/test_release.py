import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from placewise.errors import DataError
from placewise.estimates.projector import Projector
from placewise.estimates.release import read_release, write_release
from placewise.estimates.summarise import summarise


@pytest.fixture
def written(make_predictor, tmp_path):
    predictor = make_predictor(n_draws=60, kind="score")
    summary = summarise(predictor)
    write_release(tmp_path, predictor, (summary.standard,))
    return predictor, summary, tmp_path


@pytest.mark.parametrize("kind", ["share", "score", "smooth", "normal", "count", "latent"])
def test_draws_come_back_to_the_last_bit(make_predictor, tmp_path, kind):
    p = make_predictor(n_draws=60, kind=kind)
    write_release(tmp_path, p, (summarise(p).standard,))
    again = read_release(tmp_path).predictor
    rows = np.arange(60)
    assert np.array_equal(Projector(again).block(rows).values, Projector(p).block(rows).values)


def test_a_release_is_read_from_a_path_given_as_text(written):
    predictor, _, folder = written
    assert read_release(str(folder)).predictor.codes.tolist() == predictor.codes.tolist()


def test_a_failed_fit_s_release_says_so(written, tmp_path_factory):
    predictor, summary, folder = written
    assert not read_release(folder).failed
    failed = tmp_path_factory.mktemp("failed")
    write_release(failed, predictor, (summary.standard,), failed=True)
    assert read_release(failed).failed


def test_names_come_back_where_there_are_any(written, tmp_path_factory):
    predictor, summary, folder = written
    assert read_release(folder).names == {}
    named, (first, second) = tmp_path_factory.mktemp("named"), predictor.codes[:2]
    write_release(named, predictor, (summary.standard,), names={predictor.code: {first: "Upper Mill"}})
    names = read_release(named).names
    assert set(names) == {predictor.code}
    assert (names[predictor.code][first], names[predictor.code][second]) == ("Upper Mill", second)


def test_estimates_come_back_to_the_last_bit(written):
    _, summary, folder = written
    release = read_release(folder)
    again = summarise(release.predictor)
    pd.testing.assert_frame_equal(again.estimates, summary.estimates, check_exact=True)
    assert np.array_equal(release.standards[0].mean, summary.mu)
    assert np.array_equal(release.standards[0].sd, summary.sigma)


def test_bytes_depend_on_the_content_only(written, tmp_path_factory):
    predictor, summary, folder = written
    other = tmp_path_factory.mktemp("again")
    write_release(other, predictor, (summary.standard,))
    for path in folder.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()


def test_labels_are_kept_for_each_effect(written):
    predictor, _, folder = written
    again = read_release(folder).predictor
    assert [e.all_labels for e in again.effects] == [e.all_labels for e in predictor.effects]
    assert [e.labels for e in again.effects] == [e.labels for e in predictor.effects]


def test_levels_without_respondents_are_kept(make_predictor, tmp_path):
    p = make_predictor(n_draws=60)
    first = p.effects[0]
    met = np.arange(len(first.labels)) != 1
    p = dataclasses.replace(p, effects=(dataclasses.replace(first, met=met), *p.effects[1:]))
    write_release(tmp_path, p, (summarise(p).standard,))
    again = read_release(tmp_path).predictor
    assert np.array_equal(again.effects[0].met, met)
    assert all(e.met is None for e in again.effects[1:])


def test_altered_and_missing_files_are_named(written):
    *_, folder = written
    data = bytearray((folder / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "arrays.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"arrays.npz: SHA-256 .* expected"):
        read_release(folder)
    (folder / "arrays.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"arrays.npz: SHA-256 e3b0c44298fc…"):
        read_release(folder)
    (folder / "labels.parquet").unlink()
    with pytest.raises(DataError, match=r"labels.parquet is missing"):
        read_release(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "this is not JSON"), ("[1]", "release format None, expected 1"), ('{"format": 9}', "format 9")],
)
def test_a_bad_description_is_refused(written, text, message):
    *_, folder = written
    (folder / "release.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_release(folder)


def test_a_description_that_does_not_fit_the_arrays_is_refused(written):
    *_, folder = written
    facts = json.loads((folder / "release.json").read_text())
    facts["effects"][3]["with_draws"] += 1
    (folder / "release.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match=r"effect3.draws has shape \(20, 60\), expected \(21, 60\)"):
        read_release(folder)
    facts["levels"].append("county")
    (folder / "release.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="the release is incomplete"):
        read_release(folder)


def test_nothing_is_pickled(written):
    *_, folder = written
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)
