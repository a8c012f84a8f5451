"""Colours of the pages and figures, chosen to survive colour blindness, and the contrast between two of them."""

from __future__ import annotations

TEXT = "#1b2430"
MUTED = "#566270"
FAINT = "#8a94a0"
RULE = "#d5dae0"
PAPER = "#ffffff"
PANEL = "#f5f7f9"
ACCENT = "#0b5394"
WARN = "#7a4b00"
FAIL = "#9b1c1c"
PASS = "#1c6038"

# Orange to blue keeps its order for the common colour deficiencies, and in grey the ends are darkest.
DIVERGING = ("#b4530a", "#eeb07a", "#d3d8dd", "#86b6dd", "#17568f")
RELIABILITY = ("#e9e4ef", "#c9bfdc", "#9d8bc0", "#6f569f", "#432a73")
NO_DATA = "#ffffff"


def luminance(colour: str) -> float:
    """Relative luminance of a ``#rrggbb`` colour (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
