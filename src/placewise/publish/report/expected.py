"""What the model expected before any answer, beside what it says after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from placewise.publish.context import ReportContext
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.wording import Scale, count, joined, label_words

PREFIX = "prior: "


def expected_view(context: ReportContext) -> dict[str, Any] | None:
    """A table of prior and posterior and a sentence of judgement; None where it was not recorded."""
    told = context.expected
    if told is None:
        return None
    if "improper" in told:
        names = joined([label_words(name) for name in told["improper"]])
        return {
            "table": None,
            "verdict": f"What the model expected before any answer cannot be shown: the prior of {names} is flat, and "
            "nothing can be drawn from it.",
        }
    scale, many = Scale(context.kind), context.words(context.code)[1]
    written = {
        "The nation": ("national", _interval),
        f"How much {many} differ (standard deviation)": ("spread", _sizes),
        f"One of the {many}": ("figures", _interval),
    }
    rows = [
        [Cell(label), *(Cell(write(told[name][when], scale)) for when in ("prior", "posterior"))]
        for label, (name, write) in written.items()
    ]
    columns = [("Figure", False), ("Expected before any answer, 90%", True), ("With the answers, 90%", True)]
    return {"table": TablePart(_caption(context, scale, many), columns, rows), "verdict": _verdict(context, many)}


def _caption(context: ReportContext, scale: Scale, many: str) -> str:
    told = context.expected
    assert told is not None
    return (
        f"Before any answer, {many} were expected to differ by {_sizes(told['spread']['prior'], scale)} (standard "
        f"deviation); with the answers it is {_sizes(told['spread']['posterior'], scale)}"
    )


def _sizes(ends: Sequence[float | None], scale: Scale) -> str:
    """Both ends of a size, in points where the figures are per cent."""
    low, high = (None if end is None else f"{end * scale.factor:#.2g}".rstrip(".") for end in (ends[0], ends[2]))
    unit = " points" if scale.kind == "share" else ""
    return f"{low}{unit} or any more" if high is None else f"{low} to {high}{unit}"


def _interval(ends: Sequence[float | None], scale: Scale) -> str:
    low, high = ends[0], ends[2]
    return "beyond what numbers hold" if low is None or high is None else scale.interval(low, high)


def _verdict(context: ReportContext, many: str) -> str:
    told = context.expected
    assert told is not None
    checks = {str(c.get("name", "")): c for c in context.diagnostics.get("checks", ())}
    warned = [name for name, c in checks.items() if name.startswith(PREFIX) and c.get("verdict") == "warn"]
    if warned:
        return " ".join(str(checks[name].get("sentence", "")) for name in warned)
    if told["beyond"] is None:
        return f"Over {count(told['areas'])} {many}."
    share = "less than 0.1%" if told["beyond"] < 0.001 else f"{told['beyond']:.1%}"
    return (
        f"Over {count(told['areas'])} {many}; {share} of the expectation is on larger differences than in any outcome "
        "known."
    )
