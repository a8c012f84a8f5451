"""A run by the fast engine, as a user would start it: no sampler's library is loaded, and nothing speaks of one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr
from small_example import write_small_example

DRAWS = 403
RUN = """
import json, sys
from placewise import cli
status = cli.main(["run", "--project", {folder!r}, "--engine", {engine!r}, "--draws", "{draws}", "--json"])
print("loaded", json.dumps([status, *(m for m in ("pymc", "pytensor", "nutpie") if m in sys.modules)]))
"""
OF_CHAINS = re.compile(r"(?i)\b(chains?|r-?hat|samplers?|nuts|mcmc|diverg\w+|different starts)\b")


@pytest.fixture(scope="module", params=["laplace", "auto"])
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of results, and what the run said."""
    folder = tmp_path_factory.mktemp(request.param)
    model = write_small_example(folder, "private_rent + sex + (1 | region)")
    text = model.read_text("utf-8")
    model.write_text(text, "utf-8")
    code = RUN.format(folder=os.fspath(folder), engine=request.param, draws=DRAWS)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return folder / "reports", ran.stdout


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_run_is_done_without_a_sampler_s_libraries(done: tuple[Path, str]) -> None:
    assert done[1].splitlines()[-1] == "loaded [0]"


def test_one_chain_of_as_many_draws_as_were_asked_for(done: tuple[Path, str]) -> None:
    out, _ = done
    tree = xr.open_datatree(out / "belonging" / "posterior.nc", engine="h5netcdf")
    assert dict(tree["posterior"].sizes)["chain"] == 1
    assert dict(tree["posterior"].sizes)["draw"] == DRAWS
    manifest = read(out / "manifest.json")
    assert manifest["draws"] == manifest["outcomes"]["belonging"]["draws"] == DRAWS
    assert manifest["outcomes"]["belonging"]["engine"] == "laplace"
    assert len(pd.read_parquet(out / "belonging" / "estimates.parquet")) > 100


def test_the_checks_are_those_of_an_approximation(done: tuple[Path, str]) -> None:
    diagnostics = read(done[0] / "belonging" / "diagnostics.json")
    names = [check["name"] for check in diagnostics["checks"] if not check["name"].startswith("predictive")]
    computed = ["finite", "khat", "importance_ess", "design_ess", "draws", "separation", "crossed_cutpoints"]
    assert names == [*computed, "prior: spread", "prior: conflict"]
    assert (diagnostics["engine"], diagnostics["escalation"]) == ("laplace", "")


def test_nothing_that_is_written_speaks_of_chains(done: tuple[Path, str]) -> None:
    out, _ = done
    for name in ("index.html", "belonging/report.html", "metadata.json", "manifest.json", "belonging/diagnostics.json"):
        text = re.sub(r"(?s)<script>.*?</script>", "", (out / name).read_text("utf-8"))
        assert OF_CHAINS.search(text) is None, name
