"""How each variable was made: from which column, which code became what, how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from placewise.publish.report.parts import Cell, TablePart
from placewise.surveys.account import Account, VariableAccount
from placewise.surveys.disclosure import THRESHOLD, nearest_ten, tellable, told_or_withheld

KINDS = {"category": "categories", "number": "a number", "code": "a code, as stored"}


@dataclass(frozen=True)
class VariablePart:
    """One variable: a line that says where it comes from, what was asked, and what each value became."""

    title: str
    wording: str
    note: str
    table: TablePart | None


def variables_view(account: Account) -> dict[str, Any]:
    """An overview, and the mapping of each variable."""
    return {
        "overview": _overview(account),
        "parts": [_part(v) for v in account.variables if v.column],
        "absent": [v for v in account.variables if not v.column],
    }


def _overview(account: Account) -> TablePart | None:
    found = [v for v in account.variables if v.column]
    if not found:
        return None
    rows = []
    several = len({v.file for v in found}) > 1
    for v in found:
        # exact ones would tell, beside its mapping, what that withholds
        few = None in tellable(v.counts())
        counts = told_or_withheld(
            [nearest_ten(n) if few and n >= THRESHOLD else n for n in (v.answered, v.declared, v.blank)]
        )
        cells = [Cell(v.name), Cell(v.column), *([Cell(v.file)] if several else []), Cell(KINDS.get(v.kind, v.kind))]
        rows.append([*cells, *(Cell(text) for text in counts)])
    columns = [("Variable", False), ("From column", False), *([("File", False)] if several else [])]
    columns += [("Becomes", False), ("Answered", True), ("Missing code", True), ("Blank", True)]
    return TablePart(f"{len({v.name for v in found})} variables", columns, rows)


def _part(variable: VariableAccount) -> VariablePart:
    where = f" in {variable.file}" if variable.file else ""
    title = f"{variable.name}, from {variable.column}{where}"
    note = f"Each value was changed: {variable.transformed}. " if variable.transformed else ""
    return VariablePart(title, variable.wording, f"{note}{variable.note}".strip(), _mapping(variable))


def _mapping(variable: VariableAccount) -> TablePart | None:
    *mapped, other, blank = told_or_withheld(variable.counts())
    rows = [
        [Cell(m.raw), Cell(m.label or "–"), Cell(m.category or "missing", look="" if m.category else "low"), Cell(text)]
        for m, text in zip(variable.mapping, mapped, strict=True)
    ]
    if other != "0":
        rows.append([Cell("any other value"), Cell("–"), Cell("kept as it is"), Cell(other)])
    if blank != "0":
        rows.append([Cell("blank"), Cell("–"), Cell("missing", look="low"), Cell(blank)])
    columns = [("Value in the file", False), ("Its label", False), ("Became", False), ("Respondents", True)]
    return TablePart(f"{variable.name}: what each value became", columns, rows) if rows else None
