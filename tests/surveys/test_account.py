"""What an account tells: counts of ten and more, and none from which a smaller one could be worked out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placewise.surveys.account import Account, Check, FileRead, Mapped, VariableAccount, file_read, without_rare
from placewise.surveys.disclosure import told_or_withheld, withheld
from placewise.surveys.respondents import Dropped


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_no_count_below_ten_can_be_worked_out_from_the_others_and_their_total(counts: list[int]) -> None:
    hidden = withheld(counts)
    assert all(hide or count == 0 or count >= 10 for hide, count in zip(hidden, counts, strict=True))
    together = sum(count for hide, count in zip(hidden, counts, strict=True) if hide)
    alone = all(hide or count == 0 for hide, count in zip(hidden, counts, strict=True))
    assert together == 0 or together >= 10 or alone
    texts = told_or_withheld(counts)
    shown = [text not in ("fewer than 10", "not shown") for text in texts]
    assert shown == [not hide for hide in hidden]


def account(read: int = 5003, kept: int = 5000) -> Account:
    sex = VariableAccount(
        "sex",
        "SEX",
        "Sex?",
        mapping=(Mapped("1", "Male", "m", 2000), Mapped("2", "Female", "f", 2990), Mapped("-9", "", "", 6)),
        answered=4990,
        declared=6,
        blank=4,
    )
    age = VariableAccount("age", "dvage", kind="number", answered=5000, mean=47.5, sd=18.0)
    return Account(
        "cls",
        files=(FileRead("cls.sav", read, 30, "ab" * 32, "sav"),),
        variables=(sex, age),
        dropped=(Dropped("lsoa", "no area", read - kept),),
        checks=(Check("direction", "pass", "as expected"),),
        read=read,
        kept=kept,
    )


def test_an_account_is_json_without_small_counts() -> None:
    told = json.loads(json.dumps(account().to_json(), allow_nan=False))
    assert [m["respondents"] for m in told["variables"][0]["mapping"]] == [2000, 2990, None]
    assert told["variables"][0]["blank"] is None
    assert told["variables"][1]["other_values"] == 5000
    assert told["variables"][1]["blank"] == 0
    assert told["dropped"] == [{"column": "lsoa", "reason": "no area", "respondents": None}]
    # 5,003 beside 5,000 would tell the three
    assert (told["read"], told["kept"], told["files"][0]["rows"]) == (5000, 5000, 5000)
    many = account(5030).to_json()
    assert (many["read"], many["kept"], many["dropped"][0]["respondents"]) == (5030, 5000, 30)


def test_a_file_is_told_by_its_name_size_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "wave" / "c_indresp.TAB"
    path.parent.mkdir()
    path.write_bytes(b"abc")
    found = file_read(path, 10, 3, root=tmp_path)
    assert found.name == "wave/c_indresp.TAB"
    assert found.format == "tab"
    # FIPS 180-2, appendix B.1
    assert found.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_read(path, 10, 3).name == "c_indresp.TAB"
    with pytest.raises(ValueError, match="subpath"):
        file_read(path, 10, 3, root=tmp_path / "elsewhere")


def test_rare_answers_among_many_are_not_named() -> None:
    towns = [Mapped(f"town {k}", "", f"town {k}", 30) for k in range(11)]
    farm, hill = Mapped("my farm", "", "my farm", 1), Mapped("the hill", "", "the hill", 2)
    labelled, missing = Mapped("97", "Elsewhere", "Elsewhere", 1), Mapped("-9", "", "", 1)
    found = without_rare([*towns, farm, hill, labelled, missing])
    assert found == (*towns, labelled, missing, Mapped("others, each rare", "", "others, each rare", 3))
    assert without_rare([*towns[:3], farm]) == (*towns[:3], farm)
