"""A run, or a worker of it, is killed at any moment: the next run ends with the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_example import write_small_example

from placewise import cli

FORMULA = "log(deprivation) + private_rent + sex + (1 | age) + (1 | region/lad)"
PATIENCE = 300  # seconds

Digests = dict[str, str]


class Killed:
    """A project whose results are made, and made again.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.begun: list[subprocess.Popen[bytes]] = []
        self.folder, self.results = folder, folder / "reports" / "belonging"
        self.record = folder / "reports" / ".stages" / "belonging" / "project.json"
        write_small_example(folder, FORMULA)
        self.run()
        self.before = self.digests()
        assert len(self.before) == 6

    def words(self, *more: str) -> list[str]:
        """Of the command that estimates every area."""
        return ["project", "--project", os.fspath(self.folder), "--draws", "400", "--quiet", *more]

    def run(self) -> None:
        """To the end, in this process."""
        assert cli.main(self.words()) == 0

    def begin(self, *more: str) -> subprocess.Popen[bytes]:
        """In a process of its own; returns when the projection begins."""
        self.end()
        self.record.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-m", "placewise.cli", *self.words(*more)])
        self.begun.append(process)
        estimates = self.results / "estimates.parquet"
        wait(lambda: not estimates.exists() or process.poll() is not None)
        assert process.poll() is None
        return process

    def end(self) -> None:
        """Of every process begun: one that outlives a failed test would hold the folder's lock."""
        for process in self.begun:
            process.kill()
            process.wait()
        self.begun.clear()

    def digests(self) -> Digests:
        """Of estimates and release: what must be the same, byte for byte, whenever it is made again."""
        files = [*self.results.glob("estimates*"), *(self.results / "release").glob("*")]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def wait(done: Callable[[], bool]) -> None:
    """Until something is so."""
    until = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    found = Killed(tmp_path_factory.mktemp("country"))
    yield found
    found.end()


@pytest.mark.parametrize("moments", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_a_projection_killed_at_any_moment_ends_with_the_same_bytes(project, moments):
    process = project.begin()
    began = time.monotonic()
    assert process.wait() == 0
    whole, draw, killed = time.monotonic() - began, random.Random(moments), 0
    for _ in range(moments):
        process = project.begin()
        time.sleep(draw.uniform(0.0, 0.95) * whole)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        # what stands there under its name is whole, and as it was
        standing = {name: digest for name, digest in project.digests().items() if not name.endswith(".part")}
        assert standing.items() <= project.before.items()
        assert not (project.folder / "reports" / "manifest.json").exists() or project.record.exists()
        project.run()
        assert project.digests() == project.before
    assert killed > moments // 2


# what dask itself says while its workers are killed or its loops end
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed")
def test_four_workers_of_which_one_is_killed_end_with_the_same_bytes(project):
    distributed = pytest.importorskip("distributed", reason="the extra scale is not installed")
    with (
        distributed.LocalCluster(
            n_workers=4, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        assert len(set(pids.values()) - {os.getpid()}) == 4
        process = project.begin("--scheduler", cluster.scheduler_address)
        wait(lambda: any(client.processing().values()))
        busy = next(worker for worker, blocks in client.processing().items() if blocks)
        assert process.poll() is None
        os.kill(pids[busy], signal.SIGKILL)
        assert process.wait() == 0
    assert project.digests() == project.before


def test_workers_started_for_one_run_change_no_bit(project):
    pytest.importorskip("distributed", reason="the extra scale is not installed")
    assert project.begin("--scheduler", "local", "--jobs", "2").wait() == 0
    assert project.digests() == project.before
