"""Other programs' fits of a case, each called in a process of its own: seconds, memory, a table of estimates."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import case as cases
from common.child import FOLDER, Ended, command, measure, peak_mib
from common.generator import simulate
from common.standard import standard
from placewise.models.engines import FitOptions, engine_named

R_SCRIPT = FOLDER / "common" / "mixed_models.R"
R_PROGRAMS = {"lme4 nAGQ=0": "glmer0", "lme4 nAGQ=1": "glmer1", "glmmTMB": "glmmTMB", "mgcv bam": "bam"}
COLON = "__"  # R's formulas take no colon in a name


def placewise(source: Mapping[str, Any], engine: str, draws: int, seed: int) -> dict[str, Any]:
    """Placewise: a first fit of a tiny problem compiles, the second is measured."""
    case = cases.load(source)
    fit = engine_named(engine)
    tiny = simulate(standard(300, shrink=30)).problem
    compiling = measure(lambda: fit(tiny, FitOptions(draws=100, tune=100, thin=1, seed=seed)))
    problem = case.problem
    cost = measure(lambda: fit(problem, FitOptions(draws=draws, seed=seed)))
    table = cases.summarise(case, *_posterior(case, cost.value.posterior))
    return _result(cost.wall, cost.cpu, cost.peak_mib, table, compile=compiling.wall, note=f"{draws} draws")


def _posterior(case: cases.Case, posterior: Any) -> tuple[Callable[[str], np.ndarray], dict[str, list[str]]]:
    """Access to draws with chains one after another, and the levels of each group."""

    def draws(name: str) -> np.ndarray:
        values = np.asarray(posterior[name])
        return values.reshape(-1, *values.shape[2:])

    labels = {g: [str(v) for v in posterior[f"effect_{g}"].coords[g].values] for g in case.groups}
    return draws, labels


def pymc(source: Mapping[str, Any], seconds: float, seed: int, threads: int) -> dict[str, Any]:
    """PyMC's own NUTS with its defaults: four chains of 1,000 and 1,000."""
    import pymc as pm

    case = cases.load(source)
    model = textbook_model(case)
    begun: list[tuple[float, float]] = []

    def watch(trace: Any, draw: Any) -> None:
        begun.append((time.perf_counter(), time.process_time()))
        if begun[-1][0] - begun[0][0] > seconds:
            raise TimeoutError

    start = time.perf_counter()
    trace = None
    with model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(TimeoutError):
            trace = pm.sample(
                chains=1, cores=1, random_seed=seed, callback=watch, progressbar=False, compute_convergence_checks=False
            )
    iterations = len(begun) - 1
    return _one_chain(case, trace, begun, start, iterations, total=2000, chains=4, threads=threads)


def nutpie(source: Mapping[str, Any], seconds: float, seed: int, threads: int) -> dict[str, Any]:
    """Nutpie with its defaults: six chains of 400 and 1,000."""
    import nutpie as sampler

    case = cases.load(source)
    start = time.perf_counter()
    compiled = sampler.compile_pymc_model(textbook_model(case), backend="numba")
    paces = [(time.perf_counter(), time.process_time())]
    run = sampler.sample(compiled, chains=1, seed=seed, progress_bar=False, blocking=False)
    try:
        trace, done = run.wait(timeout=seconds), True
    except TimeoutError:
        trace, done = run.abort(), False
    paces.append((time.perf_counter(), time.process_time()))
    iterations = trace.posterior.sizes["draw"] + trace.warmup_posterior.sizes["draw"]
    return _one_chain(case, trace if done else None, paces, start, iterations, total=1400, chains=6, threads=threads)


def textbook_model(case: cases.Case) -> Any:
    """The case as an introduction to PyMC would write it: non-centred effects of every level, one row a respondent."""
    import pymc as pm

    frame = case.frame
    with pm.Model() as model:
        intercept = pm.Normal("intercept", 0.0, 2.5)
        slopes = pm.Normal("slopes", 0.0, 2.5, shape=len(case.columns))
        eta = intercept + frame[case.columns].to_numpy(np.float64) @ slopes
        for group in case.groups:
            levels, index = np.unique(frame[group].to_numpy(), return_inverse=True)
            sd = pm.HalfNormal(f"sd_{group}", 0.5)
            z = pm.Normal(f"z_{group}", 0.0, 1.0, shape=len(levels))
            eta = eta + pm.Deterministic(f"effect_{group}", sd * z)[index]
        pm.Bernoulli("y", logit_p=eta, observed=frame["y"].to_numpy())
    return model


def _one_chain(
    case: cases.Case,
    trace: Any,
    paces: list[tuple[float, float]],
    start: float,
    iterations: int,
    *,
    total: int,
    chains: int,
    threads: int,
) -> dict[str, Any]:
    """Cost of all chains from one, and its estimates if it came to its end."""
    wall, cpu = (float(v) for v in np.subtract(paces[-1], paces[0]))
    each = total / max(iterations, 1)
    at_once = min(chains, threads)
    table = None
    if trace is not None:
        posterior = trace.posterior
        labels = {g: [str(v) for v in np.unique(case.frame[g])] for g in case.groups}

        def draws(name: str) -> np.ndarray:
            values = np.asarray(posterior[name])
            return values.reshape(-1, *values.shape[2:])

        table = cases.summarise(case, draws, labels)
    note = f"extrapolated to {chains} chains of {total} iterations from {iterations} iterations of one"
    cost = (wall * each * chains / at_once, cpu * each * chains, peak_mib())
    return _result(*cost, table, compile=paces[0][0] - start, note=note)


def statsmodels(source: Mapping[str, Any]) -> dict[str, Any]:
    """Statsmodels' BinomialBayesMixedGLM by mean-field variational Bayes, log sds ~ normal(0, 1)."""
    from scipy import sparse
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    case = cases.load(source)
    frame = case.frame
    labels, blocks, ident = {}, [], []
    for k, group in enumerate(case.groups):
        levels, index = np.unique(frame[group].to_numpy(), return_inverse=True)
        labels[group] = {str(level): j for j, level in enumerate(levels)}
        shape = (len(frame), len(levels))
        blocks.append(sparse.csr_array((np.ones(len(frame)), (np.arange(len(frame)), index)), shape=shape))
        ident += [k] * len(levels)
    fixed = np.column_stack([np.ones(len(frame)), frame[case.columns].to_numpy(np.float64)])
    model = BinomialBayesMixedGLM(frame["y"].to_numpy(), fixed, sparse.hstack(blocks, format="csr"), ident, fe_p=2.5)
    # the default, BFGS, would keep a dense matrix of the square of twice the unknowns
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cost = measure(lambda: model.fit_vb(fit_method="L-BFGS-B", rng=np.random.default_rng(1)))
    converged = not any("converge" in str(w.message) for w in caught)
    note = "fit_vb by L-BFGS-B" + ("" if converged else ", which did not converge")
    return _result(cost.wall, cost.cpu, cost.peak_mib, _variational_table(case, cost.value, labels), note=note)


def _variational_table(case: cases.Case, fit: Any, labels: Mapping[str, dict[str, int]]) -> pd.DataFrame:
    """Means and sds; those of the areas' η add up independent parts, as the approximation has them."""
    x = np.column_stack([np.ones(len(case.areas)), case.areas[case.columns].to_numpy(np.float64)])
    mean, variance = x @ fit.fe_mean, x**2 @ fit.fe_sd**2
    names = ["intercept", *(f"beta[{c}]" for c in case.columns)]
    rows = {name: (fit.fe_mean[j], fit.fe_sd[j]) for j, name in enumerate(names)}
    start = 0
    for k, group in enumerate(case.groups):
        sd = float(np.exp(fit.vcp_mean[k]))
        rows[f"sd[{group}]"] = (sd, np.nan)
        for row, label in enumerate(case.areas[group].astype(str)):
            j = labels[group].get(label)
            mean[row] += 0.0 if j is None else fit.vc_mean[start + j]
            variance[row] += sd**2 if j is None else fit.vc_sd[start + j] ** 2
        start += len(labels[group])
    rows |= {f"eta[{a}]": (mean[k], variance[k] ** 0.5) for k, a in enumerate(case.areas["area"])}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "sd"]).rename_axis("parameter")


def in_r(source: Mapping[str, Any], program: str, seconds: float, threads: int) -> Ended:
    """One of R's packages, called directly; the result has the shape of the others'."""
    if shutil.which("Rscript") is None:
        return Ended(None, "Rscript is not installed", 0.0)
    case = cases.load(source)
    with tempfile.TemporaryDirectory() as folder:
        data, areas, out = (Path(folder, f"{name}.csv") for name in ("data", "areas", "out"))
        names = ["y", *case.columns, *case.groups]
        renamed = {name: name.replace(":", COLON) for name in names}
        case.frame[names].rename(columns=renamed).to_csv(data, index=False)
        case.areas[["area", *names[1:]]].rename(columns=renamed).to_csv(areas, index=False)
        words = ["Rscript", "--vanilla", str(R_SCRIPT), R_PROGRAMS[program], str(data), str(areas), str(out)]
        ended = command([*words, str(threads)], seconds, threads)
        if ended.error:
            return ended
        table = pd.read_csv(out).set_index("parameter")
    wall, cpu, peak = table["mean"].loc[["wall", "cpu", "peak_mib"]].astype(float)
    estimates = table.iloc[:-4].rename(index=lambda name: name.replace(COLON, ":"))
    return Ended(_result(wall, cpu, peak, estimates, note=str(table.index[-1])), "", ended.wall)


def _result(
    wall: float, cpu: float, peak: float, table: pd.DataFrame | None, *, note: str, compile: float = 0.0
) -> dict[str, Any]:
    """What passes between processes, as JSON."""
    text = None if table is None else table.to_csv()
    return {"wall": wall, "cpu": cpu, "peak_mib": peak, "compile": compile, "note": note, "table": text}
