"""What a person at a terminal sees while a run is under way: lines and bars on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Reporter:
    """Says what happens on standard error; bars only where that is a terminal.

    Parameters
    ----------
    quiet : bool
        Only warnings are shown.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bars = not quiet and sys.stderr.isatty()
        self.warnings: list[str] = []

    def say(self, sentence: str) -> None:
        """Tell what is being done."""
        if not self.quiet:
            print(sentence, file=sys.stderr, flush=True)

    def warn(self, sentence: str) -> None:
        """Tell what the user should know; kept for the summary."""
        self.warnings.append(sentence)
        print(f"warning: {sentence}", file=sys.stderr, flush=True)

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Bar]:
        """Progress bar over ``total`` steps, shown only when it takes over two seconds."""
        if not self.bars:
            yield Bar(None)
            return
        from tqdm import tqdm

        with tqdm(total=total, desc=label, file=sys.stderr, delay=2, leave=False) as inner:
            yield Bar(inner)


class Bar:
    """A progress bar that may be invisible."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, done: int, total: int) -> None:
        """Set the bar to ``done`` of ``total``."""
        if self._inner is not None:
            self._inner.total = total
            self._inner.update(done - self._inner.n)
