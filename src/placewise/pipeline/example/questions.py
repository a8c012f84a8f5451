"""What the two surveys of the example's own project ask: columns, answers, and who is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from placewise.pipeline.example.items import CLS_ITEMS, OWN, OWN_ITEMS, REFERENCE_YEAR, UKHLS_ITEMS, Item
from placewise.surveys.cls.concepts import AGREEMENT, ORDER

PANEL_WAVE = "f"


@dataclass(frozen=True)
class Question:
    """One column of answers.

    Parameters
    ----------
    item : Item
        Trait, slope and shares.
    name : str
        Of the item among those of its source.
    source : str
        Year or wave whose cutpoints it has, or `items.OWN`.
    answers : tuple of str
        Texts, the least of the trait first; empty: numbers from 1.
    put_to : {"all", "online", "some"}
        Everybody, those who answer online, or a part drawn at random.
    """

    item: Item
    name: str
    source: str
    answers: tuple[str, ...] = ()
    put_to: str = "all"


def _cls(name: str, concept: str, put_to: str = "all") -> Question:
    return Question(CLS_ITEMS[name], name, REFERENCE_YEAR, ORDER[concept], put_to)


# Under the names that the reader of the Community Life Survey gives them; pride and staying are the example's own.
# The paper questionnaire is the shorter one, and satisfaction was put to a part, as in 2023-24 to one quarter's.
COMMUNITY: Mapping[str, Question] = {
    "belonging": _cls("SBeNeigh", "belonging"),
    "proud": Question(OWN_ITEMS["proud"], "proud", OWN, AGREEMENT),
    "stay": Question(OWN_ITEMS["stay"], "stay", OWN, AGREEMENT, "online"),
    "chatting": _cls("SchatN", "chatting"),
    "favours": _cls("SFavN", "favours"),
    "pull_together": _cls("SPull", "pull_together", "online"),
    "trust": _cls("STrust", "trust", "online"),
    "satisfaction": _cls("Slocsat", "satisfaction", "some"),
}
# Under the names of Understanding Society, 5 for strong agreement; a short form of the questionnaire leaves three out.
SHORT_FORM_LACKS = "ceg"
HOUSEHOLD: Mapping[str, Question] = {
    f"scopngbh{k}": Question(
        UKHLS_ITEMS[f"scopngbh{k}"], f"scopngbh{k}", PANEL_WAVE, (), "some" if k in SHORT_FORM_LACKS else "all"
    )
    for k in "abcdefgh"
} | {"likes_area": Question(OWN_ITEMS["likes_area"], "likes_area", OWN)}
