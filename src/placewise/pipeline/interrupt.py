"""Ctrl-C ends a run even where a library would swallow it and go on with half its draws."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_asked = threading.Event()


@contextmanager
def watched() -> Iterator[None]:
    """Remember a Ctrl-C for as long as the run lasts.

    Samplers return what they have when they are interrupted; ``raise_if_asked`` after them keeps a shortened chain
    from being taken for a finished one. Outside the main thread nothing is watched: Python delivers signals there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _asked.clear()
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        _asked.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    except Exception:
        # A shortened chain may break whatever reads it next: the cause is still the Ctrl-C.
        raise_if_asked()
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def raise_if_asked() -> None:
    """Raise KeyboardInterrupt if Ctrl-C came since the run began."""
    if _asked.is_set():
        raise KeyboardInterrupt
