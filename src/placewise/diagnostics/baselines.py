"""Simple estimates that always stand beside the model: national mean, class look-up, regression on covariates."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from placewise.diagnostics.folds import Kind, Score, grouped_folds, score_predictions

SMALLEST_CLASS = 10
Z90 = float(norm.ppf(0.95))
FAMILIES = {"share": families.Binomial, "mean": families.Gaussian, "rate": families.Poisson}


@dataclass(frozen=True, eq=False)
class BaselineData:
    """What the baselines may use: answers, classes and covariates of the area, nothing else.

    Parameters
    ----------
    kind : {"share", "mean", "rate"}
        Share of successes, mean of a number, or events by exposure.
    y : ndarray of float64, shape (n,)
        The estimand's value for each respondent.
    x, area_x : ndarray of float64, shapes (n, p) and (A, p)
        Area covariates of respondents and of areas; p may be 0.
    classes, area_classes : mapping of str to ndarray, shapes (n,) and (A,)
        Class codes of respondents and of areas by column; ``baselines`` takes them in any order; may be empty.
    groups : ndarray, shape (n,)
        Groups that are left out together: local authorities, say.
    size : ndarray of float64, shape (n,), or None
        Trials of a share, exposure of a rate.
    weights : ndarray of float64, shape (n,), or None
        Survey weights: used for means of respondents, not for the regression.
    """

    kind: Kind
    y: np.ndarray
    x: np.ndarray
    area_x: np.ndarray
    classes: Mapping[str, np.ndarray]
    area_classes: Mapping[str, np.ndarray]
    groups: np.ndarray
    size: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def sizes(self) -> np.ndarray:
        """Trials or exposure, ones where there are none, shape (n,)."""
        return np.ones(self.y.size) if self.size is None else self.size

    @property
    def mean_weights(self) -> np.ndarray:
        """What a respondent counts in a mean, shape (n,)."""
        return self.sizes if self.weights is None else self.sizes * self.weights

    @property
    def n_areas(self) -> int:
        """Areas to be estimated."""
        return int(self.area_x.shape[0])


@dataclass(frozen=True, eq=False)
class Prediction:
    """Expected answers of all respondents (n,) and of all areas (A,), with 90% intervals where the method has them."""

    respondents: np.ndarray
    areas: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Baseline:
    """One baseline: its areas and its score on held-out groups.

    Parameters
    ----------
    name : str
        ``national``, ``classes`` or ``regression``.
    title : str
        For people.
    areas : ndarray of float64, shape (A,)
    lower, upper : ndarray of float64, shape (A,), or None
        90% interval from the coefficients alone; it is too narrow, which is what it is shown for.
    held_out : Score or None
        None where there are fewer than two groups.
    note : str
        What went wrong in the fit, if anything.
    """

    name: str
    title: str
    areas: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    held_out: Score | None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Baselines:
    """All baselines, scored on the same folds.

    Parameters
    ----------
    baselines : tuple of Baseline
    folds : int
        Folds used; 0 where there were fewer than two groups.
    """

    baselines: tuple[Baseline, ...]
    folds: int


Predictor = Callable[[BaselineData, np.ndarray], Prediction]


def baselines(data: BaselineData, *, n_folds: int = 10) -> Baselines:
    """Fit every baseline that the data allow, and score each on the same held-out groups.

    Parameters
    ----------
    data : BaselineData
    n_folds : int
        At most this many folds of whole groups.
    """
    predictors: list[tuple[str, str, Predictor]] = [("national", "National mean for every area", national_mean)]
    if data.classes:
        predictors.append(("classes", "Mean of the area's class", class_lookup))
    if data.x.shape[1]:
        predictors.append(("regression", "Regression without area effects", regression))
    data = _coarsest_class_first(data)
    folds = grouped_folds(data.groups, n_folds)
    everyone = np.arange(data.y.size)
    found = []
    for name, title, predict in predictors:
        full = predict(data, everyone)
        score = _held_out(data, predict, folds) if folds else None
        found.append(Baseline(name, title, full.areas, full.lower, full.upper, score, full.note))
    return Baselines(tuple(found), len(folds))


def _coarsest_class_first(data: BaselineData) -> BaselineData:
    order = sorted(data.classes, key=lambda c: pd.unique(pd.Series(data.area_classes[c])).size)
    return replace(data, classes={c: data.classes[c] for c in order})


def _held_out(data: BaselineData, predict: Predictor, folds: list[tuple[np.ndarray, np.ndarray]]) -> Score:
    # Respondents are scored, not areas: none need be predicted.
    data = replace(data, area_x=data.area_x[:0], area_classes={c: v[:0] for c, v in data.area_classes.items()})
    predicted = np.empty(data.y.size)
    for train, held in folds:
        predicted[held] = predict(data, train).respondents[held]
    return score_predictions(data.kind, data.y, data.sizes, predicted, data.groups)


def national_mean(data: BaselineData, rows: np.ndarray) -> Prediction:
    """Mean of the respondents in ``rows``, for everyone."""
    mean = float(np.average(data.y[rows], weights=data.mean_weights[rows]))
    return Prediction(np.full(data.y.size, mean), np.full(data.n_areas, mean))


def class_lookup(data: BaselineData, rows: np.ndarray, smallest: int = SMALLEST_CLASS) -> Prediction:
    """Mean of the finest class with at least ``smallest`` respondents in ``rows``, else of its parent, else national.

    ``data.classes`` stand coarsest first.
    """
    start = national_mean(data, rows)
    respondents, areas = start.respondents, start.areas
    for name in data.classes:
        both = np.concatenate([data.classes[name], data.area_classes[name]]).astype(object)
        code, labels = pd.factorize(both)
        learned = code[: data.y.size][rows]
        used = rows[learned >= 0]
        learned = learned[learned >= 0]
        weight = data.mean_weights[used]
        total = np.bincount(learned, weight, len(labels))
        large = (np.bincount(learned, minlength=len(labels)) >= smallest) & (total > 0)
        mean = np.bincount(learned, weight * data.y[used], len(labels)) / np.where(large, total, 1.0)
        known = np.where(code >= 0, large[code], False)
        value = np.where(known, mean[code], np.concatenate([respondents, areas]))
        respondents, areas = value[: data.y.size], value[data.y.size :]
    return Prediction(respondents, areas)


def regression(data: BaselineData, rows: np.ndarray) -> Prediction:
    """Generalised linear model on the area covariates by statsmodels, projected to every area.

    Logit for shares, log for rates, least squares for means; columns that are constant in ``rows`` are left out. The
    intervals come from the coefficients' covariance alone.
    """
    centre, scale = data.x[rows].mean(axis=0), data.x[rows].std(axis=0)
    varies = scale > 1e-12 * np.maximum(np.abs(centre), 1.0)

    def design(x: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(x.shape[0]), (x[:, varies] - centre[varies]) / scale[varies]])

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = GLM(data.y[rows], design(data.x[rows]), family=FAMILIES[data.kind](), var_weights=data.sizes[rows])
        fitted = model.fit()
        covariance = np.asarray(fitted.cov_params())
    note = "; ".join(dict.fromkeys(str(w.message) for w in caught))
    area = design(data.area_x)
    eta = area @ fitted.params
    half = Z90 * np.sqrt(np.einsum("ak,kl,al->a", area, covariance, area, optimize=True))
    respondents, areas, lower, upper = (
        _mean(data.kind, e) for e in (design(data.x) @ fitted.params, eta, eta - half, eta + half)
    )
    return Prediction(respondents, areas, lower, upper, note)


def _mean(kind: Kind, eta: np.ndarray) -> np.ndarray:
    """Expected answer; the canonical link undone without overflow for shares."""
    if kind == "share":
        return np.asarray(expit(eta))
    return np.exp(eta) if kind == "rate" else eta
