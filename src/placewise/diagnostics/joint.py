"""Whether the coupling of several outcomes can be relied on."""

from __future__ import annotations

from collections.abc import Mapping

from placewise.diagnostics.convergence import Check, Verdict
from placewise.models.quality import IMPORTANCE_ESS, KHAT

# how far the coupled effects' means may be from the approximation's, in sds (root mean square), and their sds from 1
SHIFT, SPREAD = 0.15, 0.1


def joint_checks(measures: Mapping[str, float]) -> list[Check]:
    """Checks of the importance weights, and of the gaussian approximation of each outcome's likelihood.

    Parameters
    ----------
    measures : mapping of str to float
        ``importance_ess``, ``khat``, ``proposals``, ``shift``, ``spread`` of the coupling.
    """
    ess, khat, shift, spread = (measures[name] for name in ("importance_ess", "khat", "shift", "spread"))
    # written so that NaN fails
    weights: Verdict = "pass" if ess >= IMPORTANCE_ESS else "fail"
    tail: Verdict = "pass" if khat < KHAT else "fail"
    near: Verdict = "pass" if shift <= SHIFT and abs(spread - 1.0) <= SPREAD else "warn"
    return [
        Check(
            "joint_importance_ess",
            ess,
            IMPORTANCE_ESS,
            weights,
            f"The weights that couple the outcomes must be worth {IMPORTANCE_ESS:g} independent draws and are worth "
            f"{ess:,.0f}, of {measures['proposals']:,.0f} proposals.",
        ),
        Check(
            "joint_khat",
            khat,
            KHAT,
            tail,
            f"Pareto k of the weights that couple the outcomes must be below {KHAT:g} and is {khat:.2f}.",
        ),
        Check(
            "joint_gaussian",
            shift,
            SHIFT,
            near,
            "What the answers say of the coupled effects is taken to be gaussian: in the separate fits their means are "
            f"{shift:.2f} standard deviations from that (up to {SHIFT:g} passes) and their sds {spread:.2f} of it.",
        ),
    ]
