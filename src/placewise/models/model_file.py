"""The model file of one outcome: tables in, ``ModelSpec`` out, every problem noted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from placewise.errors import Problems
from placewise.models.card import ModelCard, read_card
from placewise.models.engines import AVAILABLE, PLANNED, WORKS
from placewise.models.estimands import read_estimands
from placewise.models.formula import parse_formula
from placewise.models.item_names import NamesOf
from placewise.models.prior_keys import check_rho, read_priors
from placewise.models.priors import parse_prior, reaches_below_zero
from placewise.models.questions import ORDERED, check_response, or_by_survey, orders, read_questions, survey_names
from placewise.models.spec import AUTO, DEFAULT_ENGINE, ModelSpec, OutcomeSpec
from placewise.schema import (
    Key,
    Place,
    boolean,
    data_file,
    describe,
    is_number,
    label,
    list_of,
    must_be_known,
    one_of,
    positive,
    safe_name,
    table,
    table_of,
    text,
    walk,
)
from placewise.surveys.items import Question

FAMILIES = ("gaussian", "bernoulli", "binomial", "poisson", "cumulative", "graded_response")
STRUCTURES = ("iid", "rw1", "ar1", "bym2")


def _spread(value: Any, place: Place) -> Any:
    """A prior of a standard deviation."""
    prior = parse_prior(value, str(place), place.problems)
    if prior is not None and reaches_below_zero(prior):
        place.add(f"a standard deviation cannot be negative, {prior} can")
        return None
    return prior


def _specific(value: Any, place: Place) -> Any:
    """Covariates, or the word ``auto``."""
    if isinstance(value, str):
        if value == AUTO:
            return value
        place.add(
            f"expected a list of fixed terms, or 'auto', got {describe(value)}", 'a list stands in brackets: ["age"]'
        )
        return None
    return list_of(text)(value, place)


def _known_engine(value: Any, place: Place) -> str | None:
    """An engine; those of a later version are refused elsewhere and offered to nobody."""
    return value if isinstance(value, str) and value in PLANNED else one_of(*AVAILABLE)(value, place)


def _area_scale(value: Any, place: Place) -> Any:
    """A grouping, or a grouping with declared multipliers."""
    if isinstance(value, str):
        return text(value, place)
    return table({"by": Key(text, required=True), "multipliers": Key(table_of(positive))})(value, place)


def _reference(value: Any, place: Place) -> str | float | None:
    """A value at which to predict: a category, a number, or the word ``draw``."""
    if is_number(value):
        return float(value)
    if isinstance(value, str):
        return text(value, place)
    place.add(f"expected a category, a number or 'draw', got {describe(value)}")
    return None


TOP = {
    "outcome": Key(lambda value, place: value, required=True),
    "model": Key(lambda value, place: value, required=True),
    "benchmark": Key(
        table({
            "level": Key(text, required=True),
            "targets": Key(data_file(".csv", ".parquet"), required=True),
            "mode": Key(one_of("drawn", "exact", "update"), default="drawn"),
            "allow_same_data": Key(boolean, default=False),
        })
    ),
    "card": Key(read_card, default=ModelCard()),
}  # fmt: skip

OUTCOME = {
    "title": Key(text),
    "question": Key(or_by_survey(text)),
    "wordings": Key(table_of(text)),
    "survey": Key(survey_names, required=True),
    "response": Key(or_by_survey(text)),
    "items": Key(or_by_survey(list_of(text, least=1))),
    "different": Key(list_of(text)),
    "family": Key(one_of(*FAMILIES), required=True),
    "order": Key(orders),
    "success": Key(list_of(label, least=1)),
    "trials": Key(text),
    "exposure": Key(text),
    "variance": Key(text),
    "estimand": Key(lambda value, place: value),
    "polarity": Key(one_of("higher is better", "lower is better"), default="higher is better"),
    "finite_population": Key(boolean),
}

MODEL = {
    "formula": Key(text, required=True),
    "standardise": Key(boolean, default=True),
    "structure": Key(table_of(one_of(*STRUCTURES))),
    "category_specific": Key(_specific),
    "area_scale": Key(_area_scale),
    "engine": Key(_known_engine),
    "reference": Key(table_of(_reference)),
    "below_link": Key(table({"ratio": Key(positive), "sd": Key(_spread)})),
    "sensitivity": Key(boolean, default=False),
    "discrepancy": Key(text),
    "priors": Key(lambda value, place: value),
}

# what only some families have: key -> families, and whether these must have it
_BELONGS = {
    "wordings": (ORDERED, False),
    "order": (ORDERED, True),
    "different": (ORDERED, False),
    "success": (("bernoulli",), False),
    "trials": (("binomial",), True),
    "exposure": (("poisson",), False),
    "variance": (("gaussian",), False),
}


def _unknown(survey: str) -> tuple[str, ...]:
    """Where a model is read without a project, no survey's names are known."""
    return ()


def read_model(
    tables: Mapping[str, Any],
    name: str,
    where: str,
    problems: Problems,
    *,
    engine: str | None = None,
    surveys: Collection[str] | None = None,
    folder: Path = Path(),
    names_of: NamesOf = _unknown,
) -> ModelSpec | None:
    """Read one model file.

    Parameters
    ----------
    tables : mapping
        The file's tables as read from TOML.
    name : str
        Outcome name: the file's stem.
    where : str
        The file, for messages.
    problems : Problems
        Takes everything that is wrong, ``kind="unavailable"`` for what a later version brings.
    engine : str, optional
        Replaces ``model.engine`` before it is judged.
    surveys : collection of str, optional
        Surveys of the project, against which ``outcome.survey`` is checked.
    folder : Path
        Folder against which paths are resolved: the project's.
    names_of : callable, optional
        Names that a survey's answers may have, to tell which of two spellings of an item is right.

    Returns
    -------
    ModelSpec or None
        None where a problem of kind ``configuration`` was noted, those of the formula among them; parts that are
        unavailable do not prevent it, and the formula of a file that is otherwise right is read by whoever uses it.
    """
    place = Place(where, problems, folder)
    before = place.broken()
    safe_name(name, place)
    top = walk(tables, TOP, place)
    values = _part(top["outcome"], OUTCOME, place.at("outcome"))
    if isinstance(top["outcome"], Mapping):
        _check_family_keys(values, top["outcome"], place.at("outcome"))
        check_response(values, top["outcome"], place.at("outcome"))
    for survey in values["survey"] or () if surveys is not None else ():
        must_be_known(survey, surveys or (), "a survey of the project", place.at("outcome").at("survey"))
    outcome = _outcome(name, values, place.at("outcome"), names_of)
    model = _part(top["model"], MODEL, place.at("model"))
    _check_model(model, values, place.at("model"))
    chosen = _engine(engine, model["engine"], place.at("model").at("engine"))
    priors, split = read_priors(
        model["priors"] or {},
        values["family"] or "",
        bool(values["variance"]),
        place.at("model").at("priors"),
        len(values["survey"] or ()),
    )
    check_rho(priors, model["structure"] or {}, place.at("model").at("priors"))
    if place.broken() > before:
        if model["formula"]:
            parse_formula(model["formula"], str(place.at("model").at("formula")), problems)
        return None
    return ModelSpec(
        outcome=outcome,
        formula=model["formula"],
        standardise=model["standardise"],
        structure=model["structure"] or {},
        category_specific=model["category_specific"],
        area_scale=model["area_scale"],
        engine=chosen,
        reference=model["reference"] or {},
        priors=priors,
        split=split,
        below_link=model["below_link"] or {},
        benchmark=top["benchmark"] or {},
        card=top["card"],
        sensitivity=bool(model["sensitivity"]),
        discrepancy=model["discrepancy"] or "",
        raw=tables,
    )


def _part(value: Any, schema: Mapping[str, Key], place: Place) -> dict[str, Any]:
    """A table of the file; all keys None where the table itself is absent, which was noted already."""
    return dict.fromkeys(schema) if value is None else walk(value, schema, place)


def _engine(override: str | None, written: str | None, place: Place) -> str:
    """The engine to use, noted where it is unknown or does not exist yet."""
    if override is not None:
        place = Place("--engine", place.problems)
        _known_engine(override, place)
    engine = override or written or DEFAULT_ENGINE
    if engine in PLANNED:
        place.unavailable(f"engine {engine!r}", WORKS)
    return engine


def _outcome(name: str, values: dict[str, Any], place: Place, names_of: NamesOf) -> OutcomeSpec:
    """Table ``[outcome]`` as typed data; used only where all of it could be read."""
    questions = read_questions(values, place, names_of)
    reference = questions.get(values["survey"][0], ()) if values["survey"] else ()
    response, items, question = (_of_reference(values[k], values["survey"]) for k in ("response", "items", "question"))
    estimands = read_estimands(
        values["estimand"], values["family"] or "", {q.column: q.levels for q in reference}, values["success"] or (),
        items or (), place.at("estimand"),
    )  # fmt: skip
    if values["finite_population"] and estimands and all(e.kind == "latent" for e in estimands):
        place.at("finite_population").add("a latent score has no finite population", "leave this key out")
    if values["finite_population"] and values["variance"]:
        place.at("finite_population").add(
            "where the variances are known, how much one person differs from another is not", "leave this key out"
        )
    return OutcomeSpec(
        name=name,
        title=values["title"] or name,
        surveys=values["survey"] or (),
        family=values["family"],
        response=response or "",
        items=items or (),
        order=reference[0].levels if reference else (),
        questions=questions,
        different=values["different"] or (),
        success=values["success"] or (),
        trials=values["trials"] or "",
        exposure=values["exposure"] or "",
        variance=values["variance"] or "",
        estimands=estimands,
        higher_is_better=values["polarity"] == "higher is better",
        finite_population=values["finite_population"],
        question=question or "",
        wordings=values["question"] if isinstance(values["question"], Mapping) else {},
        item_wordings=_item_wordings(values, questions, place.at("wordings")),
    )


def _item_wordings(
    values: Mapping[str, Any], questions: Mapping[str, Sequence[Question]], place: Place
) -> Mapping[str, str]:
    """Wording of each item, noted where there is no such item."""
    items = [question.column for own in questions.values() for question in own]
    for name in values["wordings"] or {} if items else ():
        must_be_known(name, items, "an item of this outcome", place.at(name))
    return values["wordings"] or {}


def _of_reference(value: Any, surveys: tuple[str, ...] | None) -> Any:
    """The reference survey's value where a key holds one a survey."""
    return value.get(surveys[0]) if isinstance(value, Mapping) and surveys else value


def _check_family_keys(values: dict[str, Any], written: Collection[str], place: Place) -> None:
    """Note keys that the family lacks or does not have."""
    family = values["family"]
    if family is None:
        return
    for key, (families, needed) in _BELONGS.items():
        if key in written and family not in families:
            place.at(key).add(f"a {family} outcome has no {key!r}", f"it belongs to {' and '.join(families)}")
        elif key not in written and needed and family in families:
            place.at(key).add(f"a {family} outcome needs this key")


def _check_model(model: dict[str, Any], outcome: dict[str, Any], place: Place) -> None:
    """Note what does not fit together in ``[model]``."""
    family = outcome["family"]
    several = len(outcome["survey"] or ()) > 1
    if model["category_specific"] and (family == "graded_response" or (family == "cumulative" and several)):
        what = "a slope that differs by cutpoint in a model of several items or surveys"
        place.at("category_specific").unavailable(what, "leave this key out")
    elif model["category_specific"] and family not in (None, "cumulative"):
        place.at("category_specific").add(f"a {family} model has no cutpoints", "leave this key out")
    if model["discrepancy"] and outcome["survey"] and not several:
        place.at("discrepancy").add("there is one survey, which has none to depart from", "leave this key out")
    below = model["below_link"]
    if below is not None and len(below) != 1:
        place.at("below_link").add("expected one of 'ratio' and 'sd'", "ratio = 2.5")
