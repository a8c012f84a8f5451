"""How every kernel is compiled: cached on disk, without the interpreter's lock, reproducible to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function of numpy arrays.

    A product may be fused with the sum that takes it, but sums are never reordered: an element's value does not depend
    on where in an array it stands.
    """
    compiled: F = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function)
    return compiled


def inlined(function: F) -> F:
    """Compile a small function that only kernels call; it becomes part of them."""
    compiled: F = numba.njit(nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")(function)
    return compiled
