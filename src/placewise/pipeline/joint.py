"""The outcomes of ``[joint]``: each is fitted by itself, then all are coupled, and each goes on with its own part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placewise.errors import ModelError, Problem
from placewise.geography.codes import as_labels
from placewise.pipeline import atomic, interrupt
from placewise.pipeline.fingerprint import file_digest
from placewise.pipeline.load import OutcomeData
from placewise.pipeline.project_spec import ProjectSpec
from placewise.pipeline.widened import level_of

if TYPE_CHECKING:
    from placewise.models.fit import Posterior
    from placewise.models.joint.couple import Coupled
    from placewise.pipeline.outcome import OutcomeRun

# in the folder of results: the coupled effects of all outcomes and their correlations
FOLDER, FILE = "joint", "joint/posterior.nc"
# who a person is in Understanding Society, whether declared or not
PANEL_PERSON = "pidp"
# a correlation whose posterior sd exceeds this share of its prior's is set by the prior
SET_BY_PRIOR = 0.7
# what is told of people's correlations: how many they are is not
TOLD = ("first", "second", "value", "lower", "upper")


def problems_of(spec: ProjectSpec, data: Mapping[str, OutcomeData]) -> list[Problem]:
    """Why the outcomes of ``[joint]`` cannot be coupled, found without fitting.

    Parameters
    ----------
    data : mapping of str to OutcomeData
        Of every outcome of ``[joint]``.
    """
    from placewise.models.engines import FitProblem
    from placewise.models.engines import problems_of as limits_of
    from placewise.models.joint.factors import coupled_names
    from placewise.models.joint.factors import problems_of as uncoupled
    from placewise.pipeline.modelling import plan

    names = tuple(spec.joint)
    coupled = coupled_names([data[name].design for name in names], level_of(spec))
    if not coupled:
        what = f"the level {level_of(spec)!r} or a class" if level_of(spec) else "a class"
        message = f"no two of the outcomes have {what} in their formulas, so that there is nothing to couple"
        return [Problem("joint.outcomes", message, "add the group to the formulas, or leave [joint] out")]
    found = _without_person(spec, data)
    for name in names:
        model, own = spec.models[name], data[name]
        found += uncoupled(name, own.design, coupled)
        if model.engine != "laplace":
            problem = FitProblem(own.design, own.response, model.outcome.family, plan(model, own))
            found += limits_of("laplace", problem)
    return found


def _without_person(spec: ProjectSpec, data: Mapping[str, OutcomeData]) -> list[Problem]:
    """Surveys behind two or more outcomes that do not say who answered."""
    used: dict[str, list[str]] = {}
    for name in spec.joint:
        for survey in spec.models[name].outcome.surveys:
            used.setdefault(survey, []).append(name)
    return [
        Problem(
            f"survey.{survey}.person",
            f"{' and '.join(outcomes)} are modelled together, and this survey does not say which answers are of the "
            "same person: what people have in common would be taken for what their places have in common",
            f'name the column that identifies who answered: [survey.{survey}] person = "…"',
        )
        for survey, outcomes in used.items()
        if len(outcomes) > 1 and survey in spec.surveys and not _person_column(spec, survey)
    ]


def _person_column(spec: ProjectSpec, survey: str) -> str:
    found = spec.surveys[survey]
    return found.person or (PANEL_PERSON if found.reader == "ukhls" else "")


def people_of(data: OutcomeData, spec: ProjectSpec, surveys: Sequence[str], outcome: str) -> np.ndarray:
    """Who each respondent is, survey and identifier, object (n,); a number of their own where the survey does not say.

    Parameters
    ----------
    surveys : sequence of str
        Of the outcome, in the order of its model file.
    outcome : str
        Its name, of people whom the survey does not name.
    """
    from placewise.surveys.stacking import SURVEY

    table = data.respondents.table
    own = table[SURVEY].to_numpy(dtype=object) if len(surveys) > 1 else np.full(len(table), surveys[0], dtype=object)
    # the same row of another outcome's table may be somebody else
    found = np.array([f"{outcome}: {data.respondents.name}#{row}" for row in range(len(table))], dtype=object)
    for survey in surveys:
        column = _person_column(spec, survey)
        if column not in table:
            continue
        labels = as_labels(table[column])
        known = (own == survey) & ~pd.isna(labels)
        # stacked surveys have told whose a declared identifier is
        prefix = "" if len(surveys) > 1 and spec.surveys[survey].person else f"{survey}:"
        found[known] = [f"{prefix}{label}" for label in labels[known]]
    return found


class Joint:
    """The outcomes of ``[joint]`` in one run; the coupling is computed once, when the first of them needs it.

    Parameters
    ----------
    runs : sequence of OutcomeRun
        One an outcome of ``[joint]``, in its order.
    """

    def __init__(self, runs: Sequence[OutcomeRun]) -> None:
        self._runs = tuple(runs)

    @cached_property
    def _coupled(self) -> tuple[Coupled, dict[str, Any]]:
        from placewise.models import inference
        from placewise.models.engines import FitProblem
        from placewise.models.joint.couple import Member, couple
        from placewise.models.joint.factors import coupled_names

        first = self._runs[0]
        self._check_draws()
        members = [
            Member(
                run.name,
                FitProblem(run.data.design, run.data.response, run.model.outcome.family, run.separate.priors),
                run.separate,
                people_of(run.data, run.spec, run.model.outcome.surveys, run.model.outcome.name),
            )
            for run in self._runs
        ]
        names = coupled_names([m.problem.design for m in members], level_of(first.spec))
        found = couple(members, names, seed=first.spec.seed, jobs=first.work.jobs)
        interrupt.raise_if_asked()
        path = first.spec.out / FILE
        with atomic.replacing(path) as part:
            inference.save(found.idata, part)
        for run in self._runs[1:]:
            run.forget()
        return found, {**told(found.idata), "digest": file_digest(path)}

    def _check_draws(self) -> None:
        counts = {run.name: run.separate.n_draws for run in self._runs}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            raise ModelError(
                Problem(
                    "joint.outcomes",
                    f"the outcomes' fits keep different numbers of draws ({listed}), and draws are joined one to one",
                    "use one engine for all of them, or a number of draws that their chains divide",
                    "model",
                )
            )

    def take(self, name: str) -> tuple[Posterior, dict[str, Any]]:
        """One outcome's coupled posterior, and what is told of the coupling."""
        coupled, facts = self._coupled
        return coupled.posteriors[name], facts


def told(idata: Any) -> dict[str, Any]:
    """Correlations with their intervals and the measures of the coupling, as JSON values."""
    from placewise.models.joint.stacked import ETA

    posterior = idata["posterior"]
    rows = []
    for variable in map(str, posterior.data_vars):
        if not variable.startswith("cor_"):
            continue
        group = variable.removeprefix("cor_")
        values = np.asarray(posterior[variable])[0]
        names = [str(name) for name in posterior[f"{group}_outcome"].values]
        # under LKJ(η) of K each correlation is 2 Beta(α, α) - 1, α = η + (K - 2) / 2
        widest = SET_BY_PRIOR / np.sqrt(2.0 * ETA + len(names) - 1.0)
        for i in range(len(names)):
            for j in range(i + 1, len(names)):
                own = values[:, i, j]
                low, middle, high = (float(q) for q in np.quantile(own, (0.05, 0.5, 0.95)))
                rows.append(
                    {"group": group, "first": names[i], "second": names[j], "mean": float(own.mean()),
                     "q05": low, "q50": middle, "q95": high, "set_by_prior": bool(own.std() > widest)}
                )  # fmt: skip
    attrs = posterior.attrs
    people = [{key: row[key] for key in TOLD} for row in json.loads(str(attrs["people"]))]
    measures = {name.removeprefix("joint_"): float(v) for name, v in attrs.items() if str(name).startswith("joint_")}
    return {"correlations": rows, "people": people, "measures": measures}
