"""A small project of two surveys that ask items of one scale, from a known truth, for tests of what reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

AREAS, LADS = 240, 12
# how strongly the second survey's answers follow what both share
TRUE_SCALE = 0.6
ORDER = ["no", "rather", "yes"]
PROJECT: dict[str, Any] = {
    "project": {"name": "two", "seed": 3, "out": "reports"},
    "areas": {"table": "areas.csv", "code": "oa", "levels": ["lad", "region"], "population": "adults"},
    "frame": {"cells": "cells.csv", "count": "n"},
    "survey": {
        "first": {"path": "first.csv", "area": "oa", "missing": ["refused"], "weight": "w", "psu": "psu"},
        "second": {"path": "second.csv", "area": "oa", "missing": [-9]},
    },
}
SCALE: dict[str, Any] = {
    "outcome": {
        "survey": ["first", "second"],
        "items": {"first": ["a", "b", "c"], "second": ["b", "d"]},
        "family": "graded_response",
        "order": ORDER,
    },
    "model": {"formula": "poor + (1 | sex) + (1 | region/lad)"},
}


def respondents(n: int, items: dict[str, float], scale: float, rng: np.random.Generator) -> pd.DataFrame:
    """People of one survey; ``items``: discrimination by name."""
    area = rng.integers(0, AREAS, n)
    sex = rng.integers(0, 2, n)
    eta = 0.5 * (area % 5 - 2) / 2 + 0.3 * np.sin(area % LADS) + 0.2 * sex
    trait = scale * eta + rng.normal(size=n)
    people = pd.DataFrame({"oa": [f"A{a:03d}" for a in area], "sex": np.where(sex, "female", "male")})
    for name, slope in items.items():
        cuts = rng.logistic(size=n) + slope * trait
        people[name] = np.array(ORDER)[(cuts > -1.0).astype(int) + (cuts > 1.0)]
    return people


def write_two_surveys(folder: Path, model: dict[str, Any] | None = None, n: tuple[int, int] = (600, 500)) -> Path:
    """Write the project; the model file is ``models/ties.toml``."""
    rng = np.random.default_rng(11)
    (folder / "models").mkdir(parents=True)
    index = np.arange(AREAS)
    areas = pd.DataFrame({
        "oa": [f"A{a:03d}" for a in index],
        "lad": [f"L{a % LADS:02d}" for a in index],
        "region": [f"R{a % LADS % 3}" for a in index],
        "adults": 100 + index % 40,
        "poor": index % 5,
    })  # fmt: skip
    areas.to_csv(folder / "areas.csv", index=False)
    cells = pd.concat([areas[["oa"]].assign(sex=sex, n=areas["adults"] / 2) for sex in ("female", "male")])
    cells.to_csv(folder / "cells.csv", index=False)
    first = respondents(n[0], {"a": 1.0, "b": 1.4, "c": 0.8}, 1.0, rng)
    first["w"], first["psu"] = rng.choice([2.0, 4.0], n[0]), np.arange(n[0]) // 10
    first.loc[:9, ["a", "b", "c"]] = "refused"
    first.loc[10:29, "a"] = None
    first.to_csv(folder / "first.csv", index=False)
    second = respondents(n[1], {"b": 1.4, "d": 1.2}, TRUE_SCALE, rng)
    second.loc[:19, "d"] = "-9"
    second.to_csv(folder / "second.csv", index=False)
    (folder / "placewise.toml").write_text(tomli_w.dumps(PROJECT))
    (folder / "models" / "ties.toml").write_text(tomli_w.dumps(model or SCALE))
    return folder
