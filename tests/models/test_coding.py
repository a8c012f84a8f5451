from __future__ import annotations

from placewise.models.coding import CodingRule


def blocks(rule: CodingRule, categorical: str, numeric: str = "") -> list[dict[str, bool]]:
    return [dict(coding.full) for coding in rule.codings(categorical, numeric)]


def test_margins_present_leave_contrasts():
    rule = CodingRule(True)
    assert blocks(rule, "a") == [{"a": False}]
    assert blocks(rule, "b") == [{"b": False}]
    assert blocks(rule, "ab") == [{"a": False, "b": False}]


def test_missing_margins_are_spanned_by_full_codings():
    assert blocks(CodingRule(False), "a") == [{"a": True}]
    assert blocks(CodingRule(False), "ab") == [{"a": True, "b": True}]
    assert blocks(CodingRule(True), "ab") == [{"b": False}, {"a": False, "b": True}]
    rule = CodingRule(True)
    blocks(rule, "a")
    assert blocks(rule, "ab") == [{"a": True, "b": False}]


def test_numbers_have_their_own_margins():
    rule = CodingRule(True)
    assert blocks(rule, "", "x") == [{}]
    assert blocks(rule, "a", "x") == [{"a": False}]
    assert blocks(CodingRule(True), "a", "x") == [{"a": True}]


def test_a_term_once_spanned_adds_nothing():
    rule = CodingRule(True)
    blocks(rule, "ab")
    assert blocks(rule, "a") == []
