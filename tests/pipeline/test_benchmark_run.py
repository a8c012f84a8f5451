"""A small project whose model file has a table [benchmark], by the command line."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from small_example import write_small_example

import placewise as pw
from placewise import cli

FORMULA = "log(deprivation) + private_rent + (1 | region/lad)"
FEW = ["--outcome", "belonging", "--draws", "400"]


def run(folder, command="run", *more):
    return cli.main([command, "--project", os.fspath(folder), *FEW, *more])


def with_benchmark(folder, table):
    model = folder / "models" / "belonging.toml"
    text = model.read_text(encoding="utf-8").split("[benchmark]")[0]
    model.write_text(text + f"[benchmark]\n{table}", encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("country")
    write_small_example(folder, FORMULA)
    areas = pd.read_parquet(folder / "data" / "areas.parquet")
    regions = sorted(areas["region"].unique())
    targets = pd.DataFrame({"code": regions, "estimate": np.linspace(0.55, 0.7, len(regions)), "se": 0.01})
    targets.to_csv(folder / "data" / "regions.csv", index=False)
    with_benchmark(folder, 'level = "region"\ntargets = "data/regions.csv"\nmode = "exact"\n')
    assert run(folder) == 0
    return folder


def test_estimates_report_and_record_are_of_the_benchmarked_model(project):
    out, targets = project / "reports" / "belonging", pd.read_csv(project / "data" / "regions.csv")
    estimates = pd.read_parquet(out / "estimates.parquet")
    regions = estimates[estimates["area_level"] == "region"].set_index("area_code").loc[targets["code"].astype(str)]
    assert np.abs(regions["mean"].to_numpy() - targets["estimate"]).max() < 1e-10
    told = json.loads((out / "benchmark.json").read_text(encoding="utf-8"))
    assert (told["level"], told["mode"], len(told["areas"])) == ("region", "exact", len(targets))
    assert all(abs(row["after"] - row["target"]) < 1e-5 for row in told["areas"])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Moved to published figures" in page
    assert "of all pairs" in page
    manifest = json.loads((project / "reports" / "manifest.json").read_text(encoding="utf-8"))
    assert "belonging/benchmark.json" in manifest["outputs"]
    assert "data/regions.csv" in manifest["inputs"]


def test_the_release_is_of_the_benchmarked_model(project, capsys):
    release, code = (
        project / "reports" / "belonging" / "release",
        str(pd.read_csv(project / "data/regions.csv")["code"][0]),
    )
    assert cli.main(["aggregate", "--release", os.fspath(release), "--codes", code, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["mean"] == pytest.approx(0.55, abs=1e-3)


def test_the_python_interface_follows_the_model_file(project):
    fit = pw.Project(project).fit("belonging", draws=400)
    areas = fit.project().aggregate("region")
    targets = pd.read_csv(project / "data" / "regions.csv")
    found = areas.summary().set_index("area_code").loc[targets["code"], "mean"]
    assert np.abs(found.to_numpy() - targets["estimate"]).max() < 1e-10
    assert areas.moved is not None


def test_other_targets_fit_nothing_again(project, capsys):
    with_benchmark(project, 'level = "national"\ntargets = "data/nation.csv"\nmode = "update"\n')
    (project / "data" / "nation.csv").write_text("code,estimate,se\nall,0.6,0.001\n")
    assert run(project, "run", "--json") == 0
    stages = json.loads(capsys.readouterr().out)["outcomes"]["belonging"]["stages"]
    assert [s for s, how in stages.items() if how == "computed"] == ["project", "publish"]
    (project / "data" / "nation.csv").write_text("code,estimate,se\nall,0.61,0.001\n")
    assert run(project, "run", "--json") == 0
    stages = json.loads(capsys.readouterr().out)["outcomes"]["belonging"]["stages"]
    assert [s for s, how in stages.items() if how == "computed"] == ["project", "publish"]
    assert "beyond their errors" in (project / "reports" / "belonging" / "report.html").read_text(encoding="utf-8")
    text = (project / "models" / "belonging.toml").read_text(encoding="utf-8").split("[benchmark]")[0]
    (project / "models" / "belonging.toml").write_text(text, encoding="utf-8")
    assert run(project, "run", "--json") == 0
    capsys.readouterr()
    assert not (project / "reports" / "belonging" / "benchmark.json").exists()


def test_too_few_draws_are_told_before_the_fit(project, capsys):
    lads = sorted(pd.read_parquet(project / "data" / "areas.parquet")["lad"].unique())
    pd.DataFrame({"code": lads, "estimate": 0.6, "se": 0.02}).to_csv(project / "data" / "t.csv", index=False)
    with_benchmark(project, 'level = "lad"\ntargets = "data/t.csv"\nmode = "update"\n')
    assert cli.main(["check", "--project", os.fspath(project), "--outcome", "belonging", "--draws", "20"]) == 2
    assert f"20 draws cannot tell how {len(lads)} areas go together" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "rows", "status", "messages"),
    [
        ('level = "county"\ntargets = "data/t.csv"\n', "code,estimate,se\nall,0.5,0.1\n", 2, ["'county'"]),
        ('level = "national"\ntargets = "data/none.csv"\n', "", 1, ["benchmark.targets", "there is no file"]),
        ('level = "national"\ntargets = "data/t.csv"\n', "code;estimate\nall;62,5\n", 1, ["estimate"]),
        ('level = "national"\ntargets = "data/t.csv"\n', "code,estimate\nall,62.5\n", 1, ["per cent", "'se'"]),
        ('level = "region"\ntargets = "data/t.csv"\n', "code,estimate,se\nX,0.5,0.1\n", 1, ["'X'", "no target"]),
    ],
)  # fmt: skip
def test_mistakes_are_told_by_check(project, capsys, table, rows, status, messages):
    with_benchmark(project, table)
    (project / "data" / "t.csv").write_text(rows)
    assert cli.main(["check", "--project", os.fspath(project), "--outcome", "belonging"]) == status
    told = capsys.readouterr().err
    assert all(message in told for message in messages), told


def test_the_surveys_own_figures_are_refused_unless_allowed(project, capsys):
    survey = pd.read_csv(project / "data" / "survey.csv")
    areas = pd.read_parquet(project / "data" / "areas.parquet").set_index("oa")
    answered = survey[survey["belonging"].isin(ORDER)]
    high = answered["belonging"].isin(ORDER[2:])
    own = high.groupby(areas["region"].reindex(answered["oa"]).to_numpy()).mean()
    pd.DataFrame({"code": own.index, "estimate": own.to_numpy().round(3), "se": 0.02}).to_csv(
        project / "data" / "t.csv", index=False
    )
    with_benchmark(project, 'level = "region"\ntargets = "data/t.csv"\n')
    assert cli.main(["check", "--project", os.fspath(project), "--outcome", "belonging"]) == 1
    assert "the model's own respondents say" in capsys.readouterr().err
    with_benchmark(project, 'level = "region"\ntargets = "data/t.csv"\nallow_same_data = true\n')
    assert cli.main(["check", "--project", os.fspath(project), "--outcome", "belonging"]) == 0
    assert "counted twice" in capsys.readouterr().out


ORDER = ["not at all strongly", "not very strongly", "fairly strongly", "very strongly"]
