"""The miniature country of ``country.py`` as fixtures; the module is ``mini`` in tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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


@pytest.fixture(scope="session")
def catalogue():
    return mini.builtin()


@pytest.fixture
def publisher(country, published):
    found = mini.Publisher()
    mini.publish(found, country, published)
    with mini.serving(found):
        yield found
