"""The score: known answers, agreement with an independent scorer, and what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placewise.diagnostics.score import build_truth, judge, run_score, score_tables, score_text
from placewise.errors import ConfigurationError, DataError

N_AREAS = 240


def small_truth(rng: np.random.Generator) -> pd.DataFrame:
    people = rng.integers(50, 400, N_AREAS)
    oa = pd.DataFrame(
        {
            "area_level": "oa",
            "area_code": [f"E{i:04d}" for i in range(N_AREAS)],
            "population": people,
            "truth": rng.uniform(0.3, 0.7, N_AREAS),
            "by_lad": [f"L{i // 40}" for i in range(N_AREAS)],
            "by_kind": np.where(np.arange(N_AREAS) % 3 == 0, "town", "country"),
        }
    )
    oa["count"] = oa["truth"] * oa["population"]
    lad = oa.groupby("by_lad", as_index=False)[["population", "count"]].sum()
    lad = lad.rename(columns={"by_lad": "area_code"}).assign(area_level="lad")
    nation = pd.DataFrame(
        {"area_level": ["national"], "area_code": ["all"], "population": [people.sum()], "count": [oa["count"].sum()]}
    )
    table = pd.concat([oa, lad, nation], ignore_index=True)
    return table.assign(truth=table["count"] / table["population"])


def estimates_from(truth: pd.DataFrame, rng: np.random.Generator, sd: float = 0.03) -> pd.DataFrame:
    """Noisy estimates with every column that the scorers read; ranks count from the top."""
    parts = []
    for _, rows in truth.groupby("area_level", sort=False):
        n = len(rows)
        mean = rows["truth"].to_numpy() + sd * rng.standard_normal(n)
        weight = rows["population"].to_numpy() / rows["population"].sum()
        centre = weight @ mean
        scale = math.sqrt(weight @ (mean - centre) ** 2) or 1.0
        index = (mean - centre) / scale
        table = rows[["area_level", "area_code"]].assign(
            outcome="health",
            mean=mean,
            sd=sd,
            index=index,
            index_sd=sd / scale,
            p_above_national=1 / (1 + np.exp(-index)),
            p_top_decile=rng.uniform(0, 0.2, n),
            p_bottom_decile=rng.uniform(0, 0.2, n),
            triple_goal=centre + 1.1 * (mean - centre),
        )
        for percent, z in ((50, 0.674), (90, 1.645), (95, 1.96)):
            table[f"ci{percent}_lower"], table[f"ci{percent}_upper"] = mean - z * sd, mean + z * sd
            table[f"index_ci{percent}_lower"] = index - z * sd / scale
            table[f"index_ci{percent}_upper"] = index + z * sd / scale
        rank = np.argsort(np.argsort(-mean)) + 1
        table["rank_ci90_lower"], table["rank_ci90_upper"] = rank - 0.1 * n, rank + 0.1 * n
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def independent(shared: Path, *args: str) -> tuple[dict[str, Any], int]:
    script = shared / "census_audit" / "score.py"
    done = subprocess.run([sys.executable, str(script), *args], capture_output=True, text=True, check=False)
    return json.loads(done.stdout), done.returncode


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs) and set(ours) != set(theirs):
            return [f"{path}: keys {sorted(set(ours) ^ set(theirs))}"]
        return [d for key in ours for d in differences(ours[key], theirs[key], f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [d for k, (a, b) in enumerate(zip(ours, theirs, strict=True)) for d in differences(a, b, f"{path}[{k}]")]
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return [] if math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-6) else [f"{path}: {ours} {theirs}"]
    return [] if ours == theirs and type(ours) is type(theirs) else [f"{path}: {ours!r} {theirs!r}"]


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(1)
    truth = small_truth(rng)
    truth.to_parquet(tmp_path / "truth.parquet")
    estimates_from(truth, rng).to_parquet(tmp_path / "estimates.parquet")
    return tmp_path / "estimates.parquet", tmp_path / "truth.parquet"


def test_measures_have_their_closed_forms():
    truth = pd.DataFrame(
        {
            "area_level": ["oa"] * 4 + ["national"],
            "area_code": ["a", "b", "c", "d", "all"],
            "population": [1, 1, 1, 1, 4],
            "truth": [0.1, 0.2, 0.3, 0.4, 0.25],
        }
    )
    estimates = pd.DataFrame(
        {
            "area_level": ["oa"] * 4 + ["national"],
            "area_code": ["d", "c", "b", "a", "all"],
            "mean": [0.5, 0.3, 0.2, 0.0, 0.25],
            "ci90_lower": [0.45, 0.2, 0.2, -0.1, 0.2],
            "ci90_upper": [0.6, 0.4, 0.2, 0.05, 0.3],
        }
    )
    level = score_tables(estimates, truth)["levels"]["oa"]
    assert level["rmse"] == pytest.approx(math.sqrt(0.02 / 4), rel=1e-5)
    assert level["mae"] == pytest.approx(0.05)
    assert level["bias"] == pytest.approx(0, abs=1e-12)
    assert level["cov90"] == 0.5
    assert level["below90"] == 0.25
    assert level["above90"] == 0.25
    assert level["winkler90"] == pytest.approx((0.15 + 0.2 + 0 + 0.15 + 20 * (0.05 + 0.05)) / 4)
    assert level["sign"] == 1
    assert level["cov50"] is None


@pytest.mark.parametrize("seed", [1, 2])
def test_agrees_with_the_independent_scorer_on_the_census(shared: Path, tmp_path: Path, seed: int):
    rng = np.random.default_rng(seed)
    truth_path = shared / "census_audit" / "health_oa" / "truth.parquet"
    truth = pd.read_parquet(truth_path)
    estimates = estimates_from(truth, rng)
    if seed == 2:
        estimates = estimates.drop(columns=["ci95_lower", "rank_ci90_lower"]).sample(frac=0.97, random_state=3)
        estimates.loc[estimates.sample(frac=0.05, random_state=4).index, "mean"] = np.nan
        extra = estimates.head(3).assign(area_code=["X1", "X2", "X3"])
        estimates = pd.concat([estimates, extra], ignore_index=True)
    path = tmp_path / "estimates.parquet"
    estimates.to_parquet(path)
    bars = truth_path.parent / "bars.json"
    theirs, status = independent(shared, "--estimates", str(path), "--truth", str(truth_path), "--bars", str(bars))
    ours, our_status = run_score(path, truth_path, bar_files=[bars])
    assert differences(ours, theirs) == []
    assert our_status == status == 1
    assert json.loads(json.dumps(ours)) == ours


BARS = [
    "oa.rmse<=0.5",
    "levels.*.missing==0",
    "oa.cov90 in 0.5:1",
    "oa.cov90_by.*.min >= 0.99",
    "index.r>2",
    "nothing.here>0",
    "national.estimate in 0:1",
    "oa.cov90_by.lad.all.L3>=0",
    "index.rank_1_is==1",
    "incoherence.* in 0:1e-9",
    " index.wmean in -0.001:0.001 ",
]


def test_bars_agree_with_the_independent_scorer(shared: Path, tables: tuple[Path, Path]):
    args = ["--estimates", str(tables[0]), "--truth", str(tables[1]), "--brief"]
    for bar in BARS:
        args += ["--bar", bar]
    theirs, status = independent(shared, *args)
    ours, our_status = run_score(*tables, bars=BARS, brief=True)
    assert differences(ours, theirs) == []
    assert (our_status, ours["held"]) == (status, theirs["held"])
    assert 0 < ours["held"] < len(BARS)


UNREADABLE = ["oa.rmse", "oa.rmse<=small", "oa.rmse in 0.1", "oa.rmse<=0.1:0.2", "oa.rmse=0.1", "<=1"]


@pytest.mark.parametrize("bar", UNREADABLE)
def test_a_bar_that_cannot_be_read_is_told(shared: Path, tables: tuple[Path, Path], bar: str):
    ours, status = run_score(*tables, bars=[bar])
    theirs, their_status = independent(shared, "--estimates", str(tables[0]), "--truth", str(tables[1]), "--bar", bar)
    assert (ours["ok"], status) == (theirs["ok"], their_status) == (False, 1)
    assert repr(bar) in ours["error"]


def test_every_bar_that_holds_is_status_0(tables: tuple[Path, Path]):
    result, status = run_score(*tables, bars=["oa.rmse<=0.05"])
    assert (result["ok"], result["held"], result["failed"], status) == (True, 1, [], 0)


def test_a_bar_over_several_numbers_fails_when_one_does():
    result = {"levels": {"a": {"rmse": 1.0}, "b": {"rmse": 3.0}}}
    assert judge(result, ["*.rmse<=3"]) == (1, [])
    assert judge(result, ["*.rmse<=2"]) == (0, [{"bar": "*.rmse<=2", "found": [1.0, 3.0]}])


def test_missing_areas_fail_unless_allowed(tables: tuple[Path, Path]):
    pd.read_parquet(tables[0]).iloc[2:].to_parquet(tables[0])
    result, status = run_score(*tables)
    assert (status, result["failed"]) == (1, [{"bar": "oa.missing==0", "found": 2}])
    assert run_score(*tables, allow_missing=True)[1] == 0


def test_repeated_rows_cannot_be_scored(tables: tuple[Path, Path]):
    table = pd.read_parquet(tables[0])
    pd.concat([table, table.head(1)]).to_parquet(tables[0])
    result, status = run_score(*tables)
    assert status == 1
    assert "1 repeated rows, the first oa E0000" in result["error"]


def test_several_outcomes_need_a_choice(tables: tuple[Path, Path]):
    table = pd.read_parquet(tables[0])
    pd.concat([table, table.assign(outcome="trust", mean=table["mean"] + 0.1)]).to_parquet(tables[0])
    assert "say --outcome" in run_score(*tables)[0]["error"]
    health = run_score(*tables, outcome="health")[0]["levels"]["oa"]["bias"]
    trust = run_score(*tables, outcome="trust")[0]["levels"]["oa"]["bias"]
    assert trust - health == pytest.approx(0.1, abs=1e-6)
    assert "did you mean 'trust'?" in run_score(*tables, outcome="trst")[0]["error"]


def test_all_that_the_tables_lack_is_told_at_once():
    with pytest.raises(DataError) as caught:
        score_tables(pd.DataFrame({"area_code": ["a"], "men": [1.0]}), pd.DataFrame({"area_code": ["a"]}))
    text = str(caught.value)
    assert "'area_level'" in text
    assert "did you mean 'men'?" in text
    assert "'population'" in text


def test_levels_can_be_chosen_but_not_without_the_small_areas(tables: tuple[Path, Path]):
    estimates, truth = (pd.read_parquet(path) for path in tables)
    assert list(score_tables(estimates, truth, levels=["oa", "lad"])["levels"]) == ["oa", "lad"]
    with pytest.raises(DataError, match=r"their level 'oa' must be scored too .add --level oa"):
        score_tables(estimates, truth, levels=["lad"])
    with pytest.raises(DataError, match="no estimates at the small areas' level 'oa'; levels found: lad"):
        score_tables(estimates[estimates["area_level"] == "lad"], truth)


def test_csv_and_parquet_score_alike(tables: tuple[Path, Path]):
    as_csv = [path.with_suffix(".csv") for path in tables]
    for source, target in zip(tables, as_csv, strict=True):
        pd.read_parquet(source).to_csv(target, index=False)
    assert run_score(*as_csv)[0] == run_score(*tables)[0]


def test_groups_come_from_the_areas_table(tables: tuple[Path, Path], tmp_path: Path):
    truth = pd.read_parquet(tables[1])
    oa = truth[truth["area_level"] == "oa"]
    areas = pd.DataFrame({"oa": oa["area_code"], "kind": oa["by_kind"], "lad": oa["by_lad"]})
    areas.to_parquet(tmp_path / "areas.parquet")
    truth.drop(columns=["by_kind", "by_lad"]).to_parquet(tmp_path / "plain.parquet")
    full = run_score(*tables)[0]
    found = run_score(tables[0], tmp_path / "plain.parquet", areas=tmp_path / "areas.parquet", by=["kind", "lad"])[0]
    assert found["levels"]["oa"]["cov90_by"] == {
        name: full["levels"]["oa"]["cov90_by"][name] for name in ("kind", "lad")
    }
    assert found["incoherence"] == full["incoherence"]


def test_truth_from_counts_of_small_areas(tables: tuple[Path, Path], tmp_path: Path):
    truth = pd.read_parquet(tables[1])
    oa = truth[truth["area_level"] == "oa"].reset_index(drop=True)
    oa["count"] = np.round(oa["count"])
    counts = pd.DataFrame({"OA": oa["area_code"], "yes": oa["count"], "all": oa["population"]})
    counts.sample(frac=1, random_state=1).to_csv(tmp_path / "counts.csv", index=False)
    pd.DataFrame({"oa": oa["area_code"], "kind": oa["by_kind"], "lad": oa["by_lad"]}).to_csv(
        tmp_path / "areas.csv", index=False
    )
    lad = oa.groupby("by_lad")[["count", "population"]].sum()
    known = pd.concat(
        [
            oa.assign(truth=oa["count"] / oa["population"]),
            lad.assign(truth=lad["count"] / lad["population"], area_level="lad").rename_axis("area_code").reset_index(),
            pd.DataFrame(
                {
                    "area_level": ["national"],
                    "area_code": ["all"],
                    "population": [oa["population"].sum()],
                    "truth": [oa["count"].sum() / oa["population"].sum()],
                }
            ),
        ],
        ignore_index=True,
    )
    built, status = run_score(
        tables[0],
        tmp_path / "counts.csv",
        areas=tmp_path / "areas.csv",
        by=["kind"],
        truth_code="OA",
        truth_count="yes",
        truth_total="all",
    )
    expected = score_tables(pd.read_parquet(tables[0]), known)
    assert status == 0
    for level in ("oa", "lad", "national"):
        assert built["levels"][level]["rmse"] == expected["levels"][level]["rmse"]
    assert built["levels"]["oa"]["cov90_by"] == expected["levels"]["oa"]["cov90_by"]
    assert built["national"] == expected["national"]


def test_truth_names_the_group_of_areas_that_lie_in_one_only():
    areas = pd.DataFrame(
        {
            "oa": ["a", "b", "c", "d"],
            "lad": ["X", "Y", "X", "Y"],
            "kind": ["town", "town", "town", None],
            "yes": [1, 2, 3, 4],
            "all": [10, 10, 20, 40],
        }
    )
    table = build_truth(areas, "oa", "yes", "all", ["lad"], ["kind"]).set_index(["area_level", "area_code"])
    assert table.index.tolist() == [*(("oa", code) for code in "abcd"), ("lad", "X"), ("lad", "Y"), ("national", "all")]
    assert table.loc[("lad", "X"), ["population", "count"]].tolist() == [30, 4]
    assert table["truth"].to_numpy() == pytest.approx([0.1, 0.2, 0.15, 0.1, 4 / 30, 6 / 50, 10 / 80])
    assert table["by_kind"].fillna("-").tolist() == ["town", "town", "town", "-", "town", "-", "-"]
    assert table["by_lad"].fillna("-").tolist() == ["X", "Y", "X", "Y", "X", "Y", "-"]


def test_counts_that_miss_an_area_or_exceed_the_total_are_refused(tables: tuple[Path, Path], tmp_path: Path):
    truth = pd.read_parquet(tables[1])
    oa = truth[truth["area_level"] == "oa"].reset_index(drop=True)
    areas, counts = tmp_path / "areas.csv", tmp_path / "counts.csv"
    pd.DataFrame({"oa": oa["area_code"]}).to_csv(areas, index=False)
    table = pd.DataFrame({"OA": oa["area_code"], "yes": 10, "all": 20})

    def error(rows: pd.DataFrame) -> str:
        rows.to_csv(counts, index=False)
        names = {"truth_code": "OA", "truth_count": "yes", "truth_total": "all"}
        result, status = run_score(tables[0], counts, areas=areas, **names)
        assert status == 1
        return str(result["error"])

    assert "no count for 1 of 240 areas, the first: E0000" in error(table.iloc[1:])
    assert "1 areas count more people than they have, the first: E0007" in error(
        table.assign(yes=np.where(table.index == 7, 21, 10))
    )
    assert "2 areas have nobody" in error(table.assign(all=np.where(table.index < 2, 0, 20), yes=0))
    assert "1 repeated codes" in error(pd.concat([table, table.head(1)]))


def test_options_that_do_not_go_together_are_wrong_usage(tables: tuple[Path, Path]):
    with pytest.raises(ConfigurationError) as caught:
        run_score(*tables, truth_code="OA")
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigurationError, match="needs --areas"):
        run_score(*tables, by=["kind"])
    with pytest.raises(ConfigurationError, match="name columns of it by --by"):
        run_score(*tables, areas=tables[1])


def test_files_that_are_not_tables_are_an_error(tables: tuple[Path, Path], tmp_path: Path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"\x00\x01")
    bars = tmp_path / "bars.json"
    bars.write_text("{}")
    for args, options in (
        ((broken, tables[1]), {}),
        ((tmp_path / "none.csv", tables[1]), {}),
        (tables, {"bar_files": [bars]}),
        (tables, {"bar_files": [tmp_path / "none.json"]}),
    ):
        result, status = run_score(*args, **options)
        assert (result["ok"], status) == (False, 1)
        assert str(tmp_path) in result["error"]


def test_text_names_levels_groups_and_failed_bars(tables: tuple[Path, Path]):
    text = score_text(run_score(*tables, bars=["oa.rmse<=0.0001", "lad.n==6"])[0])
    assert "1 bars hold, 1 fail" in text
    assert "fails: oa.rmse<=0.0001" in text
    assert "90% holds, by" in text
    assert text.index("\noa ") < text.index("\nlad ") < text.index("\nnational ")
