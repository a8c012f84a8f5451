"""Every problem of a project in one list; nothing is computed or written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from placewise.errors import PlacewiseError
from placewise.pipeline import atomic, benchmarks, joint, modelling
from placewise.pipeline.load import OutcomeData, ProjectInputs
from placewise.pipeline.project_file import collect
from placewise.pipeline.run import LEAST_ROOM, RunOptions, require_project
from placewise.surveys.disclosure import told_roughly


@dataclass(frozen=True)
class CheckReport:
    """What a project without problems holds.

    Parameters
    ----------
    project : str
        Its title.
    outcomes : tuple of str
        One sentence each.
    notes : tuple of str
        What was left out or is worth knowing.
    """

    project: str
    outcomes: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "status": "done",
            "exit_status": 0,
            "problems": [],
            "outcomes": list(self.outcomes),
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """A few lines for a person."""
        return "\n".join([f"{self.project}: no problems.", *self.outcomes, *(f"  - {note}" for note in self.notes)])


def check_folder(folder: Path, options: RunOptions) -> CheckReport:
    """Check a project folder: its files, its settings, its data, and that results can be written.

    Raises
    ------
    PlacewiseError
        Every problem at once.
    """
    require_project(folder)
    spec, problems = collect(
        folder, engine=options.engine, outcomes=options.outcomes or None, seed=options.seed, out=options.out
    )
    sentences: list[str] = []
    notes: list[str] = []
    read: dict[str, OutcomeData] = {}
    if spec is not None:
        inputs = ProjectInputs(spec, skip_absent=True)
        for name, model in spec.models.items():
            data = inputs.collect(model, problems, only_check=True)
            if data is not None:
                read[name] = data
                problems.extend(modelling.problems_of(model, data))
                problems.extend(benchmarks.problems_of(model, data, options.draws))
                notes += [f"{name}: {note}" for note in modelling.notes_of(model, data)]
                notes += [f"{name}: {note}" for note in benchmarks.notes_of(model, data)]
                sentences.append(_sentence(name, data))
                notes += _notes(name, data)
        if spec.joint and set(spec.joint) <= read.keys():
            problems.extend(joint.problems_of(spec, read))
        try:
            atomic.check_writable(spec.out, LEAST_ROOM)
        except PlacewiseError as error:
            problems.extend(error.problems)
    problems.raise_if_any()
    assert spec is not None
    return CheckReport(spec.title, tuple(sentences), tuple(dict.fromkeys(notes)))


def _sentence(name: str, data: OutcomeData) -> str:
    each = ", ".join(f"{told_roughly(len(part))} of {part.name!r}" for part in data.parts)
    several = f" ({each})" if len(data.parts) > 1 else ""
    return f"{name}: {told_roughly(len(data.respondents))} respondents{several}, {len(data.areas):,} areas"


def _notes(name: str, data: OutcomeData) -> list[str]:
    dropped = [
        f"{name}: {told_roughly(d.count)} respondents left out: {f'{d.column}: ' if d.column else ''}{d.reason}"
        for d in data.respondents.dropped
    ]
    return [*dropped, *data.notes]
