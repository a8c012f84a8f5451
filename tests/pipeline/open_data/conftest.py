"""The miniature country of ``tests/opendata`` for tests of the commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "opendata"))

import country as mini
from country_fixtures import country, parquet, published, publisher

__all__ = ["country", "parquet", "published", "publisher"]


@pytest.fixture
def catalogue_file(country, publisher, tmp_path):
    """A catalogue whose addresses are those of the local server."""
    return mini.write_catalogue(country, tmp_path / "catalogue.toml", publisher.base)


@pytest.fixture(scope="session")
def offline_catalogue(country, tmp_path_factory):
    """A catalogue of the miniature without a server."""
    return mini.write_catalogue(country, tmp_path_factory.mktemp("catalogue") / "catalogue.toml")
