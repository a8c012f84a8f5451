"""Sections 3 and 5: the maps and the ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from placewise.publish.context import ReportContext
from placewise.publish.figures.bars import draw_distribution
from placewise.publish.figures.dots import Dot, draw_dots
from placewise.publish.figures.maps import RASTER_ABOVE, draw_map
from placewise.publish.figures.outlines import fit_outlines
from placewise.publish.palette import DIVERGING, FAINT, RELIABILITY
from placewise.publish.ranked import level_to_rank
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.verdicts import LABELS, SHORT_LABELS, legend_labels, probability_higher, sides, verdicts
from placewise.publish.wording import Scale, count, percent, probability, sentence_case, typical

RELIABILITY_EDGES = (0.3, 0.5, 0.7, 0.9)
RELIABILITY_LABELS = ("below 0.3: says little", "0.3 to 0.5", "0.5 to 0.7", "0.7 to 0.9", "0.9 or more")
MOST_DOTS = 40
END_DOTS = 12


def share_above(rows: pd.DataFrame, context: ReportContext) -> np.ndarray:
    """Class of each row on the estimand's own scale, −1 where there is no probability."""
    return verdicts(probability_higher(rows["p_above_national"], context.higher_is_better))


def map_view(context: ReportContext) -> dict[str, Any]:
    """Map by class, map by reliability, legends; None where there is no geometry."""
    order = [context.code, *context.levels]
    level = next((name for name in order if name in context.geometry), None)
    view: dict[str, Any] = {"distribution": _distribution(context), "maps": [], "sentence": ""}
    if level is None:
        view["sentence"] = "No boundaries were given for this run, so there is no map; the figure shows the spread."
        return view
    rows = context.rows(level)
    page = fit_outlines(context.geometry[level], rows["area_code"].tolist(), f"areas.geometry.{level}")
    if not page.codes:
        view["sentence"] = "The boundaries given for this run match none of its areas, so there is no map."
        return view
    found = share_above(rows, context)
    reliability = rows["reliability"].to_numpy(dtype=float, na_value=np.nan)
    band = np.digitize(np.nan_to_num(reliability), RELIABILITY_EDGES)
    titles = _titles(context, rows, found, reliability) if len(page.codes) <= RASTER_ABOVE else {}
    codes = rows["area_code"]
    one, many = context.words(level)
    labels = legend_labels(context.higher_is_better)
    classes = draw_map(
        page,
        {c: DIVERGING[k if k >= 0 else 2] for c, k in zip(codes, found, strict=True)},
        "map-class",
        f"Map of {many} by class; the same figures are in the table of estimates.",
        titles,
    )
    trust = draw_map(
        page,
        {c: RELIABILITY[k] for c, k in zip(codes, band, strict=True)},
        "map-trust",
        f"Map of {many} by reliability; the same figures are in the table of estimates.",
        titles,
    )
    view["maps"] = [
        {
            "figure": FigurePart(_class_title(found, many), Markup(classes)),
            "legend": [(DIVERGING[k], labels[k], count(int((found == k).sum()))) for k in range(4, -1, -1)],
        },
        {
            "figure": FigurePart(_trust_title(reliability, one, many), Markup(trust)),
            "legend": [
                (RELIABILITY[k], RELIABILITY_LABELS[k], count(int((band == k).sum()))) for k in range(4, -1, -1)
            ],
        },
    ]
    missing = len(rows) - len(page.codes)
    gap = f" {count(missing)} {many} without a visible boundary are left out of the maps." if missing else ""
    hover = " Point at an area to read its figure." if titles else ""
    low, high = sides(context.higher_is_better)
    view["sentence"] = (
        f"The maps show {count(len(page.codes))} {many}. The first is coloured by how sure we can be that the area is "
        f"above ({high}) or below ({low}) the national figure; the second by how much of the differences seen is "
        f"expected to be real.{hover}{gap}"
    )
    return view


def _titles(context: ReportContext, rows: pd.DataFrame, found: np.ndarray, reliability: np.ndarray) -> dict[str, str]:
    scale = Scale(context.kind)
    titles = {}
    for k, row in enumerate(rows.itertuples(index=False)):
        said = f", {LABELS[found[k]]}" if found[k] >= 0 else ""
        figure = scale.estimate(row.mean, row.ci90_lower, row.ci90_upper)  # type: ignore[arg-type]
        titles[str(row.area_code)] = f"{row.area_name}: {figure}{said}; reliability {reliability[k]:.2f}"
    return titles


def _class_title(found: np.ndarray, many: str) -> str:
    clear = int(((found == 0) | (found == 4)).sum())
    if clear == 0:
        return f"No {many} are clearly different from the nation"
    return f"{count(clear)} of {count(len(found))} {many} are clearly different from the nation"


def _trust_title(reliability: np.ndarray, one: str, many: str) -> str:
    known = reliability[np.isfinite(reliability)]
    middle = float(np.median(known)) if len(known) else 0.0
    low = int((known < 0.3).sum())
    tail = f"; {count(low)} {many} say little on their own" if low else ""
    return f"For the typical {one}, {percent(middle)} of the difference seen is expected to be real{tail}"


def _distribution(context: ReportContext) -> FigurePart:
    rows = context.rows(context.code)
    scale = Scale(context.kind)
    values = rows["triple_goal"].to_numpy(dtype=float, na_value=np.nan)
    values = np.where(np.isfinite(values), values, rows["mean"].to_numpy(dtype=float))
    weights = rows["population"].to_numpy(dtype=float, na_value=1.0)
    weights = weights if weights.sum() > 0 else np.ones(len(rows))
    national = float(context.rows("national").iloc[0]["mean"])
    low, high = np.quantile(values, [0.05, 0.95])
    title = (
        f"Nine in ten {context.words(context.code)[1]} lie between {scale.interval(low, high).replace(' to ', ' and ')}"
    )
    drawing = draw_distribution(
        values, weights, national, "spread", f"{title}.", context.estimand, context.kind == "share"
    )
    note = (
        f"Each bar is a share of all {context.people}. The figures used here are spread as the truth is expected to "
        "be; single estimates lie closer together than the truth."
    )
    return FigurePart(title, Markup(drawing), note)


def ranked_level(context: ReportContext) -> str | None:
    """The level of this run that is ranked."""
    return level_to_rank({level: len(context.rows(level)) for level in [context.code, *context.levels]})


def ranking_view(context: ReportContext) -> dict[str, Any]:
    """Figure and table of the ranked level, and tables of the levels above it."""
    level = ranked_level(context)
    if level is None:
        return {"level": None, "sentence": "No level of this run has few enough areas to show side by side."}
    rows = context.rows(level)
    rows = _in_order(rows)
    one, many = context.words(level)
    figure = _ranking_figure(context, rows, one, many)
    above = [name for name in context.levels if context.levels.index(name) > _position(context, level)]
    tables = [_table(context, _in_order(context.rows(name)), name) for name in above]
    return {
        "level": many,
        "figure": figure,
        "table": _table(context, rows, level, sortable=True),
        "above": tables,
        "sentence": (
            f"The order is uncertain: read the range of ranks, not the place in the list. Two {many} whose ranges "
            "overlap widely cannot be put in order."
        ),
    }


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["rank_median", "index"], ascending=[True, False], na_position="last").reset_index(
        drop=True
    )


def _position(context: ReportContext, level: str) -> int:
    return list(context.levels).index(level) if level in context.levels else -1


def _ranking_figure(context: ReportContext, rows: pd.DataFrame, one: str, many: str) -> FigurePart:
    n = len(rows)
    found = share_above(rows, context)
    keep: list[int | None] = list(range(n))
    if n > MOST_DOTS:
        keep = [*range(END_DOTS), None, *range(n // 2 - 2, n // 2 + 2), None, *range(n - END_DOTS, n)]
    dots = [None if k is None else _dot(rows, found, k) for k in keep]
    nation = context.rows("national").iloc[0]
    width = rows["rank_ci90_upper"].to_numpy(dtype=float, na_value=np.nan) - rows["rank_ci90_lower"].to_numpy(
        dtype=float, na_value=np.nan
    )
    typical = float(np.nanmedian(width)) + 1 if np.isfinite(width).any() else float(n)
    title = f"The rank of a typical {one} is known to within {count(typical)} of {count(n)} places"
    note = "Dot: estimate; line: 90% interval; at the right the range that holds the rank with probability 90%."
    if n > MOST_DOTS:
        note += f" Shown: the first {END_DOTS}, the middle and the last {END_DOTS}; all {count(n)} are in the table."
    drawing = draw_dots(
        dots, "ranking", f"{title}; the figures are in the table that follows.", context.estimand,
        float(nation["mean"]), "nation", context.kind == "share", "rank between",
    )  # fmt: skip
    return FigurePart(title, Markup(drawing), note)


def _dot(rows: pd.DataFrame, found: np.ndarray, k: int) -> Dot:
    row = rows.iloc[k]
    colour = {0: DIVERGING[0], 1: "#d98a45", 3: "#4f8fc4", 4: DIVERGING[4]}.get(int(found[k]), FAINT)
    ranks = _rank_words(row["rank_ci90_lower"], row["rank_ci90_upper"])
    return Dot(
        str(row["area_name"]),
        float(row["mean"]),
        float(row["ci90_lower"]),
        float(row["ci90_upper"]),
        colour,
        note=ranks,
    )


def _rank_words(lower: Any, upper: Any) -> str:
    if pd.isna(lower) or pd.isna(upper):
        return "–"
    low, high = count(float(lower)), count(float(upper))
    return low if low == high else f"{low} to {high}"


def _table(context: ReportContext, rows: pd.DataFrame, level: str, sortable: bool = False) -> TablePart:
    scale = Scale(context.kind)
    one, many = context.words(level)
    found = share_above(rows, context)
    p = probability_higher(rows["p_above_national"], context.higher_is_better)
    width = typical(rows["ci90_upper"].astype(float) - rows["ci90_lower"].astype(float))
    body = []
    for k, (_, row) in enumerate(rows.iterrows()):
        lower, upper, mean = float(row["ci90_lower"]), float(row["ci90_upper"]), float(row["mean"])
        grey = "low" if "low_reliability" in str(row["flag"]) else ""
        body.append(
            [
                Cell(str(row["area_name"]), str(row["area_name"]), grey),
                Cell(scale.number(mean, width), mean, grey),
                Cell(scale.interval(lower, upper, width), upper - lower, grey),
                Cell(probability(p[k]) if np.isfinite(p[k]) else "–", float(p[k]) if np.isfinite(p[k]) else -1.0, grey),
                Cell(SHORT_LABELS[found[k]] if found[k] >= 0 else "–", int(found[k]), f"class class{found[k]} {grey}"),
                Cell(_rank_words(row["rank_ci90_lower"], row["rank_ci90_upper"]), _sortable(row["rank_median"]), grey),
                Cell(str(row["grade"]), str(row["grade"]), grey),
            ]
        )
    columns = [
        (sentence_case(one), False),
        ("Estimate", True),
        ("90% interval", True),
        ("Probability above nation", True),
        ("Against the nation", False),
        ("Rank between", True),
        ("Grade", False),
    ]
    return TablePart(f"All {count(len(rows))} {many}, best first", columns, body, sortable, f"table-{level}")


def _sortable(value: Any) -> float:
    return float(value) if not pd.isna(value) else float("inf")
