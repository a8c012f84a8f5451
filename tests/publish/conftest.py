"""A made-up run to lay out pages with: 600 small areas, 24 local authorities with polygons, 3 regions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.publish.context import ReportContext, Shapes, SurveyUse

DRAWS = 200
TOWNS = (
    "Alderby",
    "Brackwater",
    "Coldhaven",
    "Dunmere",
    "Eastlow",
    "Fenwick Vale",
    "Gorsefield",
    "Harrowden",
    "Inverley",
    "Jarrowby",
    "Kelmarsh",
    "Lowmoor",
    "Marlstone",
    "Netherby",
    "Oakhurst",
    "Pennleigh",
    "Quarrington",
    "Rosedale",
    "Stanmere",
    "Thornaby Cross",
    "Ulverdale",
    "Vennbridge",
    "Westerholt",
    "Yarmley",
)
REGIONS = ("North", "Midlands", "South & Isles")


def summary(
    level: str, codes: list[str], names: list[str], y: np.ndarray, n: np.ndarray, index: np.ndarray
) -> pd.DataFrame:
    """Summaries of draws, shape (areas, draws), in the interface's columns."""
    table = pd.DataFrame({"area_code": codes, "area_name": names, "area_level": level, "outcome": "belonging"})
    table["population"], table["mean"], table["sd"] = n, y.mean(1), y.std(1)
    for width in (50, 90, 95):
        table[f"ci{width}_lower"], table[f"ci{width}_upper"] = np.quantile(
            y, [0.5 - width / 200, 0.5 + width / 200], axis=1
        )
    table["index"], table["index_sd"] = index.mean(1), index.std(1)
    for width in (90, 95):
        ends = np.quantile(index, [0.5 - width / 200, 0.5 + width / 200], axis=1)
        table[f"index_ci{width}_lower"], table[f"index_ci{width}_upper"] = ends
    national = level == "national"
    rank = (-index).argsort(0).argsort(0) + 1
    tenth = max(len(codes) // 10, 1)
    table["p_above_national"] = np.nan if national else (index > 0).mean(1)
    table["p_top_decile"] = np.nan if national else (rank <= tenth).mean(1)
    table["p_bottom_decile"] = np.nan if national else (rank > len(codes) - tenth).mean(1)
    ends = np.quantile(rank, [0.5, 0.05, 0.95], axis=1, method="nearest").astype(float)
    table["rank_median"], table["rank_ci90_lower"], table["rank_ci90_upper"] = (np.nan if national else e for e in ends)
    table["triple_goal"] = np.sort(y, axis=0).mean(1)[rank.mean(1).argsort().argsort()[::-1]]
    table["reliability"] = np.clip(1 - index.var(1), 0, 1)
    width = table["index_ci90_upper"] - table["index_ci90_lower"]
    table["grade"] = [str("ABCDEF"[k]) for k in np.searchsorted([1, 1.5, 2, 2.5, 3], width)]
    table["flag"] = np.where(table["reliability"] < 0.3, "low_reliability", "ok")
    table["flag_reason"] = ""
    return table


def square(x: float, y: float) -> bytes:
    """A unit square as well-known binary."""
    ring = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)]
    return struct.pack("<BIII", 1, 3, 1, 5) + b"".join(struct.pack("<dd", *p) for p in ring)


def build_context(small: int = 600, draws: int = DRAWS, seed: int = 7, **changes: Any) -> ReportContext:
    """A context with everything in it; ``changes`` replace fields."""
    rng = np.random.default_rng(seed)
    lad = np.arange(small) * 24 // small
    region = lad // 8
    n = rng.integers(40, 600, small).astype(float)
    lad_effect, region_effect = rng.normal(0, 0.25, 24), rng.normal(0, 0.1, 3)
    centre = 0.45 + lad_effect[lad] + region_effect[region] + rng.normal(0, 0.3, small)
    shared = rng.normal(0, 0.06, (24, draws))[lad] + rng.normal(0, 0.03, draws)
    y = 1 / (1 + np.exp(-(centre[:, None] + shared + rng.normal(0, 0.2, (small, draws)))))
    mu = (n @ y) / n.sum()
    sigma = np.sqrt((n @ (y - mu) ** 2) / n.sum())
    index = (y - mu) / sigma

    def up(group: np.ndarray, values: np.ndarray) -> np.ndarray:
        weights = np.zeros((group.max() + 1, small))
        weights[group, np.arange(small)] = n
        return (weights / weights.sum(1, keepdims=True)) @ values

    codes = [f"Z{k:08d}" for k in range(1, small + 1)]
    lads, regions = [f"L{k:02d}" for k in range(24)], ["R1", "R2", "R3"]
    whole = np.zeros(small, dtype=int)
    estimates = pd.concat(
        [
            summary("oa", codes, codes, y, n, index),
            summary("lad", lads, list(TOWNS), up(lad, y), np.bincount(lad, n), up(lad, index)),
            summary("region", regions, list(REGIONS), up(region, y), np.bincount(region, n), up(region, index)),
            summary("national", ["all"], ["all"], up(whole, y), np.array([n.sum()]), up(whole, index)),
        ],
        ignore_index=True,
    )
    areas = pd.DataFrame(
        {
            "oa": codes,
            "lad": np.array(lads)[lad],
            "region": np.array(regions)[region],
            "type": rng.choice(["city centre", "suburb", "village"], small),
        }
    )
    fields: dict[str, Any] = {
        "project_title": "Community Dynamics",
        "outcome": "belonging",
        "title": "Belonging to the neighbourhood",
        "question": "How strongly do you feel you belong to your immediate neighbourhood?",
        "estimand": "share of adults who answer “fairly strongly” or “very strongly”",
        "kind": "share",
        "estimates": estimates,
        "areas": areas,
        "code": "oa",
        "levels": ("lad", "region"),
        "classes": ("type",),
        "family": "cumulative",
        "formula": "deprivation + log(density) + private_rent + (1 | age) + (1 | region/lad)",
        "engine": "nuts",
        "has_frame": True,
        "people": "adults",
        "surveys": (
            SurveyUse(
                name="Made-up Life Survey",
                respondents=4812,
                years="2021",
                mode="online and on paper",
                weight="w",
                dropped=(("no answer to the question", 131), ("area unknown", 4)),
            ),
        ),
        "draws": 2000,
        "seed": 20261122,
        "date": "2026-11-22",
        "command": "placewise run",
        "versions": {"placewise": "0.1.0", "pymc": "5.28.5"},
        "data_hashes": {"data/areas.parquet": "0f" * 32, "data/survey.csv": "a1" * 32},
        "diagnostics": {
            "status": "pass",
            "checks": [
                {"name": "largest R-hat", "value": 1.004, "threshold": 1.01, "verdict": "pass"},
                {"name": "smallest bulk ESS", "value": 912.0, "threshold": 400, "verdict": "pass"},
                {"name": "divergences", "value": 0, "threshold": 0, "verdict": "pass"},
            ],
        },
        "geometry": {"lad": Shapes(codes=lads, wkb=[square(k % 6, k // 6) for k in range(24)])},
        "level_names": {"lad": ("local authority", "local authorities")},
        "attribution": ("Made-up data, for tests only.",),
        "explained": 0.41,
        "chance_share": 0.14,
        "notes": ("The category “other” of tenure is not among the respondents: its effect was drawn from its prior.",),
    }
    fields |= _optional_parts(rng, estimates, lads)
    return ReportContext(**(fields | changes))


def _optional_parts(rng: np.random.Generator, estimates: pd.DataFrame, lads: list[str]) -> dict[str, Any]:
    slopes = pd.DataFrame({"name": ["deprivation", "log(density)", "private_rent"], "mean": [-0.21, -0.09, 0.02]})
    slopes["q05"], slopes["q95"] = slopes["mean"] - 0.05, slopes["mean"] + 0.05
    age = pd.DataFrame({"level": ["16-24", "25-34", "35-49", "50-64", "65+"], "mean": [-0.4, -0.25, -0.05, 0.2, 0.5]})
    age["q05"], age["q95"] = age["mean"] - 0.12, age["mean"] + 0.12
    modelled = estimates.loc[estimates["area_level"] == "lad", "mean"].to_numpy()
    direct = modelled + rng.normal(0, 0.035, 24)
    groups = pd.DataFrame({"group": list(REGIONS), "observed": [0.61, 0.66, 0.63], "predicted": [0.615, 0.63, 0.632]})
    groups["lower"], groups["upper"] = groups["predicted"] - 0.02, groups["predicted"] + 0.02
    return {
        "slopes": slopes,
        "sds": pd.DataFrame(
            {
                "group": ["age", "oa"],
                "prior": ["half_student_t(3, 0, 0.5)", "gamma(4, 25)"],
                "mean": [0.38, 0.16],
                "q05": [0.2, 0.06],
                "q95": [0.7, 0.3],
                "set_by_prior": [False, True],
            }
        ),
        "group_effects": {"age": age},
        "baselines": pd.DataFrame(
            {
                "method": ["this model", "class look-up", "regression without area effects", "national mean"],
                "error": [0.041, 0.052, 0.047, 0.071],
                "coverage": [0.91, np.nan, 0.44, np.nan],
            }
        ),
        "baselines_note": "Scored on local authorities that were left out of the fit, in five folds.",
        "direct": pd.DataFrame({"area_code": lads, "direct": direct, "lower": direct - 0.055, "upper": direct + 0.055}),
        "direct_level": "lad",
        "predictive": {"region": groups},
        "responses": {
            "age": pd.DataFrame(
                {
                    "category": ["16-24", "25-34", "35-49", "50-64", "65+"],
                    "respondents": [7, 620, 1180, 1405, 1600],
                    "survey_share": [0.002, 0.129, 0.245, 0.292, 0.332],
                    "frame_share": [0.12, 0.16, 0.25, 0.24, 0.23],
                }
            )
        },
    }


@pytest.fixture
def make_context() -> Callable[..., ReportContext]:
    return build_context


@pytest.fixture(scope="session")
def context() -> ReportContext:
    return build_context()
