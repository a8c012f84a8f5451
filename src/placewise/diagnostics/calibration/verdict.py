"""What many simulations say together: uniform ranks, standardised errors of sd 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.diagnostics.calibration.replicate import Replicate, Spread
from placewise.diagnostics.calibration.uniformity import anderson_darling
from placewise.diagnostics.convergence import Check, Diagnostics, Verdict

LEVEL = 0.01
SD_LIMITS = (0.95, 1.05)
LARGEST_MEAN = 0.1
RESAMPLES = 2_000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Calibration:
    """The verdicts on an engine.

    Parameters
    ----------
    ranks : DataFrame
        One row a scalar: ``scalar, n, statistic, p_value, threshold, mean, verdict``; ``mean`` of the places is .5
        where right, and below it where the engine's draws are too high.
    areas : DataFrame
        Rows ``eta`` and ``index``: ``quantity, n, mean_z, mean_z_lower, mean_z_upper, sd_z, sd_z_lower, sd_z_upper,
        cov90, cov90_lower, cov90_upper, verdict``; 95% bootstrap intervals over fits. Empty without areas.
    checks : Diagnostics
        The same as checks, with the worst as ``status``.
    """

    ranks: pd.DataFrame
    areas: pd.DataFrame
    checks: Diagnostics

    @property
    def status(self) -> Verdict:
        """The worst verdict."""
        return self.checks.status


def judge_calibration(replicates: Sequence[Replicate], *, seed: int = 0) -> Calibration:
    """Judge an engine by its simulations.

    A scalar fails where the Anderson-Darling p-value of its places is not above .01 / K, K the number of scalars.
    Standardised errors, pooled over areas and fits, pass where their sd is .95-1.05 and their mean within ±.1; beyond,
    they ``fail`` where the whole 95% bootstrap interval over fits is beyond too, else ``warn``.

    Parameters
    ----------
    replicates : sequence of Replicate
    seed : int
        Of the bootstrap.

    Raises
    ------
    ValueError
        Without any.
    """
    if not replicates:
        raise ValueError("there are no simulations to judge")
    complete = [r for r in replicates if r.places]
    ranks = _rank_table(complete)
    areas = _area_table(complete, np.random.default_rng(seed))
    checks = [_lost(replicates), *_rank_checks(ranks), *_area_checks(areas)]
    return Calibration(ranks, areas, Diagnostics(tuple(checks)))


def _lost(replicates: Sequence[Replicate]) -> Check:
    lost = [r.number for r in replicates if not r.places]
    failed = sum(bool(r.error) for r in replicates)
    sentence = (
        f"{len(lost)} of {len(replicates)} fits are lost: the engine failed in {failed}, and {len(lost) - failed} have "
        "too few draws inside the declared region."
    )
    return Check("lost", float(len(lost)), 0.0, "fail" if lost else "pass", sentence, tuple(map(str, lost[:5])))


def _rank_table(replicates: Sequence[Replicate]) -> pd.DataFrame:
    names = list(dict.fromkeys(name for r in replicates for name in r.places))
    rows = []
    for name in names:
        places = np.array([r.places[name] for r in replicates if name in r.places])
        statistic, p_value = anderson_darling(places)
        threshold = LEVEL / len(names)
        verdict = "pass" if p_value > threshold else "fail"
        rows.append((name, len(places), statistic, p_value, threshold, places.mean(), verdict))
    columns = ["scalar", "n", "statistic", "p_value", "threshold", "mean", "verdict"]
    return pd.DataFrame(rows, columns=pd.Index(columns, dtype="str"))


def _rank_checks(ranks: pd.DataFrame) -> list[Check]:
    if ranks.empty:
        return []
    worst = ranks.sort_values("p_value", kind="stable")
    failed = worst[worst["verdict"] == "fail"]["scalar"].tolist()
    p_value, threshold = float(worst["p_value"].iloc[0]), float(worst["threshold"].iloc[0])
    sentence = (
        f"Ranks of {len(failed)} of {len(ranks)} scalars are not uniform: the smallest Anderson-Darling p-value is "
        f"{p_value:.2g} ({worst['scalar'].iloc[0]}), {threshold:.2g} must be exceeded."
    )
    return [Check("ranks", p_value, threshold, "fail" if failed else "pass", sentence, tuple(failed[:5]))]


def _area_table(replicates: Sequence[Replicate], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for name in ("eta", "index"):
        spreads = [s for r in replicates if (s := getattr(r, name)) is not None]
        if spreads:
            rows.append(_pooled(name, spreads, rng))
    return pd.DataFrame(rows)


def _pooled(name: str, spreads: Sequence[Spread], rng: np.random.Generator) -> dict[str, object]:
    """Mean and sd of z over all areas of all fits, whole fits resampled for their intervals."""
    n = np.array([s.n for s in spreads], dtype=np.float64)
    sums = np.array([(s.mean, s.square, s.covered) for s in spreads]) * n[:, None]
    times = rng.multinomial(len(n), np.full(len(n), 1.0 / len(n)), RESAMPLES).astype(np.float64)
    again = _measures((times @ sums) / (times @ n)[:, None])
    lower, upper = np.quantile(again, INTERVAL, axis=0)
    whole = _measures((sums.sum(axis=0) / n.sum())[None])[0]
    row: dict[str, object] = {"quantity": name, "n": int(n.sum())}
    for k, measure in enumerate(("mean_z", "sd_z", "cov90")):
        row |= {measure: whole[k], f"{measure}_lower": lower[k], f"{measure}_upper": upper[k]}
    verdicts = (
        _verdict(whole[0], lower[0], upper[0], (-LARGEST_MEAN, LARGEST_MEAN)),
        _verdict(whole[1], lower[1], upper[1], SD_LIMITS),
    )
    return row | {"verdict": max(verdicts, key=("pass", "warn", "fail").index)}


def _measures(means: np.ndarray) -> np.ndarray:
    """Mean and sd of z, and coverage, from the means of z, z² and coverage; shapes (…, 3)."""
    sd = np.sqrt(np.maximum(means[:, 1] - means[:, 0] ** 2, 0.0))
    return np.column_stack([means[:, 0], sd, means[:, 2]])


def _verdict(value: float, lower: float, upper: float, limits: tuple[float, float]) -> Verdict:
    if limits[0] <= value <= limits[1]:
        return "pass"
    return "fail" if upper < limits[0] or lower > limits[1] else "warn"


def _area_checks(areas: pd.DataFrame) -> list[Check]:
    checks = []
    for row in areas.to_dict("records"):
        sentence = (
            f"Standardised errors of the areas' {row['quantity']}: sd {row['sd_z']:.3f} "
            f"({row['sd_z_lower']:.3f} to {row['sd_z_upper']:.3f}), .95 to 1.05 is wanted; mean {row['mean_z']:.3f} "
            f"({row['mean_z_lower']:.3f} to {row['mean_z_upper']:.3f}), within .1 of 0."
        )
        checks.append(Check(f"z of {row['quantity']}", float(row["sd_z"]), SD_LIMITS[1], row["verdict"], sentence))
    return checks
