"""Fixtures of the miniature country, for tests of the package and of the commands."""

from __future__ import annotations

import country as mini
import pytest


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
