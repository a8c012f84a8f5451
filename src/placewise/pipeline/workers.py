"""Blocks of areas on workers of dask.distributed: other processes, on this machine or on others.

A worker that dies costs time only: blocks are pure functions, and what it was given is with the others, or is sent
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

from placewise.errors import ConfigurationError, Problem
from placewise.estimates.crew import Crew, Task
from placewise.pipeline.fingerprint import code_digest

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

LOCAL = "local"
CONNECT = 30  # seconds
SENT_AGAIN = 5  # times that what all workers have lost is given to new ones
DEATHS = 10  # workers that may die over one block


@contextmanager
def crew_at(scheduler: str | None, jobs: int) -> Iterator[Crew | None]:
    """Workers to compute blocks for as long as the context lasts.

    Parameters
    ----------
    scheduler : str or None
        Address of a running scheduler (``tcp://host:8786``); ``"local"`` for ``jobs`` new processes of this machine;
        None for none: threads of this process do the work.
    jobs : int
        Processes to start for ``"local"``.

    Raises
    ------
    ConfigurationError
        dask.distributed is not installed, or nobody answers.
    """
    if scheduler is None:
        yield None
        return
    try:
        import dask
        from distributed import Client, LocalCluster
    except ModuleNotFoundError as error:
        raise _problem("dask.distributed is not installed", "pip install 'placewise[scale]'") from error
    # a block's own ranks are larger than what dask takes for a mistake
    settings = {"admin.large-graph-warning-threshold": "1GiB", "scheduler.allowed-failures": DEATHS}
    with dask.config.set({f"distributed.{name}": value for name, value in settings.items()}):
        if scheduler == LOCAL:
            options = {
                "n_workers": jobs,
                "threads_per_worker": 1,
                "host": "127.0.0.1",
                "dashboard_address": "127.0.0.1:0",
            }
            with LocalCluster(processes=True, **options) as cluster, Client(cluster) as client:
                yield Workers(client)
            return
        try:
            client = Client(scheduler, timeout=CONNECT)
        except (OSError, ValueError) as error:
            hint = "start one with dask scheduler, and workers with dask worker; or give local"
            raise _problem(f"there is no scheduler at {scheduler!r}", hint) from error
        with client:
            if not client.nthreads():
                raise _problem(f"the scheduler at {scheduler!r} has no workers", f"dask worker {scheduler}")
            yield Workers(client)


class Workers:
    """A crew of dask workers.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.ahead = 2 * sum(client.nthreads().values())

    def share(self, value: Any) -> Any:
        """See :class:`Crew`."""
        return _Shared(self.client, value)

    def submit(self, function: Callable[..., T], *arguments: Any) -> Task[T]:
        """See :class:`Crew`."""
        return _Sent(self.client, function, arguments)


class _Shared:
    """Something every worker has a copy of; those that come later fetch it from the others."""

    def __init__(self, client: Client, value: Any) -> None:
        self._client, self._value = client, value
        self.send()

    def send(self) -> None:
        """Give it to every worker there is."""
        self.future = self._client.scatter(self._value, broadcast=True, hash=False)


class _Sent:
    """A block under way."""

    def __init__(self, client: Client, function: Callable[..., T], arguments: tuple[Any, ...]) -> None:
        self._client, self._function, self._arguments = client, function, arguments
        self._future = self._send()

    def _send(self) -> Any:
        given = [a.future if isinstance(a, _Shared) else a for a in self._arguments]
        return self._client.submit(alike, facts(), self._function, *given, pure=False)

    def result(self) -> Any:
        """Wait for it; send it again where every worker that had its data is gone."""
        from distributed import KilledWorker

        for _ in range(SENT_AGAIN):
            try:
                return self._future.result()
            except CancelledError:
                for argument in self._arguments:
                    if isinstance(argument, _Shared) and argument.future.cancelled():
                        argument.send()
                self._future = self._send()
            except KilledWorker as error:
                what = f"{DEATHS + 1} workers died over one block of areas"
                raise _problem(what, "give them more memory, or start fewer") from error
        raise _problem("all workers were lost again and again", "see their logs")


@cache
def facts() -> Mapping[str, str]:
    """What must be the same on every machine for numbers to be the same to the last bit."""
    from llvmlite.binding import get_host_cpu_name

    versions = {name: metadata.version(name) for name in ("numpy", "numba", "llvmlite")}
    return {"placewise's code": code_digest("estimates", "kernels"), "processor": get_host_cpu_name(), **versions}


def alike(expected: Mapping[str, str], function: Callable[..., T], *arguments: Any) -> T:
    """Call a function on a worker that is like the process which sent it.

    Raises
    ------
    ConfigurationError
        The worker's code, libraries or processor differ.
    """
    differ = [f"{name} ({own} there, {expected[name]} here)" for name, own in facts().items() if own != expected[name]]
    if differ:
        raise _problem(f"a worker differs in {', '.join(differ)}", "numbers would not be the same: use like machines")
    return function(*arguments)


def _problem(what: str, hint: str) -> ConfigurationError:
    return ConfigurationError(Problem("--scheduler", what, hint))
