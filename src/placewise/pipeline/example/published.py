"""Published national figures that the made-up surveys are steered by, by item, as shares of adults."""

from __future__ import annotations

from collections.abc import Mapping

from placewise.surveys.cls.concepts import CONCEPTS
from placewise.surveys.cls.published import FIGURES

# By wave and item: the share who agree with the statement, from the ONS's publications on the UK Household Longitudinal
# Study. Talking to neighbours was published for wave f, and that it fell by 4 points from wave c to wave i, exchanging
# favours by 3: half of each fall lies between c and f. Trust: 61% in towns and 78% elsewhere, .64 over both.
UNDERSTANDING_SOCIETY: Mapping[str, Mapping[str, float]] = {
    "c": {"scopngbhg": 0.61, "scopngbhh": 0.70, "nbrcoh3": 0.64},
    "f": {"scopngbhh": 0.68, "scopngbhd": 0.415},
}

# Share who chat to their neighbours at least monthly: Community Life Survey 2020/21, gov.uk.
CHAT_BY_AGE: Mapping[str, float] = {"16-24": 0.52, "65+": 0.85}


def community_life(years: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Figures of the Community Life Survey, by survey year and the item's name in its deposits.

    Examples
    --------
    >>> community_life(("2021-22",))
    {'2021-22': {'SFavN': 0.36, 'SchatN': 0.72, 'SBeNeigh': 0.63}}
    """
    item = {variable.name: variable.columns[0] for variable in CONCEPTS.variables}
    return {y: {item[f.concept]: f.percent / 100 for f in FIGURES if f.year == y} for y in years}
