"""What a stage computes is decided by code that its fingerprint holds: its modules use nothing else that does."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

import placewise
from placewise.pipeline.inputs import CODE
from placewise.pipeline.stages import Stage
from placewise.pipeline.steps import STEPS

ROOT = Path(placewise.__file__).parent

# whose code each stage's fingerprint always holds beside its own; a coupling and refits are not always there
BEFORE: dict[Stage, tuple[Stage, ...]] = {
    "data": (),
    "fit": ("data",),
    "joint": ("data", "fit"),
    "sensitivity": ("data", "fit"),
    "diagnose": ("data", "fit"),
    "project": ("data", "fit", "diagnose"),
    "publish": ("data", "fit", "diagnose", "project"),
}

# when, where and for whom things are computed, not what
CONDUCT = {
    "errors.py", "schema.py", "toml_file.py", "kernels/compile.py", "pipeline/atomic.py", "pipeline/fingerprint.py",
    "pipeline/inputs.py", "pipeline/interrupt.py", "pipeline/kept_frame.py", "pipeline/outcome.py",
    "pipeline/project_spec.py", "pipeline/stages.py", "pipeline/workers.py",
}  # fmt: skip

# used by other functions of a module than those of the stage
ELSEWHERE: dict[Stage, set[str]] = {
    # frames that are drawn anew in each replicate are no stage's; kernels come with the fit
    "data": {"kernels/philox.py"},
    # predictions, which later stages make, and targets that are only refused or noted
    "fit": {"estimates/imputed.py", "estimates/predictor.py", "estimates/reach.py", "pipeline/benchmarks.py"},
    "joint": set(),
    "sensitivity": {"publish/context.py"},
    "diagnose": {"publish/context.py"},
    "project": {
        "pipeline/report.py", "pipeline/sensitivity.py",
        "publish/index_page.py", "publish/metadata.py", "publish/report/__init__.py",
    },
    "publish": {f"opendata/{path.name}" for path in (ROOT / "opendata").iterdir()},
}  # fmt: skip


def files_of(parts: Iterable[str]) -> set[Path]:
    return {
        path for part in parts for path in ((ROOT / part).rglob("*.py") if (ROOT / part).is_dir() else [ROOT / part])
    }


def imported(path: Path) -> set[Path]:
    """Modules of placewise that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("placewise."):
            continue
        base = ROOT.joinpath(*(node.module or "").split(".")[1:])
        for name in (alias.name for alias in node.names):
            places = (base / f"{name}.py", base / name / "__init__.py", base.with_suffix(".py"), base / "__init__.py")
            found.add(next(place for place in places if place.is_file()))
    return found


@pytest.mark.parametrize("stage", CODE)
def test_a_stage_holds_the_code_of_all_that_its_modules_use(stage: Stage) -> None:
    own = files_of(CODE[stage])
    held = own | files_of(part for before in BEFORE[stage] for part in CODE[before])
    used = {path.relative_to(ROOT).as_posix() for one in own for path in imported(one) - held}
    assert used - CONDUCT - ELSEWHERE[stage] == set()


@pytest.mark.parametrize("stage", STEPS)
def test_a_stage_holds_the_code_of_its_step(stage: Stage) -> None:
    module = ROOT.parent.joinpath(*STEPS[stage].__module__.split(".")).with_suffix(".py")
    # reading leaves no results; the call of refits says nothing of what is computed
    holds = {"data": "fit", "joint": "fit", "sensitivity": "project"}.get(stage, stage)
    assert module in files_of(CODE[holds])


@pytest.mark.parametrize("part", ["geography/level_names.py", "pipeline/widened.py", "models/joint/factors.py"])
def test_what_widens_the_data_of_outcomes_together_is_held_by_their_fits(part: str) -> None:
    assert ROOT / part in files_of((*CODE["data"], *CODE["fit"]))
