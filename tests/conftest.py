"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root, which is a project folder too."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the public reference data (census audits, polls, anchors); skips where it is absent."""
    folder = Path(os.environ.get("PLACEWISE_SHARED") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}: set PLACEWISE_SHARED to the folder that holds them")
    return folder
