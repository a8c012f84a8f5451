"""Every area of England and Wales from 2,000 draws: seconds, memory, distance from double precision, a numpy loop.

    python benchmarks/projection.py
    python benchmarks/projection.py --families bernoulli --source census --csv results/projection.csv

Posterior draws are made up; areas and frame too (every cell has people in every area), or with ``--source census`` they
are the census's, from the folder of reference data. Each family has a process of its own, in which a tiny problem is
done first, so that compilation is apart. The numpy loop does one expression of areas × cells for each draw; some draws
are timed in the same run and scaled up. Columns that end in ``_cpu`` are processor seconds divided by threads: those of
the clock on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from common.child import call
from common.projections import FAMILIES

KERNEL, RATIO, REST, MEMORY, ERROR, CUMULATIVE = 12.0, 200.0, 25.0, 2048.0, 1e-6, 3.0


def verdict(rows: pd.DataFrame) -> list[str]:
    """What was to be reached, and whether it was."""
    binary = rows[rows["family"] == "bernoulli"]
    found = []
    if len(binary):
        first = binary.iloc[0]
        found = [
            _line(f"kernel within {KERNEL:.0f} s", first["kernel"], first["kernel"] <= KERNEL),
            _line(f"index, ranks, probabilities, triple goal within {REST:.0f} s more", first["rest_cpu"],
                  first["rest_cpu"] <= REST),
        ]  # fmt: skip
        if first.get("ratio") is not None and first.get("ratio") == first.get("ratio"):
            found.append(_line(f"at least {RATIO:.0f} × a numpy loop", first["ratio"], first["ratio"] >= RATIO))
        for _, row in rows[rows["family"] != "bernoulli"].iterrows():
            times = row["kernel"] / first["kernel"]
            reached = times <= CUMULATIVE if row["family"] == "cumulative" else None
            found.append(_line(f"{row['family']} over bernoulli", times, reached))
    found.append(_line(f"peak within {MEMORY:.0f} MiB", rows["peak_mib"].max(), (rows["peak_mib"] <= MEMORY).all()))
    found.append(_line(f"error at most {ERROR:g}", rows["error"].max(), (rows["error"] <= ERROR).all()))
    return found


def _line(what: str, value: float, reached: bool | None) -> str:
    return f"{what}: {value:.3g}" + ("" if reached is None else " (yes)" if reached else " (NO)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--source", choices=("census", "made-up"), default="made-up", help="of areas and frame")
    parser.add_argument("--areas", type=int, default=0, help="so many areas (default all 188,880)")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--loop", type=int, default=5, help="draws of the numpy loop; 0: none")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=900, help="limit of one family (default 900)")
    parser.add_argument("--csv", type=Path, help="file that takes the table")
    args = parser.parse_args()
    common = {name: getattr(args, name) for name in ("areas", "draws", "threads", "source", "loop")}
    found = []
    for family in args.families:
        ended = call("common.projections:cost", common | {"family": family}, args.seconds, args.threads)
        if ended.error:
            raise SystemExit(f"{family}: {ended.error}")
        found.append(ended.result)
    rows = pd.DataFrame(found)
    print(rows.T.to_string(header=False, float_format="{:.4g}".format))
    print("\n".join(verdict(rows)))
    if args.csv:
        args.csv.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(args.csv, index=False)


if __name__ == "__main__":
    main()
