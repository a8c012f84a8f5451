"""The exact engine: the No-U-Turn sampler on the PyMC model, by nutpie where it is installed, else by PyMC itself."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from placewise.models import inference
from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.preconditioning import Guess, coordinates

KEPT = (
    "intercept", "cutpoints", "slopes", "slope_sd", "slope_r2", "slope_scale", "sd_total", "split", "sigma",
    "slope_deviations", "deviation_sd", "area_scale", "area_scale_sd", "discrimination", "survey_scale",
)  # fmt: skip
STATISTICS = ("diverging", "energy", "depth", "n_steps", "step_size")
TARGET_ACCEPT = 0.9
PILOT_TUNE, PILOT_DRAWS = 300, 200


def sample(problem: FitProblem, options: FitOptions) -> Any:
    """Draw from the posterior.

    A short pilot run finds the size of each group's sd, which decides the coordinates of the long one; the pilot's
    draws are thrown away.

    Parameters
    ----------
    problem : FitProblem
        Design, response, family and priors.
    options : FitOptions
        ``draws`` is the total kept over the chains; each chain keeps ``ceil(draws / chains)``.

    Returns
    -------
    InferenceData
        Groups ``posterior`` and ``sample_stats``; nothing of the observed data.
    """
    config = _pytensor_config()
    from placewise.models.engines.pymc_model import build_model

    with_nutpie = importlib.util.find_spec("nutpie") is not None
    # no C compiler is needed: every gradient is compiled by numba
    with config.change_flags(cxx="", linker="numba"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Loop fusion failed", category=UserWarning)
        model = build_model(problem)
        run = (_nutpie if with_nutpie else _pymc)(model, _kept(model))
        pilot = replace(options, draws=PILOT_DRAWS, tune=PILOT_TUNE, chains=2, thin=1, seed=options.seed + 1)
        trace = run(pilot, {})
        trace = run(options, coordinates(problem, problem.rows, _guess(problem, trace.posterior)))
    return _tidy(trace, _kept(model), "nutpie" if with_nutpie else "pymc", options)


def _pytensor_config() -> Any:
    """PyTensor's settings; its warning that no C compiler was found is beside the point here."""
    logger = logging.getLogger("pytensor.configdefaults")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        from pytensor.configdefaults import config
    finally:
        logger.setLevel(level)
    return config


def _guess(problem: FitProblem, posterior: Any) -> Guess:
    """Typical sds and effects of the pilot."""
    sds = {g.name: float(posterior[f"sd_{g.name}"].median()) for g in problem.design.groups}
    sds["slopes"] = float(posterior["slope_sd"].median()) if "slope_sd" in posterior else 1.0
    effects = {g.name: posterior[f"effect_{g.name}"].mean(("chain", "draw")).values for g in problem.design.groups}
    if "slopes" in posterior:
        effects["slopes"] = posterior["slopes"].mean(("chain", "draw")).values
    if problem.priors.shrinkage is not None:
        sds["slopes"] = float(np.sqrt(np.mean(posterior["slopes"].values ** 2)))
    rho = {name: float(posterior[f"rho_{name}"].median()) for name in problem.priors.rho}
    scales = {
        n: posterior[n].median(("chain", "draw")).values for n in ("discrimination", "survey_scale") if n in posterior
    }
    return Guess(sds, effects, rho, **scales)


def _kept(model: Any) -> list[str]:
    """Names of the variables that the posterior keeps: no raw effects, no transformed duplicates."""
    names = dict.fromkeys(v.name for v in [*model.free_RVs, *model.deterministics])
    return [
        n
        for n in names
        if n in KEPT or (n.startswith(("sd_", "rho_", "cor_", "effect_")) and not n.endswith("_squared"))
    ]


Run = Callable[[FitOptions, Mapping[str, np.ndarray]], Any]


def _iterations(options: FitOptions) -> int:
    return -(-options.draws // options.chains) * options.thin


def _nutpie(model: Any, names: list[str]) -> Run:
    import nutpie

    compiled = nutpie.compile_pymc_model(model, backend="numba", var_names=names)

    def run(options: FitOptions, tuning: Mapping[str, np.ndarray]) -> Any:
        return nutpie.sample(
            compiled.with_data(**tuning) if tuning else compiled,
            draws=_iterations(options),
            tune=options.tune,
            chains=options.chains,
            cores=options.jobs,
            seed=options.seed,
            target_accept=TARGET_ACCEPT,
            save_warmup=False,
            progress_bar=options.progress,
        )

    return run


def _pymc(model: Any, names: list[str]) -> Run:
    import pymc as pm

    def run(options: FitOptions, tuning: Mapping[str, np.ndarray]) -> Any:
        with model:
            if tuning:
                pm.set_data(dict(tuning))
            return pm.sample(
                draws=_iterations(options),
                tune=options.tune,
                chains=options.chains,
                cores=options.jobs,
                random_seed=options.seed,
                target_accept=TARGET_ACCEPT,
                progressbar=options.progress,
                compute_convergence_checks=False,
                compile_kwargs={"mode": "NUMBA"},
                var_names=names,
            )

    return run


def _tidy(trace: Any, names: list[str], sampler: str, options: FitOptions) -> Any:
    """Keep named variables and scalar statistics, thinned; drop the sampler's own coordinates."""
    variables = {n: trace.posterior[n] for n in names}
    # copies, so that the sampler's own trace can be freed
    posterior = {n: np.asarray(v)[:, :: options.thin].copy() for n, v in variables.items()}
    dims = {n: list(v.dims[2:]) for n, v in variables.items()}
    used = {d for own in dims.values() for d in own}
    coords = {d: [str(c) for c in trace.posterior.coords[d].values] for d in used}
    renamed = {"tree_depth": "depth"}
    stats = {renamed.get(n, n): np.asarray(v) for n, v in trace.sample_stats.data_vars.items()}
    kept = {n: v[:, :: options.thin] for n, v in stats.items() if n in STATISTICS}
    kept["diverging"] = _any_in_window(stats["diverging"], options.thin)
    attrs = {"engine": "nuts", "sampler": sampler, "seed": options.seed, "tune": options.tune, "thin": options.thin}
    return inference.build(posterior, dims, coords, kept, attrs)


def _any_in_window(flag: np.ndarray, width: int) -> np.ndarray:
    """Whether any iteration of a window was flagged: thinning must not hide a divergence."""
    chains, n = flag.shape
    return np.asarray(flag.reshape(chains, n // width, width).any(axis=2))
