"""The frame raked from margins: time and memory at national size, and how near its cells come to the census's own.

    python benchmarks/frame.py
    python benchmarks/frame.py --parts speed --source made-up

Parts: ``speed``, 188,880 areas × 280 cells from five margins in files; ``cells``, total absolute error (share of
people in the wrong cell, counted twice) beside independence in each area, where half of the MSOAs make the seed and the
other half are raked, and where output areas are raked and added up. Each part has a process of its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from common.child import call

SECONDS, MEMORY, ERROR, RATIO = 30.0, 2048.0, 1e-6, 0.9


def verdict(rows: pd.DataFrame) -> list[str]:
    """What was to be reached, and whether it was."""
    found = []
    if "rake" in rows:
        found.append(f"raking within {SECONDS:.0f} s: {_word((rows['rake'] <= SECONDS).all())}")
        found.append(f"peak within {MEMORY:.0f} MiB: {_word((rows['peak_mib'] <= MEMORY).all())}")
    if "ratio" in rows:
        found.append(f"cells' error at most {RATIO} of independence's: {_word((rows['ratio'] <= RATIO).all())}")
    found.append(f"margins met to {ERROR:g}: {_word((rows['error'] <= ERROR).all())}")
    return found


def _word(reached: Any) -> str:
    return "yes" if reached else "NO"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=("speed", "cells"), default=("speed", "cells"))
    parser.add_argument("--source", choices=("census", "made-up"), default="census", help="of the part speed")
    parser.add_argument("--areas", type=int, default=0, help="the first so many of the part speed (default all)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=900, help="limit of one part (default 900)")
    parser.add_argument("--csv", type=Path, help="folder that takes a table for each part")
    args = parser.parse_args()
    speed = {"source": args.source, "areas": args.areas, "threads": args.threads}
    for part, arguments in (("speed", speed), ("cells", {})):
        if part not in args.parts:
            continue
        ended = call(f"common.frames:{part}", arguments, args.seconds, args.threads)
        if ended.error:
            raise SystemExit(f"{part}: {ended.error}")
        rows = pd.DataFrame(ended.result if isinstance(ended.result, list) else [ended.result])
        shown = rows.T if len(rows) == 1 else rows
        print(f"\n{part}\n{shown.to_string(index=len(rows) == 1, header=len(rows) > 1, float_format='{:.4g}'.format)}")
        print("\n".join(verdict(rows)))
        if args.csv:
            args.csv.mkdir(parents=True, exist_ok=True)
            rows.to_csv(args.csv / f"frame_{part}.csv", index=False)


if __name__ == "__main__":
    main()
