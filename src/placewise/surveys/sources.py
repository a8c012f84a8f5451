"""Which files a survey is read from, whatever its reader: what its results depend on."""

from __future__ import annotations

from pathlib import Path

from placewise.surveys.spec import SurveySpec
from placewise.surveys.ukhls.files import study_files
from placewise.surveys.ukhls.vintages import geography_files


def survey_files(spec: SurveySpec) -> tuple[Path, ...]:
    """Every file that the survey may be read from, each once; a file that the project names need not exist."""
    files = _ukhls(spec) if spec.reader == "ukhls" else [spec.path]
    return tuple(dict.fromkeys([*files, *([] if spec.recode is None else [spec.recode])]))


def _ukhls(spec: SurveySpec) -> list[Path]:
    files = [path for paths in study_files(spec.path, spec.waves).values() for path in paths]
    if spec.geography is not None:
        files += [path for paths in geography_files(spec.geography, spec.waves).values() for path in paths]
        files += [] if spec.geography.lookup is None else [spec.geography.lookup.path]
    return files
