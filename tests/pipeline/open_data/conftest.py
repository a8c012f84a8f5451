"""The miniature country of ``tests/opendata`` for tests of the commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "opendata"))

import country as mini


@pytest.fixture(scope="session")
def country():
    return mini.make_country()


@pytest.fixture(scope="session")
def published(country, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    mini.write_published(country, folder)
    return folder


@pytest.fixture(scope="session")
def parquet(country, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parquet")
    mini.write_parquet(country, folder)
    return folder


@pytest.fixture
def publisher(country, published):
    found = mini.Publisher()
    mini.publish(found, country, published)
    with mini.serving(found):
        yield found


@pytest.fixture
def catalogue_file(country, publisher, tmp_path):
    """A catalogue whose addresses are those of the local server."""
    return mini.write_catalogue(country, tmp_path / "catalogue.toml", publisher.base)


@pytest.fixture(scope="session")
def offline_catalogue(country, tmp_path_factory):
    """A catalogue of the miniature without a server."""
    return mini.write_catalogue(country, tmp_path_factory.mktemp("catalogue") / "catalogue.toml")
