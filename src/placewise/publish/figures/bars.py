"""The bar of five classes and the distribution of areas."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.transforms import blended_transform_factory

from placewise.publish.figures.svg import SMALL, blank_axes, figure_style, to_svg
from placewise.publish.palette import DIVERGING, TEXT, contrast

WIDTH = 460.0
# points that a share needs inside a bar, and that a letter takes above it
ROOM, LETTER = 30.0, 8.0


def draw_class_bar(counts: Sequence[int], ident: str, label: str, width: float = WIDTH) -> str:
    """One bar of all areas, split into the five classes; a share that its part cannot hold stands above it."""
    total = max(sum(counts), 1)
    with figure_style():
        # share of the width that each label above the bar takes; 0 for those inside
        labels = [LETTER * len(_share(n / total)) / width if 0 < n / total * width <= ROOM else 0.0 for n in counts]
        above = 16 if any(labels) else 0
        figure, axes = blank_axes(width, 40 + above, 0, 0, above, 0)
        left, free = 0.0, 0.0
        for k, n in enumerate(counts):
            share = n / total
            axes.barh(0, share, left=left, color=DIVERGING[k], height=1.0, edgecolor="white", linewidth=1.2)
            ink = max(("#ffffff", TEXT), key=_contrast_with(DIVERGING[k]))
            middle = left + share / 2
            if labels[k]:
                # beyond the one before, and with room for those to come
                middle = min(max(middle, free + labels[k] / 2), 1 - sum(labels[k:]) + labels[k] / 2)
                free = middle + labels[k] / 2
                axes.text(middle, 0.56, _share(share), ha="center", va="bottom", fontsize=SMALL, clip_on=False)
            elif n:
                axes.text(middle, 0, _share(share), ha="center", va="center", color=ink, weight="bold")
            left += share
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.5, 0.5)
        axes.set_axis_off()
        return to_svg(figure, ident, label)


def _contrast_with(ground: str) -> Callable[[str], float]:
    return lambda ink: contrast(ink, ground)


def _share(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.01 else "<1%"


def draw_distribution(
    values: np.ndarray, weights: np.ndarray, national: float, ident: str, label: str, axis: str, percent: bool
) -> str:
    """How the areas spread: a histogram of the figures meant for it (``triple_goal``), one population share a bar.

    Parameters
    ----------
    values : ndarray, shape (areas,)
        Figures with the spread that the truth is expected to have.
    weights : ndarray, shape (areas,)
        Population.
    """
    factor = 100.0 if percent else 1.0
    shown = values * factor
    low, high = np.quantile(shown, [0.0005, 0.9995]) if len(shown) > 200 else (shown.min(), shown.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(np.sqrt(len(shown)), 8, 48))
    height, edges = np.histogram(np.clip(shown, low, high), bins=bins, range=(low, high), weights=weights)
    share = height / max(weights.sum(), 1e-300)
    with figure_style():
        figure, axes = blank_axes(WIDTH, 190, 8, 8, 24, 44)
        axes.bar(edges[:-1], share, width=np.diff(edges), align="edge", color="#a9c3da", ec="white", lw=0.5)
        axes.axvline(national * factor, color=TEXT, lw=1.2)
        where = blended_transform_factory(axes.transData, axes.transAxes)
        axes.text(national * factor, 1.03, "nation", transform=where, ha="center", va="bottom", fontsize=SMALL)
        axes.set_yticks([])
        axes.set_xlabel(axis)
        axes.locator_params(axis="x", nbins=8)
        if percent:
            axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}%".replace("-", "−"))
        return to_svg(figure, ident, label)
