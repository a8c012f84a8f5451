"""Project folders with something wrong: one clear message each, exit status 1 or 2, nothing written."""

import re
from pathlib import Path

import pytest

from placewise import cli

PROJECT = """
[project]
name = "bad"
seed = 1
out = "reports"

[areas]
table = "data/areas.csv"
code = "oa"
levels = ["lad", "region"]
classes = ["kind"]
population = "adults"

[frame]
cells = "data/cells.csv"
count = "n"

[survey.main]
path = "data/survey.csv"
area = "oa"
missing = ["refused"]
weight = "weight"
"""

MODEL = """
[outcome]
survey = "main"
response = "belongs"
family = "bernoulli"
success = ["yes"]

[model]
formula = "deprivation + log(density) + sex + (1 | region/lad) + (1 | kind)"
"""

AREAS, LADS, ANSWERS = 12, 4, 60


def area_rows():
    rows = ["oa,lad,region,kind,adults,deprivation,density"]
    for i in range(AREAS):
        lad = i % LADS
        rows.append(f"E{i:02d},L{lad},R{lad % 2},{'ab'[i % 2]},{100 + i},{(i * 7) % 11},{10 + (i * 5) % 13}")
    return rows


def cell_rows():
    return ["oa,sex,n", *(f"E{i:02d},{sex},{40 + i}" for i in range(AREAS) for sex in ("female", "male"))]


def survey_rows():
    rows = ["oa,sex,belongs,weight"]
    for i in range(ANSWERS):
        rows.append(f"E{i % AREAS:02d},{('female', 'male')[i % 2]},{('yes', 'no')[i * i % 3 > 0]},{1 + i % 3}")
    return rows


@pytest.fixture
def folder(tmp_path):
    files = {
        "placewise.toml": PROJECT,
        "models/belonging.toml": MODEL,
        "data/areas.csv": "\n".join(area_rows()) + "\n",
        "data/cells.csv": "\n".join(cell_rows()) + "\n",
        "data/survey.csv": "\n".join(survey_rows()) + "\n",
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


TOML, MODEL_FILE = "placewise.toml", "models/belonging.toml"
AREAS_FILE, CELLS_FILE, SURVEY_FILE = "data/areas.csv", "data/cells.csv", "data/survey.csv"


def swap(name, old, new, count=1):
    """The first ``count`` matches of a pattern in a file become something else."""

    def change(folder):
        text, made = re.subn(old, new, (folder / name).read_text(), count=count, flags=re.MULTILINE)
        assert made, f"{old!r} is not in {name}"
        (folder / name).write_text(text)

    return change


def add(name, text):
    def change(folder):
        with (folder / name).open("a") as file:
            file.write(text)

    return change


def write(name, content):
    def change(folder):
        (folder / name).write_bytes(content)

    return change


def remove(name):
    return lambda folder: (folder / name).unlink()


def rename(name, new):
    return lambda folder: (folder / name).rename(folder / new)


# name: (changes, exit status, what the one message must say)
BAD = {
    "column missing": ([swap(AREAS_FILE, "^oa,", "oa21,")], 1, ["'oa'", "oa21"]),
    "level missing": ([swap(AREAS_FILE, "lad,region", "ladcode,region")], 1, ["'lad'", "ladcode"]),
    "response missing": ([swap(SURVEY_FILE, "belongs", "belong")], 1, ["'belongs'", "'belong'"]),
    "covariate misspelt": ([swap(MODEL_FILE, "deprivation", "deprivaton")], 2, ["'deprivaton'", "'deprivation'"]),
    "duplicated codes": ([swap(AREAS_FILE, "^E03", "E02")], 1, ["E02"]),
    "unknown codes": ([swap(SURVEY_FILE, "^E03", "W99")], 1, ["W99"]),
    "area in two parents": ([swap(AREAS_FILE, "^E00,L0,R0", "E00,L0,R1")], 1, ["L0"]),
    "missing covariate": ([swap(AREAS_FILE, r"^(E04.*),\d+,(\d+)$", r"\1,,\2")], 1, ["deprivation", "missing", "E04"]),
    "infinite covariate": ([swap(AREAS_FILE, r"^(E04.*),\d+,(\d+)$", r"\1,inf,\2")], 1, ["deprivation", "E04"]),
    "text in a number": ([swap(AREAS_FILE, r"^(E04.*),\d+,(\d+)$", r"\1,n/a?,\2")], 1, ["deprivation", "n/a?"]),
    "logarithm of zero": ([swap(AREAS_FILE, r"^(E04.*),\d+$", r"\1,0")], 1, ["density"]),
    "undeclared answers": ([swap(SURVEY_FILE, ",no,", ",8,", 12)], 1, ["'8'", "12"]),
    "misspelt key": ([swap(TOML, "^levels", "level")], 2, ["level", "levels"]),
    "misspelt table": ([swap(TOML, "^.frame.", "[fram]")], 2, ["fram", "frame"]),
    "misspelt model key": ([swap(MODEL_FILE, "^formula", "formulae")], 2, ["formulae", "formula"]),
    "misspelt survey": ([swap(MODEL_FILE, '"main"', '"mian"')], 2, ["mian", "main"]),
    "broken TOML": ([swap(TOML, "^seed = 1", "seed = = 1")], 2, ["placewise.toml"]),
    "broken model TOML": ([write(MODEL_FILE, b"[outcome\n")], 2, ["belonging.toml"]),
    "wrong type": ([swap(TOML, "^seed = 1", 'seed = "one"')], 2, ["seed", "one"]),
    "empty areas": ([write(AREAS_FILE, b"")], 1, ["areas.csv", "empty"]),
    "areas with a header only": ([write(AREAS_FILE, area_rows()[0].encode())], 1, ["areas.csv"]),
    "survey with a header only": ([write(SURVEY_FILE, survey_rows()[0].encode())], 1, ["survey.csv"]),
    "binary survey": ([write(SURVEY_FILE, bytes(range(256)) * 9)], 1, ["survey.csv"]),
    "parquet that is none": ([swap(TOML, "areas.csv", "areas.parquet"), rename(AREAS_FILE, "data/areas.parquet")], 1,
                             ["areas.parquet"]),
    "unset variable": ([swap(TOML, "data/areas.csv", "${PLACEWISE_NOT_SET}/areas.csv")], 2, ["PLACEWISE_NOT_SET"]),
    "missing file": ([remove(SURVEY_FILE)], 1, ["survey.csv"]),
    "import in a formula": ([swap(MODEL_FILE, r"log\(density\)", "__import__('os')")], 2, ["formula"]),
    "attribute in a formula": ([swap(MODEL_FILE, r"log\(density\)", "density.real")], 2, ["formula"]),
    "unknown function": ([swap(MODEL_FILE, r"log\(density\)", "sin(density)")], 2, ["sin"]),
    "prior of no group": ([add(MODEL_FILE, '[model.priors]\n"sd:msoa" = "half_normal(1)"\n')], 2, ["msoa"]),
    "prior misspelt": ([add(MODEL_FILE, '[model.priors]\nslope = "norml(0, 1)"\n')], 2, ["norml", "normal"]),
    "prior of the wrong length": ([add(MODEL_FILE, '[model.priors]\nsd = "gamma(4)"\n')], 2, ["gamma"]),
    "prior outside its range": ([add(MODEL_FILE, '[model.priors]\nsd = "half_normal(-1)"\n')], 2, ["half_normal"]),
    "intercept of a cumulative model": (
        [swap(MODEL_FILE, '"bernoulli"', '"cumulative"'),
         swap(MODEL_FILE, "^success.*$", 'order = ["no", "yes"]\nestimand = { share = ["yes"] }'),
         add(MODEL_FILE, '[model.priors]\nintercept = "normal(0, 1)"\n')], 2, ["intercept"]),
    "all answers equal": ([swap(SURVEY_FILE, ",no,", ",yes,", 0)], 1, ["belongs"]),
    "all answers missing": ([swap(SURVEY_FILE, ",(no|yes),", ",refused,", 0)], 1, ["belongs"]),
    "zero weights": ([swap(SURVEY_FILE, ",1$", ",0", 0)], 1, ["weight", "zero"]),
    "negative weights": ([swap(SURVEY_FILE, ",1$", ",-1", 0)], 1, ["weight", "negative"]),
    "text weights": ([swap(SURVEY_FILE, ",1$", ",heavy", 0)], 1, ["weight", "text"]),
    "zero population": ([swap(AREAS_FILE, ",104,", ",0,")], 1, ["adults", "E04"]),
    "negative counts": ([swap(CELLS_FILE, "^E04,male,44", "E04,male,-44")], 1, ["cells.csv"]),
    "frame of unknown areas": ([swap(CELLS_FILE, "^E04", "X04", 2)], 1, ["X04"]),
    "category the frame lacks": ([swap(SURVEY_FILE, ",male,", ",other,", 12)], 1, ["sex", "other"]),
    "column the frame lacks": ([swap(SURVEY_FILE, "^oa,sex", "oa,gender"), swap(MODEL_FILE, "sex", "gender")], 2,
                               ["'gender'", "frame"]),
    "frame without its count": ([swap(CELLS_FILE, "oa,sex,n", "oa,sex,people")], 1, ["'n'"]),
    "unknown family": ([swap(MODEL_FILE, '"bernoulli"', '"bernouli"')], 2, ["bernouli", "bernoulli"]),
    "engine of a later version": ([add(MODEL_FILE, 'engine = "hmc"\n')], 2,
                                  ["not available in this version", "nuts"]),
    "structure of no kind": ([add(MODEL_FILE, 'structure = { lad = "car" }\n')], 2, ["structure.lad", "bym2"]),
    "structure without neighbours": ([add(MODEL_FILE, 'structure = { lad = "bym2" }\n')], 2,
                                     ["model.structure.lad", "[areas] neighbours"]),
    "structure without an order": ([add(MODEL_FILE, 'structure = { lad = "rw1" }\n')], 2,
                                   ["model.structure.lad", "[variables.lad] order"]),
    "structure of a group left out": ([add(MODEL_FILE, 'structure = { kind = "rw1" }\n')], 2,
                                      ["'kind' was left out", "as region does"]),
    "structure of no group": ([add(MODEL_FILE, 'structure = { sex = "rw1" }\n')], 2, ["no group 'sex'"]),
    "slope of no column": ([swap(MODEL_FILE, r"\(1 \| kind\)", "(deprivaton | kind)")], 2,
                           ["'deprivaton'", "'deprivation'"]),
    "slopes in two brackets": ([swap(MODEL_FILE, r"\(1 \| kind\)", "(sex | lad) + (density | lad)")], 2,
                               ["two brackets", "(x + z | lad)"]),
    "correlations of no slopes": ([add(MODEL_FILE, '[model.priors]\n"cor:lad" = "lkj(2)"\n')], 2,
                                  ["cor:lad", "no effects over 'lad' are correlated"]),
    "sd of a slope that is fixed": ([add(MODEL_FILE, '[model.priors]\n"sd:deprivation|lad" = "half_normal(1)"\n')], 2,
                                    ["no group 'deprivation|lad'"]),
    "structure under correlated slopes": (
        [swap(MODEL_FILE, r"\(1 \| kind\)", "(deprivation | sex)"), swap(MODEL_FILE, r"\+ sex ", ""),
         add(TOML, '[variables.sex]\norder = ["female", "male"]\n'), add(MODEL_FILE, 'structure = { sex = "rw1" }\n')],
        2, ["'sex' have a structure", "(x || sex)"]),
    "area scale of no class": ([add(MODEL_FILE, 'area_scale = "knd"\n')], 2, ["model.area_scale", "'knd'", "'kind'"]),
    "multiplier of no class": ([add(MODEL_FILE, 'area_scale = { by = "kind", multipliers = { c = 2.0 } }\n')], 2,
                               ["model.area_scale.multipliers", "no area in 'c'"]),
    "prior of no area scale": ([add(MODEL_FILE, '[model.priors]\n"sd:area_scale" = "half_normal(1)"\n')], 2,
                               ["sd:area_scale", "no multipliers of the area's sd are learned"]),
    "cutpoints of yes and no": ([add(MODEL_FILE, 'category_specific = "auto"\n')], 2,
                                ["model.category_specific", "a bernoulli model has no cutpoints"]),
    "prior that the engine cannot carry": ([add(MODEL_FILE, '[model.priors]\nslope = "r2d2(0.5, 2)"\n')], 2,
                                          ["models/belonging.toml: model.priors.slope", "'laplace' cannot carry",
                                           "engine = 'nuts' or 'auto'"]),
    "horseshoe of too few slopes": ([add(MODEL_FILE, '[model.priors]\nslope = "horseshoe(7)"\n')], 2,
                                    ["model.priors.slope", "below the 3 there are"]),
    "rho without a structure": ([add(MODEL_FILE, '[model.priors]\n"rho:lad" = "beta(1, 1)"\n')], 2,
                                ["'lad' are independent"]),
    "neighbours that are no areas": (
        [swap(TOML, '^population', 'neighbours = { lad = "data/pairs.csv" }\npopulation'),
         write("data/pairs.csv", b"a,b\nL0,L1\nL0,X9\n"), add(MODEL_FILE, 'structure = { lad = "bym2" }\n')], 1,
        ["areas.neighbours.lad", "'X9'"]),
    "benchmark of a strange level in per cent": (
        [add(MODEL_FILE, '[benchmark]\nlevel = "regoin"\ntargets = "data/t.csv"\n'),
         write("data/t.csv", b"code,estimate\nR0,55\n")],
        2, ["benchmark.level", "did you mean 'region'?"]),
    "benchmark in per cent without errors": (
        [add(MODEL_FILE, '[benchmark]\nlevel = "region"\ntargets = "data/t.csv"\n'),
         write("data/t.csv", b"code,estimate\nR0,55\n")],
        1, ["per cent", "no column 'se'", "no target: 'R1'"]),
    "no model": ([remove(MODEL_FILE)], 2, ["models/"]),
    "model of a strange name": ([rename(MODEL_FILE, "models/be longing;.toml")], 2, ["be longing;"]),
    "results over the project": ([swap(TOML, '"reports"', '"."')], 2, ["out"]),
    "where that keeps nobody": ([swap(TOML, "^weight", "where = { sex = [\"unknown\"] }\nweight")], 1, ["where"]),
    "index of no column": ([add(TOML, '[index]\nbase = { country = ["E"] }\n')], 1, ["'country'"]),
    "success that nobody answers": ([swap(MODEL_FILE, '."yes".', '["ja"]')], 1, ["ja"]),
}  # fmt: skip


def contents(folder):
    return {p: p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}


def test_the_project_before_it_is_spoilt_is_good(folder, capsys):
    assert cli.main(["check", "--project", str(folder)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_project(folder, name, command, capsys):
    changes, status, words = BAD[name]
    for change in changes:
        change(folder)
    before = contents(folder)
    assert cli.main([command, "--project", str(folder), *(["--quiet"] * (command == "run"))]) == status
    told = capsys.readouterr()
    for word in words:
        assert word in told.err
    assert told.err.count("error: ") == 1
    assert "Traceback" not in told.err
    assert told.out == ""
    assert contents(folder) == before
    assert sorted(p.name for p in folder.iterdir()) == ["data", "models", "placewise.toml"]


@pytest.mark.parametrize(
    ("keys", "note"),
    [
        ('engine = "nuts"\n', "belonging: this will run Markov chains (minutes)"),
        (
            'engine = "auto"\n[model.priors]\nslope = "horseshoe(0.1)"\n',
            "belonging: this will run Markov chains (minutes): engine 'laplace' cannot carry horseshoe(",
        ),
        ('engine = "auto"\n', ""),
        ("", ""),
    ],
)
def test_chains_are_announced(folder, keys, note, capsys):
    add(MODEL_FILE, keys)(folder)
    assert cli.main(["check", "--project", str(folder)]) == 0
    said = capsys.readouterr().out
    assert note in said
    assert ("Markov chains" in said) == bool(note)


def test_problems_of_every_file_are_told_at_once(folder, capsys):
    for change in (
        swap(TOML, "^seed = 1", 'seed = "one"'),
        swap(TOML, "^weight", "wieght"),
        swap(MODEL_FILE, '"bernoulli"', '"bernouli"'),
        swap(MODEL_FILE, r"log\(density\)", "sin(density)"),
    ):
        change(folder)
    assert cli.main(["check", "--project", str(folder)]) == 2
    said = capsys.readouterr().err
    for word in ("seed", "wieght", "bernouli", "sin"):
        assert word in said


def test_problems_of_the_data_are_told_at_once(folder, capsys):
    for change in (
        swap(AREAS_FILE, r"^(E04.*),\d+,(\d+)$", r"\1,,\2"),
        swap(AREAS_FILE, ",105,", ",0,"),
        swap(CELLS_FILE, "oa,sex,n", "oa,sex,people"),
        add(MODEL_FILE, '[model.priors]\n"sd:msoa" = "half_normal(1)"\n'),
    ):
        change(folder)
    assert cli.main(["check", "--project", str(folder)]) != 0
    said = capsys.readouterr().err
    for word in ("deprivation", "adults", "'n'", "msoa"):
        assert word in said


def test_a_broken_areas_table_hides_neither_the_survey_nor_the_formula(folder, capsys):
    for change in (
        swap(TOML, "^population = .*", 'population = "adultz"'),
        swap(TOML, "^weight = .*", 'weight = "wieght"'),
        swap(MODEL_FILE, r"log\(density\)", "log(densty)"),
    ):
        change(folder)
    assert cli.main(["check", "--project", str(folder)]) == 2
    said = capsys.readouterr().err
    for word in ("adultz", "wieght", "'densty' is not in any of the files", "did you mean 'density'?"):
        assert word in said


def test_no_message_shows_rows_of_respondents(folder, capsys):
    swap(SURVEY_FILE, ",(yes|no),", ",8,", 12)(folder)
    swap(SURVEY_FILE, ",1$", ",-1", 0)(folder)
    assert cli.main(["check", "--project", str(folder)]) == 1
    said = capsys.readouterr().err
    assert not re.search(r"E\d\d.*(fe)?male", said)
