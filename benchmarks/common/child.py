"""Run one function in a process of its own, with a limit of time, and measure it there.

A process of its own gives every fit the same start and its own peak of memory.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1]
SHOWN = 300


@dataclass(frozen=True)
class Measured:
    """What one call cost: seconds by the clock, processor seconds, highest resident memory in MiB."""

    value: Any
    wall: float
    cpu: float
    peak_mib: float


@dataclass(frozen=True)
class Ended:
    """How a child ended: its result, or why there is none (``error``), and the seconds it took from start to end."""

    result: Any
    error: str
    wall: float


def measure(function: Callable[[], Any]) -> Measured:
    """Call a function; the peak of memory is that of the call where Linux lets it be reset, else the process's."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")
    wall, cpu = time.perf_counter(), time.process_time()
    value = function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measured(value, wall, cpu, peak_mib())


def peak_mib() -> float:
    """Highest resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def call(function: str, arguments: Mapping[str, Any], seconds: float, threads: int) -> Ended:
    """Call ``module:function`` with keyword arguments in a new Python process.

    Arguments and result pass as JSON. ``threads`` bounds the threads of numba and of the linear algebra library.
    """
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder, "task.json"), Path(folder, "answer.json")
        task.write_text(json.dumps({"function": function, "arguments": dict(arguments)}))
        script = "from common.child import answer; import sys; answer(sys.argv[1], sys.argv[2])"
        ended = command([sys.executable, "-c", script, str(task), str(answer)], seconds, threads)
        result = json.loads(answer.read_text()) if not ended.error else None
        return Ended(result, ended.error, ended.wall)


def command(words: Sequence[str], seconds: float, threads: int) -> Ended:
    """Run a program to its end, or stop it and everything it started after ``seconds``."""
    names = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    env = os.environ | {name: str(threads) for name in names} | {"PYTHONPATH": str(FOLDER)}
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        running = subprocess.Popen(words, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            status = running.wait(seconds)
        except subprocess.TimeoutExpired:
            return Ended(None, f"stopped after {seconds:.0f} s", time.perf_counter() - start)
        finally:
            _stop(running)
        log.seek(0)
        last = log.read().strip().splitlines()[-1:]
    error = "" if status == 0 else f"status {status}: {''.join(last)[:SHOWN]}"
    return Ended(None, error, time.perf_counter() - start)


def answer(task: str, path: str) -> None:
    """What the child does: call the function that the task names and write down what it returns."""
    what = json.loads(Path(task).read_text())
    module, _, name = what["function"].partition(":")
    result = getattr(importlib.import_module(module), name)(**what["arguments"])
    Path(path).write_text(json.dumps(result))


def _stop(running: subprocess.Popen[bytes]) -> None:
    """End a program and what it started, if it still runs."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
