"""What is not published for an area and is filled in as declared: told beside the value, never silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems
from placewise.geography.codes import listing
from placewise.opendata.spec import Covariate

ERROR_SUFFIX = "_se"


@dataclass(frozen=True)
class Imputation:
    """How a covariate was filled in.

    Parameters
    ----------
    areas : int
        Areas that got a value which was not published.
    method : str
        In words.
    fitted : int
        LSOAs that a prediction was fitted to; 0 where nothing was fitted.
    r_squared : float
        Share of the variance explained in regions left out of the fit; 0 where nothing was fitted.
    error : float
        Standard error of the values filled in.
    """

    areas: int
    method: str
    fitted: int = 0
    r_squared: float = 0.0
    error: float = 0.0


def impute_covariates(
    frame: pd.DataFrame, covariates: Sequence[Covariate], problems: Problems
) -> dict[str, Imputation]:
    """Fill in what is declared to be, in place.

    Parameters
    ----------
    frame : DataFrame, shape (areas, columns)
        Gets a column of standard errors after each covariate that was filled in, 0 where it is known, and the column
        ``imputed``: the names of the covariates filled in for the area, joined by ``;``.

    Returns
    -------
    dict of covariate to Imputation
    """
    done: dict[str, Imputation] = {}
    marks = pd.Series("", index=frame.index, dtype="str")
    names = {c.name for c in covariates}
    for covariate in covariates:
        name = covariate.name
        lost = frame[name].isna() | (frame[name] == 0) if covariate.borrow else frame[name].isna()
        if not lost.any():
            continue
        if covariate.borrow:
            done[name] = _borrow(frame, covariate, lost, problems)
        elif covariate.imputed_by and names.issuperset(covariate.imputed_by):
            done[name] = _predict(frame, covariate, problems)
        else:
            continue
        marks = marks.where(~lost, marks.where(marks == "", marks + ";") + name)
    frame["imputed"] = marks
    return done


def _borrow(frame: pd.DataFrame, covariate: Covariate, lost: pd.Series, problems: Problems) -> Imputation:
    name, group = covariate.name, covariate.borrow
    known = frame[name].where(~lost)
    weight = frame["adults"].where(~lost)
    codes = frame[group].to_numpy()
    means = (known * weight).groupby(codes).sum() / weight.groupby(codes).sum()
    frame[name] = known.where(~lost, frame[group].map(means))
    alone = frame.index[frame[name].isna()]
    if len(alone):
        found = f"{len(alone):,} areas are unknown, and so are the others of their {group}: {listing(alone)}"
        problems.add(name, found, kind="data")
    # as far as areas of one group are from their mean, over all groups
    error = float(np.sqrt(np.average((known - frame[group].map(means))[~lost] ** 2, weights=weight[~lost])))
    _insert_errors(frame, name, lost.to_numpy() * error)
    method = f"mean of the other areas of its {group}, weighted by adults"
    return Imputation(int(lost.sum()), method, error=round(error, 4))


def _predict(frame: pd.DataFrame, covariate: Covariate, problems: Problems) -> Imputation:
    name, predictors = covariate.name, list(covariate.imputed_by)
    lost = int(frame[name].isna().sum())
    try:
        found = predict_score(frame[name], frame[predictors], frame["lsoa21cd"], frame["rgn24cd"], frame["adults"])
    except ValueError as error:
        problems.add(name, f"cannot be predicted: {error}", kind="data")
        return Imputation(lost, "")
    frame[name] = found.values
    _insert_errors(frame, name, found.errors.to_numpy())
    method = f"least squares over LSOAs on {', '.join(predictors)}"
    return Imputation(lost, method, found.fitted, round(found.r_squared, 4), round(float(found.errors.max()), 4))


def _insert_errors(frame: pd.DataFrame, name: str, errors: np.ndarray) -> None:
    frame.insert(list(frame.columns).index(name) + 1, name + ERROR_SUFFIX, errors)


@dataclass(frozen=True, eq=False)
class Predicted:
    """A score that was published for some areas and predicted for the others.

    Parameters
    ----------
    values : Series, shape (areas,)
        Published where there is a published value.
    errors : Series, shape (areas,)
        Standard error of prediction; 0 where published.
    fitted : int
        LSOAs that the prediction was fitted to.
    r_squared : float
        Share of the variance explained in regions left out of the fit.
    """

    values: pd.Series
    errors: pd.Series
    fitted: int
    r_squared: float


def to_lsoa21(scores: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Scores of LSOAs of 2011 carried to those of 2021: a split area's parts take its score, merged areas' is averaged.

    Parameters
    ----------
    scores : DataFrame
        Indexed by ``lsoa11cd``.
    changes : DataFrame
        Indexed by ``lsoa11cd``, column ``lsoa21cd``, one row a pair.

    Returns
    -------
    DataFrame
        Indexed by ``lsoa21cd``; only areas for which every predecessor has a score.
    """
    pairs = changes[["lsoa21cd"]].join(scores, how="left")
    every = pairs.groupby("lsoa21cd")[list(scores.columns)]
    # the plain mean would pass over a predecessor without a score
    return every.mean()[(every.count().eq(every.size(), axis=0)).all(axis=1)]


def predict_score(
    values: pd.Series, predictors: pd.DataFrame, lsoas: pd.Series, regions: pd.Series, weights: pd.Series
) -> Predicted:
    """Predict a score where none was published, by least squares over the LSOAs that have one.

    The standard error is that of predictions for regions left out of the fit, one at a time: the areas without a score
    are of another region too.

    Parameters
    ----------
    values : Series, shape (areas,)
        The LSOA's score; NaN where none is published.
    predictors : DataFrame, shape (areas, columns)
        Known for every area.
    lsoas, regions : Series, shape (areas,)
        Codes.
    weights : Series, shape (areas,)
        Population, by which predictors are averaged over an LSOA.

    Raises
    ------
    ValueError
        Fewer than two regions have scores, or fewer LSOAs than 10 a predictor.
    """
    groups = [lsoas.to_numpy(), regions.to_numpy()]
    total = weights.groupby(groups).sum()
    means = predictors.mul(weights, axis=0).groupby(groups).sum().div(total, axis=0)
    score = values.groupby(groups).first()
    known = score.notna().to_numpy()
    design = np.column_stack([np.ones(len(means)), means.to_numpy(dtype=np.float64)])
    answers = score.to_numpy(dtype=np.float64)
    region = np.asarray(means.index.get_level_values(1), dtype=object)
    if len(set(region[known])) < 2 or known.sum() < 10 * design.shape[1]:
        raise ValueError(f"{int(known.sum()):,} LSOAs with a score are too few for {design.shape[1] - 1} predictors")
    errors = np.empty(len(means))
    for left in sorted(set(region[known])):
        inside = known & (region == left)
        errors[inside] = answers[inside] - design[inside] @ _least_squares(design, answers, known & ~inside)
    spread = float(np.sqrt(np.mean(errors[known] ** 2)))
    predicted = pd.Series(design @ _least_squares(design, answers, known), index=means.index.get_level_values(0))
    published = values.notna()
    return Predicted(
        values.where(published, lsoas.map(predicted)),
        pd.Series(np.where(published, 0.0, spread), index=values.index),
        int(known.sum()),
        1.0 - spread**2 / float(np.var(answers[known])),
    )


def _least_squares(design: np.ndarray, answers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    solution: np.ndarray = np.linalg.lstsq(design[rows], answers[rows], rcond=None)[0]
    return solution
