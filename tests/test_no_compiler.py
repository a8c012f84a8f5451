"""Models are fitted on a machine without a C compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_example import write_small_example

COMPILERS = ("gcc", "g++", "cc", "c++", "clang", "clang++")

# What a shell-less interpreter may still want to call.
TOOLS = ("env", "sh", "uname", "ldconfig")

FIT = """
import shutil, sys
assert not [c for c in {compilers} if shutil.which(c)], "a compiler is visible"
sys.modules["nutpie"] = None  # PyMC's own sampler is the one that would look for a compiler
from pathlib import Path
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.prior_plan import plan_priors
from placewise.pipeline.load import ProjectInputs
from placewise.pipeline.project_file import read_project

spec = read_project(Path({folder!r}) / "placewise.toml")
model = spec.models["belonging"]
data = ProjectInputs(spec).outcome(model)
plan = plan_priors({{}}, None, data.design, "oa", "cumulative")
problem = FitProblem(data.design, data.response, "cumulative", plan)
trace = engine_named({engine!r})(problem, FitOptions(draws=20, seed=1, chains=1, jobs=1, tune=60, thin=1))
print(trace.posterior.attrs["engine"], trace.posterior.sizes["draw"])
"""


def _path_without_compilers(folder: Path) -> str:
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return os.pathsep.join([str(Path(sys.executable).parent), str(folder)])


@pytest.mark.parametrize("engine", ["laplace", "nuts"])
def test_fit_without_a_compiler(engine: str, tmp_path: Path) -> None:
    # a small model: compiling it takes most of the time
    write_small_example(tmp_path, "log(density)")
    path = _path_without_compilers(tmp_path / "bin")
    assert not any(shutil.which(c, path=path) for c in COMPILERS)
    done = subprocess.run(
        [sys.executable, "-c", FIT.format(compilers=COMPILERS, folder=str(tmp_path), engine=engine)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{engine} 20"
