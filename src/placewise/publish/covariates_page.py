"""The page that describes an areas table: what each covariate is, how it spreads, and whose data it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from placewise.opendata.build import AreasTable
from placewise.opendata.describe import QUANTILES, Distribution
from placewise.opendata.spec import PLACE_SOURCES, Catalogue, Source
from placewise.publish.figures.bars import draw_distribution
from placewise.publish.page import render_page
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.wording import count, joined, percent, sentence_case

_COUNTRIES = {"E": "England", "W": "Wales"}
_LOW, _MIDDLE, _HIGH = (QUANTILES.index(q) for q in (0.05, 0.5, 0.95))


def render_covariates(catalogue: Catalogue, areas: AreasTable, distributions: Sequence[Distribution]) -> str:
    """The page as HTML.

    Parameters
    ----------
    distributions : sequence of Distribution
        From ``describe.describe_covariates``.

    Returns
    -------
    str
        One page without remote requests; the same text for the same table.
    """
    people = int(areas.frame["adults"].sum())
    return render_page(
        "covariates.html.j2",
        ("tables.js",),
        title=f"Areas table: {catalogue.title}",
        lede=f"{count(len(areas.frame))} output areas, {count(people)} adults, {len(distributions)} covariates.",
        overview=_overview(distributions),
        covariates=[_view(areas, d, k) for k, d in enumerate(distributions)],
        left_out=[f"{sentence_case(name)}: {why}." for name, why in areas.left_out.items()],
        sources=_sources(catalogue, distributions),
        attribution=_attribution(catalogue, distributions),
    )


def _overview(distributions: Sequence[Distribution]) -> TablePart:
    columns = [
        ("Covariate", False),
        ("What it is", False),
        ("Mean", True),
        ("Median", True),
        ("5%", True),
        ("95%", True),
    ]
    rows = [
        [
            Cell(d.covariate.name, d.covariate.name),
            Cell(d.covariate.title, d.covariate.title),
            *(
                Cell(_number(value, d), value)
                for value in (d.mean, d.quantiles[_MIDDLE], d.quantiles[_LOW], d.quantiles[_HIGH])
            ),
            Cell(percent(d.between), d.between),
            Cell(count(d.missing), d.missing),
            Cell(count(d.imputed), d.imputed),
        ]
        for d in distributions
    ]
    more = [("Variance between local authorities", True), ("Areas without it", True), ("Areas filled in", True)]
    return TablePart("Covariates at a glance", [*columns, *more], rows, sortable=True, ident="overview")


def _view(areas: AreasTable, d: Distribution, k: int) -> dict[str, Any]:
    covariate = d.covariate
    known = areas.frame[areas.frame[covariate.name].notna()]
    share = covariate.kind == "share"
    axis = f"{covariate.unit}, in per cent" if share else covariate.unit
    drawing = draw_distribution(
        known[covariate.name].to_numpy(),
        known["adults"].to_numpy(dtype=float),
        d.mean,
        f"spread-{k}",
        f"{covariate.title}: how adults spread over areas by their area's value.",
        axis,
        share,
    )
    spread = (
        f"Half of the areas lie below {_number(d.quantiles[_MIDDLE], d)}; one in twenty below "
        f"{_number(d.quantiles[_LOW], d)}, one in twenty above {_number(d.quantiles[_HIGH], d)}."
    )
    return {
        "name": covariate.name,
        "title": covariate.title,
        "figure": FigurePart(spread, Markup(drawing)),
        "facts": [
            ("Unit", covariate.unit),
            ("Formula", covariate.formula),
            ("Mean over adults", joined([f"{_COUNTRIES[c]} {_number(v, d)}" for c, v in d.countries.items()])),
            *_gaps(areas, d),
        ],
    }


def _gaps(areas: AreasTable, d: Distribution) -> list[tuple[str, str]]:
    name = d.covariate.name
    if name in areas.imputations:
        done = areas.imputations[name]
        quality = ""
        if done.fitted:
            explained = percent(max(done.r_squared, 0.0))
            quality = (
                f" In regions left out of the fit it explains {explained} of the variance; the standard error there, "
                f"{done.error:.3g}, stands in the column {name}_se."
            )
        areas_filled = f"{count(done.areas)} area{'s' * (done.areas > 1)}"
        return [("Filled in", f"{areas_filled}, marked in the column imputed: {done.method}.{quality}")]
    if d.missing:
        return [("Missing", f"{count(d.missing)} areas, of a country that its publisher does not cover.")]
    return []


def _used(catalogue: Catalogue, distributions: Sequence[Distribution]) -> list[Source]:
    """Sources of places and covariates, in the catalogue's order."""
    names = {*PLACE_SOURCES, *(source for d in distributions for source, _ in d.covariate.inputs)}
    return [source for name, source in catalogue.sources.items() if name in names]


def _sources(catalogue: Catalogue, distributions: Sequence[Distribution]) -> TablePart:
    rows = []
    for source in _used(catalogue, distributions):
        publisher = catalogue.publishers[source.publisher]
        texts = (source.name, source.title, source.vintage, publisher.name, publisher.licence)
        rows.append([Cell(text) for text in texts])
    columns = [(heading, False) for heading in ("Source", "Table", "Vintage", "Publisher", "Licence")]
    return TablePart("The tables that this one is made from", columns, rows)


def _attribution(catalogue: Catalogue, distributions: Sequence[Distribution]) -> list[str]:
    publishers = dict.fromkeys(source.publisher for source in _used(catalogue, distributions))
    return [catalogue.publishers[name].attribution for name in publishers]


def _number(value: float, d: Distribution) -> str:
    """A value as it is read: shares in per cent, others with three digits that count."""
    if d.covariate.kind == "share":
        return f"{100 * value:.1f}%"
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return shown.replace("-", "−")
