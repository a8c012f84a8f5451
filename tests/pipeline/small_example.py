"""The small example with one outcome of one question, as the tests of whole runs begin."""

from __future__ import annotations

from pathlib import Path

from placewise.pipeline.example import write_example

FORMULA = """log(deprivation) + log(density) + private_rent + social_rent + degree + no_car + movers + one_person
+ sex + (1 | age) + (1 | age:sex) + (1 | supergroup/group/subgroup) + (1 | region/lad/msoa/lsoa)"""

ONE_QUESTION = '''[outcome]
title    = "Belonging to the neighbourhood"
question = "How strongly do you feel you belong to your immediate neighbourhood?"
survey   = "community"
response = "belonging"
family   = "cumulative"
order    = ["not at all strongly", "not very strongly", "fairly strongly", "very strongly"]
estimand = { share = ["fairly strongly", "very strongly"] }
polarity = "higher is better"

[model]
formula = """FORMULA"""
engine = "laplace"

[model.priors]
sd = "gamma(2, 10)"
'''


def write_small_example(folder: Path, formula: str = FORMULA) -> Path:
    """Write the small example into a folder; its one model file, of one question and this formula."""
    write_example(folder, small=True)
    for model in (folder / "models").iterdir():
        model.unlink()
    model = folder / "models" / "belonging.toml"
    model.write_text(ONE_QUESTION.replace("FORMULA", formula), "utf-8")
    return model
