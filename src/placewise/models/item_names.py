"""An item goes by one name: where items are listed, where their answers are put in order, and in the survey's file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping

from placewise.schema import Place

# names that a survey's answers may have; empty where they are not known
NamesOf = Callable[[str], Collection[str]]


def check_item_names(
    order: Collection[str],
    asked: Mapping[str, Collection[str]],
    here: Place,
    listed: Place,
    names_of: NamesOf,
) -> None:
    """Note items without an order and orders of no item; a name written in two ways is one problem, where it is wrong.

    Parameters
    ----------
    order : collection of str
        Names whose answers are put in order.
    asked : mapping of str to collection of str
        Items of each survey.
    here, listed : Place
        Where the order stands, and where the items.
    names_of : callable
        Names of a survey's answers, looked up only where two names differ.
    """
    items = dict.fromkeys(item for own in asked.values() for item in own)
    without = [item for item in items if item not in order]
    for name in order:
        if name in items:
            continue
        close = difflib.get_close_matches(name, without, n=1)
        if close:
            without.remove(close[0])
            survey = next(survey for survey, own in asked.items() if close[0] in own)
            _tell_twin(name, close[0], survey, names_of(survey), here, listed)
        else:
            hint = f"delete this line, or name {name!r} in {listed.key} too"
            here.at(name).add(f"{name!r} is not an item of this outcome", hint)
    for item in without:
        hint = f"write {item} = [lowest, …, highest], or take {item!r} out of {listed.key}"
        here.add(f"there is none for item {item!r}", hint)


def _tell_twin(name: str, item: str, survey: str, known: Collection[str], here: Place, listed: Place) -> None:
    """Note an item that has another name where its answers are put in order; the survey's file tells which is right."""
    if name in known and item not in known:
        hint = f"did you mean {name!r}, as in {here.key}?"
        listed.add(f"survey {survey!r} has no column {item!r}", hint)
    elif item in known and name not in known:
        here.at(name).add(f"{name!r} is not an item of this outcome", f"did you mean {item!r}?")
    else:
        message = f"{name!r} is not an item of this outcome, and item {item!r} has no order"
        here.at(name).add(message, f"write one name here and in {listed.key}")
