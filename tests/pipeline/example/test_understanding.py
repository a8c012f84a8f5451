"""The panel in the manner of Understanding Society: keys, weights, missing codes, design, the official scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placewise.pipeline.example.deposits import Deposits
from placewise.pipeline.example.published import UNDERSTANDING_SOCIETY
from placewise.pipeline.example.understanding import COHESION, cohesion
from placewise.pipeline.example.write import make_country, make_deposits

WEIGHT = {"c": "c_indscub_xw", "f": "f_indscui_xw"}
RESERVED = (-1, -2, -7, -8, -9)


@pytest.fixture(scope="module")
def files(deposits: Deposits) -> dict[str, pd.DataFrame]:
    return {name: table.frame for name, table in deposits.study.items()}


def items(files: dict[str, pd.DataFrame], wave: str) -> pd.DataFrame:
    return files[f"{wave}_indresp"][[f"{wave}_{name}" for name in COHESION]]


def test_files_are_those_of_the_study(files: dict[str, pd.DataFrame]) -> None:
    stems = ("indresp", "hhresp", "indall", "lsoa21_protect")
    assert set(files) == {f"{w}_{stem}" for w in "cf" for stem in stems} | {"xwavedat"}
    for name, table in files.items():
        wave = name[0]
        unprefixed = {"pidp", "pid"} if name != "xwavedat" else set(table.columns)
        assert {c for c in table.columns if not c.startswith(f"{wave}_")} <= unprefixed, name


def test_keys_join(files: dict[str, pd.DataFrame]) -> None:
    for w in "cf":
        main, homes, everyone, lsoa = (files[f"{w}_{n}"] for n in ("indresp", "hhresp", "indall", "lsoa21_protect"))
        hidp = f"{w}_hidp"
        assert main["pidp"].is_unique
        assert everyone["pidp"].is_unique
        assert homes[hidp].is_unique
        assert lsoa[hidp].is_unique
        assert set(main["pidp"]) <= set(everyone["pidp"])
        assert set(main["pidp"]) <= set(files["xwavedat"]["pidp"])
        assert set(everyone[hidp]) == set(homes[hidp]) == set(lsoa[hidp])
        assert not everyone.duplicated([hidp, f"{w}_pno"]).any()
        size = homes.set_index(hidp)[f"{w}_hhsize"]
        assert (everyone.groupby(hidp).size().reindex(size.index) == size).all()
        assert (everyone[f"{w}_dvage"] < 16).sum() == homes[f"{w}_nchild_dv"].sum()
        same = main.merge(homes, on=hidp, suffixes=("", "_home"), validate="many_to_one")
        assert len(same) == len(main)


def test_some_stay_some_leave_some_join_some_move(files: dict[str, pd.DataFrame]) -> None:
    c, f = files["c_indresp"], files["f_indresp"]
    both = c.merge(f, on="pidp")
    assert 0.3 < len(both) / len(c) < 0.8
    assert (both["f_dvage"] - both["c_dvage"] == 3).all()
    assert (f["f_psu"] > 8000).mean() == pytest.approx(0.1, abs=0.06)
    home = {w: files[f"{w}_lsoa21_protect"].set_index(f"{w}_hidp")[f"{w}_lsoa21"] for w in "cf"}
    moved = both["c_hidp"].map(home["c"]).to_numpy() != both["f_hidp"].map(home["f"]).to_numpy()
    assert 0.02 < moved.mean() < 0.15


def test_self_completion_weights_are_zero_outside_their_base(files: dict[str, pd.DataFrame]) -> None:
    for w, column in WEIGHT.items():
        main = files[f"{w}_indresp"]
        weight, proxy = main[column], main[f"{w}_ivfio"] == 2
        assert (weight[proxy] == 0).all()
        assert weight[weight > 0].mean() == pytest.approx(1, abs=1e-4)
        # nothing of the questionnaire was returned, yet a few who returned it have weight 0: they are no sample members
        absent = (items(files, w) < 0).all(axis=1)
        assert (weight[absent] == 0).all()
        assert 0.01 < ((weight == 0) & ~absent).mean() < 0.1


def test_weights_give_back_ages_and_sexes(files: dict[str, pd.DataFrame]) -> None:
    counts = make_country()[1].counts.sum(axis=0)
    for w, column in WEIGHT.items():
        main = files[f"{w}_indresp"]
        group = np.searchsorted([25, 35, 50, 65], main[f"{w}_dvage"], side="right")
        weighted = np.zeros((5, 2))
        np.add.at(weighted, (group, 2 - main[f"{w}_sex"]), main[column])
        np.testing.assert_allclose(weighted / weighted.sum(), counts / counts.sum(), atol=2e-3)


def test_missing_codes_of_every_kind(files: dict[str, pd.DataFrame]) -> None:
    for w in "cf":
        found = items(files, w)
        for code in RESERVED:
            assert (found == code).to_numpy().any(), (w, code)
        assert set(np.unique(found)) <= {*RESERVED, 1, 2, 3, 4, 5}
        income = files[f"{w}_indresp"][f"{w}_fimngrs_dv"]
        assert ((income < 0) & ~income.isin(RESERVED)).any()
    boost = files["f_indresp"]["f_psu"] > 8000
    assert (files["f_indresp"].loc[boost, "f_locserap"] == -10).all()
    assert (files["f_indresp"].loc[~boost, "f_locseras"] == -11).all()
    assert not files["c_indresp"].isin([-10, -11]).to_numpy().any()
    assert {-20, -21} <= set(files["xwavedat"]["racel_dv"])
    for w in "cf":
        codes = files[f"{w}_lsoa21_protect"][f"{w}_lsoa21"]
        assert 0 < (codes == "-9").mean() < 0.02


def test_missing_codes_and_ends_of_the_scale_are_labelled(deposits: Deposits) -> None:
    for name, table in deposits.study.items():
        for column, values in table.values.items():
            held = {code for code in table.frame[column].unique() if code < 0 and code in (*RESERVED, *range(-22, -9))}
            assert held <= set(values), (name, column)
    scale = deposits.study["c_indresp"].values["c_nbrsnci_dv"]
    assert {code: text for code, text in scale.items() if code > 0} == {1: "lowest cohesion", 5: "highest cohesion"}


def test_units_lie_in_strata_and_some_strata_have_one(files: dict[str, pd.DataFrame]) -> None:
    design = files["c_indresp"][["c_psu", "c_strata"]].drop_duplicates()
    assert design["c_psu"].is_unique
    units = design.groupby("c_strata").size()
    assert set(units) == {1, 2}
    assert 3 <= (units == 1).sum() <= 6


def test_agreement_is_as_published(files: dict[str, pd.DataFrame]) -> None:
    for w, shares in UNDERSTANDING_SOCIETY.items():
        for name, published in shares.items():
            if name == "nbrcoh3":
                continue  # asked by the interviewer, of another base
            main = files[f"{w}_indresp"]
            base = (main[WEIGHT[w]] > 0) & (main[f"{w}_{name}"] > 0)
            found = np.average(main.loc[base, f"{w}_{name}"] <= 2, weights=main.loc[base, WEIGHT[w]])
            assert abs(found - published) < 0.005 + 3 * np.sqrt(2 * 0.25 / base.sum()), (w, name, found)


def test_the_scale_follows_the_official_rule(shared: Path) -> None:
    vectors = pd.read_csv(shared / "surveys" / "scoring_vectors.csv")
    np.testing.assert_allclose(cohesion(vectors[list("abcdefgh")].to_numpy()), vectors["expected_nbrsnci"])


def test_the_scale_in_the_files_is_made_of_their_items(files: dict[str, pd.DataFrame]) -> None:
    for w in "cf":
        found = items(files, w).to_numpy(dtype=float)
        released = files[f"{w}_indresp"][f"{w}_nbrsnci_dv"].to_numpy()
        answered = np.where(found > 0, 6 - found, np.nan)
        complete = ~np.isnan(answered).any(axis=1)
        assert (np.abs(released - answered.mean(axis=1))[complete] <= 0.05 + 1e-9).all()
        assert (released[np.isnan(answered[:, 5])] < 0).all()
        assert (released[(found == -7).all(axis=1)] == -7).all()


def test_each_vintage_names_its_own_file() -> None:
    for vintage, column in (("lsoa01", "c_lsoa01"), ("msoa11", "c_msoa11"), ("lad", "c_oslaua")):
        study = make_deposits(small=True, geography=vintage).study
        assert list(study[f"{column}_protect"].frame.columns) == ["c_hidp", column]
        assert study["c_indresp"].frame.shape[1] > 30
