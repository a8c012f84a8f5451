"""What must be taken on trust where respondents are linked above the area."""

from __future__ import annotations

import numpy as np

from placewise.diagnostics.convergence import Check, Verdict
from placewise.models.averaging import MOST_SPREAD, UPPER, spread_inside
from placewise.models.design import BelowLink, Design
from placewise.models.fit import Posterior


def link_checks(design: Design, posterior: Posterior) -> list[Check]:
    """Both checks; none where respondents are linked at the area."""
    if design.link is None:
        return []
    slopes = posterior.draws("slopes").mean(axis=0) if design.columns else np.empty(0)
    return [ratio_check(design.link), spread_check(design, slopes)]


def ratio_check(link: BelowLink) -> Check:
    """``warn`` where nobody declared how much more the areas inside a linked group differ than the groups do."""
    verdict: Verdict = "pass" if link.declared else "warn"
    taken = f"ratio = {link.ratio:.3g}" if link.ratio is not None else f'sd = "{link.prior}"'
    source = "as declared" if link.declared else "from the prior's split; declare [model.below_link] to take another"
    sentence = (
        f"Respondents are linked at {link.group}, so that how much the areas inside differ is not in the answers: it "
        f"is taken by {taken}, {source}. The slopes are taken to be the same within and between the groups."
    )
    return Check("below_link", link.ratio, None, verdict, sentence)


def spread_check(design: Design, slopes: np.ndarray) -> Check:
    """``warn`` where covariates differ so much inside linked groups that their means do not stand for them.

    Parameters
    ----------
    design : Design
        Of respondents linked above the area.
    slopes : ndarray of float64, shape (p,)
        Posterior means.
    """
    link = design.link
    assert link is not None
    sd = spread_inside(design, slopes)
    high, middle, share = float(np.quantile(sd, UPPER)), float(np.median(sd)), float(np.mean(sd > MOST_SPREAD))
    verdict: Verdict = "warn" if high > MOST_SPREAD and link.places is None else "pass"
    sentence = (
        f"Inside the {link.group} of a respondent what the covariates say differs with a standard deviation of "
        f"{middle:.2f} at the median and {high:.2f} at the 95% point; it exceeds {MOST_SPREAD:g} for {share:.0%} of "
        "the respondents."
    )
    if link.places is not None:
        sentence += " The likelihood of an answer is its mean over the areas inside."
    elif verdict == "warn":
        sentence += (
            " The fit takes the covariates' means for them, where the answers' average over the areas inside, which is "
            "not fitted for such answers, would be exact: shares lie a little too near a half."
        )
    return Check("within_link_spread", high, MOST_SPREAD, verdict, sentence)
