"""A small country whose every adult is known, and the standard example's surveys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from placewise.pipeline.example import write_example
from placewise.pipeline.example.adults import Cuts
from placewise.pipeline.example.deposits import Deposits
from placewise.pipeline.example.items import cutpoints
from placewise.pipeline.example.sampling import Places
from placewise.pipeline.example.traits import Country
from placewise.pipeline.example.write import make_country, make_deposits


@pytest.fixture(scope="session")
def country() -> Country:
    return make_country(small=True)[1]


@pytest.fixture(scope="session")
def places(country: Country) -> Places:
    return Places(country)


@pytest.fixture(scope="session")
def cuts(country: Country) -> Cuts:
    return cutpoints(country)


@pytest.fixture(scope="session")
def deposits() -> Deposits:
    """Of the standard size."""
    return make_deposits()


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small example on disk, by the format of its panel."""
    folders = {form: tmp_path_factory.mktemp(form) for form in ("tab", "sav", "dta")}
    for form, folder in folders.items():
        write_example(folder, small=True, form=form)
    return folders


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The standard example on disk."""
    folder = tmp_path_factory.mktemp("standard")
    write_example(folder)
    return folder
