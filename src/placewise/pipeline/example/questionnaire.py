"""What the panel's variables mean, and what its people are like beside age, sex and the traits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

MISSING = {-9: "missing", -8: "inapplicable", -7: "proxy", -2: "refusal", -1: "don't know"}
BOOST_ABSENT, BOOST_ONLY = -10, -11
BOOST = {BOOST_ONLY: "not available for non-iemb", BOOST_ABSENT: "not available for iemb"}
NO_BHPS, NO_UKHLS = -20, -21
ACROSS = {NO_UKHLS: "no data from UKHLS", NO_BHPS: "no data from BHPS"}

STATEMENTS = {
    "scopngbha": "belong to neighbourhood",
    "scopngbhb": "local friends mean a lot",
    "scopngbhc": "advice obtainable locally",
    "scopngbhd": "can borrow things from neighbours",
    "scopngbhe": "willing to improve neighbourhood",
    "scopngbhf": "plan to stay in neighbourhood",
    "scopngbhg": "am similar to others in neighbourhood",
    "scopngbhh": "talk regularly to neighbours",
    "nbrcoh3": "people in this neighbourhood can be trusted",
}
VARIABLES: Mapping[str, str] = {
    "pidp": "cross-wave person identifier (public release)",
    "pid": "bhps person identifier",
    "hidp": "household identifier (public release)",
    "pno": "person number",
    "psu": "primary sampling unit",
    "strata": "strata",
    "ivfio": "individual level outcome",
    "istrtdatd": "interview start day",
    "istrtdatm": "interview start month",
    "istrtdaty": "interview start year",
    "sex": "sex",
    "dvage": "age",
    "hhsize": "number of people in household",
    "nchild_dv": "number of children in household",
    "gor_dv": "government office region",
    "urban_dv": "urban or rural area, derived",
    "tenure_dv": "housing tenure",
    "racel_dv": "ethnic group incorp. all waves, codings, modes and bhps",
    "ethn_dv": "ethnic group (derived from multiple sources)",
    "bornuk_dv": "born in uk",
    "hiqual_dv": "highest qualification",
    "mastat_dv": "de facto marital status",
    "jbstat": "current economic activity",
    "fimngrs_dv": "total monthly personal income gross",
    "sclfsato": "satisfaction with life overall",
    "locserap": "standard of local services: primary schools",
    "locseras": "standard of local services: secondary schools",
    "nbrsnci_dv": "buckner's neighbourhood cohesion instrument, short",
} | STATEMENTS

_AGREE = {1: "strongly agree", 2: "agree", 3: "neither agree nor disagree", 4: "disagree", 5: "strongly disagree"}
_SERVICE = {1: "excellent", 2: "very good", 3: "fair", 4: "poor"}
_ETHNIC = {
    1: "british/english/scottish/welsh/northern irish (white)",
    4: "any other white background (white)",
    5: "white and black caribbean (mixed)",
    9: "indian",
    10: "pakistani",
    14: "caribbean",
    15: "african",
    97: "any other ethnic group",
}
VALUES: Mapping[str, Mapping[int, str]] = {
    "ivfio": {1: "full interview", 2: "proxy interview"},
    "sex": {1: "male", 2: "female"},
    "urban_dv": {1: "urban", 2: "rural"},
    "tenure_dv": {
        1: "owned outright",
        2: "owned with mortgage",
        3: "local authority rent",
        4: "housing assoc rented",
        5: "rented from employer",
        6: "rented private unfurnished",
        7: "rented private furnished",
        8: "other",
    },
    "racel_dv": _ETHNIC,
    "ethn_dv": _ETHNIC,
    "bornuk_dv": {0: "no", 1: "yes"},
    "hiqual_dv": {
        1: "degree",
        2: "other higher degree",
        3: "a-level etc",
        4: "gcse etc",
        5: "other qualification",
        9: "no qualification",
    },
    "mastat_dv": {1: "single", 2: "married", 5: "divorced", 6: "widowed", 10: "living as couple"},
    "jbstat": {
        1: "self employed",
        2: "paid employment",
        3: "unemployed",
        4: "retired",
        6: "family care or home",
        7: "full-time student",
        8: "lt sick or disabled",
        97: "doing something else",
    },
    "sclfsato": {1: "completely dissatisfied", 4: "neither satisfied nor dissatisfied", 7: "completely satisfied"},
    "locserap": _SERVICE,
    "locseras": _SERVICE,
    # the scale's ends alone are labelled
    "nbrsnci_dv": {1: "lowest cohesion", 5: "highest cohesion"},
} | dict.fromkeys(STATEMENTS, _AGREE)

_WORK = (1, 2, 3, 4, 6, 7, 8, 97)
# Share of each activity by age group, in the order of _WORK.
_WORK_SHARE = np.array(
    [
        [0.02, 0.42, 0.12, 0.0, 0.03, 0.38, 0.01, 0.02],
        [0.08, 0.66, 0.07, 0.0, 0.10, 0.05, 0.03, 0.01],
        [0.13, 0.65, 0.05, 0.01, 0.09, 0.01, 0.05, 0.01],
        [0.14, 0.50, 0.04, 0.18, 0.05, 0.0, 0.08, 0.01],
        [0.04, 0.06, 0.0, 0.88, 0.01, 0.0, 0.005, 0.005],
    ]
)
_STATUS = (1, 2, 5, 6, 10)
_STATUS_SHARE = np.array(
    [
        [0.87, 0.03, 0.0, 0.0, 0.10],
        [0.40, 0.32, 0.03, 0.0, 0.25],
        [0.18, 0.56, 0.11, 0.01, 0.14],
        [0.10, 0.63, 0.17, 0.04, 0.06],
        [0.06, 0.57, 0.10, 0.25, 0.02],
    ]
)


def choose(shares: np.ndarray, codes: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """One code a row, with the chances of the row; shape (n,)."""
    edge = np.cumsum(shares, axis=1)[:, :-1]
    chosen: np.ndarray = np.array(codes)[(rng.random(len(shares))[:, None] > edge).sum(axis=1)]
    return chosen


def lose(codes: np.ndarray, lost: Mapping[int, float] | Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Put missing codes in place of some values, each at its own rate."""
    u = rng.random(len(codes))
    edge = np.cumsum(list(lost.values()))
    for code, upto in reversed(list(zip(lost, edge, strict=True))):
        codes = np.where(u < upto, code, codes)
    return codes


def lasting(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Characteristics that people keep over the waves; n rows."""
    ethnic = np.array([0.86, 0.05, 0.01, 0.025, 0.02, 0.01, 0.015, 0.01])
    group = rng.choice(list(_ETHNIC), n, p=ethnic)
    return pd.DataFrame(
        {
            "racel_dv": lose(group, {-9: 0.004}, rng),
            "ethn_dv": lose(group, {-9: 0.01}, rng),
            "bornuk_dv": (rng.random(n) < np.where(group == 1, 0.98, 0.45)).astype(int),
            "hiqual_dv": rng.choice([1, 2, 3, 4, 5, 9], n, p=[0.26, 0.12, 0.20, 0.21, 0.09, 0.12]),
        }
    )


def passing(age: np.ndarray, proxy: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Circumstances of one wave: activity, marital status, income; a row a person of this age group.

    A few incomes are below zero, as losses of the self-employed are: not every negative number is a missing code.
    """
    work = choose(_WORK_SHARE[age], _WORK, rng)
    income = np.round(np.where(work == 2, 1.0, 0.6) * rng.lognormal(7.1, 0.6, len(age)), 2)
    income = np.where((work == 1) & (rng.random(len(age)) < 0.03), -np.round(rng.gamma(2, 150, len(age)), 2), income)
    return pd.DataFrame(
        {
            "jbstat": lose(work, {-1: 0.001, -2: 0.001}, rng),
            "mastat_dv": choose(_STATUS_SHARE[age], _STATUS, rng),
            "fimngrs_dv": np.where(proxy, -7, lose(income, {-9: 0.004}, rng)),
        }
    )
