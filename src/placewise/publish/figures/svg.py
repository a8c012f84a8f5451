"""Matplotlib figures as SVG inside a page: same bytes every time, no style attributes, no fonts of their own."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from placewise.publish.palette import MUTED, RULE, TEXT

POINTS = 72.0
SIZE, SMALL = 11.0, 10.0
_SHOWN = 1.25

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "placewise",
    "svg.fonttype": "none",
    "svg.id": None,
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.parse_math": False,
    "text.color": TEXT,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": TEXT,
    "path.simplify": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Style of every figure; text is never read as mathematics, so a name may hold any character."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # The page's own fonts draw the text, so a glyph that matplotlib's font lacks is not lost.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def blank_axes(
    width: float, height: float, left: float, right: float, top: float, bottom: float
) -> tuple[Figure, Axes]:
    """A figure of ``width`` × ``height`` points, one axes inside the margins in points, only a bottom spine."""
    figure = Figure(figsize=(width / POINTS, height / POINTS))
    figure.patch.set_visible(False)
    inside = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    axes = figure.add_axes(inside)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", length=3)
    return figure, axes


def to_svg(figure: Figure, ident: str, label: str, titles: dict[str, str] | None = None) -> str:
    """The figure as an ``<svg>`` element.

    Parameters
    ----------
    figure : Figure
        Drawn inside ``figure_style()``.
    ident : str
        Prefix of every id, unique on the page.
    label : str
        What the figure shows, for readers who cannot see it.
    titles : mapping of group id to str, optional
        Tooltip of single shapes (artists with that ``gid``).

    Returns
    -------
    str
        SVG without XML declaration, metadata, style attributes or remote names.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    head_end = text.index(">") + 1
    box = re.search(r'viewBox="([^"]+)"', text[:head_end])
    assert box is not None
    body = text[head_end:]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.S)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r"<defs>\s*</defs>", "", body)
    body = re.sub(r'style="([^"]*)"', _as_attributes, body)
    body = _own_ids(body, ident, titles or {})
    body = re.sub(r' d="([^"]*)"', _short_path, body)
    body = re.sub(r">\s*\n\s*<", ">\n<", body)
    width, height = (round(float(side) * _SHOWN) for side in box.group(1).split()[2:])
    name = html.escape(label)
    return (
        f'<svg viewBox="{box.group(1)}" width="{width}" height="{height}" role="img" aria-labelledby="{ident}-name">'
        f'<title id="{ident}-name">{name}</title>{body.strip()}'
    )


def _as_attributes(match: re.Match[str]) -> str:
    """A style attribute as presentation attributes, which a strict content security policy allows."""
    found = []
    for part in html.unescape(match.group(1)).split(";"):
        key, _, value = part.partition(":")
        key, value = key.strip(), value.strip()
        if key == "font":
            size = re.search(r"([\d.]+)px", value)
            weight = re.search(r"\b(bold|[1-9]00)\b", value)
            found += [f'font-size="{size.group(1)}"'] if size else []
            found += [f'font-weight="{weight.group(1)}"'] if weight else []
        elif key and key not in {"font-family", "stroke-linejoin", "stroke-linecap"}:
            found.append(f'{key}="{html.escape(value)}"')
    return " ".join(found)


def _short_path(match: re.Match[str]) -> str:
    text = re.sub(r"\s*([A-Za-z])\s*", r"\1", match.group(1))
    return f' d="{" ".join(text.split())}"'


def _own_ids(body: str, ident: str, titles: dict[str, str]) -> str:
    """Ids that are used get the figure's prefix, the others go; shapes with a title get it."""
    used = set(re.findall(r'href="#([^"]+)"', body)) | set(re.findall(r"url\(#([^)]+)\)", body))

    def rename(match: re.Match[str]) -> str:
        name = match.group(1)
        return f' id="{ident}-{name}"' if name in used else ""

    def group(match: re.Match[str]) -> str:
        name = html.unescape(match.group(1))
        if name in titles:
            return f"<g><title>{html.escape(titles[name])}</title>"
        return f'<g id="{match.group(1)}">'

    body = re.sub(r'<g id="([^"]+)">', group, body)
    body = re.sub(r' id="([^"]+)"', rename, body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{ident}-\1)", body)
    return re.sub(r'(?:xlink:)?href="#([^"]+)"', rf'href="#{ident}-\1"', body)
