"""Who computes blocks of areas: threads of this process, or workers elsewhere. The numbers are the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Task(Protocol[T_co]):
    """Something that is being computed."""

    def result(self) -> T_co:
        """Wait for it."""


class Crew(Protocol):
    """Where blocks are computed."""

    @property
    def ahead(self) -> int:
        """Blocks worth having under way at the same time."""

    def share(self, value: Any) -> Any:
        """Give every worker something that many blocks need; the result stands for it in ``submit``."""

    def submit(self, function: Callable[..., T], *arguments: Any) -> Task[T]:
        """Start a pure function of a module's top level."""


class Threads:
    """Threads of this process: nothing is copied.

    Parameters
    ----------
    pool : Executor
    threads : int
    """

    def __init__(self, pool: Executor, threads: int) -> None:
        self._pool = pool
        self.ahead = threads

    def share(self, value: Any) -> Any:
        """See :class:`Crew`."""
        return value

    def submit(self, function: Callable[..., T], *arguments: Any) -> Task[T]:
        """See :class:`Crew`."""
        return self._pool.submit(function, *arguments)
