"""The hyperparameters of a model: their normal scores, the scales that follow from them, and the derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from placewise.models.correlations import correlation_cholesky, partial_priors
from placewise.models.engines import FitProblem
from placewise.models.engines.laplace.questions import questions_of
from placewise.models.engines.laplace.scores import slope_at, value_at
from placewise.models.prior_plan import SdPrior
from placewise.models.priors import Prior

SMALLEST = 1e-9


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter.

    Parameters
    ----------
    name : str
        ``sd_total``, ``stick_0`` …, ``sd_<group>``, ``slope_sd``, ``sigma``, ``rho_<group>``, ``partial_<factor>_0`` …,
        ``deviation_sd``, ``area_scale_sd``, ``area_scale_0`` …, ``survey_scale_1`` ….
    prior : Prior
        Of the parameter, or of its square.
    squared : bool
        Whether the prior is on the square.
    unit : float
        Where the score of a flat prior is 0.
    """

    name: str
    prior: Prior
    squared: bool = False
    unit: float = 1.0

    @property
    def free(self) -> bool:
        """Whether it is not fixed."""
        return self.prior.name != "fixed"

    @property
    def improper(self) -> float:
        """Slope of the log prior in the score where the prior is flat, else 0 (a flat sd counts its Jacobian)."""
        return (2.0 if self.squared else 1.0) if self.prior.name == "flat" else 0.0

    def value(self, z: float) -> float:
        """The parameter at a score."""
        value = value_at(self.prior, z)
        if self.prior.name == "flat":
            return self.unit * value
        return float(np.sqrt(value)) if self.squared else value

    def slope(self, z: float) -> float:
        """Derivative of the parameter in its score."""
        if not self.free:
            return 0.0
        slope = slope_at(self.prior, z)
        if self.prior.name == "flat":
            return self.unit * slope
        return slope / (2.0 * self.value(z)) if self.squared else slope


@dataclass(frozen=True, eq=False)
class Point:
    """Hyperparameters at one vector of scores.

    Parameters
    ----------
    z : ndarray, shape (d,)
    values : mapping of str to float
        Every parameter, fixed ones too.
    log_scale : mapping of str to float
        Log sd of each group, of ``slopes``, ``deviations`` and ``sigma``, as far as the model has them, and of
        ``class_0`` …: the area's in each class.
    jacobian : mapping of str to ndarray, shape (d,)
        Derivative of each log scale in the scores.
    split : ndarray
        Shares of the geography's total.
    """

    z: np.ndarray
    values: Mapping[str, float]
    log_scale: Mapping[str, float]
    jacobian: Mapping[str, np.ndarray]
    split: np.ndarray = field(default_factory=lambda: np.empty(0))

    def scale(self, name: str) -> float:
        """Sd of a group, of ``slopes``, ``deviations`` or ``sigma``."""
        return float(np.exp(self.log_scale[name]))


class Hyper:
    """The hyperparameters of a problem.

    Parameters
    ----------
    problem : FitProblem

    Attributes
    ----------
    parameters : tuple of Parameter
        Fixed ones too.
    free : tuple of Parameter
        In the order of the scores.
    survey_scale_scores : list of int
        Positions in ``free`` of what multiplies the trait in a survey.
    """

    def __init__(self, problem: FitProblem) -> None:
        self.problem = problem
        self.parameters = tuple(_parameters(problem))
        self.free = tuple(p for p in self.parameters if p.free)
        self._position = {p.name: k for k, p in enumerate(self.free)}
        self._improper = np.array([p.improper for p in self.free])
        scales = survey_scales(problem)
        self.survey_scale_scores = [k for k, p in enumerate(self.free) if p.name in scales]

    @property
    def size(self) -> int:
        """Number of free hyperparameters, d."""
        return len(self.free)

    def start(self) -> np.ndarray:
        """The prior's medians; for a residual sd the outcome's own, which it cannot exceed by much."""
        z = np.zeros(self.size)
        if "sigma" in self._position:
            k = self._position["sigma"]
            wanted = float(np.std(self.problem.response.y))
            grid = np.linspace(-5.0, 5.0, 201)
            z[k] = grid[np.argmin([abs(np.log(max(self.free[k].value(s), SMALLEST) / wanted)) for s in grid])]
        return z

    def log_prior(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density of the scores, up to a constant, and its gradient."""
        proper = self._improper == 0.0
        return float(-0.5 * z[proper] @ z[proper] + self._improper @ z), np.where(proper, -z, self._improper)

    def at(self, z: np.ndarray) -> Point:
        """Everything that follows from the scores."""
        values = {p.name: p.value(z[self._position[p.name]] if p.free else 0.0) for p in self.parameters}
        slopes = {p.name: p.slope(z[self._position[p.name]]) for p in self.free}
        log_scale: dict[str, float] = {}
        jacobian: dict[str, np.ndarray] = {}

        def put(name: str, value: float, terms: Mapping[str, float]) -> None:
            log_scale[name] = value
            row = np.zeros(self.size)
            for parameter, by in terms.items():
                if parameter in self._position:
                    row[self._position[parameter]] += by * slopes[parameter]
            jacobian[name] = row

        plan = self.problem.priors
        for name in (*plan.sds, *(("sd_total",) if plan.total else ()), "slope_sd", "sigma", "deviation_sd"):
            parameter = f"sd_{name}" if name in plan.sds else name
            if parameter in values:
                value = max(values[parameter], SMALLEST)
                put({"slope_sd": "slopes", "deviation_sd": "deviations"}.get(name, name), np.log(value),
                    {parameter: 1.0 / value})  # fmt: skip
        for name, prior in student_t_coefficients(self.problem):
            factor = max(values[name], SMALLEST)
            put(name, np.log(prior.args[2] * factor), {name: 1.0 / factor})
        split = self._split(values, put, log_scale, jacobian)
        self._classes(values, put, log_scale, jacobian)
        return Point(z, values, log_scale, jacobian, split)

    def _split(self, values, put, log_scale, jacobian) -> np.ndarray:  # type: ignore[no-untyped-def]
        """Shares of the total, by stick breaking."""
        shared = self.problem.priors.shared
        if not shared:
            return np.empty(0)
        sticks = [values[f"stick_{k}"] for k in range(len(shared) - 1)]
        left, split = 1.0, np.empty(len(shared))
        for k, name in enumerate(shared):
            share = max(left * (sticks[k] if k < len(sticks) else 1.0), SMALLEST**2)
            split[k] = share
            terms = {f"stick_{m}": -0.5 / max(1.0 - sticks[m], SMALLEST) for m in range(min(k, len(sticks)))}
            if k < len(sticks):
                terms[f"stick_{k}"] = 0.5 / max(sticks[k], SMALLEST)
                left *= 1.0 - sticks[k]
            put(name, log_scale["sd_total"] + 0.5 * np.log(share), terms)
            jacobian[name] += jacobian["sd_total"]
        return split

    def _classes(self, values, put, log_scale, jacobian) -> None:  # type: ignore[no-untyped-def]
        """The area's own sd in each class."""
        scale = self.problem.design.area_scale
        if scale is None:
            return
        for k in range(len(scale.classes)):
            if scale.multipliers is not None:
                put(f"class_{k}", log_scale[scale.group] + np.log(scale.multipliers[k]), {})
            else:
                spread, score = values["area_scale_sd"], values[f"area_scale_{k}"]
                put(f"class_{k}", log_scale[scale.group] + spread * score,
                    {"area_scale_sd": score, f"area_scale_{k}": spread})  # fmt: skip
            jacobian[f"class_{k}"] += jacobian[scale.group]

    def survey_scale(self, point: Point) -> np.ndarray:
        """How many times the trait counts in each survey; shape (surveys,), empty where there is one."""
        names = survey_scales(self.problem)
        return np.array([1.0, *(point.values[name] for name in names)]) if names else np.empty(0)

    def slope_of(self, name: str, point: Point) -> np.ndarray:
        """Derivative of one parameter in the scores, shape (d,)."""
        row = np.zeros(self.size)
        if name in self._position:
            row[self._position[name]] = self.free[self._position[name]].slope(point.z[self._position[name]])
        return row

    def positions(self, scales: tuple[str, ...], prefix: str) -> list[int]:
        """Scores on which some log scales, or parameters whose names begin so, depend."""
        jacobian = self.at(np.full(self.size, 0.1)).jacobian
        moved = np.any([jacobian[s] != 0.0 for s in scales], axis=0)
        return [k for k, p in enumerate(self.free) if moved[k] or p.name.startswith(prefix)]

    def correlation(self, factor: str, k: int, values: Mapping[str, float]) -> np.ndarray:
        """Cholesky factor of a factor's correlation matrix, shape (k, k)."""
        partial = [2.0 * values[f"partial_{factor}_{j}"] - 1.0 for j in range(k * (k - 1) // 2)]
        return correlation_cholesky(np.array(partial))


def _parameters(problem: FitProblem) -> list[Parameter]:
    plan, design = problem.priors, problem.design
    gaussian = problem.family == "gaussian"
    unit = max(float(np.std(problem.response.y)), SMALLEST) if gaussian else 1.0
    found = [_of(f"sd_{name}", prior, unit) for name, prior in plan.sds.items()]
    if plan.total is not None:
        found.append(_of("sd_total", plan.total, unit))
        rest = np.cumsum(plan.concentration[::-1])[::-1]
        found += [
            Parameter(f"stick_{k}", Prior("beta", (plan.concentration[k], float(rest[k + 1]))))
            for k in range(len(plan.shared) - 1)
        ]
    optional = {"slope_sd": plan.slope_sd, "sigma": plan.sigma}
    if design.category_specific:
        optional["deviation_sd"] = plan.deviation_sd
    found += [Parameter(name, prior, unit=unit) for name, prior in optional.items() if prior is not None]
    found += [
        Parameter(name, Prior("inv_gamma", (0.5 * prior.args[0], 0.5 * prior.args[0])), squared=True)
        for name, prior in student_t_coefficients(problem)
    ]
    found += [Parameter(f"rho_{name}", prior) for name, prior in plan.rho.items()]
    for positions in design.correlated:
        factor = design.groups[positions[0]].dim
        alphas = partial_priors(len(positions), plan.cor[factor])
        found += [Parameter(f"partial_{factor}_{j}", Prior("beta", (a, a))) for j, a in enumerate(alphas)]
    if plan.discrimination is not None:
        found += [Parameter(name, plan.discrimination) for name in survey_scales(problem)]
    if design.area_scale is not None and design.area_scale.multipliers is None:
        if plan.area_scale_sd is None:
            raise ValueError("a learned area scale needs a prior")
        found.append(Parameter("area_scale_sd", plan.area_scale_sd))
        # a standard normal: the exponential of it would be the lognormal, so its score is itself
        found += [Parameter(f"area_scale_{k}", Prior("score", ())) for k in range(len(design.area_scale.classes))]
    return found


def survey_scales(problem: FitProblem) -> list[str]:
    """Parameters that multiply the trait in each survey but the reference."""
    instruments = problem.response.instruments
    return [] if instruments is None else [f"survey_scale_{k}" for k in range(1, len(instruments.surveys))]


def _of(name: str, prior: SdPrior, unit: float) -> Parameter:
    return Parameter(name, prior.prior, prior.on == "var", unit)


def student_t_coefficients(problem: FitProblem) -> list[tuple[str, Prior]]:
    """Coefficients with a Student t prior: normal ones whose variance is the prior's times an inverse gamma.

    Given that factor, one of the hyperparameters, the coefficient has a normal prior like any other, and a nearly
    normal posterior, however heavy the tails.
    """
    plan = problem.priors
    n_cut = questions_of(problem).n_cut
    named = [("mixing_intercept", plan.intercept)]
    named += [(f"mixing_slope_{k}", prior) for k, prior in enumerate(plan.slopes)]
    named += [(f"mixing_cutpoint_{k}", plan.cutpoints) for k in range(n_cut)]
    return [(name, prior) for name, prior in named if prior is not None and prior.name == "student_t"]
