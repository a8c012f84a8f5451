"""Maps: polygons coloured by class, as SVG, or as an embedded raster where there are many."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image

from placewise.publish.figures.outlines import MapOutlines
from placewise.publish.figures.svg import POINTS, figure_style, to_svg
from placewise.publish.palette import NO_DATA

RASTER_ABOVE = 10_000
_RASTER_SCALE = 3.0


def draw_map(
    page: MapOutlines, colours: Mapping[str, str], ident: str, label: str, titles: Mapping[str, str] | None = None
) -> str:
    """One map as SVG or, for more than 10,000 areas, as an image.

    Parameters
    ----------
    colours : mapping of code to colour
        An area without one is left white.
    titles : mapping of code to str
        What a pointer over the area shows (not in a raster).
    """
    fills = [colours.get(code, NO_DATA) for code in page.codes]
    if len(page.codes) > RASTER_ABOVE:
        return _raster(page, fills, label)
    with figure_style():
        figure = Figure(figsize=(page.width / POINTS, page.height / POINTS))
        figure.patch.set_visible(False)
        axes = _page_axes(figure, page)
        line = 0.6 if len(page.codes) < 1_000 else 0.15
        names = {}
        for k, (outline, fill) in enumerate(zip(page.outlines, fills, strict=True)):
            patch = PathPatch(outline, facecolor=fill, edgecolor="#ffffff", linewidth=line, clip_on=False)
            patch.set_gid(f"area-{k}")
            names[f"area-{k}"] = (titles or {}).get(page.codes[k], page.codes[k])
            axes.add_patch(patch)
        return to_svg(figure, ident, label, names)


def _page_axes(figure: Figure, page: MapOutlines) -> Axes:
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, page.width)
    axes.set_ylim(0, page.height)
    return axes


def _raster(page: MapOutlines, fills: list[str], label: str) -> str:
    with figure_style():
        figure = Figure(figsize=(page.width / POINTS, page.height / POINTS), dpi=POINTS * _RASTER_SCALE)
        canvas = FigureCanvasAgg(figure)
        figure.patch.set_facecolor("#ffffff")
        axes = _page_axes(figure, page)
        axes.add_collection(
            PathCollection(page.outlines, facecolors=fills, edgecolors=fills, linewidths=0.1, transform=axes.transData)
        )
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]
    image = Image.fromarray(np.ascontiguousarray(pixels)).quantize(64)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(label)}" '
        f'width="{round(page.width * 4 / 3)}" height="{round(page.height * 4 / 3)}">'
    )
