"""Prior and posterior of what ties effects together: autocorrelation, shares, correlations, multipliers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from placewise.models.design import Design
from placewise.models.fit import Posterior
from placewise.models.prior_plan import SdPrior
from placewise.models.priors import Prior
from placewise.models.sd_table import SET_BY_PRIOR, draw_sd

KINDS = {"ar1": "next", "bym2": "neighbours"}
COLUMNS = ["kind", "group", "first", "second", "prior", "mean", "q05", "q50", "q95", "set_by_prior"]

Row = tuple[str, str, str, str, str, np.ndarray, float, float]


def relation_table(posterior: Posterior, design: Design, *, classes: bool = True) -> pd.DataFrame:
    """One row a quantity.

    Parameters
    ----------
    posterior : Posterior
    design : Design
    classes : bool
        Whether the classes of ``area_scale`` may be named.

    Returns
    -------
    DataFrame
        ``kind, group, first, second, prior, mean, q05, q50, q95, set_by_prior``. ``kind`` is ``next`` (ar1:
        correlation of an effect with the next), ``neighbours`` (bym2: spatial share of the variance), ``correlation``
        (of the effects ``first`` and ``second``, columns or ``intercept``, over the group) or ``class`` (multiplier of
        the area's sd in class ``first`` of ``group``, where it is learned). ``set_by_prior`` is true where the
        posterior sd exceeds 0.7 times the prior's, of the logarithm for multipliers.
    """
    rows = [*_rhos(posterior, design), *_correlations(posterior, design)]
    if classes:
        rows += _multipliers(posterior, design)
    found = []
    for *names, draws, spread, prior_spread in rows:
        low, mid, high = np.quantile(draws, [0.05, 0.5, 0.95])
        decided = bool(spread > SET_BY_PRIOR * prior_spread)
        found.append((*names, float(draws.mean()), float(low), float(mid), float(high), decided))
    return pd.DataFrame(found, columns=COLUMNS)


def _rhos(posterior: Posterior, design: Design) -> Iterator[Row]:
    for group in design.groups:
        prior = posterior.priors.rho.get(group.name)
        if group.structure is not None and prior is not None:
            draws = posterior.draws(f"rho_{group.name}")
            kind = KINDS[group.structure.kind]
            yield kind, group.name, "", "", str(prior), draws, float(np.std(draws)), _sd_of_rho(prior)


def _sd_of_rho(prior: Prior) -> float:
    """Sd of a prior on rho; infinite for a fixed one, which no answers could move."""
    match prior.name:
        case "uniform":
            return (prior.args[1] - prior.args[0]) / math.sqrt(12.0)
        case "beta":
            a, b = prior.args
            return math.sqrt(a * b / (a + b + 1.0)) / (a + b)
    return math.inf


def _correlations(posterior: Posterior, design: Design) -> Iterator[Row]:
    for positions in design.correlated:
        groups = [design.groups[k] for k in positions]
        factor, k = groups[0].dim, len(groups)
        eta = posterior.priors.cor[factor]
        names = ["intercept" if g.by is None else g.by.name for g in groups]
        draws = posterior.draws(f"cor_{factor}")
        # each correlation r has (1 + r) / 2 ~ beta(a, a), a = eta - 1 + k / 2 (Lewandowski et al. 2009)
        prior_spread = 1.0 / math.sqrt(2.0 * (eta - 1.0 + 0.5 * k) + 1.0)
        for (i, a), (j, b) in combinations(enumerate(names), 2):
            own = draws[:, i, j]
            yield "correlation", factor, a, b, f"lkj({eta:g})", own, float(np.std(own)), prior_spread


def _multipliers(posterior: Posterior, design: Design) -> Iterator[Row]:
    scale, prior = design.area_scale, posterior.priors.area_scale_sd
    if scale is None or scale.multipliers is not None or prior is None:
        return
    omega = draw_sd(SdPrior(prior), np.random.default_rng(0))
    prior_spread = float(np.sqrt(np.mean(omega**2))) if omega.size else math.inf
    text = f"log ~ normal(0, ω²), ω ~ {prior}"
    draws = posterior.draws("area_scale")
    for k, label in enumerate(scale.classes):
        own = draws[:, k]
        yield "class", scale.by, label, "", text, own, float(np.std(np.log(own))), prior_spread
