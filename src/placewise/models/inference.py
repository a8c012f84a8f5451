"""Posterior draws as ArviZ InferenceData: built, stored, summarised. The only module that knows ArviZ."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from placewise.errors import DataError, Problem
from placewise.kernels import mixing

with warnings.catch_warnings():
    # Importing ArviZ 0.x announces its coming major version.
    warnings.simplefilter("ignore", FutureWarning)
    import arviz
    from arviz import InferenceData as InferenceData

# ArviZ's functions carry no types.
az: Any = arviz

QUANTILES = (0.05, 0.50, 0.95)


def build(
    posterior: Mapping[str, np.ndarray],
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Sequence[Any]],
    sample_stats: Mapping[str, np.ndarray] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> InferenceData:
    """Posterior and sampler statistics under readable names.

    Parameters
    ----------
    posterior : mapping of str to ndarray, shape (chains, draws, …)
    dims : mapping of str to sequence of str
        Names of each variable's further dimensions.
    coords : mapping of str to sequence
        Labels along each dimension.
    sample_stats : mapping of str to ndarray, shape (chains, draws), optional
        ArviZ's names: ``diverging``, ``energy``, ``tree_depth`` …
    attrs : mapping, optional
        Text and numbers that describe the fit, stored with the posterior.
    """
    data: InferenceData = az.from_dict(
        posterior=dict(posterior),
        dims={name: list(d) for name, d in dims.items()},
        coords={name: list(c) for name, c in coords.items()},
        sample_stats=None if sample_stats is None else dict(sample_stats),
    )
    for group in data.groups():
        # The creation time would make two equal fits differ on disk.
        data[group].attrs.pop("created_at", None)
    data["posterior"].attrs.update(attrs or {})
    return data


def save(idata: InferenceData, path: Path) -> None:
    """Write netCDF-4, as it is: compressed, draws take a twelfth less room and twice as long."""
    idata.to_netcdf(str(path), engine="h5netcdf", compress=False)


def load(path: Path) -> InferenceData:
    """Read what ``save`` wrote, into memory.

    Raises
    ------
    DataError
        The file is missing or is no posterior.
    """
    try:
        data: InferenceData = az.from_netcdf(str(path), engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise DataError(Problem(str(path), f"cannot be read as a posterior: {error}", "fit again", "data")) from error
    data.load()
    return data


def rhat(idata: InferenceData, names: Sequence[str] | None = None) -> xr.Dataset:
    """Rank-normalised split R-hat of every scalar (Vehtari et al. 2021).

    Parameters
    ----------
    idata : InferenceData
    names : sequence of str, optional
        Variables of the posterior; default all.

    Returns
    -------
    Dataset
        One value per scalar; NaN where it never moves, is not finite, or there is one chain only.
    """
    return _each(idata, names, mixing.rhat if idata["posterior"].sizes["chain"] > 1 else None)


def ess_bulk(idata: InferenceData, names: Sequence[str] | None = None) -> xr.Dataset:
    """Bulk effective sample size of every scalar; NaN where it never moves or is not finite."""
    return _each(idata, names, mixing.ess_bulk)


def ess_tail(idata: InferenceData, names: Sequence[str] | None = None) -> xr.Dataset:
    """Effective sample size of the 5% and 95% quantiles, the smaller; NaN where the scalar never moves."""
    return _each(idata, names, mixing.ess_tail)


def bfmi(idata: InferenceData) -> np.ndarray:
    """Energy Bayesian fraction of missing information of each chain, shape (chains,); empty without energies."""
    if "sample_stats" not in idata.groups() or "energy" not in idata["sample_stats"]:
        return np.empty(0)
    return np.asarray(az.bfmi(idata), dtype=float)


def moves(idata: InferenceData, names: Sequence[str] | None = None) -> xr.Dataset:
    """Whether every draw of a scalar is finite and not all are the same."""
    return _chosen(idata, names).map(_moving, keep_attrs=False)


def finite(idata: InferenceData, names: Sequence[str] | None = None) -> xr.Dataset:
    """Whether every draw of a scalar is finite."""
    return _chosen(idata, names).map(_finite, keep_attrs=False)


def labels(values: xr.DataArray, hidden: Sequence[str] = ()) -> list[str]:
    """Readable names of a variable's scalars, ``effect[lad, item]``, in C order.

    Parameters
    ----------
    values : DataArray
        Without chain and draw dimensions.
    hidden : sequence of str
        Dimensions whose labels are left out; a variable that has one bears its bare name throughout.
    """
    name = str(values.name)
    if not values.dims or set(map(str, values.dims)) & set(hidden):
        return [name] * values.size
    index = pd.MultiIndex.from_product([values[d].to_numpy() for d in values.dims])
    return [f"{name}[{', '.join(map(str, key))}]" for key in index]


def summary_table(idata: InferenceData, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Posterior summary, one row a scalar.

    Returns
    -------
    DataFrame
        Index ``effect[label]``; columns ``mean, sd, q05, q50, q95, mcse`` (of the mean), ``ess_bulk, ess_tail, rhat``.
    """
    chosen = _chosen(idata, names)
    quantiles = chosen.quantile(QUANTILES, ("chain", "draw"))
    sd = chosen.std(("chain", "draw"), ddof=1)
    columns = {
        "mean": chosen.mean(("chain", "draw")),
        "sd": sd,
        "q05": quantiles.isel(quantile=0),
        "q50": quantiles.isel(quantile=1),
        "q95": quantiles.isel(quantile=2),
        "mcse": sd / _each(idata, names, mixing.ess_mean) ** 0.5,
        "ess_bulk": ess_bulk(idata, names),
        "ess_tail": ess_tail(idata, names),
        "rhat": rhat(idata, names),
    }
    index = [label for values in columns["mean"].values() for label in labels(values)]
    flat = {
        key: np.concatenate([values.to_numpy().ravel() for values in data.values()]) for key, data in columns.items()
    }
    return pd.DataFrame(flat, index=pd.Index(index, name="parameter", dtype="str"))


def _chosen(idata: InferenceData, names: Sequence[str] | None) -> xr.Dataset:
    posterior = idata["posterior"]
    return posterior if names is None else posterior[list(names)]


def _finite(draws: xr.DataArray) -> xr.DataArray:
    return draws.copy(data=np.isfinite(draws.to_numpy())).all(("chain", "draw"))


def _moving(draws: xr.DataArray) -> xr.DataArray:
    over = ("chain", "draw")
    return _finite(draws) & (draws.max(over) > draws.min(over))


def _each(
    idata: InferenceData,
    names: Sequence[str] | None,
    measure: Callable[[np.ndarray], np.ndarray] | None,
) -> xr.Dataset:
    """Measure the scalars that move; the others have no rank to speak of."""
    result = {}
    for name, draws in _chosen(idata, names).items():
        draws = draws.transpose("chain", "draw", ...)
        moving = _moving(draws)
        flat = draws.to_numpy().reshape(draws.sizes["chain"], draws.sizes["draw"], -1)
        values = np.full(flat.shape[2], np.nan)
        rows = moving.to_numpy().ravel()
        if measure is not None and rows.any():
            values[rows] = measure(flat[:, :, rows])
        result[name] = moving.copy(data=values.reshape(moving.shape))
    return xr.Dataset(result)


def smooth_weights(log_weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed importance weights (Vehtari et al. 2024).

    Parameters
    ----------
    log_weight : ndarray, shape (n,)
        Logarithms of the raw weights.

    Returns
    -------
    smoothed : ndarray, shape (n,)
        Logarithms of the smoothed weights, which add up to 1.
    khat : float
        Shape of the generalised Pareto distribution fitted to the largest; 0 where all weights are equal.
    """
    if np.ptp(log_weight) < 1e-9:
        return np.full(len(log_weight), -np.log(len(log_weight))), 0.0
    smoothed, khat = az.psislw(log_weight)
    return np.asarray(smoothed, dtype=np.float64), float(khat)


def power_sensitivity(quantities: Mapping[str, np.ndarray], log_prior: np.ndarray) -> dict[str, float]:
    """How much the distribution of each quantity changes as the prior's density is raised to a power.

    The gradient of the cumulative Jensen-Shannon distance with respect to log₂ of the power, at the power 1, by
    Pareto-smoothed importance weights (Kallioinen et al. 2024); above .05 the prior is taken to matter.

    Parameters
    ----------
    quantities : mapping of str to ndarray, shape (S,)
    log_prior : ndarray, shape (S,)
        Logarithm of the density in each draw, up to a constant.

    Returns
    -------
    dict
        By quantity; 0 where the density is the same in every draw or the quantity does not move.
    """
    found = dict.fromkeys(quantities, 0.0)
    moving = {name: draws[None] for name, draws in quantities.items() if np.ptp(draws) > 0}
    if np.ptp(log_prior) < 1e-9 or not moving:
        return found
    data = az.from_dict(posterior=moving)
    data.add_groups({"log_prior": {"density": log_prior[None]}})
    measured = az.psens(data, component="prior")
    return found | {name: float(measured[name]) for name in moving}


def replaced(idata: InferenceData, draws: Mapping[str, np.ndarray]) -> InferenceData:
    """A copy with other draws of some variables, each shape (S, …) with chains one after another."""
    found: InferenceData = idata.copy()
    for name, values in draws.items():
        old = found["posterior"][name]
        found["posterior"][name] = old.copy(data=np.reshape(values, old.shape))
    return found
