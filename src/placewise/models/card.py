"""The model card of an outcome: what its estimates are for, what they are not for, and what is known to limit them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from placewise.schema import Key, Place, list_of, table, text


@dataclass(frozen=True)
class ModelCard:
    """Table ``[card]`` of a model file, after Mitchell et al. (2019), in sentences a reader of the report understands.

    Parameters
    ----------
    intended_use, forbidden_use, limits : tuple of str
        One sentence each, of this outcome alone: what holds for every outcome the report says by itself.
    version, contact : str
        Of the model, and whom to ask; empty where not given.
    """

    intended_use: tuple[str, ...] = ()
    forbidden_use: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    version: str = ""
    contact: str = ""


_sentences = list_of(text, least=1)

_CARD = {
    "intended_use": Key(_sentences, required=True),
    "forbidden_use": Key(_sentences, required=True),
    "limits": Key(_sentences, required=True),
    "version": Key(text),
    "contact": Key(text),
}


def read_card(value: Any, place: Place) -> ModelCard | None:
    """Read ``[card]``; None where a problem was noted.

    Parameters
    ----------
    value : object
        The table as read from TOML. A card that leaves out what the estimates are for, what they are not for, or what
        limits them is no card: all three are required.
    place : Place
        Where it stands.
    """
    card: ModelCard | None = table(_CARD, ModelCard)(value, place)
    return card
