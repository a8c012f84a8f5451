"""Two areas of one level beside each other: found by code or name, their difference in units and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from placewise.errors import ConfigurationError, Problem, Problems, nearest
from placewise.estimates.draws import AreaDraws
from placewise.estimates.grades import FAILED
from placewise.estimates.groups import code_hint
from placewise.estimates.release import Release

MOST_SHOWN = 5
_UNITS = {"share": "percentage points", "mean": "units of the estimate", "latent": "units of the score"}
_INDEX_UNIT = "points of the index (1 is the standard deviation between the areas of its base)"


@dataclass(frozen=True, eq=False)
class Comparison:
    """The difference a − b of two areas of one level, chance in who lives there left out.

    Parameters
    ----------
    level : str
        Their level.
    a, b : str
        Their codes.
    name_a, name_b : str
        Their names; the codes where there are none.
    difference : Series
        ``mean, sd``, the intervals and ``p_greater``, in units of the estimand or of the index.
    kind : {"share", "mean", "latent"}
        What the difference is of.
    index : bool
        Whether it is in units of the index.
    higher_is_better : bool
        Of the estimate; on the index higher is always better.
    failed : bool
        Whether the fit failed its own checks.
    """

    level: str
    a: str
    b: str
    name_a: str
    name_b: str
    difference: pd.Series
    kind: str
    index: bool
    higher_is_better: bool
    failed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON values; shares are not in points here."""
        told: dict[str, Any] = {
            "level": self.level,
            "a": self.a,
            "b": self.b,
            "name_a": self.name_a,
            "name_b": self.name_b,
            "unit": "index" if self.index else self.kind,
            "higher_is_better": self.index or self.higher_is_better,
        }
        told |= {str(name): value for name, value in self.difference.items()}
        return told | ({"flag": FAILED} if self.failed else {})

    def text(self) -> str:
        """A few lines for a person."""
        found, factor = self.difference, 100.0 if self.kind == "share" and not self.index else 1.0
        a, b = (name if name == code else f"{name} ({code})" for name, code in self._areas())
        p = float(found["p_greater"])
        way, sure = ("higher", p) if p >= 0.5 else ("lower", 1.0 - p)
        worth = "better" if (way == "higher") == (self.index or self.higher_is_better) else "worse"
        lines = [
            f"{a} minus {b}, {self.level}, in {_INDEX_UNIT if self.index else _UNITS[self.kind]}",
            f"{self.name_a} is {way}, which is {worth}, with probability {_probability(sure)}",
            f"difference  {factor * found['mean']:+.3g} (sd {factor * found['sd']:.2g})",
        ]
        for width in (50, 90, 95):
            ends = (factor * found[f"ci{width}_{end}"] for end in ("lower", "upper"))
            lines.append(f"{width}%         {' to '.join(f'{end:+.3g}' for end in ends)}")
        return "\n".join([*lines, *([f"{FAILED}: the fit failed its own checks, not for use"] if self.failed else [])])

    def _areas(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.name_a, self.a), (self.name_b, self.b)


def compare_areas(release: Release, a: str, b: str, index: bool = False) -> Comparison:
    """Compare two areas of a release.

    Parameters
    ----------
    release : Release
    a, b : str
        Codes of one level, or names that only one area of it has.
    index : bool
        In units of the index instead of the estimand's.

    Raises
    ------
    ConfigurationError
        An unknown or ambiguous name, or areas of two levels.
    """
    level, code_a, code_b = _find(release, a, b)
    areas, names = AreaDraws(release.predictor, level, standard=release.standards[0]), release.names.get(level, {})
    return Comparison(
        level=level,
        a=code_a,
        b=code_b,
        name_a=names.get(code_a, code_a),
        name_b=names.get(code_b, code_b),
        difference=(areas.index() if index else areas).compare(code_a, code_b),
        kind=release.predictor.estimands[0].kind,
        index=index,
        higher_is_better=release.predictor.polarity > 0,
        failed=release.failed,
    )


def _find(release: Release, a: str, b: str) -> tuple[str, str, str]:
    """The finest level that has both areas, and their codes."""
    of_a, of_b = _meant(release, a), _meant(release, b)
    found = Problems()
    for name, levels in ((a, of_a), (b, of_b)):
        if not levels:
            found.add("areas", f"there is no area {name!r}", _hint(release, name))
    found.raise_if_any()
    shared = [level for level in of_a if level in of_b]
    if not shared:
        message = f"{a!r} is an area of {next(iter(of_a))!r} and {b!r} one of {next(iter(of_b))!r}"
        raise ConfigurationError(Problem("areas", message, "name two areas of one level"))
    level = next((one for one in shared if len(of_a[one]) == len(of_b[one]) == 1), shared[0])
    for name, codes in ((a, of_a[level]), (b, of_b[level])):
        if len(codes) > 1:
            shown = ", ".join(codes[:MOST_SHOWN]) + (" …" if len(codes) > MOST_SHOWN else "")
            found.add("areas", f"{len(codes)} areas of {level!r} are called {name!r}", f"write a code: {shown}")
    found.raise_if_any()
    return level, of_a[level][0], of_b[level][0]


def _meant(release: Release, text: str) -> dict[str, list[str]]:
    """Codes that a code or a name stands for, by level, finest first; a code goes before names."""
    predictor = release.predictor
    levels = {predictor.code: predictor.codes, **predictor.levels}
    coded = {level: [text] for level, codes in levels.items() if (codes == text).any()}
    if coded:
        return coded
    wanted = text.casefold()
    named = {
        level: [code for code, name in release.names.get(level, {}).items() if name.casefold() == wanted]
        for level in levels
    }
    return {level: codes for level, codes in named.items() if codes}


def _hint(release: Release, text: str) -> str:
    """Nearest code or name above the small areas, else what codes of these look like."""
    predictor = release.predictor
    known = {str(code) for codes in predictor.levels.values() for code in codes}
    known |= {name for level in predictor.levels for name in release.names.get(level, {}).values()}
    close = nearest(text, sorted(known)) if known else ""
    return close if close.startswith("did you mean") else code_hint(text, predictor.codes)


def _probability(p: float) -> str:
    """A probability from a finite number of draws: none is ever certain."""
    return "over 0.99" if p > 0.99 else f"{p:.2f}"
