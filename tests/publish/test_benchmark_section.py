import dataclasses

from placewise.publish.report.benchmark import benchmark_view


def area(code, **changes):
    row = {"area_code": code, "target": 0.62, "target_se": 0.02, "used": True, "before": 0.58, "before_sd": 0.03,
           "after": 0.61, "after_sd": 0.018, "shift": 0.1, "surprise": 1.1}  # fmt: skip
    return row | changes


def found(context, **changes):
    told = {
        "level": "national", "mode": "drawn", "median_move": 0.012, "largest_move": 0.05, "pairs": 1000,
        "pairs_changed": 70, "discrepancy": None, "surprising": 0, "areas": [area("all")],
    }  # fmt: skip
    return benchmark_view(dataclasses.replace(context, benchmark=told | changes))


def test_nothing_is_said_where_nothing_was_moved(context):
    assert benchmark_view(context) is None


def test_what_moved_in_words(context):
    said = found(context)["sentences"]
    assert said[0].endswith("(the nation, 1 figure).")
    assert "moved by less than 1.2 points, that of no area by more than 5 points; 7% of all pairs" in said[1]
    assert len(said) == 2


def test_what_a_reader_must_know(context):
    areas = [area("A", used=False), area("B", target_se=None)]
    said = found(context, mode="update", areas=areas, surprising=2, discrepancy=[0.012, 0.001, 0.04], pairs_changed=0)[
        "sentences"
    ]
    text = " ".join(said)
    assert "weighed against each other" in text
    assert "standard deviations from what the survey led to expect: 2 figures." in text
    assert "Too uncertain to be used: 1 figure." in text
    assert "differ by about 1.2 points (90% interval 0.1 to 4)" in text
    assert "none of all pairs" in text


def test_the_areas_that_moved_most_stand_in_the_table(context):
    areas = [area(f"A{i}", after=0.58 + i / 1000) for i in range(60)]
    table = found(context, areas=areas)["table"]
    assert len(table.rows) == 40
    assert table.rows[0][0].text == "A59"
    assert "the 40 that moved most" in table.caption
    assert [cell.text for cell in table.rows[0][1:]] == ["62%", "58%", "64%", "yes"]
