"""Estimates on workers: the same bytes as on threads, whoever dies on the way."""

import os
import signal

import numpy as np
import pytest

from placewise.errors import ConfigurationError
from placewise.estimates import passes
from placewise.estimates.release import write_release
from placewise.estimates.summarise import summarise
from placewise.pipeline import workers

distributed = pytest.importorskip("distributed", reason="the extra scale is not installed")

# what dask itself says while its workers are killed or its loops end
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
]


@pytest.fixture
def own_cluster():
    """A cluster of two workers that are threads of this process."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", protocol="inproc://"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield workers.Workers(client)


def _same(found, expected):
    assert found.estimates.equals(expected.estimates)
    for name in ("mu", "sigma", "national"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
    assert found.chance_share == expected.chance_share


@pytest.mark.parametrize("sketch", [False, True])
def test_workers_change_no_bit(make_predictor, own_cluster, monkeypatch, sketch):
    base = np.arange(60) < 45
    p = make_predictor(n_draws=41, base=base)
    if sketch:
        monkeypatch.setattr(passes, "EXACT_VALUES", 100)
    _same(summarise(p, block=7, crew=own_cluster), summarise(p))


def test_a_worker_that_differs_is_refused(make_predictor, own_cluster, monkeypatch):
    monkeypatch.setattr(workers, "alike", _older)
    with pytest.raises(ConfigurationError, match=r"a worker differs in numba \(\S+ there, 0.1 here\)"):
        summarise(make_predictor(), crew=own_cluster)


_alike = workers.alike


def _older(expected, function, *arguments):
    return _alike({**expected, "numba": "0.1"}, function, *arguments)


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr(workers, "CONNECT", 1)
    nobody = workers.crew_at("tcp://127.0.0.1:9", 2)
    with pytest.raises(ConfigurationError, match=r"there is no scheduler at 'tcp://127\.0\.0\.1:9'"), nobody:
        pass


@pytest.mark.parametrize("sketch", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_worker_killed_in_mid_run_costs_nothing_but_time(make_predictor, tmp_path, monkeypatch, sketch):
    p = make_predictor(n_areas=400, n_draws=100)
    if sketch:
        monkeypatch.setattr(passes, "EXACT_VALUES", 100)
    alone = summarise(p)
    with workers.crew_at("local", 4) as crew:
        pids = crew.client.run(os.getpid)
        assert len(set(pids.values()) - {os.getpid()}) == 4
        killed = []

        def kill_one(done, total):
            if done >= total * (len(killed) + 1) / 3 and len(killed) < 2:
                killed.append(list(pids.values())[len(killed)])
                os.kill(killed[-1], signal.SIGKILL)

        found = summarise(p, block=8, crew=crew, progress=kill_one)
    assert len(killed) == 2
    _same(found, alone)
    for name, summary in (("alone", alone), ("workers", found)):
        (tmp_path / name).mkdir()
        write_release(tmp_path / name, p, (summary.standard,))
    files = sorted(path.name for path in (tmp_path / "alone").iterdir())
    assert len(files) == 4
    for name in files:
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "workers" / name).read_bytes()


@pytest.mark.slow
def test_everyone_killed_at_once(make_predictor):
    """Whatever all workers had is sent again to those that are started in their place."""
    p = make_predictor(n_areas=200, n_draws=60)
    alone = summarise(p)
    with workers.crew_at("local", 2) as crew:
        pids = list(crew.client.run(os.getpid).values())

        def kill_all(done, total):
            while done > total / 4 and pids:
                os.kill(pids.pop(), signal.SIGKILL)

        found = summarise(p, block=8, crew=crew, progress=kill_all)
    assert not pids
    _same(found, alone)
