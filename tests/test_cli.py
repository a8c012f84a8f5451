import json
import os
import subprocess
import sys

import pytest

from placewise import cli
from placewise.errors import ConfigurationError, DataError, Problem

HEAVY = ("numpy", "pandas", "pymc", "arviz", "scipy", "numba", "matplotlib")


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "placewise.cli", *arguments], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["score", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys; from placewise.cli import main; status = main(sys.argv[1:]); "
        f"print([m for m in {HEAVY} if m in sys.modules], status, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[] 0"
    assert done.stdout


def test_importing_the_package_imports_nothing_heavy():
    code = f"import sys, placewise; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--nonsense"], "No such option"),
        (["runn"], "No such command"),
        (["run", "--draws", "many"], "--draws"),
        (["run", "--draws", "0"], "--draws"),
        (["score", "--truth", "x.csv"], "--estimates"),
        (["init", "--size", "huge"], "--size"),
    ],
)
def test_wrong_usage_is_status_2_with_one_line(arguments, words, capsys):
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "works"),
    [
        (["validate"], "placewise score"),
        (["publish", "--out", "x"], "placewise run"),
        (["explore", "--port", "1"], "index.html"),
    ],
)
def test_what_is_not_built_says_what_works(arguments, works, capsys):
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert "not available in this version" in said
    assert works in said


def test_help_lists_what_there_is_and_nothing_else(capsys):
    assert cli.main(["--help"]) == 0
    listed = [
        line.split()[0] for line in capsys.readouterr().out.partition("Commands:")[2].splitlines() if line.strip()
    ]
    assert {"run", "check", "score", "aggregate", "survey", "data", "init"} <= {*listed}
    assert not {"validate", "publish", "explore"} & {*listed}


def _raise(error):
    def command(*_, **__):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError(Problem("placewise.toml: areas.code", "column 'a' is missing")), 2),
        (DataError([Problem("survey", "no answers", kind="data"), Problem("areas", "empty", kind="data")]), 1),
        (DataError([Problem("survey", "no answers", kind="data"), Problem("x", "y", kind="unavailable")]), 2),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device", "reports/x"), 1),
    ],
)
def test_exit_statuses(monkeypatch, capsys, error, status):
    monkeypatch.setattr(cli, "_run", _raise(error))
    assert cli.main(["run"]) == status
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if isinstance(error, DataError):
        assert "2 problems:" in said


def test_debug_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_run", _raise(ConfigurationError(Problem("x", "y"))))
    assert cli.main(["run", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_problems_as_json(monkeypatch, capsys):
    monkeypatch.setattr(cli, "_run", _raise(ConfigurationError(Problem("x", "y", "do z"))))
    assert cli.main(["run", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["exit_status"] == 2
    assert told["problems"] == [{"where": "x", "message": "y", "hint": "do z", "kind": "configuration"}]


def test_an_error_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr(cli, "_run", _raise(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["run"])


@pytest.mark.parametrize("command", ["run", "check", "fit", "diagnose", "project"])
def test_without_a_project_file_it_says_what_to_do(tmp_path, command):
    done = run(command, cwd=tmp_path)
    assert done.returncode == 2
    assert "placewise init --example" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_writes_a_project_that_reads_and_never_overwrites(tmp_path, capsys):
    folder = tmp_path / "mine"
    assert cli.main(["init", "--project", os.fspath(folder)]) == 0
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert {p.relative_to(folder).as_posix() for p in before} == {"placewise.toml", "models/outcome.toml"}
    assert cli.main(["init", "--example", "--size", "small", "--project", os.fspath(folder)]) == 2
    assert "already holds" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert cli.main(["check", "--project", os.fspath(folder)]) == 1
    said = capsys.readouterr().err
    assert "areas.csv" in said
    assert "survey.csv" in said
