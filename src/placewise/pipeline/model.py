"""A model of data without an areas table: a formula, a family and priors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from placewise.errors import Problems, nearest
from placewise.models.formula import parse_formula
from placewise.models.model_file import read_model
from placewise.models.spec import DEFAULT_ENGINE
from placewise.pipeline.fit import Fit, make_fit

if TYPE_CHECKING:
    import pandas as pd

    from placewise.models.design import Design
    from placewise.surveys.outcome import Response
    from placewise.surveys.respondents import Respondents

WHERE = "Model"


class Model:
    """A multilevel model as the model file describes it, for any table of data.

    Parameters
    ----------
    formula : str
        With the response: ``"y ~ x + (1 | group)"``.
    family : {"gaussian", "bernoulli", "binomial", "poisson", "cumulative"}
        Likelihood family.
    priors : mapping of str to str
        As in the model file's ``[model.priors]``.
    standardise : bool
        Whether numeric covariates are centred and scaled over the data.
    order : sequence of str
        Categories, lowest first (cumulative).
    success : sequence of str
        Answers that count as success (bernoulli); empty: 0 and 1.
    trials, exposure, variance : str
        Columns that go with binomial, poisson and gaussian responses.
    orders : mapping of str to sequence of str
        Declared orders of categories, by column.
    structure : mapping of str to str
        How the effects of a grouping depend on each other: ``"rw1"``, ``"ar1"`` or ``"bym2"``, by its name.
    neighbours : mapping of str to DataFrame
        For bym2, by grouping: pairs of codes in columns ``a`` and ``b``; codes that the data lack have effects too.
    engine : str
        Inference engine.
    category_specific : sequence of str, or "auto"
        Covariates whose slope may differ by cutpoint (cumulative).

    Raises
    ------
    ConfigurationError
        Every problem of what was given.

    Examples
    --------
    >>> fit = Model("y ~ floor + (1 | county)").fit(radon)  # doctest: +SKIP
    """

    def __init__(
        self,
        formula: str,
        *,
        family: str = "gaussian",
        priors: Mapping[str, str] | None = None,
        standardise: bool = True,
        order: Sequence[str] = (),
        success: Sequence[str] = (),
        trials: str = "",
        exposure: str = "",
        variance: str = "",
        orders: Mapping[str, Sequence[str]] | None = None,
        structure: Mapping[str, str] | None = None,
        neighbours: Mapping[str, pd.DataFrame] | None = None,
        engine: str = DEFAULT_ENGINE,
        category_specific: Sequence[str] | str = (),
    ) -> None:
        problems = Problems()
        parsed = parse_formula(formula, f"{WHERE}: model.formula", problems)
        if parsed is not None and not parsed.response:
            problems.add(f"{WHERE}: model.formula", "the formula has no response", "write y ~ x")
        if family == "graded_response":
            message = "a scale of several items is not available without an areas table in this version"
            hint = "use family 'cumulative' on one item, or a Project"
            problems.add(f"{WHERE}: outcome.family", message, hint, "unavailable")
            problems.raise_if_any()
        given: dict[str, Any] = {
            "order": list(order),
            "success": list(success),
            "trials": trials,
            "exposure": exposure,
            "variance": variance,
        }
        response = parsed.response if parsed is not None and parsed.response else "response"
        outcome = {"survey": "data", "response": response, "family": family}
        outcome |= {key: value for key, value in given.items() if value}
        model = {"formula": formula, "standardise": standardise, "engine": engine, "priors": dict(priors or {})}
        if structure:
            model["structure"] = dict(structure)
        if family == "cumulative" or category_specific:
            model["category_specific"] = category_specific if category_specific == "auto" else list(category_specific)
        spec = read_model({"outcome": outcome, "model": model}, "model", WHERE, problems, surveys=["data"])
        problems.raise_if_any()
        assert spec is not None
        assert parsed is not None
        self.spec = spec
        self._formula = parsed
        self._orders = {name: tuple(values) for name, values in (orders or {}).items()}
        self._neighbours = dict(neighbours or {})

    def fit(self, data: pd.DataFrame, *, draws: int = 2000, seed: int = 0, jobs: int | None = None) -> Fit:
        """Fit the model.

        Parameters
        ----------
        data : DataFrame
            One row an observation; rows that lack a value the model uses are left out.
        draws : int
            Posterior draws to keep.
        seed : int
            Seed of the engine.
        jobs : int, optional
            Chains or threads at the same time; default all cores.

        Raises
        ------
        DataError, ConfigurationError
            Every problem of the data.
        """
        design, response = self._prepare(data)
        return make_fit(self.spec, design, response, None, draws=draws, seed=seed, jobs=jobs or os.cpu_count() or 1)

    def _prepare(self, data: pd.DataFrame) -> tuple[Design, Response]:
        from placewise.models.build import build_design
        from placewise.models.prior_plan import check_collective_keys, check_prior_keys
        from placewise.models.specific import with_specific
        from placewise.surveys.outcome import encode_response
        from placewise.surveys.reading import complete_cases

        problems = Problems()
        outcome, used = self.spec.outcome, self._formula.variables()
        beside = {"trials": outcome.trials, "exposure": outcome.exposure, "variance": outcome.variance}
        columns = [c for c in (outcome.response, *beside.values(), *used) if c]
        for column in dict.fromkeys(columns):
            if column not in data:
                problems.add(WHERE, f"the data have no column {column!r}", nearest(column, map(str, data)), "data")
        problems.raise_if_any()
        rows = complete_cases(_as_respondents(data[list(dict.fromkeys(columns))]), used)
        response = encode_response(
            rows,
            problems,
            where=WHERE,
            response=outcome.response,
            family=outcome.family,
            order=outcome.order,
            success=outcome.success,
            **beside,
        )
        problems.raise_if_any()
        assert response is not None
        rows = rows.take(response.kept)
        design = build_design(
            self._formula,
            respondents=rows.table,
            area=rows.area,
            areas=None,
            frame=None,
            reference={},
            orders=self._orders,
            standardise=self.spec.standardise,
            cumulative=outcome.family == "cumulative",
            problems=problems,
            elsewhere=[str(c) for c in data.columns],
            structure=self.spec.structure,
            neighbours=self._neighbours,
        )
        if design is not None:
            where = f"{WHERE}: model.category_specific"
            design = with_specific(design, self.spec.category_specific, self._formula, response, where, problems)
            groups, names = [g.name for g in design.groups], [c.name for c in design.columns]
            check_prior_keys(self.spec.priors, groups, names, WHERE, problems)
            check_collective_keys(self.spec.priors, self.spec.split, design, WHERE, problems)
        problems.raise_if_any()
        assert design is not None
        return design, response


def _as_respondents(data: pd.DataFrame) -> Respondents:
    import numpy as np
    import pandas as pd

    from placewise.geography.codes import infer
    from placewise.surveys.respondents import Respondents

    n = len(data)
    kept = {
        str(c): values if isinstance(values.dtype, pd.CategoricalDtype) else infer(values)
        for c, values in data.reset_index(drop=True).items()
    }
    table = pd.DataFrame(kept, index=range(n))
    codes = np.full(n, "", dtype=object)
    return Respondents("data", table, "", codes, np.full(n, -1), None, None, None, n, available=tuple(kept))
