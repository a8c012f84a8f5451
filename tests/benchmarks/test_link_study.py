"""The study of respondents linked above the area in small: known truths, rows, goals, page."""

from __future__ import annotations

import sys
from pathlib import Path

import link_study
import numpy as np
import pandas as pd
import pytest
from common.linked import CODE, INTERCEPT, LINK, PROBIT, SDS, LinkedWorld, linked_worlds, make_linked_survey
from common.world_study import missed
from scipy.special import logit
from scipy.stats import norm

from placewise.models.averaging import spread_inside

NEARLY_NONE = 1e-9


def survey_of(world: LinkedWorld, **more: object):
    return make_linked_survey(world, 400, 0, n_areas=1000, **more)


@pytest.mark.parametrize("name", ["ratio right", "covariates differ inside"])
def test_covariates_differ_inside_groups_as_the_world_says(name: str) -> None:
    world, own = linked_worlds()[name], survey_of(linked_worlds()[name])
    inside = spread_inside(own.design, own.slopes)
    assert np.sqrt(np.mean(inside**2)) == pytest.approx(world.spread, rel=0.15)
    assert own.design.link is not None
    assert own.design.link.places is not None or world.spread < 0.2


def test_the_ratio_is_declared_as_the_world_says() -> None:
    right = SDS[CODE] / SDS[LINK]
    for name, times in (("ratio half", 0.5), ("ratio right", 1.0), ("ratio double", 2.0)):
        link = survey_of(linked_worlds()[name]).design.link
        assert link is not None
        assert link.ratio == pytest.approx(times * right)
        assert link.declared


def test_effects_are_those_of_the_world_with_tails_or_without() -> None:
    alone = dict.fromkeys(SDS, NEARLY_NONE) | {CODE: 0.5}
    plain = survey_of(LinkedWorld("a", spread=1e-9), sds=alone)
    heavy = make_linked_survey(LinkedWorld("a", spread=1e-9, degrees=5.0), 100, 0, n_areas=8000, sds=alone)
    assert logit(plain.share).std() == pytest.approx(0.5, rel=0.1)
    eta = logit(heavy.share)
    assert eta.std() == pytest.approx(0.5, rel=0.1)
    assert np.mean((eta - eta.mean()) ** 4) / eta.var() ** 2 > 4.0


def test_generators_unlike_the_model() -> None:
    none = dict.fromkeys(SDS, NEARLY_NONE)
    probit = survey_of(LinkedWorld("a", spread=0.3, probit=True), sds=none)
    x = probit.areas.table[["x1", "x2", "x3", "x4"]].to_numpy()
    assert norm.ppf(probit.share) * PROBIT == pytest.approx(INTERCEPT + x @ probit.slopes, abs=1e-6)
    curved = survey_of(LinkedWorld("a", spread=0.3, curved=True), sds=none)
    left = logit(curved.share) - INTERCEPT - x @ curved.slopes
    assert np.corrcoef(left, x[:, 0] ** 2)[0, 1] == pytest.approx(1.0)


def test_respondents_live_inside_their_group_and_ordered_answers_follow() -> None:
    own = survey_of(LinkedWorld("a", spread=0.3), family="cumulative")
    group = next(g for g in own.design.groups if g.name == LINK)
    assert own.design.link is not None
    assert np.array_equal(group.index, own.design.link.parent[own.home])
    assert set(own.response.y) == {0.0, 1.0, 2.0, 3.0}


def test_from_cells_to_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = tmp_path / "link.csv"
    words = f"link_study.py --surveys 1 --respondents 1500 --areas 500 --draws 300 --csv {csv} --threads 1"
    wanted = ["ratio right", "ratio double", "their means fitted"]
    monkeypatch.setattr(sys, "argv", [*words.split(), "--worlds", *wanted])
    link_study.main()
    rows = pd.read_csv(csv).set_index("world")
    assert rows["error"].isna().all()
    # one survey of a small country, of which much is chance
    assert rows.loc["ratio right", "cov_area"] > 0.75
    assert rows["width"].between(0.05, 0.3).all()
    assert rows.loc["their means fitted", "averaged"] == 0.0
    assert csv.with_suffix(".html").read_text().count("<svg ") == 1
    assert "ratio double" in capsys.readouterr().out


def test_goals() -> None:
    row = {"world": "ratio right", "cov_area": 0.9, "bias_z": 0.05} | {"cov_area_se": 0.002, "bias_z_se": 0.1}

    def found(own: dict[str, object]) -> list[str]:
        return missed(own, link_study.limits_of(own))

    assert found(row) == []
    assert found(row | {"cov_area": 0.86}) == ["cov_area 0.860"]
    assert found(row | {"cov_area": 0.867}) == []
    assert found(row | {"world": "probit", "cov_area": 0.86}) == []
    assert found(row | {"world": "ratio half", "cov_area": 0.5}) == []
    assert found(row | {"world": "their means fitted", "cov_area": 0.5, "bias_z": -3.0}) == []
    assert found(row | {"bias_z": -0.4}) == ["bias_z -0.400"]
    assert found(row | {"bias_z": -0.4, "bias_z_se": np.nan}) == []


def test_a_fit_that_the_engine_gives_up_on_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from placewise.errors import ModelError, Problem

    def timid(problem: object, options: object) -> None:
        raise ModelError(Problem("fit", "no mode was found", kind="model"))

    monkeypatch.setattr(link_study, "engine_named", lambda name: timid)
    cell = {"world": "probit", "engine": "any", "respondents": 200, "areas": 300, "draws": 50, "survey": 0}
    assert link_study.one_survey(cell) == {"error": "fit: no mode was found"}
