"""A study's page: one HTML file with its plots and tables inside, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = """body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ddd}
th{border-bottom:2px solid #888;vertical-align:bottom}td.text,th.text{text-align:left}
figure{margin:1rem 0}figure svg{max-width:100%;height:auto}figcaption,footer{color:#555;font-size:.85rem}"""


@dataclass(frozen=True)
class Section:
    """One part of a page: a heading, a paragraph, a plot with its caption, a table; the last three may be absent."""

    heading: str
    text: str = ""
    figure: Figure | None = None
    caption: str = ""
    table: pd.DataFrame | None = None


def write_page(path: Path, title: str, lead: str, sections: Sequence[Section], rows: pd.DataFrame) -> None:
    """Write a page; the foot says which code and machine made the rows."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    made = [f"{kind}: {', '.join(sorted(set(rows[kind].dropna().astype(str))))}" for kind in ("code", "machine")]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>{escape(lead)}</p>",
        *(_section(section) for section in sections),
        f"<footer><p>{escape('; '.join(made))}</p></footer></body></html>\n",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")


def _section(section: Section) -> str:
    parts = [f"<section><h2>{escape(section.heading)}</h2>"]
    if section.text:
        parts.append(f"<p>{escape(section.text)}</p>")
    if section.figure is not None:
        label = escape(section.caption or section.heading, quote=True)
        svg = svg_of(section.figure).replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
        parts.append(f"<figure>{svg}<figcaption>{escape(section.caption)}</figcaption></figure>")
    if section.table is not None:
        parts.append(f'<div class="wide">{table_html(section.table)}</div>')
    return "\n".join([*parts, "</section>"])


def svg_of(figure: Figure) -> str:
    """A figure as an SVG element, the same for the same figure."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "placewise", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def table_html(table: pd.DataFrame) -> str:
    """A table; ``x`` and ``x_se`` become one column of x ± its standard error."""
    merged = [c for c in table.columns if not (str(c).endswith("_se") and str(c)[:-3] in table.columns)]
    text = {c for c in merged if not pd.api.types.is_numeric_dtype(table[c])}

    def cell(tag: str, column: str, words: str) -> str:
        kind = ' class="text"' if column in text else ""
        return f"<{tag}{kind}>{escape(words)}</{tag}>"

    head = "".join(cell("th", c, str(c)) for c in merged)
    body = []
    for row in table.to_dict("records"):
        body.append("<tr>" + "".join(cell("td", c, _number(row[c], row.get(f"{c}_se"))) for c in merged) + "</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _number(value: object, error: object = None) -> str:
    """Four digits, thousands apart; the error to two digits."""
    if value is None or value != value:
        return "–"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} ± {error:.2g}" if isinstance(error, float) and error == error else text
