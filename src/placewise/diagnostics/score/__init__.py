"""Score a table of estimates against a known truth."""

from placewise.diagnostics.score.bars import judge
from placewise.diagnostics.score.command import run_score
from placewise.diagnostics.score.tabulate import score_tables
from placewise.diagnostics.score.text import score_text
from placewise.diagnostics.score.truth import build_truth

__all__ = ["build_truth", "judge", "run_score", "score_tables", "score_text"]
