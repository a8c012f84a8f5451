"""Direct against modelled figures, with the pull of one towards the other visible."""

from __future__ import annotations

import numpy as np

from placewise.publish.figures.svg import blank_axes, figure_style, to_svg
from placewise.publish.palette import ACCENT, FAINT, MUTED, RULE

WIDTH, HEIGHT = 440.0, 400.0


def draw_shrinkage(
    direct: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    modelled: np.ndarray,
    ident: str,
    label: str,
    percent: bool,
) -> str:
    """One dot an area: what respondents alone say against what the model says, the line where both agree.

    Parameters
    ----------
    direct, lower, upper, modelled : ndarray, shape (areas,)
        Direct figure with its interval, modelled figure.
    """
    factor = 100.0 if percent else 1.0
    d, lo, hi, m = direct * factor, lower * factor, upper * factor, modelled * factor
    with figure_style():
        figure, axes = blank_axes(WIDTH, HEIGHT, 62, 14, 12, 48)
        axes.spines["left"].set_visible(True)
        axes.hlines(m, lo, hi, color=FAINT, lw=0.8, alpha=0.55, zorder=1)
        axes.plot(d, m, "o", color=ACCENT, ms=4.6, mec="white", mew=0.6, zorder=3)
        ends = [float(np.nanmin([d.min(), m.min()])), float(np.nanmax([d.max(), m.max()]))]
        room = 0.06 * (ends[1] - ends[0]) or 1.0
        ends = [ends[0] - room, ends[1] + room]
        axes.plot(ends, ends, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=2)
        axes.set_xlim(*ends)
        axes.set_ylim(*ends)
        axes.grid(True, color=RULE, lw=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("respondents of the area alone (line: 90% interval)")
        axes.set_ylabel("model")
        axes.tick_params(axis="y", length=3)
        if percent:
            for one in (axes.xaxis, axes.yaxis):
                one.set_major_formatter(lambda v, _: f"{v:g}%".replace("-", "−"))
        return to_svg(figure, ident, label)
