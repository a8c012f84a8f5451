"""What moves when an assumption does: survey weights, a second survey, and the priors of how much groups differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from placewise.diagnostics.sensitivity import SHIFT
from placewise.models.design_effects import RATIO
from placewise.publish.context import ReportContext
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.report.special import grouping_words
from placewise.publish.wording import SDS, Scale, count, even, joined, label_words, sentence_case, typical

MOST_NAMED, MOST_ROWS = 5, 10
CHANGES = {"halved": "expected half as large", "doubled": "expected twice as large"}


def alternatives_view(context: ReportContext) -> dict[str, Any] | None:
    """Sentences on weights and priors, and tables; None where nothing was tried."""
    tried = context.alternatives
    if tried is None:
        return None
    return {
        "of": _separate(context),
        "weights": _weights(context, tried),
        "moved": _moved_areas(context, tried),
        "others": _others(context, tried),
        "refits": _refits(context, tried),
        "set": _learned(tried),
        "powers": _powers(context, tried),
    }


def _separate(context: ReportContext) -> str:
    """Of which fit this section is, where the outcome is modelled with others."""
    if not context.joint:
        return ""
    return (
        "What follows is of this outcome fitted by itself, other choices and “as published” alike: with the outcomes "
        "that it is modelled together with, none of it was tried."
    )


def _weights(context: ReportContext, tried: Mapping[str, Any]) -> str:
    found = tried["weights"]
    if found is None:
        return "The survey has no weights, so there is no weighted fit to compare with."
    if "failed" in found:
        return f"A fit with the survey's weights was tried and failed: {found['failed']}."
    scale, margin = Scale(context.kind), 3.3 * found["sd"]
    published = tried["priors"]["published"]["mean"]
    sentences = [
        f"With the survey's weights the national figure would be {scale.number(found['mean'], margin)} instead of "
        f"{scale.number(published, margin)}: {_moved(found['national'])}."
    ]
    if found["areas"]:
        one, many = context.words(tried["level"])
        beyond = len(found["moved"])
        chance = f"Weights as uneven as these would move {_about(found['chance'])} of them so far by chance alone."
        sentence = f"Of {count(found['areas'])} {many}, none moves by more than that allows."
        if beyond:
            named = [_name(context, tried["level"], code) for code in found["moved"][:MOST_NAMED]]
            more = f" and {count(beyond - len(named))} more" if beyond > len(named) else ""
            sentence = (
                f"{count(beyond)} of {count(found['areas'])} {many} move by more than half of their own uncertainty: "
                f"{joined(named) if not more else ', '.join(named) + more}. {chance} Where it is more than chance, who "
                "answered differs from who lives there in ways that the model does not know; treat the figure of such "
                f"a {one} with care."
            )
        sentences.append(sentence)
    if found["corrected"]:
        wide = sorted(found["corrected"].items(), key=lambda item: -item[1])
        named = [f"{label_words(name)} ({ratio:.1f})" for name, ratio in wide]
        sentences.append(
            "The sample's design makes these more uncertain than the weighted fit says (ratio of variances in "
            f"brackets), and there the weighted fit was corrected: {joined(named[:MOST_NAMED])}."
        )
    elif found["ratios"]:
        sentences.append(
            "The sample's design makes no slope or level much more uncertain than the weighted fit says (the largest "
            f"ratio of variances is {max(found['ratios'].values()):.2f}; above {RATIO:g} it would be corrected)."
        )
    return " ".join(sentences)


def _moved(shift: float) -> str:
    size = "more" if abs(shift) > SHIFT else "less"
    if shift == 0:
        return "no change at all"
    return f"a move of {abs(shift):.2f} times its own uncertainty, {size} than the half that would be worrying"


def _name(context: ReportContext, level: str, code: str) -> str:
    rows = context.rows(level).set_index("area_code")["area_name"]
    return str(rows.get(code, code))


def _learned(tried: Mapping[str, Any]) -> str:
    if tried["priors"]["refits"]:
        return ""
    return "The survey itself decided every size of difference between groups, so no prior was changed."


def _group(context: ReportContext, name: str) -> str:
    if name == "geography":
        return "areas of all sizes"
    return SDS.get(name, grouping_words(context, name))


def _about(number: float) -> str:
    return "hardly any" if number < 0.5 else f"up to about {count(number)}"


def _moved_areas(context: ReportContext, tried: Mapping[str, Any]) -> TablePart | None:
    """The areas that survey weights move most, of those moved by more than half of their own uncertainty."""
    found = tried["weights"]
    if not found or "failed" in found or not found["moved"]:
        return None
    scale, level = Scale(context.kind), str(tried["level"])
    table = context.rows(level).set_index("area_code")
    rows, shown = [], list(zip(found["moved"], found["shifts"], strict=True))[:MOST_ROWS]
    own = table.loc[[code for code, _ in shown]]
    width = typical(own["ci90_upper"] - own["ci90_lower"])
    sizes = even((abs(shift) * sd * scale.factor for (_, shift), sd in zip(shown, own["sd"], strict=True)), 2)
    for (code, shift), size, (_, row) in zip(shown, sizes, own.iterrows(), strict=True):
        figure = scale.estimate(float(row["mean"]), float(row["ci90_lower"]), float(row["ci90_upper"]), width)
        move = f"{'+' if shift >= 0 else '−'}{size}"
        rows.append([Cell(_name(context, level, code)), Cell(figure), Cell(move), Cell(_signed(f"{shift:+.2f}"))])
    unit = ", points" if scale.kind == "share" else ""
    columns = [
        (sentence_case(context.words(level)[0]), False),
        ("As published, 90% interval", True),
        (f"Move with survey weights{unit}", True),
        ("In units of its uncertainty", True),
    ]
    return TablePart(f"Where survey weights would move the figures of {context.words(level)[1]} most", columns, rows)


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _others(context: ReportContext, tried: Mapping[str, Any]) -> TablePart | None:
    """The figures with survey weights, and with less of each survey but the reference."""
    weights, surveys = tried["weights"], tried["surveys"]
    told = [] if weights is None else [("With survey weights", weights)]
    for refit in surveys:
        name, half = f"“{label_words(refit['survey'])}”", refit["power"] > 0
        told.append((f"Each answer of {name} counted half" if half else f"Without the answers of {name}", refit))
    if not told:
        return None
    rows = _rows(context, [("As published", tried["priors"]["published"]), *told])
    names = ["survey weights"] * (weights is not None) + ["less of one survey"] * bool(surveys)
    return TablePart(f"What {joined(names)} would change", _columns(context, tried), rows)


def _refits(context: ReportContext, tried: Mapping[str, Any]) -> TablePart | None:
    refits = tried["priors"]["refits"]
    if not refits:
        return None
    told = [("As published", tried["priors"]["published"])]
    for refit in refits:
        told.append(
            (sentence_case(f"{_group(context, refit['group'])}: differences {CHANGES[refit['change']]}"), refit)
        )
    rows = _rows(context, told)
    fitted = [r for r in refits if "failed" not in r]
    many = context.words(tried["level"])[1] if tried["level"] else "areas"
    caption = "What other expectations of how much groups differ would change"
    if fitted and max(max(abs(r["national"]), abs(r["largest"])) for r in fitted) <= SHIFT:
        caption = f"No other expectation of how much groups differ would move the nation or any of the {many} much"
    return TablePart(caption, _columns(context, tried), rows)


def _columns(context: ReportContext, tried: Mapping[str, Any]) -> list[tuple[str, bool]]:
    many = context.words(tried["level"])[1] if tried["level"] else "areas"
    return [
        ("Setting", False),
        ("National figure", True),
        ("Its move, in units of its uncertainty", True),
        (f"Largest move of one of the {many}, likewise", True),
        ("Spread of the small areas", True),
        ("Small areas clearly different", True),
        ("Mean width of their 90% intervals", True),
    ]


def _rows(context: ReportContext, settings: Sequence[tuple[str, Mapping[str, Any]]]) -> list[list[Cell]]:
    """One row a setting, each column with the same number of decimals throughout."""
    scale = Scale(context.kind)
    unit = " points" if scale.kind == "share" else ""
    fitted = [told for _, told in settings if "failed" not in told]
    spreads, widths = (iter(even(told[name] * scale.factor for told in fitted)) for name in ("spread", "width"))
    return [
        [Cell(label), Cell("failed"), *[Cell("–")] * 5]
        if "failed" in told
        else [
            Cell(label),
            Cell(f"{told['mean'] * scale.factor:.2f}{scale.unit}"),
            Cell(_signed(f"{told['national']:.2f}")),
            Cell(_signed(f"{told['largest']:.2f}")),
            Cell(f"{next(spreads)}{unit}"),
            Cell(f"{100 * told['clear']:.1f}%"),
            Cell(f"{next(widths)}{unit}"),
        ]
        for label, told in settings
    ]


def _powers(context: ReportContext, tried: Mapping[str, Any]) -> TablePart:
    names = {"national": "the national figure", "spread": "how much small areas differ (σ)",
             "clear": "how many small areas are clearly different"}  # fmt: skip
    rows: list[list[Cell]] = []
    leaning: list[str] = []
    for name, found in tried["powers"].items():
        label = names.get(name, "")
        if name == "areas":
            label = f"the most sensitive of {count(found['of'])} {context.words(tried['level'])[1]}"
        verdict = "leans on the priors" if found["leans"] else "does not lean on them"
        leaning += [label] * bool(found["leans"])
        figures = Cell(f"{found['value']:.3f}"), Cell(f"{found['threshold']:g}")
        rows.append([Cell(sentence_case(label)), *figures, Cell(verdict)])
    caption = "No figure leans on the priors"
    if leaning:
        caption = f"What leans on the priors: {joined(leaning)}"
    columns = [("Figure", False), ("Change", True), ("Limit", True), ("Verdict", False)]
    return TablePart(caption, columns, rows)
