"""A small project through every stage, by the command line, as a user would."""

import hashlib
import json
import os
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from small_example import write_small_example

import placewise as pw
from placewise import cli
from placewise.errors import ConfigurationError

HEADER = (
    "area_code,area_name,area_level,outcome,population,mean,sd,ci50_lower,ci50_upper,ci90_lower,ci90_upper,ci95_lower,"
    "ci95_upper,index,index_sd,index_ci90_lower,index_ci90_upper,index_ci95_lower,index_ci95_upper,p_above_national,"
    "p_top_decile,p_bottom_decile,rank_median,rank_ci90_lower,rank_ci90_upper,triple_goal,reliability,grade,flag,"
    "flag_reason"
)
FORMULA = "log(deprivation) + private_rent + sex + (1 | age) + (1 | region/lad)"
FEW = ["--draws", "400", "--quiet"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("country")
    model = write_small_example(folder, FORMULA)
    text = model.read_text(encoding="utf-8")
    share = 'estimand = { share = ["fairly strongly", "very strongly"] }'
    assert share in text
    both = 'estimand = { belongs = { share = ["fairly strongly", "very strongly"] }, score = "mean" }'
    model.write_text(text.replace(share, both), encoding="utf-8")
    return folder


def run(folder, *arguments):
    return cli.main([arguments[0], "--project", os.fspath(folder), *arguments[1:]])


def digests(out):
    """Of estimates and release: what must be the same, byte for byte, whenever it is made again."""
    chosen = [*out.glob("belonging/estimates*"), *(out / "belonging" / "release").rglob("*")]
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in chosen}


@pytest.fixture(scope="module")
def out(project):
    assert run(project, "run", *FEW) == 0
    return project / "reports"


@pytest.fixture(scope="module")
def estimates(out):
    return pd.read_parquet(out / "belonging" / "estimates.parquet")


def test_every_promised_file_is_there(out):
    names = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file() and ".stages" not in p.parts}
    release = {name for name in names if name.startswith("belonging/release/")}
    assert release
    assert names - release == {
        "index.html",
        "manifest.json",
        "metadata.json",
        "belonging/report.html",
        "belonging/estimates.parquet",
        "belonging/estimates.csv",
        "belonging/estimates_score.parquet",
        "belonging/estimates_score.csv",
        "belonging/posterior.nc",
        "belonging/diagnostics.json",
    }


def test_rows_out_are_rows_in(project, estimates):
    areas = pd.read_parquet(project / "data" / "areas.parquet")
    assert ",".join(estimates.columns) == HEADER
    small = estimates[estimates["area_level"] == "oa"]
    assert list(small["area_code"]) == list(areas["oa"])
    for level in ("lsoa", "msoa", "lad", "region"):
        assert (estimates["area_level"] == level).sum() == areas[level].nunique()
    assert (estimates["area_level"] == "national").sum() == 1
    assert np.isfinite(small[["mean", "sd", "index", "triple_goal", "reliability"]].to_numpy()).all()
    assert small["mean"].between(0, 1).all()
    assert (small["sd"] > 0).all()


def test_names_and_levels_are_the_project_s(project, estimates):
    areas = pd.read_parquet(project / "data" / "areas.parquet").drop_duplicates("lad").set_index("lad")
    lads = estimates[estimates["area_level"] == "lad"].set_index("area_code")
    assert dict(lads["area_name"]) == dict(areas["lad_name"])


def test_the_report_calls_groups_by_their_names_and_modes_as_the_survey_has_them(project, out):
    page = (out / "belonging" / "report.html").read_text(encoding="utf-8")
    areas = pd.read_parquet(project / "data" / "areas.parquet")
    shown = set(re.findall(r"<text[^>]*>([^<]*)</text>", page))
    assert set(areas["region_name"]) <= shown
    assert not set(areas["region"]) & shown
    assert "What stands out" in page
    assert "than expected, given who lives there" in page
    assert "<td>online, paper</td>" in page or "<td>paper, online</td>" in page


def test_csv_and_parquet_agree(out, estimates):
    written = pd.read_csv(out / "belonging" / "estimates.csv")
    np.testing.assert_allclose(written["mean"], estimates["mean"], rtol=1e-8)
    assert list(written["area_code"]) == list(estimates["area_code"])


def test_the_second_estimand_is_on_its_own_scale(out):
    score = pd.read_parquet(out / "belonging" / "estimates_score.parquet")
    assert score["mean"].between(1, 4).all()
    tables = json.loads((out / "metadata.json").read_text(encoding="utf-8"))["tables"]
    units = {t["url"]: t["tableSchema"]["columns"][5]["schema:unitText"] for t in tables}
    assert units == {"belonging/estimates.csv": "share, 0 to 1", "belonging/estimates_score.csv": "score"}


def test_the_manifest_holds_the_hash_of_every_file(out):
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["audience"] == "internal"
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file() and ".stages" not in p.parts}
    assert set(manifest["outputs"]) == there - {"manifest.json"}
    assert set(manifest["inputs"]) >= {
        "placewise.toml",
        "models/belonging.toml",
        "data/survey.csv",
        "data/cells.parquet",
    }


def test_nothing_is_marked_where_the_checks_hold(out, estimates):
    assert json.loads((out / "belonging" / "diagnostics.json").read_text())["status"] == "pass"
    page = (out / "belonging" / "report.html").read_text(encoding="utf-8")
    assert 'class="watermark"' not in page
    assert not estimates["flag"].str.contains("failed").any()
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_nothing_of_the_respondents_is_in_the_posterior(out):
    import xarray as xr

    tree = xr.open_datatree(out / "belonging" / "posterior.nc", engine="h5netcdf")
    assert set(tree.children) == {"posterior", "sample_stats"}
    tree.close()


def test_a_second_run_computes_nothing_and_a_new_title_only_the_report(project, out, capsys):
    before = digests(out)
    assert run(project, "run", "--json", *FEW) == 0
    stages = json.loads(capsys.readouterr().out)["outcomes"]["belonging"]["stages"]
    assert set(stages.values()) == {"up to date"}
    model = project / "models" / "belonging.toml"
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace('title    = "Belonging', 'title    = "Feeling of belonging'), encoding="utf-8")
    assert run(project, "run", "--json", *FEW) == 0
    stages = json.loads(capsys.readouterr().out)["outcomes"]["belonging"]["stages"]
    assert [name for name, how in stages.items() if how == "computed"] == ["publish"]
    assert digests(out) == before


def test_an_area_of_one_s_own_and_a_comparison(project, out, estimates, capsys):
    release = os.fspath(out / "belonging" / "release")
    lad = estimates[estimates["area_level"] == "lad"].iloc[0]
    assert cli.main(["aggregate", "--release", release, "--codes", lad["area_code"], "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["area_level"] == "custom"
    assert row["outcome"] == "belonging"
    assert row["mean"] == pytest.approx(lad["mean"], abs=1e-6)
    assert row["ci90_lower"] == pytest.approx(lad["ci90_lower"], abs=1e-5)
    a, b = estimates[estimates["area_level"] == "lad"]["area_code"].iloc[:2]
    assert cli.main(["compare", "--release", release, a, b, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ci90_lower"] < found["mean"] < found["ci90_upper"]
    called = dict(zip(estimates["area_code"], estimates["area_name"], strict=True))
    assert (found["name_a"], found["name_b"]) == (called[a], called[b])
    assert cli.main(["compare", "--release", release, called[a], called[b]]) == 0
    assert capsys.readouterr().out.startswith(f"{called[a]} ({a}) minus {called[b]} ({b}), lad, in percentage points")
    assert cli.main(["compare", "--release", release, a, "nowhere"]) == 2
    small = estimates[estimates["area_level"] == "oa"]["area_code"].iloc[0]
    capsys.readouterr()
    assert cli.main(["compare", "--release", release, a, small]) == 2
    assert (
        f"{a!r} is an area of 'lad' and {small!r} one of 'oa' (name two areas of one level)" in capsys.readouterr().err
    )
    assert cli.main(["aggregate", "--release", release, "--groups", "groups.csv"]) == 2
    assert cli.main(["aggregate", "--release", os.fspath(project), "--codes", a]) == 2


def test_a_disk_too_small_for_the_results_is_found_before_the_fit(project, tmp_path, capsys, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=60_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert run(project, "run", "--draws", "100000", "--quiet", "--out", os.fspath(tmp_path / "out")) == 2
    assert "60 MB are free, the results need about" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_quiet_run_in_which_nothing_goes_wrong_says_nothing(project, out, capsys):
    assert run(project, "run", *FEW) == 0
    assert capsys.readouterr() == ("", "")
    assert run(project, "run", *FEW, "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "done"


def test_scoring_against_the_known_truth(project, out, capsys):
    truth = pd.read_parquet(project / "data" / "truth.parquet")
    assert {"area_code", "area_level", "belong"} <= set(truth.columns)
    arguments = ["score", "--estimates", os.fspath(out / "belonging" / "estimates.parquet")]
    arguments += ["--truth", os.fspath(project / "data" / "truth.parquet"), "--truth-column", "belong"]
    arguments += ["--level", "oa", "--json"]
    assert cli.main([*arguments, "--bar", "oa.n>=200"]) == 0
    assert json.loads(capsys.readouterr().out)["levels"]["oa"]["rmse"] < 0.25
    assert cli.main([*arguments, "--bar", "oa.rmse<=0.0001"]) == 1


def test_the_python_interface_gives_the_same_kind_of_answers(project):
    fit = pw.Project(project).fit("belonging", draws=400, changes={"formula": "private_rent + (1 | lad)"})
    areas = fit.project()
    table = areas.aggregate("lad").index().summary()
    known = pd.read_parquet(project / "data" / "areas.parquet").drop_duplicates("lad").set_index("lad")["lad_name"]
    assert dict(zip(table["area_code"], table["area_name"], strict=True)) == dict(known)
    first, second = areas.codes[:2]
    assert np.isfinite(areas.compare(first, second)["mean"])
    assert fit.summary().loc["slopes[private_rent]", "sd"] > 0
    assert fit.diagnose().status == "pass"
    with pytest.raises(ConfigurationError, match="did you mean 'belonging'"):
        pw.Project(project).fit("belongng")
