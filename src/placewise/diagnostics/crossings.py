"""Whether cutpoints of category-specific slopes stay in order where the model is projected to."""

from __future__ import annotations

from placewise.diagnostics.convergence import Check, Verdict

MOST_CROSSED = 0.001


def crossing_check(share: float) -> Check:
    """``fail`` where cutpoints cross in more than 0.1% of areas × draws.

    Parameters
    ----------
    share : float
        Share of areas × draws in which cutpoints of some cell crossed and were sorted.
    """
    verdict: Verdict = "fail" if share > MOST_CROSSED else "pass"
    if not share:
        sentence = "Cutpoints with slopes of their own are in order in every area and draw."
    else:
        sentence = (
            f"Cutpoints with slopes of their own cross in {share:.2g} of areas and draws and were sorted there; "
            f"at most {MOST_CROSSED:g} is tolerated."
        )
    return Check("crossed_cutpoints", share, MOST_CROSSED, verdict, sentence)
