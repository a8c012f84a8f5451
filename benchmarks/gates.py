"""An engine against long independent runs of NUTS on realistic problems, block by block.

    python benchmarks/gates.py --problem P1 --engine laplace --draws 4000

Approximate engines: in every block of parameters the means differ by at most .05 posterior sd on average and .2 at
most, and the median ratio of posterior sds lies in .95-1.05; group sds by |Δ log| of q05, q50, q95 of at most .10, .05,
.10. Exact engines: every mean within 4.7 combined Monte-Carlo standard errors. Columns ``noise`` are what Monte-Carlo
error alone would give; the ratio of sds has one standard error of leave (``sd_error``), which matters to the effects of
a few levels only: their tails are heavy. Status 1 if a gate is missed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from common import anchors

from placewise.models.engines import FitOptions, engine_named

MEAN_APART, MOST_APART, SD_RATIO = 0.05, 0.2, 0.05
LOG_APART = {"q05": 0.10, "q50": 0.05, "q95": 0.10}
WIDEST_Z = 4.7
# mean of |z| of a standard normal
MEAN_Z = np.sqrt(2.0 / np.pi)
# standard error of a normal's quantile times the root of the sample size, in sds: sqrt(p (1 - p)) / density
TAIL_ERROR, MEDIAN_ERROR = 2.11, 1.25
NORMAL_95 = 1.645


def blocks(found: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """How far each block of parameters lies from the reference.

    Parameters
    ----------
    found : DataFrame
        By parameter: mean, sd, ess, sd_error.
    reference : DataFrame
        By parameter: in_data, mean, sd, mcse, mcse_sd.

    Returns
    -------
    DataFrame
        By block (``beta``, ``u[la]``, ``eta, unmet`` for levels and areas without respondents …; group sds apart):
        ``rows``, ``mean`` and ``max`` |Δ mean| in posterior sds, ``noise`` (the mean expected of Monte-Carlo error),
        ``z`` (largest |Δ| in combined standard errors), ``sd_ratio`` (median), ``sd_error`` (its mean standard error),
        ``within`` (the approximate gates).
    """
    names = found.index[~found.index.str.startswith("sd[")]
    ours, theirs = found.loc[names], reference.loc[names]
    apart = (ours["mean"] - theirs["mean"]).abs()
    error = np.hypot(ours["sd"] / np.sqrt(ours["ess"]), theirs["mcse"])
    # u[la][17] -> u[la], beta[x1] -> beta, p[A000][3] -> p
    block = names.str.extract(r"^(u\[\w+\]|\w+)", expand=False)
    table = pd.DataFrame(
        {
            "block": np.where(theirs["in_data"], block, block + ", unmet"),
            "apart": apart / theirs["sd"],
            "error": error / theirs["sd"],
            "z": apart / error,
            "ratio": ours["sd"] / theirs["sd"],
            "sd_error": np.hypot(ours["sd_error"], theirs["mcse_sd"] / theirs["sd"]),
        }
    )
    by = table.groupby("block", sort=False)
    result = pd.DataFrame(
        {
            "rows": by.size(),
            "mean": by["apart"].mean(),
            "max": by["apart"].max(),
            "noise": MEAN_Z * by["error"].mean(),
            "z": by["z"].max(),
            "sd_ratio": by["ratio"].median(),
            "sd_error": by["sd_error"].mean(),
        }
    )
    near = (result["mean"] <= MEAN_APART) & (result["max"] <= MOST_APART)
    result["within"] = near & ((result["sd_ratio"] - 1.0).abs() <= SD_RATIO + result["sd_error"])
    return result


def group_sds(found: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Δ log of each group sd's quantiles, Monte-Carlo error beside each, and whether all are ``within`` the gates."""
    names = found.index[found.index.str.startswith("sd[")]
    ours, theirs = found.loc[names], reference.loc[names]
    result = pd.DataFrame(index=names.rename("group sd"))
    within = pd.Series(True, index=names)
    # as if a log sd were normal on either side of its median
    below, above = np.log(theirs["q50"] / theirs["q05"]) / NORMAL_95, np.log(theirs["q95"] / theirs["q50"]) / NORMAL_95
    spread = {"q05": TAIL_ERROR * below, "q50": MEDIAN_ERROR * 0.5 * (below + above), "q95": TAIL_ERROR * above}
    for q, most in LOG_APART.items():
        result[q] = np.log(ours[q] / theirs[q])
        result[f"{q}_noise"] = spread[q] * np.sqrt(1.0 / ours["ess"] + 1.0 / theirs["ess_bulk"])
        within &= result[q].abs() <= most
    result["z"] = (ours["mean"] - theirs["mean"]).abs() / np.hypot(ours["sd"] / np.sqrt(ours["ess"]), theirs["mcse"])
    result["within"] = within.to_numpy()
    return result


def passes(engine: str, effects: pd.DataFrame, sds: pd.DataFrame) -> bool:
    """Whether every gate of the engine's kind holds."""
    if engine == "laplace":
        return bool(effects["within"].all() and sds["within"].all())
    return bool(max(effects["z"].max(), sds["z"].max()) <= WIDEST_Z)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--problem", choices=tuple(anchors.MODELS), required=True)
    parser.add_argument("--engine", choices=("laplace", "nuts"), default="laplace")
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--csv", type=Path, help="write every row: found and reference")
    args = parser.parse_args()
    anchor = anchors.read(args.problem)
    options = FitOptions(draws=args.draws, seed=args.seed, jobs=args.threads, thin=1)
    start = time.perf_counter()
    posterior = engine_named(args.engine)(anchor.problem, options).posterior
    seconds = time.perf_counter() - start
    found = anchors.summarise(anchor, posterior)
    effects, sds = blocks(found, anchor.reference), group_sds(found, anchor.reference)
    print(f"{args.problem} by {args.engine}, {args.draws} draws, {seconds:.1f} s with compilation")
    print("  ".join(f"{k} {posterior.attrs[k]:.4g}" for k in ("importance_ess", "design_ess", "khat", "quadrature")
                    if k in posterior.attrs))  # fmt: skip
    with pd.option_context("display.width", 200, "display.float_format", "{:.3f}".format):
        print(effects.to_string(), sds.to_string(), sep="\n\n")
    if args.csv:
        found.join(anchor.reference.add_suffix("_reference")).to_csv(args.csv)
    raise SystemExit(0 if passes(args.engine, effects, sds) else 1)


if __name__ == "__main__":
    main()
