"""Recoding: the one way by which a survey's columns become variables, for every reader and for the user's own file."""

from placewise.surveys.recode.apply import Recoded, apply_recoding
from placewise.surveys.recode.parse import parse_recoding, read_recoding
from placewise.surveys.recode.spec import Band, Recoding, Variable
from placewise.surveys.recode.write import write_recoding

__all__ = [
    "Band",
    "Recoded",
    "Recoding",
    "Variable",
    "apply_recoding",
    "parse_recoding",
    "read_recoding",
    "write_recoding",
]
