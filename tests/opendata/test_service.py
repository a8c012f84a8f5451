import csv
import dataclasses
import json

import country as mini
import pytest

from placewise.opendata import service
from placewise.opendata.download import ATTEMPTS, FetchError
from placewise.opendata.service import fetch_service


@pytest.fixture
def bring(publisher, country, tmp_path):
    sources = mini.builtin().sources

    def run(name, target="out"):
        source = dataclasses.replace(sources[name], url=f"{publisher.base}/services/{name}/FeatureServer/0")
        path = tmp_path / target
        fetch_service(source, path, tmp_path / "pages" / name, progress=lambda *_: None, pause=0.001)
        return path.read_text(encoding="utf-8")

    run.pages = tmp_path / "pages"
    return run


def _queries(publisher, name):
    return [p for p, _ in publisher.asked if p.startswith(f"/services/{name}/") and "resultOffset" in p]


def test_every_page_makes_one_table_in_the_order_of_the_codes(bring, publisher, country):
    publisher.services["oa21_lookup"].reverse()
    rows = list(csv.DictReader(bring("oa21_lookup").splitlines()))
    assert [r["OA21CD"] for r in rows] == sorted(country.areas)
    assert rows[0]["LAD22CD"] == country.tables["oa21_lookup"]["lad22cd"].iloc[0]
    assert len(_queries(publisher, "oa21_lookup")) == 5
    assert "returnGeometry=false" in _queries(publisher, "oa21_lookup")[0]
    assert "orderByFields=OA21CD" in _queries(publisher, "oa21_lookup")[0]


def test_the_same_rows_give_the_same_bytes_whatever_the_pages(bring, publisher):
    first = bring("oa21_lookup")
    publisher.largest_page = 37
    publisher.services["oa21_lookup"].reverse()
    bring.pages.rename(bring.pages.with_name("old"))
    assert bring("oa21_lookup") == first


def test_points_become_longitude_and_latitude(bring, country):
    rows = list(csv.DictReader(bring("oa21_centroids").splitlines()))
    expected = country.tables["oa21_centroids"].sort_index()
    assert [float(r["lng"]) for r in rows] == expected["lng"].tolist()
    assert [float(r["lat"]) for r in rows] == expected["lat"].tolist()


def test_outlines_become_geojson(bring, publisher, country):
    found = json.loads(bring("lad22_outlines"))
    assert [f["properties"]["LAD22CD"] for f in found["features"]] == country.outlines["lad22_outlines"][
        "code"
    ].tolist()
    assert "f=geojson" in _queries(publisher, "lad22_outlines")[0]


def test_pages_that_came_are_not_asked_for_again(bring, publisher):
    path = "/services/oa21_lookup/FeatureServer/0/query"
    whole = publisher.services["oa21_lookup"]
    publisher.services["oa21_lookup"] = whole[:250]
    bring("oa21_lookup")
    # the service was edited: everything is asked for again
    publisher.services["oa21_lookup"] = whole
    bring("oa21_lookup")
    before = len(_queries(publisher, "oa21_lookup"))
    (bring.pages / "oa21_lookup" / "page-00000200.json").write_text('[{"attr')
    bring("oa21_lookup")
    assert len(_queries(publisher, "oa21_lookup")) == before + 1
    publisher.failing[path] = [500, 500]
    bring("oa21_lookup")


def test_an_error_in_an_answer_of_200_is_told(bring, publisher):
    publisher.services.pop("oa21_lookup")
    with pytest.raises(FetchError, match="the service refuses: Invalid URL"):
        bring("oa21_lookup")


def test_a_web_page_or_no_answer_is_told_after_some_attempts(bring, publisher):
    path = "/services/oa21_lookup/FeatureServer/0"
    publisher.failing[path] = [502] * ATTEMPTS
    with pytest.raises(FetchError, match="answers 502") as raised:
        bring("oa21_lookup")
    assert "pages that came are kept" in raised.value.hint
    publisher.pages[path] = b"<html>down for maintenance</html>"
    with pytest.raises(FetchError, match="something else than JSON"):
        bring("oa21_lookup")


def test_overlapping_pages_are_refused(bring, publisher):
    publisher.services["oa21_lookup"][7] = publisher.services["oa21_lookup"][8]
    with pytest.raises(FetchError, match="1 rows came twice"):
        bring("oa21_lookup")
    publisher.services["lad22_outlines"][1] = publisher.services["lad22_outlines"][0]
    with pytest.raises(FetchError, match="1 codes came twice"):
        bring("lad22_outlines")


def test_a_row_without_its_code_is_refused(bring, publisher):
    publisher.services["oa21_lookup"][3] = {"attributes": {"OA11CD": "x"}}
    with pytest.raises(FetchError, match="a row has no 'OA21CD'"):
        bring("oa21_lookup")


def test_fewer_rows_than_announced_are_refused(bring, publisher, monkeypatch):
    publisher.largest_page = 0
    with pytest.raises(FetchError, match="gives 0 of its 432 rows"):
        bring("oa21_lookup")


def test_more_rows_than_announced_are_refused(bring, publisher):
    rows = publisher.services["oa21_lookup"]

    class Growing(list):
        def __len__(self):
            return 401

    publisher.services["oa21_lookup"] = Growing(rows)
    with pytest.raises(FetchError, match="gives 432 rows, and said 401"):
        bring("oa21_lookup")


def test_a_point_without_a_place_stays_empty(bring, publisher):
    publisher.services["oa21_centroids"][0]["geometry"] = {"x": None, "y": "NaN"}
    publisher.services["oa21_centroids"][1].pop("geometry")
    rows = list(csv.DictReader(bring("oa21_centroids").splitlines()))
    assert [(r["lng"], r["lat"]) for r in rows[:2]] == [("", ""), ("", "")]


def test_a_page_without_end_is_stopped(bring, monkeypatch):
    monkeypatch.setattr(service, "MOST_PAGE_BYTES", 1000)
    with pytest.raises(FetchError, match="one page has more than"):
        bring("oa21_lookup")
