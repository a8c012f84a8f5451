"""Work in blocks over areas, on a few threads, in order and with few blocks in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import TypeVar

from placewise.estimates.crew import Task

T = TypeVar("T")

_VALUES = 4_000_000  # areas × draws of a block: 16 MB


def block_size(n_draws: int) -> int:
    """Areas of a block, so that a block takes about 16 MB."""
    return max(16, _VALUES // max(n_draws, 1))


def spans(total: int, size: int) -> list[tuple[int, int]]:
    """Consecutive (start, stop), each of at most ``size``, that cover ``total``."""
    return [(start, min(start + size, total)) for start in range(0, total, size)]


def in_order(
    work: Callable[[int, int], T], parts: list[tuple[int, int]], pool: Executor, threads: int
) -> Iterator[tuple[int, int, T]]:
    """Run ``work(start, stop)`` on a pool and give results in order; at most threads + 1 of them wait in memory."""
    return in_turn(lambda start, stop: pool.submit(work, start, stop), parts, threads)


def in_turn(
    submit: Callable[[int, int], Task[T]], parts: list[tuple[int, int]], ahead: int
) -> Iterator[tuple[int, int, T]]:
    """Start the parts and give results in order; at most ahead + 1 of them are under way or wait."""
    waiting: deque[tuple[int, int, Task[T]]] = deque()
    for start, stop in parts:
        waiting.append((start, stop, submit(start, stop)))
        if len(waiting) > ahead:
            first, last, future = waiting.popleft()
            yield first, last, future.result()
    for first, last, future in waiting:
        yield first, last, future.result()
