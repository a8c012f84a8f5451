"""Sections 8 and 9: who answered; how it was made and how not to use it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from placewise.publish.context import ReportContext
from placewise.publish.report.benchmark import benchmark_view
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.report.special import special_steps
from placewise.publish.report.together import together_steps
from placewise.publish.uses import CAVEATS, FORBIDDEN_USES, GOOD_USES
from placewise.publish.wording import ENGINES, FAMILIES, count, label_words, percent
from placewise.surveys.disclosure import THRESHOLD, told, told_roughly, withheld


def respondents_view(context: ReportContext) -> dict[str, Any]:
    """Surveys, what was left out, and answers by group beside the frame."""
    return {
        "surveys": _surveys(context),
        "dropped": _dropped(context),
        "checks": _checks(context),
        "groups": [_responses(name, table) for name, table in context.responses.items() if len(table)],
        "weights": [s for s in context.surveys if s.weight],
        "notes": list(context.notes),
    }


def _surveys(context: ReportContext) -> TablePart | None:
    if not context.surveys:
        return None
    columns = [("Survey", False), ("Years", False), ("Mode", False), ("People who answered", True)]
    rows = [
        [Cell(s.name), Cell(s.years or "not stated"), Cell(s.mode or "not stated"), Cell(told(s.respondents))]
        for s in context.surveys
    ]
    return TablePart(f"{count(context.respondents)} {context.people} answered", columns, rows)


def _dropped(context: ReportContext) -> TablePart | None:
    rows = [
        [Cell(s.name), Cell(reason), Cell(told_roughly(n) if n else "0")]
        for s in context.surveys
        for reason, n in s.dropped
    ]
    if not rows:
        return None
    total = sum(n for s in context.surveys for _, n in s.dropped)
    share = percent(total / max(total + context.respondents, 1))
    # the share, not the sum: from that a count that is withheld could be worked out
    caption = f"{share} of the rows were left out" if total else "No row was left out"
    return TablePart(caption, [("Survey", False), ("Reason", False), ("Rows", True)], rows)


def _checks(context: ReportContext) -> TablePart | None:
    """What was checked as the surveys were read, what did not pass first."""
    found = [(s.name, *check) for s in context.surveys for check in s.checks]
    if not found:
        return None
    ranked = sorted(found, key=lambda check: ("fail", "warn", "pass").index(check[2]))
    rows = [
        [Cell(name), Cell(label_words(check)), Cell(verdict, look=f"verdict {verdict}"), Cell(message)]
        for name, check, verdict, message in ranked
    ]
    odd = sum(verdict != "pass" for _, _, verdict, _ in found)
    caption = f"{odd} of {len(found)} checks of the survey did not pass" if odd else "The survey passed its checks"
    return TablePart(caption, [("Survey", False), ("Check", False), ("Verdict", False), ("Found", False)], rows)


def _responses(name: str, table: pd.DataFrame) -> TablePart:
    rows = []
    respondents = table["respondents"].to_numpy(dtype=float)
    hidden = withheld(respondents) | (respondents == 0)
    for few, (_, r) in zip(hidden, table.iterrows(), strict=True):
        frame = float(r["frame_share"]) if pd.notna(r["frame_share"]) else None
        share = float(r["survey_share"])
        gap = "–" if few or frame is None else _points(share - frame)
        rows.append(
            [
                Cell(str(r["category"])),
                Cell("not shown" if few and r["respondents"] >= THRESHOLD else told(int(r["respondents"]))),
                Cell("–" if few else percent(share)),
                Cell("not known" if frame is None else percent(frame)),
                Cell(gap),
            ]
        )
    label = label_words(name)
    shown = table[~hidden].dropna(subset=["frame_share"])
    caption = f"Respondents by {label}"
    if len(shown):
        excess = shown["survey_share"].to_numpy(dtype=float) - shown["frame_share"].to_numpy(dtype=float)
        size = np.abs(excess)
        most = int(size.argmax())
        way = "over" if excess[most] > 0 else "under"
        caption = f"By {label}: {shown['category'].iloc[most]} is the most {way}-represented"
        if size[most] < 0.01:
            caption = f"By {label}: respondents are as the population is"
    columns = [("Group", False), ("Respondents", True), ("Of respondents", True), ("Of population", True),
               ("Difference, points", True)]  # fmt: skip
    return TablePart(caption, columns, rows)


def _points(difference: float) -> str:
    whole = round(100 * difference)
    return f"{whole:+d}".replace("-", "−") if whole else "0"


def method_view(context: ReportContext) -> dict[str, Any]:
    """The method in a page, its limits, its uses, its provenance."""
    facts = [
        *context.card.items(),
        ("Model", context.formula),
        ("Family", FAMILIES.get(context.family, context.family)),
        ("Computation", _computation(context)),
        ("Seed", str(context.seed)),
        ("Made on", context.date),
        ("Command", context.command),
    ]
    return {
        "steps": _steps(context),
        "benchmark": benchmark_view(context),
        "caveats": (*context.limits, *CAVEATS),
        "forbidden": (*context.forbidden_uses, *FORBIDDEN_USES),
        "good": (*context.good_uses, *GOOD_USES),
        "facts": [(k, v) for k, v in facts if v],
        "hashes": _pairs("The data that went in, by SHA-256", ("File", "Hash"), context.data_hashes),
        "versions": _pairs("Versions of the software", ("Package", "Version"), context.versions),
        "attribution": list(context.attribution),
        "licence": context.licence,
    }


def _computation(context: ReportContext) -> str:
    said = ENGINES.get(context.engine, context.engine)
    said += f", {count(context.draws)} draws" if context.draws else ""
    return f"{said}. {context.escalation}" if context.escalation else said


def _pairs(caption: str, heads: tuple[str, str], found: Any) -> TablePart | None:
    if not found:
        return None
    rows = [[Cell(str(k)), Cell(str(v), look="code")] for k, v in sorted(found.items())]
    return TablePart(caption, [(heads[0], False), (heads[1], False)], rows)


def _steps(context: ReportContext) -> list[tuple[str, str]]:
    family = FAMILIES.get(context.family, "regression")
    article = "An" if family[:1] in "aeiou" else "A"
    small = context.words(context.code)[1]
    steps = [
        (
            "Learn.",
            f"{article} {family} relates each answer to facts about the person and about the area they live in. Groups "
            "of people and places share what they know: a group with few respondents is drawn to the average.",
        )
    ]
    steps += [*special_steps(context), *together_steps(context)]
    if context.has_frame:
        steps.append(
            (
                "Project.",
                f"For each of the {small}, sampled or not, the model predicts every kind of person and counts each "
                "kind as often as it lives there (poststratification), so that who answered no longer matters for the "
                "groups the model knows.",
            )
        )
    else:
        steps.append(("Project.", f"The model predicts each of the {small}, sampled or not, from the facts about it."))
    steps.append(
        (
            "Keep the doubt.",
            "Every area has an effect of its own, drawn anew each time, because no list of facts tells all about a "
            "place. Without it the intervals would be far too narrow.",
        )
    )
    if context.finite_population:
        steps.append(
            (
                "Count people.",
                "The figure is what a count of everyone in the area would have found. In a small area chance decides "
                "who lives there, and the interval includes that.",
            )
        )
    steps.append(
        (
            "Add up.",
            "Larger areas and the nation are sums over the same simulated small areas, so that all figures agree with "
            "each other. The index sets the nation at 0 and one standard deviation between small areas at 1, turned so "
            f"that above 0 is better; its base is {context.index_base}.",
        )
    )
    return steps
