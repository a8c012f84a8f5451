"""The model card: read strictly, every problem at once."""

from __future__ import annotations

from typing import Any

import pytest

from placewise.errors import Problems
from placewise.models.card import ModelCard
from placewise.models.model_file import read_model

MODEL: dict[str, Any] = {
    "outcome": {"survey": "cls", "response": "y", "family": "gaussian"},
    "model": {"formula": "1"},
}
CARD: dict[str, Any] = {
    "intended_use": ["to see where;"],
    "forbidden_use": ["Do not rank."],
    "limits": ["One question.", "One year."],
    "version": "2",
    "contact": "the statistics office",
}


def read(card: Any) -> tuple[ModelCard | None, list[str]]:
    problems = Problems()
    spec = read_model({**MODEL, "card": card}, "belonging", "belonging.toml", problems)
    return None if spec is None else spec.card, [str(p) for p in problems]


def test_a_card_is_read_as_written() -> None:
    card, told = read(CARD)
    assert not told
    assert card == ModelCard(
        ("to see where;",), ("Do not rank.",), ("One question.", "One year."), "2", "the statistics office"
    )


def test_a_model_without_a_card_has_an_empty_one() -> None:
    spec = read_model(MODEL, "belonging", "belonging.toml", Problems())
    assert spec is not None
    assert spec.card == ModelCard()


def test_everything_that_is_wrong_is_told_at_once() -> None:
    card, told = read({"intended_uses": ["a"], "forbidden_use": [], "limits": "one", "version": 2})
    assert card is None
    assert len(told) == 5
    for part in (
        "belonging.toml: card.intended_uses: unknown key (did you mean 'intended_use'?)",
        "belonging.toml: card.intended_use: this key is required",
        "belonging.toml: card.forbidden_use: expected at least 1 value, got 0",
        "belonging.toml: card.limits: expected a list, got the text 'one'",
        "belonging.toml: card.version: expected text, got the number 2",
    ):
        assert any(message.startswith(part) for message in told), (part, told)


@pytest.mark.parametrize(
    "wrong", ["a card", ["a"], {"intended_use": ["a", "a"], "forbidden_use": ["b"], "limits": ["c"]}]
)
def test_what_is_no_card_is_refused(wrong: Any) -> None:
    assert read(wrong)[0] is None
