"""What the page of a survey begins and ends with: the whole in a few facts, the checks, the files, who was left out."""

from __future__ import annotations

from typing import Any

from placewise.diagnostics.survey import SurveyDescription
from placewise.publish.report.parts import Cell, TablePart
from placewise.publish.wording import count, joined
from placewise.surveys.account import Account
from placewise.surveys.disclosure import told, told_or_withheld

READERS = {
    "table": "a table of respondents",
    "ukhls": "Understanding Society",
    "cls": "Community Life Survey",
}
WORDS = {"pass": "passed", "warn": "look", "fail": "failed"}


def opening_view(described: SurveyDescription) -> dict[str, Any]:
    """Facts of the survey, and the verdict over its checks."""
    account = described.account
    worst = next((v for v in ("fail", "warn") if any(c.verdict == v for c in described.checks)), "pass")
    design = account.design
    facts = [
        ("Read as", READERS.get(account.reader, account.reader)),
        ("Respondents", f"{told(account.kept)} of {told(account.told_rows(account.read))} rows read"),
        ("Files", joined([file.name for file in account.files])),
        ("Weight", design.weight or "none: everyone counts once"),
        ("Sampling units", design.psu or "not named: each respondent is taken as one"),
        ("Strata", design.strata or "not named: taken as one"),
        ("Variables", _variables(account)),
    ]
    return {"facts": facts, "status": worst, "badge": _badge(described, worst), "failed": worst == "fail"}


def _variables(account: Account) -> str:
    made = {v.name for v in account.variables if v.column}
    absent = sorted({v.name for v in account.variables} - made)
    return f"{len(made)}" + (f"; not in the files: {', '.join(absent)}" if absent else "")


def _badge(described: SurveyDescription, worst: str) -> tuple[str, str]:
    n = sum(c.verdict == worst for c in described.checks)
    of = f"of {len(described.checks)} checks"
    if not described.checks:
        return "not checked", "There is nothing to check this survey against."
    if worst == "pass":
        return "passed", f"All {len(described.checks)} checks passed."
    said = "failed: mend what they name before any use." if worst == "fail" else "should make you look twice."
    return WORDS[worst], f"{count(n)} {of} {said}"


def checks_view(described: SurveyDescription) -> TablePart | None:
    """Every check with its verdict, those that did not pass first."""
    if not described.checks:
        return None
    order = ("fail", "warn", "pass")
    ranked = sorted(described.checks, key=lambda c: order.index(c.verdict))
    rows = [
        [
            Cell(c.name.replace("_", " ")),
            Cell(WORDS[c.verdict], look=f"verdict {c.verdict}"),
            Cell(c.message, look="said"),
        ]
        for c in ranked
    ]
    passed = sum(c.verdict == "pass" for c in ranked)
    caption = f"{passed} of {len(ranked)} checks passed"
    return TablePart(caption, [("Check", False), ("Verdict", False), ("Found", False)], rows)


def files_view(account: Account) -> TablePart | None:
    """The files with their sizes and hashes."""
    if not account.files:
        return None
    rows = [
        [
            Cell(f"{file.name} ({file.note.removeprefix(f'{file.name}: ')})" if file.note else file.name),
            Cell(told(account.told_rows(file.rows))),
            Cell(count(file.columns)),
            Cell(file.sha256, look="code"),
        ]
        for file in account.files
    ]
    columns = [("File", False), ("Rows", True), ("Columns", True), ("SHA-256", False)]
    caption = "The file that was read" if len(rows) == 1 else f"The {len(rows)} files that were read"
    return TablePart(caption, columns, rows)


def dropped_view(account: Account) -> TablePart | None:
    """Why rows were left out."""
    if not account.dropped:
        return None
    counts = told_or_withheld([d.count for d in account.dropped])
    rows = [
        [Cell(d.reason), Cell(d.column or "–"), Cell(text)] for d, text in zip(account.dropped, counts, strict=True)
    ]
    return TablePart("Rows left out, and why", [("Reason", False), ("Column", False), ("Rows", True)], rows)
