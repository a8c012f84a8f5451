"""Both surveys on disk: names, formats, reproducibility; and what they say of the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from placewise.pipeline.example import write_example
from placewise.pipeline.example.deposits import Deposits, draw_deposits
from placewise.pipeline.example.sizes import SurveySize
from placewise.pipeline.example.write import make_country, make_deposits

READERS = {"tab": lambda p: pd.read_csv(p, sep="\t"), "sav": pyreadstat.read_sav, "dta": pyreadstat.read_dta}
LARGER = SurveySize(face_to_face=20, visits=15, online=6_000, psus=18, households=90, boost=3)


def read(path: Path) -> pd.DataFrame:
    found = READERS[path.suffix[1:]](path)
    return found if isinstance(found, pd.DataFrame) else found[0]


def test_files_stand_where_an_unpacked_download_has_them(written: dict[str, Path]) -> None:
    folders = {"tab": "UKDA-{}-tab/tab", "sav": "UKDA-{}-spss/spss/spss28", "dta": "UKDA-{}-stata/stata/stata13_se"}
    for form, folder in written.items():
        for number, name in (("6614", "f_indresp"), ("6614", "xwavedat"), ("9169", "c_lsoa21_protect")):
            assert (folder / "data/ukhls" / folders[form].format(number) / "ukhls" / f"{name}.{form}").is_file()
        assert (folder / "data/cls/community_life.sav").is_file()


def test_every_format_holds_the_same_table(written: dict[str, Path]) -> None:
    tables = {
        form: {p.stem: read(p) for p in (folder / "data/ukhls").rglob(f"*.{form}")} for form, folder in written.items()
    }
    assert len(tables["tab"]) == 9
    for form in ("sav", "dta"):
        assert set(tables[form]) == set(tables["tab"])
        for name, table in tables["tab"].items():
            pd.testing.assert_frame_equal(tables[form][name], table, check_dtype=False, check_column_type=False)


def test_labels_are_in_the_files(written: dict[str, Path]) -> None:
    for form, reader in (("sav", pyreadstat.read_sav), ("dta", pyreadstat.read_dta)):
        path = next((written[form] / "data/ukhls").rglob(f"c_indresp.{form}"))
        labels = reader(path)[1]
        assert labels.variable_value_labels["c_scopngbha"][1] == "strongly agree"
        assert labels.variable_value_labels["c_scopngbha"][-9] == "missing"
        assert labels.column_names_to_labels["c_scopngbhh"] == "talk regularly to neighbours"
    labels = pyreadstat.read_sav(written["tab"] / "data/cls/community_life.sav", user_missing=True)[1]
    assert labels.variable_value_labels["SBeNeigh"][9] == "Refused"
    assert labels.missing_ranges["SchatN"]
    assert "SBeNeigh" not in labels.missing_ranges


def test_a_seed_gives_the_same_survey_and_another_seed_another(written: dict[str, Path], tmp_path: Path) -> None:
    write_example(tmp_path, small=True, form="sav")
    mine, theirs = (f / "data/cls/community_life.sav" for f in (tmp_path, written["tab"]))
    for user_missing in (False, True):
        one, other = (pyreadstat.read_sav(p, user_missing=user_missing) for p in (mine, theirs))
        pd.testing.assert_frame_equal(one[0], other[0])
        assert one[1].variable_value_labels == other[1].variable_value_labels
    other = make_deposits(seed=1, small=True).community_life.frame
    assert not other["SBeNeigh"].head(300).equals(one[0]["SBeNeigh"].head(300))


def test_the_standard_example_stays_small(standard: Path) -> None:
    assert sum(p.stat().st_size for p in standard.rglob("*") if p.is_file()) < 5_500_000


def test_truths_count_everybody_at_every_level(deposits: Deposits) -> None:
    tables, country, _ = make_country()
    adults = country.counts.sum()
    for name, answers in (("belonging", 4), ("satisfaction", 5)):
        truth = deposits.truths[name]
        assert (truth.groupby("area_level")["population"].sum() == adults).all()
        assert truth["area_level"].nunique() == 6
        n = truth[[f"n{k}" for k in range(1, answers + 1)]].sum(axis=1)
        np.testing.assert_array_equal(n, truth["population"])
        top = truth[[f"n{answers - 1}", f"n{answers}"]].sum(axis=1)
        np.testing.assert_allclose(truth["truth"], top / truth["population"], atol=1e-6)
    # the census is the one behind the example's own truth
    own = tables["truth.parquet"]
    pd.testing.assert_series_equal(deposits.truths["belonging"]["area_code"], own["area_code"])
    for name, column in (("belonging", "belong"), ("satisfaction", "satisfaction")):
        np.testing.assert_allclose(deposits.truths[name]["truth"], own[column], atol=1e-5)
    ties = deposits.truths["relationships"]
    assert ties["truth"].between(1, 5).all()
    assert ties[["chat", "favours", "trust"]].apply(lambda c: c.between(0, 1)).to_numpy().all()


def deviations(seeds: range) -> pd.DataFrame:
    """Direct weighted estimates minus the truth, a row a seed."""
    rows = []
    for seed in seeds:
        _, country, seeds = make_country(seed, small=True)
        drawn = draw_deposits(country, LARGER, *seeds)
        truth = {name: t.set_index("area_level").loc["national"] for name, t in drawn.truths.items()}
        online = drawn.community_life.frame[drawn.community_life.frame["Year"] == "2020-21"]
        row = {}
        for name, best, most, value in (
            ("SBeNeigh", 2, 4, truth["belonging"]["truth"]),
            ("SchatN", 3, 5, truth["relationships"]["chat"]),
            ("SFavN", 2, 4, truth["relationships"]["favours"]),
            ("Slocsat", 2, 5, truth["satisfaction"]["truth"]),
        ):
            answered = online[online[name].between(1, most)]
            row[name] = np.average(answered[name] <= best, weights=answered["Weight"]) - value
            row[f"{name} unweighted"] = (answered[name] <= best).mean() - value
        panel = drawn.study["f_indresp"].frame
        for trait, items, value in (
            ("belonging", "af", truth["belonging"]["score"]),
            ("relationships", "bcdh", truth["relationships"]["truth"]),
        ):
            codes = panel[[f"f_scopngbh{k}" for k in items]]
            base = (panel["f_indscui_xw"] > 0) & (codes > 0).all(axis=1)
            score = (6 - codes[base]).mean(axis=1)
            row[trait] = np.average(score, weights=panel.loc[base, "f_indscui_xw"]) - value
        rows.append(row)
    return pd.DataFrame(rows)


def check_unbiased(found: pd.DataFrame) -> None:
    weighted = found[[c for c in found.columns if "unweighted" not in c]]
    se = found.std(ddof=1) / np.sqrt(len(found))
    assert (weighted.mean().abs() < 4 * se[weighted.columns]).all(), (weighted.mean() / se[weighted.columns]).to_dict()
    # without weights, those who respond more readily speak for all
    assert found["SchatN unweighted"].mean() > 8 * se["SchatN unweighted"]


def test_direct_estimates_are_unbiased_over_seeds() -> None:
    check_unbiased(deviations(range(12)))


@pytest.mark.slow
def test_direct_estimates_are_unbiased_over_many_seeds() -> None:
    check_unbiased(deviations(range(100, 200)))
