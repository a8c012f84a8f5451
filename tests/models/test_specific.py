"""Category-specific slopes: which columns they are, by name and by score."""

from __future__ import annotations

import numpy as np
import pytest

from placewise.errors import Problems
from placewise.models.design import Column, Design
from placewise.models.formula import parse_formula
from placewise.models.specific import with_specific
from placewise.surveys.outcome import Response

LEVELS = ("low", "mid", "high")
TEXT = "a + log(b) + sex + poly(c, 2) + a:sex + d + e + f"
NAMES = ("a", "log(b)", "sex[male]", "poly(c, 2)[1]", "poly(c, 2)[2]", "d", "e", "f", "a:sex[male]")


def _ask(asked, levels=LEVELS, names=NAMES, text=TEXT, y=None, strong=()):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3000, len(names)))
    problems = Problems()
    formula = parse_formula(text, "m.toml: model.formula", problems)
    design = Design(True, tuple(Column(n, v) for n, v in zip(names, x.T, strict=True)), (), 3000)
    if y is None:
        noise = rng.logistic(size=3000)
        y = (noise > -1).astype(int) + (noise > 1 + 0.5 * sum((x[:, k] for k in strong), start=np.zeros(3000)))
    response = Response(y=y, kept=np.ones(3000, dtype=bool), levels=levels)
    return with_specific(design, asked, formula, response, "m.toml: model.category_specific", problems), problems


def test_an_empty_list_makes_no_slope_specific():
    design, problems = _ask(())
    assert design.category_specific == ()
    assert design.notes == ()
    assert not problems


def test_an_absent_key_is_auto():
    design, problems = _ask(None, strong=(0, 3, 7))
    assert not problems
    assert design.category_specific == _ask("auto", strong=(0, 3, 7))[0].category_specific
    assert "same slope at every cutpoint for" in design.notes[0]


def test_an_absent_key_asks_nothing_of_two_categories():
    design, problems = _ask(None, levels=("low", "high"), y=np.arange(3000) % 2)
    assert design.category_specific == ()
    assert not problems


@pytest.mark.parametrize(
    ("asked", "columns"),
    [(("a",), (0,)), (("poly(c, 2)", "log(b)"), (1, 3, 4)), (("sex",), (2,)), (("a:sex", "f"), (7, 8))],
)
def test_names_of_terms_mean_all_their_columns(asked, columns):
    design, problems = _ask(asked)
    assert design.category_specific == columns
    assert not problems


def test_auto_takes_the_five_largest_statistics_and_says_so():
    design, problems = _ask("auto", strong=(0, 3, 7))
    assert not problems
    assert {0, 3, 4, 7} <= set(design.category_specific)
    (note,) = design.notes
    chosen, rest = note.split("; the same slope at every cutpoint for ")
    assert all(f" {name} (" in chosen for name in ("a", "poly(c, 2)", "f"))
    assert chosen.count(" on ") - 1 == 5
    assert rest.count(" on ") == 3


@pytest.mark.parametrize(
    ("asked", "given", "message"),
    [
        (("depriv",), {}, "'depriv' is not a covariate of the formula"),
        (("log(bb)",), {}, "did you mean 'log(b)'?"),
        (("f",), {"names": NAMES[:7]}, "all columns of 'f' were left out of the model"),
        (("a",), {"levels": ("no", "yes")}, "an outcome of two categories has one cutpoint"),
        ("auto", {"names": (), "text": "1"}, "the formula has no covariates"),
        ("auto", {"y": np.arange(3000) % 2}, "departures from proportional odds cannot be measured"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, given, message):
    design, problems = _ask(asked, **given)
    assert design.category_specific == ()
    assert len(problems) == 1
    assert message in str(next(iter(problems)))
