"""The problems that the studies of speed use."""

from __future__ import annotations

from collections.abc import Mapping

from common.generator import Factor, Interaction, Spec

# as the anchor P1 has them
STANDARD_PRIORS = {
    "intercept": "normal(0, 2.5)",
    "slope": "normal(0, 2.5)",
    **{f"sd:{g}": "half_normal(0.5)" for g in ("age", "eth", "ten", "reg", "la", "oac", "age:eth", "msoa")},
}
NATIONAL = (("reg", 9), ("la", 309), ("msoa", 7201), ("lsoa", 35672))
LEVEL_SD = {"reg": 0.1, "la": 0.15, "msoa": 0.25, "lsoa": 0.15, "area": 0.3}


def standard(n: int, family: str = "bernoulli", *, seed: int = 1, shrink: int = 1) -> Spec:
    """Nine fixed slopes and eight varying intercepts with 7,622 effects: 7,640 unknowns.

    Every MSOA has a respondent where there are enough; below 7,201 respondents there are fewer unknowns.

    Parameters
    ----------
    n : int
        Respondents.
    family : str
        Of the answers.
    seed : int
        Of places and respondents.
    shrink : int
        Divides the local authorities and MSOAs: small copies for tests.
    """
    priors: Mapping[str, str] = STANDARD_PRIORS
    if family == "cumulative":
        priors = {k: v for k, v in priors.items() if k != "intercept"} | {"cutpoints": "normal(0, 2.5)"}
    return Spec(
        n=n,
        geography=(
            Factor("reg", 9, 0.10, "geography"),
            Factor("la", 309 // shrink, 0.15, "geography"),
            Factor("msoa", 7201 // shrink, 0.25, "geography"),
        ),
        factors=(
            Factor("age", 7, 0.35),
            Factor("eth", 5, 0.30),
            Factor("ten", 4, 0.25),
            Factor("oac", 52, 0.12, "class"),
        ),
        interactions=(Interaction(("age", "eth"), 0.10),),
        family=family,
        cover=n >= 7201 // shrink,
        seed=seed,
        priors=priors,
    )


def nested(n: int, areas: int, family: str = "bernoulli", *, seed: int = 1) -> Spec:
    """Every one of ``areas`` finest areas has a respondent; the national levels of less than half as many lie above.

    Priors are the defaults: one total over the levels and the area.
    """
    above = [Factor(name, size, LEVEL_SD[name], "geography") for name, size in NATIONAL if 2 * size < areas]
    return Spec(
        n=n,
        geography=(*above, Factor("area", areas, LEVEL_SD["area"], "geography")),
        factors=(Factor("age", 7, 0.35), Factor("oac", 52, 0.12, "class", of_area=True)),
        family=family,
        slopes=5,
        cover=True,
        seed=seed,
    )
