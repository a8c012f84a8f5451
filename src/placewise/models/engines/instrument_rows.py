"""Rows of respondents who answered several questions, as the sampler's coordinates see them: no part of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from placewise.models.design import Design
from placewise.models.engines.instrument_information import information_of
from placewise.models.engines.rows import Rows
from placewise.surveys.instruments import Instruments


def in_units_of_location(
    design: Design, rows: Rows, discrimination: np.ndarray | None, survey_scale: np.ndarray | None
) -> Rows:
    """Rows whose columns count as often as the location of the trait has them: λ_s times, but for a survey's own part.

    The information is then that about the location. Rows of one question stay as they are.
    """
    if rows.instruments is None:
        return rows
    information = rows.size * information_of(rows.instruments, rows.size, discrimination)
    if survey_scale is None:
        return replace(rows, information=information)
    times = np.concatenate([[1.0], survey_scale])[rows.instruments.survey]
    by = tuple(
        own if group.survey else times if own is None else times * own
        for group, own in zip(design.groups, rows.by, strict=True)
    )
    return replace(rows, x=times[:, None] * rows.x, by=by, information=information)


def strata_of(instruments: Instruments) -> np.ndarray:
    """Respondents whose questions have cutpoints in common, which take up the mean of their location; shape (m,).

    Those of each survey where no question is in two surveys, else all.
    """
    apart = (instruments.asked.sum(axis=0) <= 1).all()
    return instruments.survey if apart else np.zeros_like(instruments.survey)
