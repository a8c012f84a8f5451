"""Cost of the exact engine on one outcome: seconds, gradient evaluations, effective draws of every sd.

python benchmarks/sampler.py --project . --outcome belonging --draws 2000
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd

from placewise.models.engines import FitOptions, FitProblem
from placewise.models.engines.nuts import sample
from placewise.models.inference import summary_table
from placewise.pipeline.load import ProjectInputs
from placewise.pipeline.modelling import plan
from placewise.pipeline.project_file import read_project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--outcome", required=True)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--thin", type=int, default=FitOptions.thin)
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    spec = read_project(args.project, engine="nuts")
    model = spec.models[args.outcome]
    data = ProjectInputs(spec).outcome(model)
    problem = FitProblem(data.design, data.response, model.outcome.family, plan(model, data))
    options = FitOptions(draws=args.draws, thin=args.thin, seed=spec.seed)
    wall, cpu = time.perf_counter(), time.process_time()
    idata = sample(problem, options)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stats = idata.sample_stats
    print(f"{wall:.0f} s wall, {cpu:.0f} s cpu, compilation and pilot included")
    print(f"{float(stats.n_steps.mean()):.0f} gradients an iteration, {args.thin} iterations a draw")
    print(f"{int(stats.diverging.sum())} draws with a divergence")
    names = [name for name in idata.posterior.data_vars if not str(name).startswith("effect_")]
    table: pd.DataFrame = summary_table(idata, names).sort_values("ess_bulk")
    print(table.head(12).to_string(float_format="{:.3f}".format))
    if args.csv:
        table.to_csv(args.csv)


if __name__ == "__main__":
    main()
