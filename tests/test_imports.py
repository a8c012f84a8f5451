"""What is imported when, and that everything locked is there and imports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

HEAVY = ("arviz", "jinja2", "matplotlib", "numba", "numpy", "pandas", "pyarrow", "pymc", "pytensor", "scipy", "xarray")

# Modules whose name differs from the package's.
MODULE = {"scikit-learn": "sklearn", "import-linter": "importlinter", "pandas-stubs": "", "pytest-xdist": "xdist"}

LOCK_LINE = re.compile(r"^([A-Za-z0-9][^ \\]*==[^\\]*?)\s*\\?$")


def _loaded_after(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after running the code."""
    report = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def _locked(root: Path) -> list[Requirement]:
    lines = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [Requirement(found[1]) for line in lines if (found := LOCK_LINE.match(line))]


@pytest.mark.parametrize(
    "code",
    [
        "import placewise",
        "import placewise; dir(placewise)",
        "from click.testing import CliRunner\nfrom placewise.cli import cli\n"
        "assert 'Usage' in CliRunner().invoke(cli, ['--help']).output",
        "import placewise.pipeline.from_release",
    ],
    ids=["import", "dir", "help", "while a release is hashed"],
)
def test_import_and_help_stay_light(code: str) -> None:
    assert not _loaded_after(code) & set(HEAVY)


def test_areas_of_one_s_own_need_no_library_that_is_slow_to_load() -> None:
    assert not _loaded_after("import placewise.estimates.custom, placewise.estimates.release") & {
        "scipy.special",
        "matplotlib",
    }


def test_the_check_above_would_see_a_heavy_import() -> None:
    assert "numpy" in _loaded_after("import placewise, numpy") & set(HEAVY)


def test_every_package_is_installed_as_locked(root: Path) -> None:
    locked = [r for r in _locked(root) if r.marker is None or r.marker.evaluate()]
    assert len(locked) > 60
    wrong = {
        r.name: (str(r.specifier), metadata.version(r.name))
        for r in locked
        if not r.specifier.contains(metadata.version(r.name), prereleases=True)
    }
    assert wrong == {}


def test_every_declared_package_is_locked_with_hashes(root: Path) -> None:
    declared = {Requirement(text).name for text in metadata.requires("placewise") or ()}
    assert {"numpy", "pymc", "nutpie", "jupytext", "pytest", "hatchling"} <= declared
    assert declared <= {r.name for r in _locked(root)}
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (root / "requirements.lock").read_text(encoding="utf-8"))
    assert [b.splitlines()[0] for b in blocks if "==" in b and "--hash=sha256:" not in b] == []


def test_every_declared_package_imports() -> None:
    names = [Requirement(text).name for text in metadata.requires("placewise") or ()]
    modules = [MODULE.get(n, n.replace("-", "_")) for n in names]
    code = "\n".join(f"import {m}" for m in modules if m)
    loaded = _loaded_after(code)
    assert {"pymc", "nutpie", "arviz", "sklearn"} <= loaded


def test_the_lock_names_no_index_and_no_path(root: Path) -> None:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"https?:|file:|--index|--find-links|^/|@ ", text, flags=re.MULTILINE) == []
