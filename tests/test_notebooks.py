"""The notebooks run from beginning to end on the small example, and show what their text says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from placewise.pipeline.example import write_example


@pytest.mark.filterwarnings("default")
def test_refit(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_example(tmp_path, small=True)
    monkeypatch.setenv("PLACEWISE_PROJECT", str(tmp_path))
    monkeypatch.setenv("PLACEWISE_DRAWS", "400")
    scores = runpy.run_path(str(root / "notebooks/refit.py"))["scores"]
    assert scores.loc["rmse", "full"] < scores.loc["rmse", "plain"] < 0.12
    assert 0.80 < scores.loc["coverage", "full"] < 0.99
    assert scores.loc["coverage", "plain"] < scores.loc["coverage", "full"]


def test_notebooks_are_jupytext_scripts(root: Path) -> None:
    import jupytext

    notebook = jupytext.read(root / "notebooks/refit.py")
    kinds = {cell.cell_type for cell in notebook.cells}
    assert kinds == {"markdown", "code"}
    assert len(notebook.cells) > 10
