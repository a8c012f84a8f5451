"""The exponential of float32 on whole vectors, the same on every machine.

Argument reduced by multiples of log 2 (Cody and Waite), then the Taylor polynomial of degree 7 on |r| ≤ log(2) / 2;
relative error below 2e-7.
"""

from __future__ import annotations

import numpy as np

from placewise.kernels.compile import kernel

_LOG2_E = np.float32(1.44269504)
_LOG2_HIGH = np.float32(0.693359375)
_LOG2_LOW = np.float32(-2.12194440e-4)
_HALF = np.float32(0.5)
_C7, _C6, _C5 = np.float32(1 / 5040), np.float32(1 / 720), np.float32(1 / 120)
_C4, _C3, _ONE = np.float32(1 / 24), np.float32(1 / 6), np.float32(1)
_BIAS = np.int32(127)
_SHIFT = np.int32(23)


@kernel
def exp_row(values: np.ndarray, n: int, bits: np.ndarray) -> None:
    """Replace the first n values, float32 between -87 and 88, by their exponentials; ``bits`` is int32 scratch."""
    power = bits.view(np.float32)
    for s in range(n):
        x = values[s]
        k = np.floor(x * _LOG2_E + _HALF)
        r = (x - k * _LOG2_HIGH) - k * _LOG2_LOW
        p = ((((_C7 * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _HALF
        values[s] = (p * r + _ONE) * r + _ONE
        bits[s] = (np.int32(k) + _BIAS) << _SHIFT
    for s in range(n):
        values[s] *= power[s]
