"""Table ``[model.priors]``: which keys there are, what each accepts, and which of them this version honours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from placewise.errors import nearest
from placewise.models.priors import DISTRIBUTIONS, Prior, parse_prior, reaches_below_zero
from placewise.schema import Place, describe, positive

_NAMED = ("slope", "sd", "var", "rho", "cor")
# of a model of several items or surveys
_MEASURED = ("discrimination", "shift", "discrepancy")
_ALONE = ("intercept", "cutpoints", "slope", "sd", "sigma", "split:geography", *_MEASURED)
_OVER_MANY = ("sd:geography", "sd:classes", "sd:category_specific", "sd:area_scale")
_KNOWN = (*_ALONE, *_OVER_MANY, "slope:NAME", "sd:GROUP", "var:GROUP", "rho:GROUP", "cor:GROUP")
# structures that have a ρ, and the values it may take
RHO_RANGE = {"ar1": (-1.0, 1.0), "bym2": (0.0, 1.0)}


def read_priors(
    value: Any, family: str, known_variance: bool, place: Place, surveys: int = 1
) -> tuple[dict[str, Prior], float | None]:
    """Read ``[model.priors]``.

    Parameters
    ----------
    value : mapping
        The raw table.
    family : str
        Likelihood family; empty where it could not be read, then nothing is checked against it.
    known_variance : bool
        Whether the outcome's variances are known (a gaussian one has no ``sigma`` then).
    place : Place
        Where the table stands.
    surveys : int
        Surveys that the outcome has.

    Returns
    -------
    priors : dict of str to Prior
        By key as written, those that could be read.
    split : float or None
        ``split:geography``.
    """
    if not isinstance(value, Mapping):
        place.add(f"expected a table, got {describe(value)}")
        return {}, None
    priors: dict[str, Prior] = {}
    split: float | None = None
    for key, written in value.items():
        here = place.at(key)
        head, _, name = key.partition(":")
        if isinstance(written, Mapping):
            quoted = f'"{key}:{next(iter(written), "GROUP")}"'
            here.add("expected a distribution, got a table", f"a key with a colon stands in quotes: {quoted}")
        elif key == "split:geography":
            split = positive(written, here)
        elif key not in _ALONE and not (head in _NAMED and name):
            here.add("there is no such prior", nearest(key, _KNOWN))
        else:
            prior = _read_one(key, written, here)
            if prior is not None:
                priors[key] = prior
                _check_family(key, family, known_variance, here)
                _check_measured(key, prior, family, surveys, here)
    _check_twice(value, place)
    return priors, split


def _read_one(key: str, written: Any, place: Place) -> Prior | None:
    """One distribution, checked against what its key may hold."""
    prior = parse_prior(written, str(place), place.problems)
    if prior is None:
        return None
    if (DISTRIBUTIONS[prior.name].support == "correlations") != key.startswith("cor:"):
        is_cor = key.startswith("cor:")
        what = (
            f"{key!r} takes the prior of a correlation matrix" if is_cor else f"{prior} is one of a correlation matrix"
        )
        place.add(f"{what}, got {prior}" if is_cor else what, 'write "lkj(2)" under "cor:GROUP"')
        return None
    if DISTRIBUTIONS[prior.name].support == "correlations":
        return prior
    if DISTRIBUTIONS[prior.name].support == "slopes":
        if key != "slope":
            place.add(f"{prior} is a prior of all slopes together", "write it under 'slope'")
            return None
        return prior
    if key.partition(":")[0] in ("sd", "var", "sigma", "discrimination", "discrepancy"):
        return _spread(key, prior, place)
    if key.startswith("rho"):
        return _rho(key, prior, place)
    support = DISTRIBUTIONS[prior.name].support
    if support in ("positive", "unit") or (key == "cutpoints" and support == "point"):
        what = "cutpoints are ordered numbers" if key == "cutpoints" else f"{key!r} may be any number"
        place.add(f"{what}, {prior} does not suit them", 'write "normal(0, 1)" or another on the whole line')
        return None
    return prior


def _spread(key: str, prior: Prior, place: Place) -> Prior | None:
    """A prior of a standard deviation or a variance."""
    if prior.name == "beta":
        place.add(f"{prior} is a prior of a share or a correlation", 'write "half_normal(0.5)" or "gamma(2, 10)"')
        return None
    if reaches_below_zero(prior):
        place.add(
            f"{key!r} cannot be negative, {prior} can", 'write "half_normal(0.5)", "gamma(2, 10)" or another above 0'
        )
        return None
    if key == "var:classes":
        place.add("there is no such prior", "write 'sd:classes', or 'var:' with the name of one class")
        return None
    if key in ("var:category_specific", "var:area_scale"):
        place.add("there is no such prior", f"write 'sd:{key[4:]}'")
        return None
    if key.startswith("var:") and prior.name == "pc":
        place.add(f"{prior} is a prior of a standard deviation", f"write it under 'sd:{key[4:]}'")
        return None
    return prior


def _rho(key: str, prior: Prior, place: Place) -> Prior | None:
    """A prior of an autocorrelation or of the share of spatial variance."""
    if DISTRIBUTIONS[prior.name].support not in ("bounded", "unit", "point"):
        place.add(
            f"{key!r} lies between -1 and 1, {prior} does not", 'write "uniform(0, 1)", "beta(2, 2)" or "fixed(0.5)"'
        )
        return None
    return prior


def check_rho(priors: Mapping[str, Prior], structure: Mapping[str, str], place: Place) -> None:
    """Note every ``rho:GROUP`` whose group has no structure with a ρ, or whose prior leaves the range of that ρ.

    Parameters
    ----------
    priors : mapping of str to Prior
        By key.
    structure : mapping of str to str
        ``[model] structure``.
    place : Place
        Where the table of priors stands.
    """
    for key, prior in priors.items():
        head, _, group = key.partition(":")
        if head != "rho":
            continue
        kind = structure.get(group, "iid")
        if kind not in RHO_RANGE:
            effects = "independent" if kind == "iid" else f"a {kind}"
            hint = "leave it out, or give the group the structure 'ar1' or 'bym2'"
            place.at(key).add(f"the effects of {group!r} are {effects} and have no rho", hint)
            continue
        low, high = RHO_RANGE[kind]
        ends = (0.0, 1.0) if prior.name == "beta" else (prior.args[0], prior.args[-1])
        # an autoregression with a correlation of 1 or -1 has no density
        closed = kind == "bym2" or prior.name != "fixed"
        if ends[0] < low or ends[1] > high or (not closed and ends[0] in (low, high)):
            where = f"between {low:g} and {high:g}" + ("" if closed else ", the ends excluded")
            place.at(key).add(f"the rho of {kind} effects lies {where}, {prior} does not")


def _check_family(key: str, family: str, known_variance: bool, place: Place) -> None:
    """Note a prior of a parameter that the family does not have."""
    if key == "intercept" and family in ("cumulative", "graded_response"):
        place.add(f"a {family} model has no intercept", "its place is taken by 'cutpoints'; leave this key out")
    if key == "cutpoints" and family and family not in ("cumulative", "graded_response"):
        place.add(f"a {family} model has no cutpoints", "leave this key out, or write 'intercept'")
    if key == "sigma" and family and family != "gaussian":
        place.add(f"a {family} model has no residual sd", "leave this key out; 'sigma' belongs to family 'gaussian'")
    if key == "sigma" and family == "gaussian" and known_variance:
        place.add("the residual variances are known", "leave out either this key or outcome.variance")


def _check_measured(key: str, prior: Prior, family: str, surveys: int, place: Place) -> None:
    """Note a prior of what only several items or surveys have, and shapes that their parameters cannot have."""
    if key == "discrimination" and family and family != "graded_response" and surveys < 2:
        place.add("an outcome of one question has no discrimination", "leave this key out")
    if key in ("shift", "discrepancy") and family and surveys < 2:
        place.add("an outcome of one survey has no such parameter", "leave this key out")
    if key == "discrimination" and prior.name in ("flat", "uniform", "pc"):
        place.add(f"{prior} does not suit a factor", 'write "lognormal(0, 0.5)" or another above 0')
    if key == "shift" and (prior.name != "normal" or prior.args[0] != 0.0):
        place.add(f"a shift is normal about 0, {prior} is not", 'write "normal(0, 0.5)"')


def _check_twice(value: Mapping[str, Any], place: Place) -> None:
    """Note groups whose sd and variance both have a prior."""
    for key in value:
        if key.startswith("sd:") and f"var:{key[3:]}" in value:
            place.at(key).add(f"there is a prior for 'var:{key[3:]}' too", "keep one of the two")
