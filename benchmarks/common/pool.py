"""Cells of a study done two at a time, each in a process of its own that lasts for the whole study."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Any

from common.study import Cell

THREADS = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

PROCESSES = 2

Work = Callable[[Cell], Mapping[str, Any]]


class TwoAtATime:
    """The ``work`` of `Study.run`: while one cell's result is waited for, the next is computed.

    Parameters
    ----------
    work : callable
        Of a module's top level; takes a cell, returns its columns.
    cells : sequence of mapping
        As passed to `Study.run`, in the same order.
    threads : int
        Over both processes; where it is 1 the cells are done here, one by one.
    """

    def __init__(self, work: Work, cells: Sequence[Cell], threads: int) -> None:
        self._work, self._alone = work, threads == 1
        self._coming = deque(cells)
        self._running: deque[tuple[Cell, Future[Mapping[str, Any]]]] = deque()
        self._each = max(1, threads // PROCESSES)

    def __enter__(self) -> TwoAtATime:
        # a process that is spawned reads these before it loads any library
        os.environ.update(dict.fromkeys(THREADS, str(self._each)))
        self._pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"))
        return self

    def __call__(self, cell: Cell) -> Mapping[str, Any]:
        """The columns of a cell; those before it that nobody asked for were finished already."""
        if self._alone:
            return self._work(cell)
        while self._running and self._running[0][0] != cell:
            self._running.popleft()[1].cancel()
        if not self._running:
            while self._coming[0] != cell:
                self._coming.popleft()
        while self._coming and len(self._running) <= PROCESSES:
            following = self._coming.popleft()
            self._running.append((following, self._pool.submit(self._work, following)))
        return self._running.popleft()[1].result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
