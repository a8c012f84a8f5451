"""The fast engine where its own checks hold, else the exact one, and the reason beside the draws."""

from __future__ import annotations

from typing import Any

from placewise.errors import ConfigurationError
from placewise.models.engines import FitOptions, FitProblem, engine_named
from placewise.models.quality import quality

FAST, EXACT = "laplace", "nuts"


def fit(problem: FitProblem, options: FitOptions) -> Any:
    """Draw from the posterior by the fast engine, by the exact one where that does not do.

    The exact engine takes over where the fast one cannot carry the model, or returns draws that its own measures do
    not vouch for (``models.quality``).

    Returns
    -------
    InferenceData
        Of whichever engine did the work; after an escalation its ``posterior`` has the attributes
        ``escalated_from`` and ``escalation_reason``.

    Raises
    ------
    ConfigurationError
        If neither engine carries the model, or what is wrong would be wrong for any engine.
    ModelError
        If the posterior is improper, which it is for any engine.
    """
    try:
        found = engine_named(FAST)(problem, options)
        reasons = quality(found)
    except ConfigurationError as error:
        if any(p.kind != "unavailable" for p in error.problems):
            raise
        reasons = tuple(p.message for p in error.problems)
    if not reasons:
        return found
    reason = "; ".join(reasons)
    options.tell(f"the fast engine ({FAST}) is set aside: {reason}; the exact engine ({EXACT}) takes over")
    exact = engine_named(EXACT)(problem, options)
    exact["posterior"].attrs.update(escalated_from=FAST, escalation_reason=reason)
    return exact
