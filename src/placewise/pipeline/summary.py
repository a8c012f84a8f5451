"""What a run tells when it ends: to a person, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class OutcomeResult:
    """How one outcome went.

    Parameters
    ----------
    name : str
        Name of the outcome.
    status : str
        ``pass``, ``warn`` or ``fail`` of the diagnostics; empty where the run stopped before them.
    reasons : tuple of str
        Why the status is not ``pass``.
    stages : mapping of str to str
        ``computed`` or ``up to date`` for each stage that was asked for and reached.
    published : bool
        Whether estimates and report stand in the folder of results.
    """

    name: str
    status: str = ""
    reasons: tuple[str, ...] = ()
    stages: Mapping[str, str] = field(default_factory=dict)
    published: bool = False


@dataclass(frozen=True)
class RunSummary:
    """How a run went.

    Parameters
    ----------
    out : Path
        Folder of results.
    outcomes : tuple of OutcomeResult
        In the order they were computed.
    warnings : tuple of str
        Sentences said on the way.
    seconds : float
        Wall time.
    allowed : bool
        Whether failed diagnostics were allowed.
    """

    out: Path
    outcomes: tuple[OutcomeResult, ...]
    warnings: tuple[str, ...]
    seconds: float
    allowed: bool = False

    @property
    def exit_status(self) -> int:
        """0, or 1 where diagnostics failed and that was not allowed."""
        return int(any(o.status == "fail" for o in self.outcomes) and not self.allowed)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "status": "failed" if self.exit_status else "done",
            "exit_status": self.exit_status,
            "out": str(self.out),
            "seconds": round(self.seconds, 3),
            "warnings": list(self.warnings),
            "outcomes": {
                o.name: {
                    "status": o.status,
                    "reasons": list(o.reasons),
                    "stages": dict(o.stages),
                    "published": o.published,
                }
                for o in self.outcomes
            },
        }

    def text(self) -> str:
        """A few lines for a person."""
        lines = [_line(o) for o in self.outcomes]
        index = self.out / "index.html"
        if index.is_file():
            lines.append(f"Open {index} in a browser.")
        elif not self.exit_status:
            lines.append(f"Results are in {self.out}.")
        return "\n".join(lines)

    def wrong(self) -> str:
        """What did not pass, for a person; empty where everything did."""
        return "\n".join(_line(o) for o in self.outcomes if o.status in ("warn", "fail"))


def _line(outcome: OutcomeResult) -> str:
    computed = [stage for stage, how in outcome.stages.items() if how == "computed"]
    work = f"computed {', '.join(computed)}" if computed else "up to date"
    status = f"diagnostics {outcome.status}; " if outcome.status else ""
    reasons = "".join(f"\n  - {reason}" for reason in outcome.reasons)
    stopped = (
        "; nothing is published (--allow-fail would, watermarked)"
        if (outcome.status == "fail" and not outcome.published)
        else ""
    )
    return f"{outcome.name}: {status}{work}{stopped}{reasons}"
