"""What is asked in which survey: ``survey``, ``response``, ``items``, ``order`` and ``different`` of a model file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from placewise.models.item_names import NamesOf, check_item_names
from placewise.schema import Place, Reader, describe, label, list_of, must_be_known, table_of, text
from placewise.surveys.items import Question, shared_columns

# families that several surveys, or several items, can measure
ORDERED = ("cumulative", "graded_response")
MOST_CATEGORIES = 100


def or_by_survey(read: Reader) -> Reader:
    """Reader of one value, or of a table of such values keyed by survey."""

    def either(value: Any, place: Place) -> Any:
        return table_of(read)(value, place) if isinstance(value, Mapping) else read(value, place)

    return either


def survey_names(value: Any, place: Place) -> tuple[str, ...] | None:
    """One survey, or a list of which the first is the reference."""
    if isinstance(value, str):
        return (value,) if text(value, place) else None
    found: tuple[str, ...] | None = list_of(text, least=1)(value, place)
    return found


def categories(value: Any, place: Place) -> tuple[str, ...] | None:
    """Categories, lowest first."""
    found: tuple[str, ...] | None = list_of(label, least=2)(value, place)
    if found is not None and len(found) > MOST_CATEGORIES:
        place.add(f"expected at most {MOST_CATEGORIES} categories, got {len(found)}")
        return None
    return found


# one list; or tables of lists keyed by survey, by item, or by survey and then item
orders = or_by_survey(or_by_survey(categories))


def check_response(values: Mapping[str, Any], written: Collection[str], place: Place) -> None:
    """Note an outcome with neither or both of ``response`` and ``items``, and tables that name other surveys."""
    family, named = values["family"], values["survey"]
    if not {"response", "items"} & set(written):
        key = "items" if family == "graded_response" else "response"
        place.at(key).add("this key is required", f"it names the survey's column{'s' * (key == 'items')}")
    elif "items" in written and "response" in written:
        place.at("items").add("there is 'response' too", "keep one of the two")
    elif "items" in written and family not in (None, "graded_response"):
        place.at("items").add(f"a {family} outcome has one response and no items", "write 'response'")
    elif "response" in written and family == "graded_response":
        place.at("response").add("a scale has several items", 'write items = ["…", "…"], or family = "cumulative"')
    for key in ("response", "items"):
        if isinstance(values[key], Mapping) and named:
            check_keys(values[key], named, place.at(key))
    if named and len(named) > 1 and family not in (None, *ORDERED):
        hint = "use family 'cumulative' or 'graded_response', or model each survey on its own"
        if family == "bernoulli":
            hint = "write it as family 'cumulative' with two categories in 'order'"
        place.at("survey").add(f"a {family} outcome has one survey, got {len(named)}", hint)


def check_keys(found: Mapping[str, Any], named: Collection[str], place: Place) -> None:
    """Note keys of a table that are no survey of the outcome, and surveys that it lacks."""
    for name in found:
        must_be_known(name, named, "a survey of this outcome", place.at(name))
    for name in named:
        if name not in found:
            place.add(f"there is none for survey {name!r}")


def read_questions(values: Mapping[str, Any], place: Place, names_of: NamesOf) -> dict[str, tuple[Question, ...]]:
    """Questions of each survey with their answers in order; empty where the family has no ordered answers.

    Parameters
    ----------
    values : mapping
        Table ``[outcome]``, each key read by itself.
    place : Place
        Where the table stands; takes what does not fit together.
    names_of : callable
        Names that a survey's answers may have, as ``check_item_names`` takes it.
    """
    named, family = values["survey"], values["family"]
    columns = {survey: _columns(values, survey) for survey in named or ()}
    if not named or family not in ORDERED or not all(columns.values()) or values["order"] is None:
        return {}
    if family == "graded_response" and len(columns[named[0]]) < 2:
        place.at("items").add("the items of the reference survey are a scale, expected at least 2")
    found = {}
    for survey, own in columns.items():
        ordered = _orders_of(values, survey, columns, place, names_of)
        if ordered is not None:
            found[survey] = tuple(Question(column, ordered[column]) for column in own)
    if len(found) < len(named):
        return {}
    _check_common(found, values["different"] or (), place)
    return found


def _columns(values: Mapping[str, Any], survey: str) -> tuple[str, ...]:
    """Columns of one survey's answers."""
    response, items = (v.get(survey) if isinstance(v, Mapping) else v for v in (values["response"], values["items"]))
    return tuple(items) if items else (response,) if response else ()


def _orders_of(
    values: Mapping[str, Any], survey: str, columns: Mapping[str, tuple[str, ...]], outcome: Place, names_of: NamesOf
) -> dict[str, tuple[str, ...]] | None:
    """Categories of each question of one survey."""
    order, named, own, place = values["order"], values["survey"], columns[survey], outcome.at("order")
    asked = columns
    known = tuple(dict.fromkeys(column for those in columns.values() for column in those))
    of_items = isinstance(order, Mapping) and (set(order) & set(known) or (len(named) == 1 and len(own) > 1))
    if isinstance(order, Mapping) and (set(order) & set(named) or not of_items):
        if survey == named[0]:
            check_keys(order, named, place)
        if survey not in order:
            return None
        order, place, asked = order[survey], place.at(survey), {survey: own}
    if not isinstance(order, Mapping):
        return dict.fromkeys(own, order)
    if any(isinstance(one, Mapping) for one in order.values()):
        place.add(f"expected a list of categories for each item, got {describe({})}")
        return None
    if len(asked) < len(named) or survey == named[0]:
        check_item_names(order, asked, place, outcome.at("items" if values["items"] else "response"), names_of)
    return dict(order) if set(own) <= set(order) else None


def _check_common(found: Mapping[str, tuple[Question, ...]], different: tuple[str, ...], place: Place) -> None:
    """Note common items that have other categories in another survey, and names that are no common item's."""
    common = shared_columns(found)
    for name in different:
        if len(found) < 2:
            place.at("different").add("there is one survey, in which no item can differ", "leave this key out")
            break
        must_be_known(name, common, "an item that several surveys ask", place.at("different"))
    for column in shared_columns(found, different):
        asked = {survey: q.levels for survey, own in found.items() for q in own if q.column == column}
        first = next(iter(asked))
        for survey, levels in asked.items():
            if levels != asked[first]:
                place.at("order").add(
                    f"{column!r} has other categories in survey {survey!r} than in {first!r}, so that it cannot have "
                    "the same parameters in both",
                    f'write different = ["{column}"], or recode one of the two',
                )
