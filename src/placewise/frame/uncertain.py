"""Margins that are not certain, drawn anew for each replicate of the frame.

Counts with noise of a known size (cell-key perturbation, rounding) are drawn from a normal around what was published;
margins that a sample estimated from a Dirichlet around their shares. What was published as empty stays empty. The draws
follow from seed, replicate, margin and area code alone: neither the order nor the number of areas changes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaincinv, ndtri

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.frame.cells import Frame
from placewise.frame.margins import Margin
from placewise.frame.raking import Raking, rake
from placewise.kernels.philox import label_hashes, stream_key, uniform_row


@dataclass(frozen=True)
class CellNoise:
    """Each count is off by a normal error, people.

    Parameters
    ----------
    sd : float
        Its standard deviation.
    """

    sd: float


@dataclass(frozen=True)
class SampleNoise:
    """The shares of each area were estimated from a sample.

    Parameters
    ----------
    size : float
        Its effective number of people in each area.
    """

    size: float


Noise = Mapping[str, CellNoise | SampleNoise]


def replicates(raking: Raking, noise: Noise, n: int, seed: int) -> Iterator[Frame]:
    """Frames whose uncertain margins are drawn anew, one after the other; their cells are the same.

    Parameters
    ----------
    raking : Raking
        Margins and seed.
    noise : mapping of str to CellNoise or SampleNoise
        By margin, as ``"age"`` or ``"sex × age"``; margins that are not named stay as published.
    n : int
        Number of frames.
    seed : int
        Of the random numbers.

    Raises
    ------
    ConfigurationError
        There is no such margin, or a size of noise that is not above 0.
    DataError
        A replicate's margins contradict each other.
    """
    _check(raking, noise)
    for replicate in range(n):
        problems = Problems()
        margins = tuple(
            redrawn(margin, noise[margin.name], raking.areas.codes, seed, replicate) if margin.name in noise else margin
            for margin in raking.margins
        )
        frame = rake(replace(raking, margins=margins), problems)
        problems.raise_if_any()
        assert frame is not None
        yield frame


def redrawn(margin: Margin, noise: CellNoise | SampleNoise, codes: np.ndarray, seed: int, replicate: int) -> Margin:
    """One draw of an uncertain margin.

    Parameters
    ----------
    margin : Margin
        As published.
    noise : CellNoise or SampleNoise
        How far it may be off.
    codes : ndarray of object, shape (A,)
        Areas.
    seed, replicate : int
        Of the random numbers.

    Returns
    -------
    Margin
        Counts at or above 0; an area of which nothing would be left is as published.
    """
    uniform = np.empty(margin.counts.shape)
    key = stream_key(seed, f"margin:{margin.name}:{replicate}")
    for label, row in zip(label_hashes(codes), uniform, strict=True):
        uniform_row(key, label, row)
    published = margin.counts
    if isinstance(noise, CellNoise):
        drawn = np.maximum(published + noise.sd * ndtri(uniform), 0.0)
    else:
        total = published.sum(axis=1, keepdims=True)
        shape = noise.size * np.divide(published, total, out=np.zeros_like(published), where=total > 0)
        weight = gammaincinv(np.where(shape > 0, shape, 1.0), uniform)
        weight[shape == 0] = 0.0
        drawn = total * np.divide(weight, weight.sum(axis=1, keepdims=True), out=np.zeros_like(weight), where=total > 0)
    drawn[published == 0] = 0.0
    gone = ~(drawn.sum(axis=1) > 0)
    drawn[gone] = published[gone]
    return replace(margin, counts=drawn)


def _check(raking: Raking, noise: Noise) -> None:
    known = [margin.name for margin in raking.margins]
    problems = [
        Problem("noise", f"there is no margin {name!r}", nearest(name, known)) for name in noise if name not in known
    ]
    for name, kind in noise.items():
        size = kind.sd if isinstance(kind, CellNoise) else kind.size
        if not (size > 0 and np.isfinite(size)):
            problems.append(Problem("noise", f"the noise of {name!r} is {size:g}, expected a number above 0"))
    if problems:
        raise ConfigurationError(problems)
