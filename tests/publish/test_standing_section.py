import dataclasses

from placewise.publish.ranked import level_to_rank
from placewise.publish.report import render_report
from placewise.publish.report.standing import standing_view


def row(code, **changes):
    found = {"area_code": code, "rate": 0.66, "expected": 0.58, "difference": 0.08, "ci90_lower": 0.03,
             "ci90_upper": 0.13, "p": 0.98}  # fmt: skip
    return found | changes


def facts(**changes):
    pair = {"a": "L03", "b": "L05", "rate_a": 0.7, "rate_b": 0.6, "difference": 0.1, "ci90_lower": 0.02,
            "ci90_upper": 0.18, "p": 0.97}  # fmt: skip
    told = {
        "level": "lad",
        "areas": 24,
        "better": {"found": 22, "wrong_share": 0.031, "rows": [row("L00"), row("L01")]},
        "worse": {"found": 0, "wrong_share": 0.0, "rows": []},
        "pairs": {"wrong_share": 0.03, "rows": [pair]},
    }
    return told | changes


def test_areas_beyond_what_is_expected(context):
    view = standing_view(dataclasses.replace(context, standing=facts()))
    better, worse, _ = view["tables"]
    names = context.rows("lad").set_index("area_code")["area_name"]
    assert better.caption == (
        "22 local authorities do better than expected, given who lives there, the 2 surest of them; "
        "expected share on the wrong side 3%"
    )
    assert [cell.text for cell in better.rows[0]] == [names["L00"], "66%", "58%", "+8 points (+3 to +13)", "98%"]
    assert worse.caption == "No local authorities surely do worse than expected, given who lives there"
    assert worse.rows == []


def test_pairs_that_are_alike(context):
    pairs = standing_view(dataclasses.replace(context, standing=facts()))["tables"][2]
    names = context.rows("lad").set_index("area_code")["area_name"]
    assert [cell.text for cell in pairs.rows[0]] == [
        names["L03"], names["L05"], "70%", "60%", "+10 points (+2 to +18)", "97%",
    ]  # fmt: skip
    assert "expected share on the wrong side 3%" in pairs.caption


def test_differences_of_means_are_rounded_to_what_they_support(context):
    mean = dataclasses.replace(context, kind="mean", standing=facts(better={
        "found": 1, "wrong_share": 0.02,
        "rows": [row("L00", rate=5250.0, expected=4000.0, difference=1250.4, ci90_lower=-310.0, ci90_upper=2790.0)],
    }))  # fmt: skip
    (better, *_) = standing_view(mean)["tables"]
    assert better.rows[0][3].text == "+1,300 (−300 to +2,800)"


def test_lists_beside_the_nation_tell_their_expected_errors(context):
    better, worse, few = standing_view(context)["lists"]
    p = context.rows("oa")["p_above_national"]
    listed = p[p >= 0.9].sort_values(ascending=False)
    # all that reach .9 stay below 5% together here
    assert (1 - listed).mean() <= 0.05
    assert better.startswith(
        f"On the list of output areas better than the nation are {len(listed)}; the expected share"
    )
    assert worse.startswith("On the list of output areas worse than the nation are ")
    assert few == "This run has 2,000 draws; a list that is published needs 4,000 or more."
    assert len(standing_view(dataclasses.replace(context, draws=4000))["lists"]) == 2


def test_the_page_shows_them(context):
    page = render_report(dataclasses.replace(context, standing=facts()))
    assert "What stands out" in page
    assert "<caption><span>22 local authorities do better than expected" in page
    assert "<p>No local authorities surely do worse than expected, given who lives there.</p>" in page
    assert "No level of this run has few enough areas" in render_report(context)


def test_the_level_is_local_authorities_or_the_finest_that_fits():
    assert level_to_rank({"oa21cd": 5000, "msoa21cd": 300, "lad22cd": 30, "rgn24cd": 9}) == "lad22cd"
    assert level_to_rank({"oa": 5000, "ward": 300, "area": 30}) == "ward"
    assert level_to_rank({"oa": 50}) == "oa"
    assert level_to_rank({"oa": 5000}) is None
