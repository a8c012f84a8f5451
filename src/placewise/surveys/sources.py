"""Which files hold the answers of a survey, whatever its reader: what its results depend on."""

from __future__ import annotations

from pathlib import Path

from placewise.surveys.spec import SurveySpec
from placewise.surveys.ukhls.files import study_files
from placewise.surveys.ukhls.vintages import geography_files


def survey_files(spec: SurveySpec) -> tuple[Path, ...]:
    """Every file that respondents may be read from, each once; one that the project names need not exist."""
    codebook = spec.community_life.codebook if spec.community_life is not None else None
    files = _ukhls(spec) if spec.reader == "ukhls" else [spec.path, *([codebook] if codebook is not None else [])]
    return tuple(dict.fromkeys(files))


def _ukhls(spec: SurveySpec) -> list[Path]:
    files = [path for paths in study_files(spec.path, spec.waves).values() for path in paths]
    if spec.geography is not None:
        files += [path for paths in geography_files(spec.geography, spec.waves).values() for path in paths]
        files += [] if spec.geography.lookup is None else [spec.geography.lookup.path]
    return files
