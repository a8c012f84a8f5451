"""Prior and posterior of what ties effects together, and whether the answers had a say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from placewise.models import inference
from placewise.models.design import AreaScale, Column, Design, Group, Structure
from placewise.models.fit import Posterior
from placewise.models.prior_plan import PriorPlan
from placewise.models.priors import Prior
from placewise.models.relation_table import relation_table

S = 4000
NONE = np.zeros(1, dtype=np.int64)
X = Column("x", np.zeros(1))
GROUPS = (
    Group("age", "other", ("a", "b"), NONE, structure=Structure("ar1")),
    Group("lad", "geography", ("l", "m"), NONE, structure=Structure("bym2")),
    Group("edu", "other", ("e", "f"), NONE),
    Group("x|edu", "other", ("e", "f"), NONE, by=X, factor="edu"),
    Group("oa", "geography", ("o", "p"), NONE),
)
DESIGN = Design(True, (X,), GROUPS, 1, correlated=((2, 3),), area_scale=AreaScale("oa", "kind", ("city", "farm"), NONE))
PLAN = PriorPlan(
    None, None, None, (), None, (), (), {}, None,
    rho={"age": Prior("uniform", (-1.0, 1.0)), "lad": Prior("beta", (2.0, 3.0))},
    cor={"edu": 2.0}, area_scale_sd=Prior("half_normal", (0.3,)),
)  # fmt: skip


def posterior(plan: PriorPlan = PLAN) -> Posterior:
    """Draws from the priors, but for the first of each pair that differ: those the answers have taught."""
    rng = np.random.default_rng(4)
    r = 2.0 * rng.beta(2.0, 2.0, S) - 1.0
    scale = np.exp(np.abs(rng.normal(0, 0.3, (S, 1))) * rng.standard_normal((S, 2)))
    scale[:, 0] = 1.5 * np.exp(0.02 * rng.standard_normal(S))
    draws = {
        "rho_age": rng.normal(0.8, 0.05, S),
        "rho_lad": rng.beta(2.0, 3.0, S),
        "cor_edu": np.stack([np.ones((S, 2)), np.ones((S, 2))], axis=1),
        "area_scale": scale,
    }
    draws["cor_edu"][:, 0, 1] = draws["cor_edu"][:, 1, 0] = r
    return Posterior(inference.build({name: values[None] for name, values in draws.items()}, {}, {}), plan)


def test_every_relation_has_its_row_and_prior() -> None:
    table = relation_table(posterior(), DESIGN)
    assert table["kind"].tolist() == ["next", "neighbours", "correlation", "class", "class"]
    assert table["group"].tolist() == ["age", "lad", "edu", "kind", "kind"]
    assert table["first"].tolist() == ["", "", "intercept", "city", "farm"]
    assert table["second"].tolist() == ["", "", "x", "", ""]
    assert table["prior"].tolist()[:3] == ["uniform(-1, 1)", "beta(2, 3)", "lkj(2)"]
    assert table["prior"].tolist()[3] == "log ~ normal(0, ω²), ω ~ half_normal(0.3)"
    assert (table["q05"] < table["q50"]).all()
    assert (table["q50"] < table["q95"]).all()
    assert table["mean"].iloc[0] == pytest.approx(0.8, abs=0.01)


def test_what_the_answers_taught_is_told_from_what_the_prior_set() -> None:
    table = relation_table(posterior(), DESIGN)
    assert table["set_by_prior"].tolist() == [False, True, True, False, True]


def test_a_prior_s_spread_is_that_of_the_distribution() -> None:
    """Just inside and outside 0.7 of the sds of uniform(-1, 1), beta(2, 3) and a correlation under lkj(2)."""
    for name, row, sd in (("rho_age", 0, 1 / np.sqrt(3)), ("rho_lad", 1, 0.2), ("cor_edu", 2, 1 / np.sqrt(5))):
        for share, expected in ((0.69, False), (0.71, True)):
            found = posterior()
            values = np.full(S, 0.3)
            values[::2] += 2 * share * sd
            array = found.idata["posterior"][name]
            shaped = values[None] if array.ndim == 2 else np.broadcast_to(values[None, :, None, None], array.shape)
            found.idata["posterior"][name] = array.copy(data=shaped)
            assert bool(relation_table(found, DESIGN)["set_by_prior"].iloc[row]) is expected, (name, share)


def test_fixed_and_declared_relations_are_not_called_learned_or_set_by_a_prior() -> None:
    fixed = replace(PLAN, rho={"age": Prior("fixed", (0.5,)), "lad": Prior("uniform", (0.0, 1.0))})
    assert not relation_table(posterior(fixed), DESIGN)["set_by_prior"].iloc[0]
    declared = replace(DESIGN, area_scale=AreaScale("oa", "kind", ("city", "farm"), NONE, np.array([1.0, 2.0])))
    assert "class" not in set(relation_table(posterior(), declared)["kind"])
    assert "class" not in set(relation_table(posterior(), DESIGN, classes=False)["kind"])
