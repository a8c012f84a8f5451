"""Sections 1 and 2: what this is, and the headline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from placewise.publish.context import ReportContext
from placewise.publish.figures.bars import draw_class_bar
from placewise.publish.palette import DIVERGING
from placewise.publish.report.parts import Cell, FigurePart, TablePart
from placewise.publish.verdicts import SHORT_LABELS, Headline, headline, legend_labels, sides
from placewise.publish.wording import (
    FAMILIES,
    Scale,
    check_words,
    count,
    joined,
    label_words,
    percent,
    rounded,
    sentence_case,
)

STATUS_WORDS = {
    "pass": "All checks of the computation passed.",
    "warn": "The computation passed its checks with a warning.",
    "fail": "The computation failed its checks: do not use these figures.",
    "": "The checks of the computation were not run.",
}


STATUS_BADGES = {
    "pass": "Checks passed",
    "warn": "Passed with a warning",
    "fail": "Checks failed",
    "": "Not checked",
}


def status_reason(context: ReportContext) -> str:
    """The status in words, with the checks that did not pass."""
    said = [
        sentence_case(str(check.get("sentence") or _limit(check)).rstrip(".")) + "."
        for check in context.diagnostics.get("checks", ())
        if check.get("verdict") in ("warn", "fail")
    ]
    return " ".join([STATUS_WORDS.get(context.status, STATUS_WORDS[""]), *said])


def _limit(check: Mapping[str, Any]) -> str:
    name = check_words(str(check.get("name")))
    return f"{name}: {_short(check.get('value'))}, limit {_short(check.get('threshold'))}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def what_this_is(context: ReportContext) -> dict[str, Any]:
    """Two sentences, the status and a few facts."""
    n_areas = len(context.rows(context.code))
    larger = [context.words(level)[1] for level in context.levels]
    reach = f" and for all {joined(larger)}" if larger else ""
    first = (
        f"This report gives the {context.estimand} for each of {count(n_areas)} {context.words(context.code)[1]}"
        f"{reach}, with the uncertainty of every figure."
    )
    said = [f"{s.name} ({s.years})" if s.years else s.name for s in context.surveys]
    source = (
        f"the answers of {count(context.respondents)} {context.people} to {_surveys(said)}" if said else "survey data"
    )
    family = FAMILIES.get(context.family, context.family or "regression")
    second = (
        f"The figures are modelled, not measured: they come from {source}, and from a multilevel {family} that carries "
        "what was learned about people and places over to every area."
    )
    facts = _questions(context)
    facts += [("Survey", joined(said))] if said else []
    facts += [("Respondents", count(context.respondents))] if said else []
    facts += [("Areas", f"{count(n_areas)} {context.words(context.code)[1]}")]
    facts += [("Made on", context.date)] if context.date else []
    return {
        "sentences": [first, second],
        "facts": facts,
        "asked": _asked(context),
        "status": context.status or "unknown",
        "badge": STATUS_BADGES.get(context.status, STATUS_BADGES[""]),
        "reason": status_reason(context),
    }


def _questions(context: ReportContext) -> list[tuple[str, str]]:
    """The question as each survey put it; once where all put the same."""
    put = {s.name: s.question for s in context.surveys if s.question}
    if len({*put.values()}) > 1:
        return [(f"Question of “{label_words(name)}”", f"“{text}”") for name, text in put.items()]
    return [("Question", f"“{context.question}”")] if context.question else []


def _asked(context: ReportContext) -> TablePart | None:
    """Every question with its answers; none where one question says it all."""
    if len(context.asked) < 2:
        return None
    surveys = len({item.survey for item in context.asked})
    rows = [
        [
            Cell(f"“{item.wording}”" if item.wording else label_words(item.column), look="said"),
            *([Cell(label_words(item.survey))] if surveys > 1 else []),
            Cell(" < ".join(item.levels), look="said"),
        ]
        for item in context.asked
    ]
    columns = [("Question", False), *([("Survey", False)] if surveys > 1 else []), ("Answers, lowest first", False)]
    return TablePart(f"{count(len(rows))} questions were asked", columns, rows)


def scale_words(context: ReportContext) -> str:
    """What values the figures can take, and what nought means."""
    reference = context.surveys[0].name if context.surveys else ""
    highest = [len(item.levels) for item in context.asked if item.survey == reference] or [
        len(item.levels) for item in context.asked
    ]
    average = "The index is another scale: there 0 is the national average, and above 0 is better."
    match context.kind:
        case "share":
            return f"A share runs from 0%, nobody, to 100%, everybody. {average}"
        case "latent":
            return f"This scale has no ends, and its nought means nothing: only differences can be read. {average}"
    if not highest:
        return average
    top = sum(highest) / len(highest)
    ends = "the lowest answer" if len(highest) == 1 else "the lowest answer to every question"
    return (
        f"The score runs from 1, where everybody gives {ends}, to {top:.4g}, where everybody gives the highest; there "
        f"is no score of 0. {average}"
    )


def _surveys(names: list[str]) -> str:
    return f"the survey{'s' if len(names) > 1 else ''} {joined([f'“{name}”' for name in names])}"


def headline_words(context: ReportContext, found: Headline) -> str:
    """The headline sentence: how many areas are clearly different, and how many of those are expected to be wrong."""
    low, high = rounded(found.below), rounded(found.above)
    clear = low + high
    places = context.words(context.code)[1]
    if clear == 0:
        return (
            f"None of the {count(found.areas)} {places} can be told from the national average with confidence: "
            "the differences between them are small beside what the survey can show."
        )
    below, above = sides(context.higher_is_better)
    share = percent((found.below + found.above) / found.areas)
    wrong = found.wrong_side
    expected = f"about {count(rounded(wrong))}" if wrong >= 1.5 else "about one" if wrong >= 0.5 else "fewer than one"
    return (
        f"Of {count(found.areas)} {places}, {count(clear)} ({share}) are clearly different from the national average: "
        f"{count(high)} above ({above}) and {count(low)} below ({below}); {expected} of them "
        f"{'are' if wrong >= 1.5 else 'is'} expected to be on the wrong side."
    )


def headline_view(context: ReportContext) -> dict[str, Any]:
    """The national figure with its interval, the headline and the bar of classes."""
    rows = context.rows(context.code)
    found = headline(rows, context.higher_is_better)
    scale = Scale(context.kind)
    nation = context.rows("national").iloc[0]
    lower, upper = float(nation["ci90_lower"]), float(nation["ci90_upper"])
    shares = [n / max(found.areas, 1) for n in found.counts]
    middle = percent(shares[2])
    title = (
        f"{middle} of areas cannot be told from the average"
        if shares[2] >= 0.5
        else f"{percent(1 - shares[2])} of areas are clearly or probably different from the average"
    )
    labels = legend_labels(context.higher_is_better)
    spoken = ", ".join(f"{percent(s)} {w}" for s, w in zip(shares, SHORT_LABELS, strict=True))
    return {
        "national": scale.number(float(nation["mean"]), upper - lower),
        "interval": scale.interval(lower, upper),
        "estimand": context.estimand,
        "scale": scale_words(context),
        "sentence": headline_words(context, found),
        "figure": FigurePart(
            title=title,
            drawing=Markup(draw_class_bar(found.counts, "classes", f"{title}: {spoken}.")),
            note="“Clearly” means a probability of at least 97.5% of being on that side of the national figure, "
            "“probably” one of 80% to 97.5%; anything less cannot be told from the average.",
        ),
        "legend": [(DIVERGING[k], labels[k], count(n)) for k, n in enumerate(found.counts)],
    }
