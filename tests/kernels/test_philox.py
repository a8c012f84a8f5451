import numpy as np
import pytest
from scipy import stats

from placewise.kernels.philox import (
    combined_normal_rows,
    label_hashes,
    normal_rows,
    philox_block,
    stream_key,
    uniform_row,
)

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ONES] * 4, [ONES] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_known_answers(counter, key, expected):
    found = philox_block(np.array(counter, np.uint64), np.array(key, np.uint64))
    assert found.tolist() == expected


def test_uniforms_are_the_words_of_their_counters():
    key, label = stream_key(7, "people"), label_hashes(["E00000001"])[0]
    found = np.empty(11)
    uniform_row(key, label, found)
    low, high = np.uint64(0xFFFFFFFF), np.uint64(32)
    words = [
        philox_block(
            np.array([label & low, label >> high, b, 0], np.uint64), np.array([key & low, key >> high], np.uint64)
        )
        for b in range(3)
    ]
    assert found.tolist() == ((np.concatenate(words)[:11].astype(float) + 0.5) * 2.0**-32).tolist()


def test_a_longer_row_begins_with_the_shorter():
    key, label = stream_key(7, "people"), label_hashes(["a"])[0]
    short, long = np.empty(6), np.empty(1001)
    uniform_row(key, label, short)
    uniform_row(key, label, long)
    assert short.tolist() == long[:6].tolist()
    assert 0 < long.min() < 0.01 < 0.99 < long.max() < 1


def test_rows_are_normal_and_independent_of_each_other():
    labels = label_hashes([f"area {i}" for i in range(200)])
    out = np.empty((200, 1000), np.float32)
    normal_rows(stream_key(1, "effect:oa"), labels, np.ones(1000), out, np.arange(200))
    assert stats.kstest(out.ravel().astype(float), "norm").pvalue > 1e-3
    assert abs(out.mean()) < 4 / np.sqrt(out.size)
    off_diagonal = np.corrcoef(out)[np.triu_indices(200, 1)]
    assert off_diagonal.std() == pytest.approx(1000**-0.5, rel=0.05)


def test_streams_seeds_and_labels_differ():
    def first(seed, stream, label):
        out = np.empty(4)
        uniform_row(stream_key(seed, stream), label_hashes([label])[0], out)
        return out[0]

    values = {first(1, "a", "x"), first(2, "a", "x"), first(1, "b", "x"), first(1, "a", "y"), first(11, "a", "x")}
    assert len(values) == 5


def test_sd_scales_each_draw_and_rows_go_where_told():
    labels = label_hashes(["x", "y"])
    sd = np.array([0.0, 1.0, 2.0, 0.5, 3.0])
    one, scaled = np.zeros((2, 5), np.float32), np.zeros((3, 5), np.float32)
    normal_rows(stream_key(1, "g"), labels, np.ones(5), one, np.array([0, 1]))
    normal_rows(stream_key(1, "g"), labels, sd, scaled, np.array([2, 0]))
    assert np.allclose(scaled[[2, 0]], one * sd, rtol=1e-6)
    assert (scaled[1] == 0).all()


def test_combined_rows_are_the_weighted_sum_of_their_streams():
    labels, keys = label_hashes(["x", "y"]), np.array([stream_key(1, s) for s in ("g", "h")])
    weights = np.array([[0.0, 1.0, -0.6, 2.0, 0.1], [1.0, 0.0, 0.8, 3.0, 0.2]])
    single = np.zeros((2, 2, 5), np.float32)
    for j, key in enumerate(keys):
        normal_rows(key, labels, np.ones(5), single[j], np.array([0, 1]))
    out = np.zeros((3, 5), np.float32)
    combined_normal_rows(keys, labels, weights, out, np.array([2, 0]))
    assert np.allclose(out[[2, 0]], np.einsum("js,jis->is", weights, single), atol=1e-6)
    assert (out[1] == 0).all()
    one = np.zeros((3, 5), np.float32)
    combined_normal_rows(keys[:1], labels, weights[:1], one, np.array([2, 0]))
    plain = np.zeros((3, 5), np.float32)
    normal_rows(keys[0], labels, weights[0], plain, np.array([2, 0]))
    assert np.array_equal(one, plain)
