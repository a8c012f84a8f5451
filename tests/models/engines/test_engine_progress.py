"""The bar of an engine is there for those who wait at a terminal, and for nobody else."""

from __future__ import annotations

import io
import sys
from functools import partial

import pytest
import tqdm

from placewise.models.engines import progress
from placewise.models.engines.progress import counting_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def seen(shown: bool, steps: int = 7, total: int = 4) -> str:
    with counting_bar(shown, "fit", total) as step:
        for _ in range(steps):
            step()
    text: str = sys.stderr.getvalue()  # type: ignore[attr-defined]
    return text


def test_a_terminal_sees_every_step_and_a_total_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "SECONDS_BEFORE_IT_SHOWS", 0)
    monkeypatch.setattr(tqdm, "tqdm", partial(tqdm.tqdm, mininterval=0))
    text = seen(True)
    assert "fit" in text
    assert "4/4" in text
    assert "7/8" in text


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert "fit" not in seen(True)


@pytest.mark.parametrize(("shown", "where"), [(False, Terminal), (True, io.StringIO)])
def test_nothing_is_shown_unasked_or_where_nobody_looks(
    shown: bool, where: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", where())
    monkeypatch.setattr(progress, "SECONDS_BEFORE_IT_SHOWS", 0)
    assert seen(shown) == ""
