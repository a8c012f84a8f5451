"""Random numbers by counter: the number of a key, a label and a draw is a function of these three and nothing else.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3". The key comes from
the seed and the stream's name, the counter from a hash of the label and the draw's number; one block of four words
serves four consecutive draws.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from placewise.kernels.compile import inlined, kernel
from placewise.kernels.normal import ndtri_row

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_TO_UNIT = 2.0**-32


def stream_key(seed: int, stream: str) -> np.uint64:
    """Key of a stream of random numbers.

    Parameters
    ----------
    seed : int
        The project's seed.
    stream : str
        What the numbers are for, e.g. ``"effect:lad22cd"``.

    Returns
    -------
    uint64
        First 64 bits of BLAKE2b of both.
    """
    return np.uint64(int.from_bytes(blake2b(f"{seed}\x1f{stream}".encode(), digest_size=8).digest(), "little"))


def label_hashes(labels: Iterable[str]) -> np.ndarray:
    """First 64 bits of BLAKE2b of each label's UTF-8 text, uint64."""
    digests = b"".join(blake2b(str(label).encode(), digest_size=8).digest() for label in labels)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


@inlined
def _philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0 = (p1 >> _HALF) ^ c1 ^ k0
        c1 = p1 & _LOW
        c2 = (p0 >> _HALF) ^ c3 ^ k1
        c3 = p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@kernel
def philox_block(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Four words of 32 bits for one counter (4 words) and key (2 words); all uint64 arrays holding 32-bit values."""
    out = np.empty(4, np.uint64)
    out[0], out[1], out[2], out[3] = _philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])
    return out


@kernel
def uniform_row(key: np.uint64, label: np.uint64, out: np.ndarray) -> None:
    """Fill ``out``, float64 of shape (S,), with uniforms strictly inside (0, 1) for draws 0, 1, …, S - 1."""
    c0 = label & _LOW
    c1 = label >> _HALF
    k0 = key & _LOW
    k1 = key >> _HALF
    whole = out.shape[0] // 4
    for b in range(whole):
        w0, w1, w2, w3 = _philox(c0, c1, np.uint64(b), np.uint64(0), k0, k1)
        out[4 * b] = (np.float64(w0) + 0.5) * _TO_UNIT
        out[4 * b + 1] = (np.float64(w1) + 0.5) * _TO_UNIT
        out[4 * b + 2] = (np.float64(w2) + 0.5) * _TO_UNIT
        out[4 * b + 3] = (np.float64(w3) + 0.5) * _TO_UNIT
    if 4 * whole < out.shape[0]:
        words = _philox(c0, c1, np.uint64(whole), np.uint64(0), k0, k1)
        for j in range(4 * whole, out.shape[0]):
            out[j] = (np.float64(words[j - 4 * whole]) + 0.5) * _TO_UNIT


@kernel
def normal_rows(key: np.uint64, labels: np.ndarray, sd: np.ndarray, out: np.ndarray, rows: np.ndarray) -> None:
    """Draw effects from their group's distribution, N(0, sd²).

    Parameters
    ----------
    key : uint64
        Of the group's stream.
    labels : ndarray of uint64, shape (m,)
        Hashes of the levels to draw.
    sd : ndarray of float64, shape (S,)
        The group's standard deviation in each draw.
    out : ndarray of float32, shape (r, S)
        Where they go.
    rows : ndarray of int64, shape (m,)
        Row of ``out`` of each level.
    """
    n = sd.shape[0]
    uniform = np.empty(n)
    normal = np.empty(n)
    for i in range(labels.shape[0]):
        uniform_row(key, labels[i], uniform)
        ndtri_row(uniform, normal)
        row = out[rows[i]]
        for s in range(n):
            row[s] = sd[s] * normal[s]


@kernel
def combined_normal_rows(
    keys: np.ndarray, labels: np.ndarray, weights: np.ndarray, out: np.ndarray, rows: np.ndarray
) -> None:
    """Draw effects that are correlated with others of their level: sums of several streams' normals.

    Parameters
    ----------
    keys : ndarray of uint64, shape (k,)
        Of the streams.
    labels : ndarray of uint64, shape (m,)
        Hashes of the levels to draw.
    weights : ndarray of float64, shape (k, S)
        Weight of each stream's normals in each draw.
    out : ndarray of float32, shape (r, S)
        Where they go.
    rows : ndarray of int64, shape (m,)
        Row of ``out`` of each level.
    """
    n = weights.shape[1]
    uniform = np.empty(n)
    normal = np.empty(n)
    total = np.empty(n)
    for i in range(labels.shape[0]):
        total[:] = 0.0
        for j in range(keys.shape[0]):
            uniform_row(keys[j], labels[i], uniform)
            ndtri_row(uniform, normal)
            weight = weights[j]
            for s in range(n):
                total[s] += weight[s] * normal[s]
        row = out[rows[i]]
        for s in range(n):
            row[s] = total[s]
