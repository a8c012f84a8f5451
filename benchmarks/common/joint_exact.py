"""The joint model of several outcomes written out in PyMC, all stacked: what the coupled fits are held against."""

from __future__ import annotations

from typing import Any

import numpy as np

from common.joint_worlds import AGES, JointSurvey


def sample_exactly(survey: JointSurvey, draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draws of the default priors' posterior by nutpie, two chains.

    Parameters
    ----------
    survey : JointSurvey
        Of binary answers by different people, or of continuous ones by the same people.

    Returns
    -------
    dict of str to ndarray
        ``cor`` (S, K, K), ``sd`` (S, K), ``eta`` (S, K, areas) of the middle age group's effect 0, and for continuous
        answers ``person`` (S, K, K).
    """
    import nutpie
    import pymc as pm
    import pytensor

    with pytensor.config.change_flags(cxx="", linker="numba"):
        model = _model(survey, pm)
        trace = nutpie.sample(
            nutpie.compile_pymc_model(model),
            draws=draws, tune=800, chains=2, cores=1, seed=seed, progress_bar=False, target_accept=0.95,
        )  # fmt: skip
    found = {name: np.asarray(values).reshape(-1, *values.shape[2:]) for name, values in trace.posterior.items()}
    eta = found["intercept"][:, :, None] + found["slope"][:, :, None] * survey.covariate + found["effect"]
    kept = {"cor": found["L_corr"], "sd": found["sd"], "eta": eta}
    return kept | ({"person": found["E_corr"]} if "E_corr" in found else {})


def _model(survey: JointSurvey, pm: Any) -> Any:
    problems, areas = survey.problems, len(survey.covariate)
    k, gaussian = len(problems), problems[0].family == "gaussian"
    # every default prior of a continuous outcome is in units of its sd
    units = np.array([p.response.y.std() if gaussian else 1.0 for p in problems])
    centre = np.array([p.response.y.mean() if gaussian else 0.0 for p in problems])
    with pm.Model() as model:
        intercept = pm.Normal("intercept", centre, 3.0 * units, shape=k)
        slope_sd = pm.HalfNormal("slope_sd", 0.25 * units, shape=k)
        slope = pm.Deterministic("slope", slope_sd * pm.Normal("slope_z", 0.0, 1.0, shape=k))
        age_sd = pm.HalfStudentT("age_sd", nu=3, sigma=0.5 * units, shape=k)
        age = age_sd[:, None] * pm.Normal("age_z", 0.0, 1.0, shape=(k, AGES))
        sds = pm.Gamma.dist(4.0, 22.0 / units, shape=k)
        root, _, _ = pm.LKJCholeskyCov("L", n=k, eta=2.0, sd_dist=sds, compute_corr=True)
        pm.Deterministic("sd", model["L_stds"])
        effect = pm.Deterministic("effect", root @ pm.Normal("effect_z", 0.0, 1.0, shape=(k, areas)))
        level = intercept[:, None] + slope[:, None] * survey.covariate[None, :] + effect
        if gaussian:
            _continuous(survey, pm, level, age, units)
        else:
            _counts(survey, pm, level, age)
    return model


def _counts(survey: JointSurvey, pm: Any, level: Any, age: Any) -> None:
    """Counts of answers by place and age."""
    n = np.zeros((len(survey.problems), len(survey.covariate), AGES))
    y = np.zeros_like(n)
    for o, problem in enumerate(survey.problems):
        at = (problem.design.groups[1].index, problem.design.groups[0].index)
        np.add.at(n[o], at, 1.0)
        np.add.at(y[o], at, problem.response.y)
    pm.Binomial("y", n=n, logit_p=level[:, :, None] + age[:, None, :], observed=y)


def _continuous(survey: JointSurvey, pm: Any, level: Any, age: Any, units: np.ndarray) -> None:
    """Answers of the same people, their residuals correlated, by sums and products over each place and age."""
    import pytensor.tensor as pt

    groups = survey.problems[0].design.groups
    cells = len(survey.covariate) * AGES
    cell = groups[1].index * AGES + groups[0].index
    y = np.array([p.response.y for p in survey.problems])
    count = np.bincount(cell, minlength=cells)
    means = np.array([np.bincount(cell, own, cells) for own in y]) / np.maximum(count, 1)
    within = y - means[:, cell]
    sds = pm.HalfStudentT.dist(nu=3, sigma=units, shape=len(units))
    root, _, _ = pm.LKJCholeskyCov("E", n=len(units), eta=1.0, sd_dist=sds, compute_corr=True)
    fitted = (level[:, :, None] + age[:, None, :]).reshape((len(units), cells))
    apart = pt.concatenate([(means - fitted) * np.sqrt(count), np.linalg.cholesky(within @ within.T)], axis=1)
    white = pt.linalg.solve_triangular(root, apart, lower=True)
    pm.Potential("y", -0.5 * (white**2).sum() - len(cell) * pt.log(pt.diagonal(root)).sum())
