"""The table ``[joint]`` of the project file against the outcomes that there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from placewise.errors import nearest
from placewise.schema import Place

FOLDER = "joint"


def read_joint(
    found: Mapping[str, Any] | None, known: Collection[str], chosen: Sequence[str] | None, place: Place
) -> tuple[str, ...]:
    """Outcomes that are modelled together; none where the table is absent or none of them is asked for.

    Parameters
    ----------
    found : mapping or None
        The table as read.
    known : collection of str
        Every outcome of the project.
    chosen : sequence of str or None
        Outcomes that the command line names; none or an empty list stands for all.
    place : Place
        Of the project file.
    """
    outcomes: tuple[str, ...] = (found or {}).get("outcomes") or ()
    here = place.at(FOLDER).at("outcomes")
    for i, name in enumerate(outcomes):
        if known and name not in known:
            here.at(i).add(f"there is no outcome {name!r}", nearest(name, known))
    if outcomes and FOLDER in known:
        here.add(
            f"an outcome is called {FOLDER!r}, and so is the folder of what the outcomes have in common",
            "rename its model file",
        )
    asked = [name for name in outcomes if not chosen or name in chosen]
    missing = [name for name in outcomes if name not in asked]
    if asked and missing:
        every = " ".join(f"--outcome {name}" for name in outcomes)
        place.problems.add(
            "--outcome",
            f"{' and '.join(map(repr, asked))} {'is' if len(asked) == 1 else 'are'} modelled together with "
            f"{' and '.join(map(repr, missing))} ([joint]), and no one's estimates can be made without the others",
            f"name all of them, {every}, or take the table [joint] out for separate estimates",
        )
    return outcomes if asked else ()
