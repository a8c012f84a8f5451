"""The exact engine on a realistic problem whose posterior a long independent run found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd

WIDEST_Z = 4.7


def test_output_areas_with_two_respondents_each(shared: Path, fit_formula: Any) -> None:
    folder = shared / "anchors/nuts"
    data = pd.read_parquet(folder / "P4.parquet")
    for name in ("reg", "la", "oa"):
        data[name] = data[name].astype(str)
    normal = "normal(0, 2.5)"
    fit = fit_formula(
        "x1 + x2 + x3 + (1 | reg) + (1 | la) + (1 | oa)",
        data,
        "bernoulli",
        data["y"].to_numpy(float),
        {"intercept": normal, "slope": normal, "sd": "gamma(2, 0.1)"},
        draws=6000,
    )
    compared = _rows(fit, pd.read_parquet(folder / "P4.areas.parquet"))
    reference = pd.read_parquet(folder / "P4.reference.parquet").set_index("parameter").loc[compared.index]
    z = _z(compared["mean"], reference["mean"], compared["mcse"], reference["mcse"])
    assert len(z) > 3000
    assert z.abs().max() <= WIDEST_Z
    apart = (compared["mean"] - reference["mean"]).abs() / reference["sd"]
    assert apart[(compared["ess"] > 1000) & (reference["ess_bulk"] > 1000)].max() <= 0.1
    sds = [name for name in compared.index if name.startswith("sd[")]
    for column in ("q05", "q95"):
        gap = np.log(compared.loc[sds, column]) - np.log(reference.loc[sds, column])
        assert gap.abs().max() <= 0.35, gap.to_dict()


def _z(ours: pd.Series, theirs: pd.Series, error: pd.Series, other: pd.Series) -> pd.Series:
    return (ours - theirs) / np.hypot(error, other)


def _rows(fit: Any, areas: pd.DataFrame) -> pd.DataFrame:
    """Slopes, sds, group effects and the linear predictor of named areas that have respondents."""
    slopes = fit.draws("slopes")
    rows = {"intercept": fit.draws("intercept")} | {f"beta[x{k + 1}]": slopes[:, k] for k in range(3)}
    position = {}
    for name in ("reg", "la", "oa"):
        rows[f"sd[{name}]"] = fit.draws(f"sd_{name}")
        effect = fit.draws(f"effect_{name}")
        labels = [str(v) for v in fit.idata.posterior[name].values]
        position[name] = {label: effect[:, k] for k, label in enumerate(labels)}
        rows |= {f"u[{name}][{label}]": draws for label, draws in position[name].items()}
    for area in areas.itertuples():
        if str(area.oa) in position["oa"]:
            x = np.array([area.x1, area.x2, area.x3])
            groups = [position[g][str(getattr(area, g))] for g in ("reg", "la", "oa")]
            rows[f"eta[{area.area}]"] = rows["intercept"] + slopes @ x + sum(groups)
    return pd.DataFrame([_summary(draws) for draws in rows.values()], index=list(rows))


def _summary(draws: np.ndarray) -> dict[str, float]:
    ess = float(az.ess(draws.reshape(4, -1), method="mean"))
    low, high = np.quantile(draws, [0.05, 0.95])
    return {"mean": draws.mean(), "mcse": draws.std() / np.sqrt(ess), "ess": ess, "q05": low, "q95": high}
