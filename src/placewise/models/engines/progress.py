"""A bar on standard error while an engine works, for those who wait at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

SECONDS_BEFORE_IT_SHOWS = 2


@contextmanager
def counting_bar(shown: bool, label: str, total: int) -> Iterator[Callable[[], None]]:
    """A function to call after each step, from any thread.

    Parameters
    ----------
    shown : bool
        Whether a bar may be drawn; it is drawn only on a terminal, and only when the work takes over two seconds.
    label : str
    total : int
        Steps expected; where there are more, so many again are expected.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda: None
        return
    from tqdm import tqdm

    lock = Lock()
    with tqdm(total=total, desc=label, file=sys.stderr, delay=SECONDS_BEFORE_IT_SHOWS, leave=False) as bar:

        def step() -> None:
            with lock:
                if bar.n >= bar.total:
                    bar.total += total
                bar.update()

        yield step
