"""How many people the two widened surveys ask."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SurveySize:
    """Size of both surveys.

    Parameters
    ----------
    face_to_face, visits : int
        Lower-layer areas of the Community Life Survey's face-to-face year, and adults approached in each.
    online : int
        Adults approached in each of its other years.
    psus, households : int
        Lower-layer areas of the household panel, and households in each.
    boost : int
        Lower-layer areas that join the panel in wave f.
    """

    face_to_face: int
    visits: int
    online: int
    psus: int
    households: int
    boost: int


SMALL = SurveySize(face_to_face=20, visits=15, online=700, psus=24, households=14, boost=3)
STANDARD = SurveySize(face_to_face=110, visits=20, online=9_000, psus=200, households=18, boost=20)
NATIONAL = SurveySize(face_to_face=250, visits=20, online=18_000, psus=1_500, households=16, boost=120)
