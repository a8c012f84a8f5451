"""Design effects of a survey, and its variables of numbers."""

from __future__ import annotations

from typing import Any

from placewise.diagnostics.survey import SurveyDescription
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.survey.scales import scales_view
from placewise.publish.wording import count, label_words, percent
from placewise.surveys.disclosure import nearest_ten


def precision_view(described: SurveyDescription) -> dict[str, Any]:
    """Facts of weights and clusters, means of numbers, and scales."""
    return {
        "facts": _facts(described),
        "numbers": _numbers(described),
        "lead": _lead(described),
        "scales": scales_view(described.scales),
    }


def _lead(described: SurveyDescription) -> str:
    weights, deff = described.weights, described.deff
    if deff is not None and deff > 0:
        worth = count(nearest_ten(int(described.account.kept / deff)))
        return (
            f"For a typical share this survey tells about as much as {worth} respondents drawn at random would: the "
            f"median design effect is {deff:.2f}."
        )
    if weights is not None:
        return f"The weights alone make this survey worth about {count(weights.n_eff)} respondents of equal weight."
    return "The file names neither weights nor sampling units, so nothing can be said about its design."


def _facts(described: SurveyDescription) -> list[tuple[str, str]]:
    facts = []
    if described.weights is not None:
        w = described.weights
        facts += [
            ("Weights", f"design effect {w.deff:.2f} by Kish's formula; worth {count(w.n_eff)} equal weights"),
            ("Unequal by", f"coefficient of variation {w.cv:.2f}"),
        ]
        if w.heaviest is not None:
            facts.append(("Heaviest 1%", f"carry {percent(w.heaviest)} of all weight"))
    if described.clusters is not None:
        c = described.clusters
        if c.units is not None and c.respondents is not None:
            facts.append(("Sampling units", f"{count(c.units)}, {c.respondents:.1f} respondents each on average"))
        if c.strata is not None:
            facts.append(("Strata", f"{count(c.strata)}"))
        if c.lonely:
            facts.append(("Units alone in a stratum", f"{count(c.lonely)}, centred at the mean of all"))
    return facts


def _numbers(described: SurveyDescription) -> TablePart | None:
    if not described.numbers:
        return None
    rows = [
        [
            Cell(label_words(n.variable)),
            Cell(count(nearest_ten(n.answered))),
            Cell(f"{n.mean:.4g}"),
            Cell(f"{n.sd:.3g}"),
            Cell(f"{n.weighted:.4g}"),
            Cell("–" if n.se is None else f"{n.se:.2g}"),
            Cell("–" if n.deff is None else f"{n.deff:.2f}"),
        ]
        for n in described.numbers
    ]
    columns = [("Variable", False), ("Respondents", True), ("Mean", True), ("Standard deviation", True),
               ("Weighted mean", True), ("Standard error", True), ("Design effect", True)]  # fmt: skip
    return TablePart("Variables that are numbers", columns, rows)
