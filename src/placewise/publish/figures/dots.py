"""Dots with intervals, one row each: rankings, slopes, group effects, group checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.transforms import blended_transform_factory

from placewise.publish.figures.svg import SMALL, blank_axes, figure_style, to_svg
from placewise.publish.palette import ACCENT, MUTED, RULE, TEXT

ROW = 19.0
WIDTH = 440.0
NARROWEST = 190.0
LONGEST = 34


@dataclass(frozen=True)
class Dot:
    """One row: a label, a figure and its interval; ``colour`` is the dot's, ``also`` a second, hollow mark."""

    label: str
    mean: float
    lower: float
    upper: float
    colour: str = ACCENT
    also: float | None = None
    note: str = ""


def shorten(text: str, longest: int = LONGEST) -> str:
    """A label that fits beside a figure."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def draw_dots(
    rows: Sequence[Dot | None],
    ident: str,
    label: str,
    axis: str,
    reference: float | None = None,
    reference_label: str = "",
    percent: bool = False,
    note_title: str = "",
    width: float = WIDTH,
) -> str:
    """Rows of dots and intervals, the first on top.

    Parameters
    ----------
    rows : sequence of Dot or None
        None leaves a gap with a dotted break.
    axis : str
        What the horizontal axis shows.
    reference : float, optional
        A vertical line, e.g. the national figure.
    percent : bool
        Values are shares and shown in per cent.
    note_title : str
        Heading of the text at the right end of the rows.
    width : float
        Of the figure, in points; more where labels and notes would leave less than 190 for the figures themselves.
    """
    factor = 100.0 if percent else 1.0
    longest = max((len(shorten(r.label)) for r in rows if r), default=0)
    note_room = max((len(r.note) for r in rows if r), default=0)
    left = min(34 + longest * 6.2, 245)
    right = 24 + (max(note_room, len(note_title)) * 5.8 if note_room else 0)
    width = max(width, left + right + NARROWEST)
    top = 26 if reference_label or note_title else 6
    height = len(rows) * ROW + top + 44
    with figure_style():
        figure, axes = blank_axes(width, height, left, right, top, 44)
        aside = blended_transform_factory(axes.transAxes, axes.transData)
        for y, row in enumerate(rows):
            if row is None:
                axes.text(-0.03, y, "⋮", transform=aside, ha="right", va="center", color=MUTED)
                continue
            lower, upper, mean = row.lower * factor, row.upper * factor, row.mean * factor
            if np.isfinite(lower) and np.isfinite(upper):
                axes.plot([lower, upper], [y, y], color=row.colour, lw=2.2, alpha=0.55, solid_capstyle="butt", zorder=2)
            axes.plot([mean], [y], "o", color=row.colour, ms=5.2, mec="white", mew=0.8, zorder=4)
            if row.also is not None and np.isfinite(row.also):
                axes.plot([row.also * factor], [y], "o", mfc="white", mec=TEXT, mew=1.1, ms=5.2, zorder=3)
            axes.text(-0.025, y, shorten(row.label), transform=aside, ha="right", va="center")
            if row.note:
                axes.text(1.03, y, row.note, transform=aside, ha="left", va="center", color=MUTED, fontsize=SMALL)
        if note_title:
            axes.text(1.03, -1.15, note_title, transform=aside, ha="left", va="center", color=MUTED, fontsize=SMALL)
        if reference is not None:
            axes.axvline(reference * factor, color=TEXT, lw=1.0, zorder=1)
            if reference_label:
                where = blended_transform_factory(axes.transData, axes.transAxes)
                axes.text(reference * factor, 1.0 + 5 / height, reference_label, transform=where, ha="center",
                          va="bottom", fontsize=SMALL, color=MUTED)  # fmt: skip
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks([])
        axes.xaxis.grid(True, color=RULE, lw=0.6, zorder=0)
        axes.set_axisbelow(True)
        axes.set_xlabel(axis)
        axes.locator_params(axis="x", nbins=6)
        if percent:
            axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}%".replace("-", "−"))
        return to_svg(figure, ident, label)
