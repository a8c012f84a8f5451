"""What a model publishes: the ``estimand`` of a model file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from placewise.models.spec import EstimandSpec
from placewise.schema import Key, Place, label, list_of, must_be_known, safe_name, text, walk

_WORDS: Mapping[str, Literal["mean", "latent", "score"]] = {"mean": "mean", "latent": "latent", "score": "score"}
_SHARE = {"share": Key(list_of(label, least=1), required=True), "item": Key(text)}
_FORM = 'write "mean", "latent", "score", { share = ["…"] } or a table of several with names'

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "gaussian": ("mean", "latent"),
    "bernoulli": ("share", "latent"),
    "binomial": ("share", "latent"),
    "poisson": ("mean", "latent"),
    "cumulative": ("share", "mean", "latent"),
    "graded_response": ("score", "share", "mean", "latent"),
}


def read_estimands(
    value: Any,
    family: str,
    orders: Mapping[str, tuple[str, ...]],
    success: tuple[str, ...],
    items: tuple[str, ...],
    place: Place,
) -> tuple[EstimandSpec, ...]:
    """Read ``outcome.estimand``: one quantity, or a table of several of which the first is the primary one.

    A table with a key ``share`` or ``item`` is one estimand, any other table names several.

    Parameters
    ----------
    value : object
        Raw value; None where the key is absent, then the family's usual one: the mean (gaussian, poisson,
        cumulative), the share of successes (bernoulli, binomial), the scale score (graded_response).
    family : str
        Likelihood family; empty where it could not be read.
    orders : mapping of str to tuple of str
        Declared categories of each of the reference survey's questions, against which those of shares are checked.
    success, items : tuple of str
        Declared successes and items, against which names are checked.
    place : Place
        Where the value stands.

    Returns
    -------
    tuple of EstimandSpec
        Those that could be read.
    """
    if value is None:
        first = ALLOWED.get(family, ("mean",))[0]
        usual: Any = "mean" if family == "cumulative" else first
        return (EstimandSpec("", usual),)
    several = isinstance(value, Mapping) and not {"share", "item"} & set(value)
    if several and not value:
        place.add("there is no estimand in it", _FORM)
    named = {safe_name(k, place.at(k)): (v, place.at(k)) for k, v in value.items()} if several else {"": (value, place)}
    found = []
    for name, (written, here) in named.items():
        estimand = _read_one(name or "", written, family, here)
        if estimand is not None:
            found.append(_checked(estimand, family, orders, success, items, here))
    return tuple(found)


def _read_one(name: str, written: Any, family: str, place: Place) -> EstimandSpec | None:
    """One estimand as written."""
    if isinstance(written, str) and written in _WORDS:
        binary = family in ("bernoulli", "binomial") and written == "mean"
        return EstimandSpec(name, "share" if binary else _WORDS[written])
    if not isinstance(written, Mapping):
        place.add("this is no estimand", _FORM)
        return None
    before = place.broken()
    found = walk(written, _SHARE, place)
    if place.broken() > before:
        return None
    return EstimandSpec(name, "share", found["share"], found["item"] or "")


def _checked(
    estimand: EstimandSpec,
    family: str,
    orders: Mapping[str, tuple[str, ...]],
    success: tuple[str, ...],
    items: tuple[str, ...],
    place: Place,
) -> EstimandSpec:
    """The estimand, after noting what does not fit the outcome; binary shares need no categories."""
    if family and estimand.kind not in ALLOWED[family]:
        allowed = ", ".join(repr(k) for k in ALLOWED[family])
        place.add(f"a {family} outcome has no {estimand.kind!r}", f"it has {allowed}")
        return estimand
    if family == "bernoulli" and estimand.categories and set(estimand.categories) != set(success):
        place.at("share").add(
            "the share of a bernoulli outcome is that of its successes",
            'name them in outcome.success and write estimand = "mean"',
        )
    if family == "binomial" and estimand.categories:
        place.at("share").add("a binomial outcome has no categories", 'write estimand = "mean", the share of successes')
    order = orders.get(estimand.item, ()) if family == "graded_response" else next(iter(orders.values()), ())
    if order:
        for i, category in enumerate(estimand.categories):
            must_be_known(category, order, "a category of outcome.order", place.at("share").at(i))
        if estimand.kind == "share" and set(order) <= set(estimand.categories):
            place.at("share").add("the share of all categories is 1 everywhere", "name some of them")
    if family == "graded_response" and estimand.kind == "share" and not estimand.item:
        place.add("the share of a scale needs its item", 'write { item = "…", share = ["…"] }')
    if estimand.item and family and family != "graded_response":
        place.at("item").add(f"a {family} outcome has no items", "leave this key out")
    elif estimand.item and items:
        must_be_known(estimand.item, items, "an item of outcome.items", place.at("item"))
    if family in ("bernoulli", "binomial"):
        return EstimandSpec(estimand.name, estimand.kind)
    return estimand
