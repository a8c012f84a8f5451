"""The miniature country of ``country.py`` as fixtures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import country as mini
from country_fixtures import country, parquet, published, publisher

__all__ = ["country", "parquet", "published", "publisher"]


@pytest.fixture(scope="session")
def catalogue():
    return mini.builtin()
