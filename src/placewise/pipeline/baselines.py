"""What simple methods make of the same answers: the data they may use, and the table beside the model's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from placewise.diagnostics.baselines import BaselineData, Baselines, baselines
from placewise.diagnostics.folds import SMALLEST_GROUP, Kind, score_predictions
from placewise.models.spec import OutcomeSpec
from placewise.pipeline.answers import values_of
from placewise.pipeline.load import OutcomeData

ENOUGH_GROUPS = 10


def fit_baselines(data: OutcomeData, outcome: OutcomeSpec) -> Baselines | None:
    """Every baseline on the primary estimand, scored on areas left out together; None where none can be made."""
    given = _baseline_data(data, outcome)
    return None if given is None else baselines(given)


def baseline_rows(found: Baselines) -> list[dict[str, Any]]:
    """JSON values: one mapping a baseline, ``title`` and the fields of its held-out score."""
    return [{"title": b.title, "note": b.note, **asdict(b.held_out)} for b in found.baselines if b.held_out]


@dataclass(frozen=True, eq=False)
class Compared:
    """Errors of simple methods and of the model, kept apart as they are not on the same footing.

    Parameters
    ----------
    table : DataFrame or None
        ``method, error, coverage`` of the baselines on areas left out.
    note : str
        How they were scored.
    fitted_error : float or None
        Root mean square error of the model's area estimates on the respondents it was fitted to.
    """

    table: pd.DataFrame | None = None
    note: str = ""
    fitted_error: float | None = None


def compare_baselines(
    rows: list[dict[str, Any]], data: OutcomeData, outcome: OutcomeSpec, estimates: pd.DataFrame
) -> Compared:
    """What the report says of the baselines, ``rows`` as ``baseline_rows`` gives them, and of the model's own fit."""
    given = _baseline_data(data, outcome)
    if given is None or not rows:
        return Compared()
    small = estimates[estimates["area_level"] == data.areas.code]
    area_means = small.set_index("area_code")["mean"].reindex(data.areas.codes).to_numpy(dtype=float)
    row = data.respondents.area[_scored(data, outcome)]
    own = score_predictions(given.kind, given.y, given.sizes, area_means[row], given.groups)
    table = [{"method": r["title"], "error": r["rmse"], "coverage": np.nan} for r in rows]
    frame = pd.DataFrame(table).astype({"error": float})
    if frame["error"].isna().all():
        return Compared()
    return Compared(frame, _note(own.noise, own.groups, given.kind), own.rmse)


def _note(noise: float | None, groups: int, kind: Kind) -> str:
    size = "" if noise is None else f"{100 * noise:#.3g} points" if kind == "share" else f"{noise:.3g}"
    chance = size and f" Chance in who was asked would alone give an error of {size}."
    return (
        f"Error: root mean square difference from what the respondents of each of {groups} larger areas answered, by "
        f"methods fitted without the area they are scored on.{chance}"
    )


def _scored(data: OutcomeData, outcome: OutcomeSpec) -> np.ndarray:
    """Respondents who have a value of the primary estimand, bool (n,): those of the reference survey."""
    values = values_of(data, outcome.estimands[0])
    return np.ones(len(data.respondents), dtype=bool) if values is None else np.isfinite(values)


def _baseline_data(data: OutcomeData, outcome: OutcomeSpec) -> BaselineData | None:
    rows = _scored(data, outcome)
    row, weights = data.respondents.area[rows], data.respondents.weight
    values = values_of(data, outcome.estimands[0])
    response = data.response
    kind: Kind = "share" if outcome.estimands[0].kind == "share" else "mean"
    if response.exposure is not None and outcome.estimands[0].kind == "mean":
        kind, values = "rate", response.y / response.exposure
    if values is None or (row < 0).any():
        return None
    columns = [c.area for c in data.design.columns if c.area is not None and c.cell is None]
    x = np.column_stack(columns) if columns else np.empty((len(data.areas), 0))
    classes: Mapping[str, np.ndarray] = {c: data.areas.table[c].to_numpy(dtype=object) for c in data.areas.classes}
    size = response.trials if response.trials is not None else response.exposure if kind == "rate" else None
    return BaselineData(
        kind=kind,
        y=values[rows],
        x=x[row],
        area_x=x,
        classes={name: codes[row] for name, codes in classes.items()},
        area_classes=classes,
        groups=_groups(data, row),
        size=size,
        weights=None if weights is None else weights[rows],
    )


def _groups(data: OutcomeData, row: np.ndarray) -> np.ndarray:
    """Areas that are left out together: the coarsest of which enough were sampled, else as many as can be."""
    found: list[np.ndarray] = [
        data.areas.table[level].to_numpy(dtype=object)[row] for level in reversed((data.areas.code, *data.areas.levels))
    ]
    counts = [len(pd.unique(codes)) for codes in found]
    enough = [k for k, count in enumerate(counts) if count >= ENOUGH_GROUPS and len(row) >= count * SMALLEST_GROUP]
    several = [k for k, count in enumerate(counts) if count >= 2 and len(row) >= count * SMALLEST_GROUP]
    return found[enough[0] if enough else several[-1] if several else -1]
