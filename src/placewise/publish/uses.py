"""What the estimates are, what they are not, and what they must not be used for."""

from __future__ import annotations

CAVEATS: tuple[str, ...] = (
    "The figures are modelled, not measured: they say what we would expect, given who lives in an area and where it "
    "is, not what was observed there.",
    "Most small areas have no respondents at all. Their figures come from the rest of the survey, through the facts "
    "known about every area.",
    "Something particular to one place (a flood, a closed factory, a strong residents' association) is not seen "
    "unless it shows in those facts or in the answers of enough people there.",
    "The intervals hold if the model's assumptions do. They do not cover errors of the survey itself: who was left "
    "out, who did not answer, how a question was understood.",
    "Facts about areas and answers of people may be of different dates; change in between is not seen.",
)

FORBIDDEN_USES: tuple[str, ...] = (
    "Do not use them to evaluate a local programme: the model does not know of it, so the figures "
    "cannot show its effect.",
    "Do not rank single areas, name the best or worst, or pay by rank: the rank of one small area is hardly known.",
    "Do not read a difference between two areas, or between two runs, off the map: look at its own interval.",
    "Do not take a figure of an area as a fact about any person who lives there.",
    "Do not explain the figures by a fact that the model was given: the relation was put in, it is not a finding.",
    "Do not use figures marked as saying little, without the larger area beside them, nor any figure of a run "
    "that failed its checks.",
)

GOOD_USES: tuple[str, ...] = (
    "to see where areas as a group are likely to be above or below the average, with the probability beside them;",
    "to find places worth a closer look with local knowledge or a local survey;",
    "to describe local authorities and regions, whose figures rest on more respondents;",
    "to compare groups of areas: the command “placewise aggregate” gives any group its own figure and interval.",
)
