"""Section 6: what drives it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from placewise.publish.context import ReportContext
from placewise.publish.figures.dots import Dot, draw_dots
from placewise.publish.palette import ACCENT, FAINT
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.report.special import grouping_words, relations_part
from placewise.publish.report.together import together_view
from placewise.publish.wording import SDS, count, joined, label_words, percent, sentence_case

MOST_EFFECTS = 30


def drivers_view(context: ReportContext) -> dict[str, Any]:
    """Slopes, group effects, standard deviations, and what the covariates explain."""
    return {
        "explained": _explained(context),
        "slopes": _slopes(context),
        "groups": [
            _group(f"group-{k}", name, table)
            for k, (name, table) in enumerate(context.group_effects.items())
            if 0 < len(table) <= MOST_EFFECTS
        ],
        "sds": _sds(context),
        "relations": relations_part(context),
        "together": together_view(context),
        "chance": _chance(context),
        "deciles": _deciles(context),
    }


def _explained(context: ReportContext) -> str:
    if context.explained is None:
        return "How much of the difference between areas the known facts explain was not computed in this run."
    return (
        f"About {percent(context.explained)} of the differences between areas follow from the facts the model was "
        "given about them; the rest is told from the answers of people nearby and in similar places, or stays unknown."
    )


def _slopes(context: ReportContext) -> FigurePart | None:
    if context.slopes is None or context.slopes.empty:
        return None
    table = context.slopes
    order = table["mean"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order]
    clear = (table["q05"] > 0) | (table["q95"] < 0)
    dots = [
        Dot(label_words(str(r["name"])), float(r["mean"]), float(r["q05"]), float(r["q95"]), ACCENT if c else FAINT)
        for (_, r), c in zip(table.iterrows(), clear, strict=True)
    ]
    top = table.iloc[0]
    name = label_words(str(top["name"]))
    if bool(clear.iloc[0]):
        way = "higher" if top["mean"] > 0 else "lower"
        title = f"{sentence_case(name)} matters most: where it is higher, the figure tends to be {way}"
    else:
        title = "No single fact about areas stands out"
    drawing = draw_dots(dots, "slopes", f"{title}.", "slope, model scale", 0.0)
    note = (
        "Each row is one fact about areas or people, all others held equal: a number in steps of one standard "
        "deviation, a category against the first. Grey rows may be zero. These are relations that help to predict, not "
        "causes."
    )
    return FigurePart(title, Markup(drawing), note)


def _group(ident: str, name: str, table: pd.DataFrame) -> FigurePart:
    column, bar, factor = name.rpartition("|")
    label = f"{label_words(factor)}, slope of {label_words(column)}" if bar else label_words(name)
    dots = [
        Dot(str(r["level"]), float(r["mean"]), float(r["q05"]), float(r["q95"]),
            ACCENT if r["q05"] > 0 or r["q95"] < 0 else FAINT)
        for _, r in table.iterrows()
    ]  # fmt: skip
    clear = int(((table["q05"] > 0) | (table["q95"] < 0)).sum())
    means = table["mean"].to_numpy(dtype=float)
    high, low = table["level"].iloc[int(means.argmax())], table["level"].iloc[int(means.argmin())]
    title = (
        f"By {label}: highest for {high}, lowest for {low}"
        if clear
        else f"By {label}: no group is clearly different from the others"
    )
    drawing = draw_dots(
        dots, ident, f"{title}.", f"difference from the average{' slope' * bool(bar)}, model scale", 0.0
    )
    return FigurePart(title, Markup(drawing))


def _grouping(context: ReportContext, name: str) -> str:
    column, bar, factor = name.rpartition("|")
    words = grouping_words(context, factor)
    return f"slope of {label_words(column)} by {words}" if bar else SDS.get(name, words)


def _sds(context: ReportContext) -> TablePart | None:
    if context.sds is None or context.sds.empty:
        return None
    rows = [
        [
            Cell(_grouping(context, str(r["group"]))),
            Cell(f"{r['mean']:.2f}", float(r["mean"])),
            Cell(f"{r['q05']:.2f} to {r['q95']:.2f}"),
            Cell(str(r["prior"])),
            Cell("set by the prior" if bool(r["set_by_prior"]) else "learned from the answers"),
        ]
        for _, r in context.sds.iterrows()
    ]
    columns = [("Grouping", False), ("Size", True), ("90% interval", True), ("Prior", False), ("Known from", False)]
    by_prior = [_grouping(context, str(g)) for g in context.sds.loc[context.sds["set_by_prior"].astype(bool), "group"]]
    caption = "How much groups differ: standard deviation on the model's scale"
    if by_prior:
        caption += f". The survey says little about the size for {joined(by_prior)}"
    return TablePart(caption, columns, rows)


def _chance(context: ReportContext) -> str:
    if context.chance_share is None:
        return ""
    return (
        f"Of the true differences between {context.words(context.code)[1]}, about {percent(context.chance_share)} is "
        "chance: in an area of a few hundred people, who happens to live there moves the figure, and no model can "
        "predict that."
    )


def _deciles(context: ReportContext) -> TablePart | None:
    """Expected share of areas in the top and bottom tenth, by fifth of population."""
    rows = context.rows(context.code)
    population = rows["population"].to_numpy(dtype=float, na_value=np.nan)
    top = rows["p_top_decile"].to_numpy(dtype=float, na_value=np.nan)
    bottom = rows["p_bottom_decile"].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(population) & np.isfinite(top) & np.isfinite(bottom)
    if known.sum() < 100 or np.ptp(population[known]) == 0:
        return None
    population, top, bottom = population[known], top[known], bottom[known]
    fifth = np.argsort(np.argsort(population, kind="stable"), kind="stable") * 5 // len(population)
    names = ("smallest fifth", "second", "third", "fourth", "largest fifth")
    body = []
    for k, name in enumerate(names):
        inside = fifth == k
        span = f"{count(population[inside].min())} to {count(population[inside].max())}"
        body.append([Cell(name), Cell(span), Cell(percent(top[inside].mean())), Cell(percent(bottom[inside].mean()))])
    columns = [
        ("Areas by population", False),
        ("People", True),
        ("In the best tenth", True),
        ("In the worst tenth", True),
    ]
    ends = top + bottom
    small, large = ends[fifth == 0].mean(), ends[fifth == 4].mean()
    caption = "Areas with many and with few people reach either end about as often"
    if small > 1.25 * large:
        caption = "Areas with few people reach either end more often, partly by chance"
    elif large > 1.25 * small:
        caption = "Areas with many people reach either end more often"
    return TablePart(caption, columns, body)
