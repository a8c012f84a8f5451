"""What category-specific slopes add to each cutpoint, by where their columns vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from placewise.estimates.predictor import Estimand, Predictor


@dataclass(frozen=True, eq=False)
class SpecificPart:
    """Arguments of ``project_specific`` that do not depend on the block.

    Parameters
    ----------
    own_columns, both_columns : ndarray of int64
        Positions in the predictor's columns: those that vary over areas only, and over both.
    own_slopes, both_slopes : ndarray of float32, shapes (J, q, S) and (J, r, S)
        Deviations of their slopes at each cutpoint.
    both_bundle_x : ndarray of float32, shape (G, r)
        The latter's factor over bundles.
    cells : ndarray of float64, shape (C, J, S)
        What the cells alone add.
    """

    own_columns: np.ndarray
    both_columns: np.ndarray
    own_slopes: np.ndarray
    both_slopes: np.ndarray
    both_bundle_x: np.ndarray
    cells: np.ndarray

    def of(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Arguments of ``project_specific`` for areas with columns ``x``, shape (B, p)."""
        own, both = (np.ascontiguousarray(x[:, k], dtype=np.float32) for k in (self.own_columns, self.both_columns))
        return own, self.own_slopes, both, self.both_bundle_x, self.both_slopes


def specific_part(predictor: Predictor, estimand: Estimand, bundle_cell: np.ndarray) -> SpecificPart | None:
    """Sort the deviations by what their columns vary over; None where slopes are the same at every cutpoint.

    Parameters
    ----------
    predictor : Predictor
    estimand : Estimand
    bundle_cell : ndarray of int64, shape (G,)
        A cell of each bundle.
    """
    if estimand.deviations is None:
        return None
    columns = predictor.specific
    over_cells, over_areas = predictor.cell_varies[columns], predictor.area_varies[columns]
    own, both, alone = ~over_cells, over_cells & over_areas, over_cells & ~over_areas
    cells = np.zeros((len(predictor.cell_x), *estimand.cuts.shape))
    for k in np.flatnonzero(alone):
        cells += predictor.cell_x[:, columns[k], None, None] * estimand.deviations[:, k]
    return SpecificPart(
        columns[own],
        columns[both],
        np.ascontiguousarray(estimand.deviations[:, own], dtype=np.float32),
        np.ascontiguousarray(estimand.deviations[:, both], dtype=np.float32),
        np.ascontiguousarray(predictor.cell_x[bundle_cell][:, columns[both]], dtype=np.float32),
        cells,
    )
