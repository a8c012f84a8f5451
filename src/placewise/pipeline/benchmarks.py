"""Table ``[benchmark]`` of a model file: its targets checked before anything is fitted, then met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placewise.errors import Problem, Problems, nearest
from placewise.estimates.describe import NATIONAL, WHOLE
from placewise.models.spec import EstimandSpec, ModelSpec, OutcomeSpec
from placewise.pipeline.answers import values_of
from placewise.pipeline.load import OutcomeData

if TYPE_CHECKING:
    from placewise.estimates.benchmark import Benchmarked, Progress
    from placewise.estimates.predictor import Predictor
    from placewise.estimates.scale import LinkScale
    from placewise.estimates.targets import Targets
    from placewise.pipeline.outcome import OutcomeRun

# targets this near to what the respondents themselves say, as often as this, are theirs
_SAME, _OFTEN = 5e-4, 0.5


def problems_of(model: ModelSpec, data: OutcomeData, draws: int) -> list[Problem]:
    """Every problem of the targets that shows without a fit; none where the model is not benchmarked."""
    found = Problems()
    # reading the project has told of a file that is not there
    if model.benchmark and model.benchmark["targets"].is_file():
        from placewise.estimates.benchmark import check_size

        if _checked(model, data, found) is not None:
            check_size(len(_codes(model, data)), draws, model.benchmark["mode"], found)
    return list(found)


def notes_of(model: ModelSpec, data: OutcomeData) -> list[str]:
    """What is worth knowing of the targets before a fit."""
    if not model.benchmark or not model.benchmark.get("allow_same_data"):
        return []
    targets = _checked(model, data, Problems())
    if targets is None or not of_the_same_respondents(targets, model, data):
        return []
    return ["the targets are what the model's own respondents say: they are counted twice"]


def benchmark_run(run: OutcomeRun, threads: int) -> Benchmarked | None:
    """The run's predictor moved to the targets of the run's model file; None where there are none.

    Raises
    ------
    DataError, ConfigurationError, ModelError
        Every problem of the targets, or figures that cannot be reached.
    """
    if not run.model.benchmark:
        return None
    from placewise.estimates.benchmark import PASSES

    with run.reporter.bar(f"{run.name}: benchmarking", PASSES * len(run.predictor.codes)) as bar:
        return benchmarked(run.model, run.data, run.predictor, threads, bar)


def benchmarked(
    model: ModelSpec, data: OutcomeData, predictor: Predictor, threads: int, progress: Progress | None = None
) -> Benchmarked:
    """A predictor moved to the targets of its model file, which has some.

    Raises
    ------
    DataError, ConfigurationError, ModelError
        Every problem of the targets, or figures that cannot be reached.
    """
    from placewise.estimates.benchmark import benchmark

    found = Problems()
    targets = _checked(model, data, found)
    found.raise_if_any()
    assert targets is not None
    table = model.benchmark
    return benchmark(
        predictor, targets, table["level"], table["mode"], where=_where(model), threads=threads, progress=progress
    )


def _where(model: ModelSpec) -> str:
    return f"models/{model.outcome.name}.toml: benchmark.targets"


def _checked(model: ModelSpec, data: OutcomeData, found: Problems) -> Targets | None:
    """The targets, as far as they can be read; problems are noted."""
    from placewise.estimates.targets import check_targets, read_targets

    level, areas, where = model.benchmark["level"], data.areas, _where(model)
    known = [areas.code, *areas.levels, NATIONAL]
    if level not in known:
        found.add(where.replace("targets", "level"), f"there is no level {level!r}", nearest(level, known))
    targets = read_targets(model.benchmark["targets"], where, found)
    if targets is None or level not in known:
        return None
    check_targets(targets, level, _codes(model, data), _scale(model), model.benchmark["mode"], where, found)
    if not model.benchmark.get("allow_same_data") and of_the_same_respondents(targets, model, data):
        found.add(
            where,
            "the targets are what the model's own respondents say: they would be counted twice",
            "use figures of another source, or write allow_same_data = true",
            "data",
        )
    return targets


def _codes(model: ModelSpec, data: OutcomeData) -> set[str]:
    """Codes of the level's areas."""
    level = model.benchmark["level"]
    return {WHOLE} if level == NATIONAL else set(data.areas.table[level])


def _scale(model: ModelSpec) -> LinkScale:
    """Scale of the primary estimand, known before there is a posterior."""
    from placewise.estimates.predictor import Estimand
    from placewise.estimates.scale import scale_of_estimand
    from placewise.models.predict import ordinal_estimand

    outcome, estimand = model.outcome, model.outcome.estimands[0]
    if estimand.kind == "latent" or outcome.family == "gaussian":
        return scale_of_estimand(Estimand("", "latent", "identity"))
    if outcome.family == "poisson":
        return scale_of_estimand(Estimand("", "mean", "log"))
    if outcome.family == "graded_response":
        return _scale_of_items(outcome, estimand)
    if outcome.family == "cumulative":
        return scale_of_estimand(ordinal_estimand(estimand, outcome.order, np.zeros((len(outcome.order) - 1, 1))))
    return scale_of_estimand(Estimand("", "share", "logit", 1.0, np.array([-1.0])))


def _scale_of_items(outcome: OutcomeSpec, estimand: EstimandSpec) -> LinkScale:
    """Scale of a score, which lies between 1 and the mean number of categories, or of a share of one item."""
    from placewise.estimates.predictor import Estimand
    from placewise.estimates.scale import scale_of_estimand
    from placewise.models.predict import ordinal_estimand

    levels = {q.column: q.levels for q in outcome.questions[outcome.surveys[0]]}
    if estimand.kind == "share":
        own = levels[estimand.item]
        return scale_of_estimand(ordinal_estimand(estimand, own, np.zeros((len(own) - 1, 1))))
    top = float(np.mean([len(own) for own in levels.values()]))
    return scale_of_estimand(Estimand("", "mean", "logit", top, np.array([-1.0]), lower=1.0, upper=top))


def of_the_same_respondents(targets: Targets, model: ModelSpec, data: OutcomeData) -> bool:
    """Whether most targets are the weighted or plain means of the model's own respondents, to three decimals."""
    values, people, level = values_of(data, model.outcome.estimands[0]), data.respondents, model.benchmark["level"]
    if values is None or (people.area < 0).any():
        return False
    rows = np.isfinite(values)
    values, people = values[rows], people.take(rows)
    codes = np.full(len(values), WHOLE, dtype=object)
    if level != NATIONAL:
        codes = data.areas.table[level].to_numpy(dtype=object)[people.area]
    place = {code: i for i, code in enumerate(targets.codes)}
    group = np.array([place.get(code, -1) for code in codes])
    met = group >= 0
    scale = float(np.std(values)) or 1.0
    for weight in (np.ones(len(values)), people.weight):
        if weight is None:
            continue
        total = np.bincount(group[met], weight[met], minlength=len(place))
        sums = np.bincount(group[met], (weight * values)[met], minlength=len(place))
        asked = total > 0
        near = np.abs(sums[asked] / total[asked] - targets.estimate[asked]) <= _SAME * min(scale / 0.5, 1.0)
        if asked.any() and near.mean() > _OFTEN:
            return True
    return False
