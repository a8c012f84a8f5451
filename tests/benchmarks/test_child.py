"""Fits in processes of their own: results, errors, limits of time, memory."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from common.child import call, command, measure


def test_result_and_error_come_back() -> None:
    assert call("json:dumps", {"obj": [1, 2]}, 60, 1).result == "[1, 2]"
    wrong = call("json:loads", {"s": "{"}, 60, 1)
    assert wrong.result is None
    assert "JSONDecodeError" in wrong.error


def test_threads_are_bounded() -> None:
    assert call("os:getenv", {"key": "NUMBA_NUM_THREADS"}, 60, 1).result == "1"


def test_what_takes_too_long_is_stopped_with_all_it_started(tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    script = f"(while true; do date +%N > {beat}; sleep 0.05; done) & wait"
    ended = command(["sh", "-c", script], 0.5, 1)
    assert ended.error.startswith("stopped after")
    assert 0.5 <= ended.wall < 5
    last = beat.read_text()
    time.sleep(0.3)
    assert beat.read_text() == last


def test_memory_of_a_call_is_its_own() -> None:
    before = measure(lambda: None).peak_mib
    cost = measure(lambda: float(np.ones(40 * 2**20 // 8 * 5).sum()))
    assert cost.value == 40 * 2**20 // 8 * 5
    assert 190 < cost.peak_mib - before < 300
    assert cost.wall > 0
