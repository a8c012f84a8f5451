"""Whether the posterior can be trusted: each check with its value, threshold and verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from placewise.models import inference
from placewise.models.quality import DESIGN_ESS, IMPORTANCE_ESS, KHAT, KHAT_NEAR, Measured, measured

Verdict = Literal["pass", "warn", "fail"]

RHAT = 1.01
ESS = 400.0
DIVERGENT_SHARE = 0.001
BFMI = 0.3
WORST = 5
LABELLED_UP_TO = 50


@dataclass(frozen=True)
class Check:
    """One check.

    Parameters
    ----------
    name : str
        ``rhat``, ``ess_bulk``, ``khat``, ``separation`` …
    value : float or None
        None where there is nothing to measure.
    threshold : float or None
        The limit beyond which the check does not pass; it may warn when the value comes near.
    verdict : {"pass", "warn", "fail"}
    sentence : str
        What was found and what it means, for people.
    where : tuple of str
        The worst parameters or groups.
    of : int or None
        How many there are of what ``value`` counts, where that says more.
    """

    name: str
    value: float | None
    threshold: float | None
    verdict: Verdict
    sentence: str
    where: tuple[str, ...] = ()
    of: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``diagnostics.json``."""
        return {
            "name": self.name,
            "value": _plain(self.value),
            "threshold": _plain(self.threshold),
            "verdict": self.verdict,
            "sentence": self.sentence,
            "where": list(self.where),
            "of": self.of,
        }


@dataclass(frozen=True, repr=False)
class Diagnostics:
    """All checks of one fit.

    Parameters
    ----------
    checks : tuple of Check
    """

    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        """The status, and one line a check."""
        lines = [f"  {check.verdict:<5}{check.name}: {check.sentence}" for check in self.checks]
        return "\n".join([f"<Diagnostics: {self.status}, {len(self.checks)} checks>", *lines])

    @property
    def status(self) -> Verdict:
        """The worst verdict."""
        verdicts = {check.verdict for check in self.checks}
        return "fail" if "fail" in verdicts else "warn" if "warn" in verdicts else "pass"

    def with_checks(self, checks: Iterable[Check]) -> Diagnostics:
        """The same with further checks (predictive, of the frame, of published quantities)."""
        return Diagnostics(self.checks + tuple(checks))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``diagnostics.json``: ``status`` and ``checks``."""
        return {"status": self.status, "checks": [check.to_dict() for check in self.checks]}


def diagnose(
    idata: inference.InferenceData,
    *,
    names: Sequence[str] | None = None,
    private: Sequence[str] = (),
) -> Diagnostics:
    """Whether the draws stand for the posterior, by what the engine that made them can be asked.

    Parameters
    ----------
    idata : InferenceData
    names : sequence of str, optional
        Variables of the posterior to look at; default all.
    private : sequence of str
        Dimensions whose labels tell who was sampled: parameters along them, and along any dimension of more than 50
        labels, are reported by the variable's name alone.

    Returns
    -------
    Diagnostics
        Of any engine: finite draws (else ``fail``). Of chains: R-hat < 1.01, bulk and tail ESS ≥ 400 (else ``fail``),
        divergences (any: ``warn``; over .1%: ``fail``), E-BFMI ≥ .3 (else ``warn``). Of an approximation corrected by
        importance weights, whose draws are independent and would pass those vacuously: Pareto k < .7 (else ``fail``;
        ≥ .5: ``warn``), importance ESS ≥ 400 and that of the points of the design ≥ 100 (else ``fail``), 400 draws
        or more (else ``warn``), no separation (else ``fail``: what is published would be the prior's).
    """
    finite, found = _finite(idata, names, private), measured(idata)
    if found is not None:
        return Diagnostics((finite, *_approximation(idata, found)))
    return Diagnostics((finite, *_mixing(idata, names, private), *_sampler(idata)))


def _finite(idata: inference.InferenceData, names: Sequence[str] | None, private: Sequence[str]) -> Check:
    flat, labels = _flatten(inference.finite(idata, names), private)
    broken = int((flat == 0).sum())
    if not broken:
        return Check("finite", 0.0, 0.0, "pass", "Every draw is a finite number.")
    where = _first(labels, np.flatnonzero(flat == 0))
    sentence = f"{broken} of {flat.size} quantities have draws that are not finite numbers."
    return Check("finite", float(broken), 0.0, "fail", sentence, where)


def _mixing(idata: inference.InferenceData, names: Sequence[str] | None, private: Sequence[str]) -> tuple[Check, ...]:
    if idata["posterior"].sizes["chain"] < 2:
        rhat = Check("rhat", None, RHAT, "fail", "R-hat needs at least two chains, and there is one.")
    else:
        rhat = _worst_is("rhat", inference.rhat(idata, names), private, RHAT, "R-hat", largest=True)
    return (
        rhat,
        _worst_is("ess_bulk", inference.ess_bulk(idata, names), private, ESS, "Bulk ESS", largest=False),
        _worst_is("ess_tail", inference.ess_tail(idata, names), private, ESS, "Tail ESS", largest=False),
    )


def _worst_is(
    name: str,
    values: xr.Dataset,
    private: Sequence[str],
    threshold: float,
    title: str,
    *,
    largest: bool,
) -> Check:
    """R-hat must stay below its threshold, ESS must reach it."""
    flat, labels = _flatten(values, private)
    known = np.flatnonzero(~np.isnan(flat))
    if not known.size:
        return Check(name, None, threshold, "pass", f"{title}: there is nothing that moves.")
    order = known[np.argsort(-flat[known] if largest else flat[known], kind="stable")]
    worst = float(flat[order[0]])
    beyond = flat[order] >= threshold if largest else flat[order] < threshold
    digits = 3 if largest else 0
    limit, extreme = ("below", "largest") if largest else ("at least", "smallest")
    count = int(beyond.sum())
    sentence = f"{title} must be {limit} {threshold:g}; the {extreme} of {known.size} is {worst:.{digits}f}" + (
        f", and {count} {'is' if count == 1 else 'are'} beyond." if count else "."
    )
    return Check(name, worst, threshold, "fail" if count else "pass", sentence, _first(labels, order))


def _flatten(values: xr.Dataset, private: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    hidden = {*private, *(str(dim) for dim, size in values.sizes.items() if size > LABELLED_UP_TO)}
    labels = [label for array in values.values() for label in inference.labels(array, sorted(hidden))]
    return np.concatenate([array.to_numpy().ravel() for array in values.values()]).astype(float), labels


def _first(labels: Sequence[str], rows: np.ndarray) -> tuple[str, ...]:
    """Names at the first rows, each once."""
    return tuple(dict.fromkeys(labels[row] for row in rows))[:WORST]


def _sampler(idata: inference.InferenceData) -> tuple[Check, ...]:
    checks = []
    if "sample_stats" in idata.groups() and "diverging" in idata["sample_stats"]:
        checks.append(_divergences(idata["sample_stats"]["diverging"].to_numpy()))
    energy = inference.bfmi(idata)
    if energy.size:
        checks.append(_energy(energy))
    return tuple(checks)


def _divergences(diverging: np.ndarray) -> Check:
    count, total = int(diverging.sum()), diverging.size
    if count > DIVERGENT_SHARE * total:
        verdict: Verdict = "fail"
        meaning = "parts of the posterior may be missed"
    elif count:
        verdict, meaning = "warn", "few, but each is a place where the sampler lost its way"
    else:
        return Check("divergences", 0.0, 0.0, "pass", f"None of {total} draws diverged.")
    return Check("divergences", float(count), 0.0, verdict, f"{count} of {total} draws diverged: {meaning}.")


def _energy(bfmi: np.ndarray) -> Check:
    # NaN (an energy that never moves) is no better than a low value.
    lowest = float(np.min(np.where(np.isnan(bfmi), 0.0, bfmi)))
    if lowest >= BFMI:
        sentence = f"The lowest E-BFMI of {bfmi.size} chains is {lowest:.2f}; at least {BFMI:g} is wanted."
        return Check("bfmi", lowest, BFMI, "pass", sentence)
    sentence = f"E-BFMI is {lowest:.2f} in one chain, under {BFMI:g}: heavy tails are explored slowly."
    return Check("bfmi", lowest, BFMI, "warn", sentence)


def _approximation(idata: inference.InferenceData, found: Measured) -> tuple[Check, ...]:
    return (
        _khat(found.khat),
        _importance(found.importance_ess, found.proposals),
        _design(found.design_ess, found.design_points),
        _draws(idata),
        _separation(found.separated),
    )


def _khat(khat: float) -> Check:
    title = "Pareto k of the importance weights"
    # NaN is no better than a high value.
    if not khat < KHAT:
        far = "the approximation is too far from the exact posterior to be corrected"
        return Check("khat", khat, KHAT, "fail", f"{title} must be below {KHAT:g} and is {khat:.2f}: {far}.")
    if khat >= KHAT_NEAR:
        sentence = f"{title} is {khat:.2f}, near its limit of {KHAT:g}: the ends of intervals are rough."
        return Check("khat", khat, KHAT, "warn", sentence)
    return Check("khat", khat, KHAT, "pass", f"{title} must be below {KHAT:g} and is {khat:.2f}.")


def _importance(ess: float, proposals: int | None) -> Check:
    verdict: Verdict = "pass" if ess >= IMPORTANCE_ESS else "fail"
    told = f"{ess:,.0f}" + (f", of {proposals:,} proposals" if proposals else "")
    sentence = f"The importance weights must be worth {IMPORTANCE_ESS:g} independent draws and are worth {told}."
    return Check("importance_ess", ess, IMPORTANCE_ESS, verdict, sentence, of=proposals)


def _design(ess: float, points: int | None) -> Check:
    verdict: Verdict = "pass" if ess >= DESIGN_ESS else "fail"
    told = f"{ess:,.0f}" + (f", of {points:,}" if points else "")
    sentence = f"The hyperparameters must rest on {DESIGN_ESS:g} effective points and rest on {told}."
    return Check("design_ess", ess, DESIGN_ESS, verdict, sentence, of=points)


def _draws(idata: inference.InferenceData) -> Check:
    sizes = idata["posterior"].sizes
    count = sizes["chain"] * sizes["draw"]
    if count >= ESS:
        return Check("draws", float(count), ESS, "pass", f"There are {count:,} draws; {ESS:g} or more are wanted.")
    sentence = f"There are {count:,} draws, fewer than {ESS:g}: intervals and probabilities are rough."
    return Check("draws", float(count), ESS, "warn", sentence)


def _separation(separated: Sequence[str]) -> Check:
    if not separated:
        return Check("separation", 0.0, 0.0, "pass", "The answers themselves bound every slope.")
    slopes, them = ("slope", "it") if len(separated) == 1 else ("slopes", "them")
    sentence = (
        f"The answers push the {slopes} of {', '.join(separated[:WORST])} to infinity: only the prior bounds {them}. "
        f"Leave {them} out of the formula, or merge categories."
    )
    return Check("separation", float(len(separated)), 0.0, "fail", sentence, tuple(separated[:WORST]))


def _plain(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
