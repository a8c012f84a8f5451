"""Cells of a study done ahead of the one that is waited for: on processes of this machine, or on workers elsewhere."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from types import TracebackType
from typing import Any

from common.study import Cell
from placewise.estimates.crew import Task
from placewise.pipeline.workers import LOCAL, crew_at

THREADS = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

Work = Callable[[Cell], Mapping[str, Any]]


class Ahead:
    """The ``work`` of `Study.run`: while one cell's result is waited for, the next are computed.

    Parameters
    ----------
    work : callable
        Of a module's top level; takes a cell, returns its columns.
    cells : sequence of mapping
        As passed to `Study.run`, in the same order.
    threads : int
        Over all processes; where it is 1 and there is no scheduler the cells are done here, one by one.
    jobs : int
        Processes of this machine, each of which lasts for the whole study.
    scheduler : str, optional
        Of dask workers that take their place: an address, or ``local`` for ``jobs`` of this machine.
    """

    def __init__(
        self, work: Work, cells: Sequence[Cell], threads: int, jobs: int = 2, scheduler: str | None = None
    ) -> None:
        self._work, self._alone = work, threads == 1 and scheduler is None
        self._coming = deque(cells)
        self._running: deque[tuple[Cell, Task[Mapping[str, Any]]]] = deque()
        self._threads, self._jobs, self._scheduler = threads, jobs, scheduler

    def __enter__(self) -> Ahead:
        # a process that is spawned reads these before it loads any library
        os.environ.update(dict.fromkeys(THREADS, str(max(1, self._threads // self._jobs))))
        self._stack = ExitStack()
        crew = self._stack.enter_context(crew_at(self._scheduler, self._jobs))
        if crew is not None:
            self._submit, self._most = crew.submit, crew.ahead
        elif not self._alone:
            pool = ProcessPoolExecutor(self._jobs, get_context("spawn"))
            self._stack.callback(pool.shutdown, cancel_futures=True)
            self._submit, self._most = pool.submit, self._jobs
        return self

    def __call__(self, cell: Cell) -> Mapping[str, Any]:
        """The columns of a cell; those before it that nobody asked for were finished already."""
        if self._alone:
            return self._work(cell)
        while self._running and self._running[0][0] != cell:
            passed = self._running.popleft()[1]
            if isinstance(passed, Future):
                passed.cancel()
        if not self._running:
            while self._coming[0] != cell:
                self._coming.popleft()
        while self._coming and len(self._running) <= self._most:
            following = self._coming.popleft()
            self._running.append((following, self._submit(self._work, following)))
        return self._running.popleft()[1].result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.clear()
        self._stack.close()


def add_workers(parser: Any) -> None:
    """Options of studies that are done in several places at once."""
    parser.add_argument("--jobs", type=int, default=2, help="cells at the same time (default 2)")
    parser.add_argument("--scheduler", help=f"of dask workers that do the cells: tcp://host:8786, or {LOCAL}")
