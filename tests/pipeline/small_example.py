"""The small example with another formula, as the tests of whole runs begin."""

from __future__ import annotations

import re
from pathlib import Path

from placewise.pipeline.example import write_example

FORMULA = re.compile(r'formula = """.*?"""', re.DOTALL)


def write_small_example(folder: Path, formula: str) -> Path:
    """Write the small example into a folder; its model file, in which the formula is replaced."""
    write_example(folder, small=True)
    model = folder / "models" / "belonging.toml"
    text, times = FORMULA.subn(f'formula = "{formula}"', model.read_text("utf-8"))
    assert times == 1
    model.write_text(text, "utf-8")
    return model
