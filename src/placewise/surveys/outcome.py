"""What respondents answered, as the numbers a likelihood takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placewise.errors import Problems, nearest
from placewise.geography.codes import as_labels, as_numbers
from placewise.surveys.disclosure import THRESHOLD, told
from placewise.surveys.instruments import Instruments
from placewise.surveys.respondents import Dropped, Respondents

DONT_KNOW = frozenset({7, 8, 9, 77, 88, 96, 97, 98, 99, 777, 888, 997, 998, 999})
MOST_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False)
class Response:
    """The answers of those respondents who gave one.

    Parameters
    ----------
    y : ndarray, shape (m,)
        float64; for cumulative int64 categories 0..K-1 in the order of ``levels``.
    kept : ndarray of bool, shape (n,)
        Which of the n respondents the m answers belong to.
    levels : tuple of str
        Categories, lowest first (cumulative), else empty.
    trials, exposure, variance : ndarray of float64 or None, shape (m,)
        As the family needs them.
    dropped : tuple of Dropped
        Why the others are left out.
    notes : tuple of str
        Harmless findings.
    instruments : Instruments or None
        Answers to the items of a scale, or of several surveys; ``y`` is then each respondent's first answer.
    """

    y: np.ndarray
    kept: np.ndarray
    levels: tuple[str, ...] = ()
    trials: np.ndarray | None = None
    exposure: np.ndarray | None = None
    variance: np.ndarray | None = None
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    instruments: Instruments | None = None


def encode_response(
    respondents: Respondents,
    problems: Problems,
    *,
    where: str,
    response: str,
    family: str,
    order: Sequence[str] = (),
    success: Collection[str] = (),
    trials: str = "",
    exposure: str = "",
    variance: str = "",
) -> Response | None:
    """Turn answers into what the family's likelihood takes.

    Parameters
    ----------
    respondents : Respondents
        Whose columns include the response and what goes with it.
    problems : Problems
        Takes what is wrong: undeclared answers with their counts, impossible numbers, one answer only.
    where : str
        Model file, for messages.
    response, trials, exposure, variance : str
        Columns; the last three may be empty.
    family : {"bernoulli", "binomial", "poisson", "gaussian", "cumulative"}
        Of the outcome.
    order : sequence of str
        Categories, lowest first (cumulative).
    success : collection of str
        Answers that count as success (bernoulli); empty: answers are 0 and 1.

    Returns
    -------
    Response or None
        None when a problem was noted.
    """
    before = len(problems)
    extra = {"trials": trials, "exposure": exposure, "variance": variance}
    columns = [response, *(c for c in extra.values() if c)]
    missing = [c for c in columns if c not in respondents.table.columns]
    for column in missing:
        problems.add(
            f"{where}: outcome",
            f"survey {respondents.name!r} has no column {column!r}",
            nearest(column, respondents.available),
            "data",
        )
    if missing:
        return None
    kept, dropped = _answered(respondents, columns)
    table = respondents.table[kept]
    if len(table) < 2:
        problems.add(
            f"{where}: outcome.response",
            f"fewer than two respondents of survey {respondents.name!r} have an answer in {response!r}, "
            "expected two or more",
            kind="data",
        )
        return None
    at = f"{where}: outcome.response"
    y, notes = _values(table[response], family, order, success, at, problems)
    beside = {
        key: _numbers(table[column], key, f"{where}: outcome.{key}", problems)
        for key, column in extra.items()
        if column
    }
    if len(problems) > before:
        return None
    _check_together(y, beside, response, family, at, problems)
    if len(problems) > before:
        return None
    return Response(
        y,
        kept,
        tuple(order) if family == "cumulative" else (),
        beside.get("trials"),
        beside.get("exposure"),
        beside.get("variance"),
        dropped,
        notes,
    )


def _answered(respondents: Respondents, columns: Sequence[str]) -> tuple[np.ndarray, tuple[Dropped, ...]]:
    """Who has a value in every column, and why the others have not."""
    kept = np.ones(len(respondents), dtype=bool)
    dropped: list[Dropped] = []
    for column in dict.fromkeys(columns):
        lost = respondents.table[column].isna().to_numpy() & kept
        declared = lost & respondents.declared.get(column, False)
        dropped += [
            Dropped(column, "declared missing code", int(declared.sum())),
            Dropped(column, "blank", int((lost & ~declared).sum())),
        ]
        kept &= ~lost
    return kept, tuple(d for d in dropped if d.count)


def _values(
    values: pd.Series, family: str, order: Sequence[str], success: Collection[str], where: str, problems: Problems
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Answers as the family's likelihood takes them, shape (m,), and harmless findings."""
    if family == "cumulative":
        return _categories(values, order, where, problems)
    if family == "bernoulli" and success:
        return _successes(values, success, where, problems), ()
    return _numbers(values, family, where, problems), ()


def _categories(
    values: pd.Series, order: Sequence[str], where: str, problems: Problems
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions in the declared order, shape (m,), int64."""
    y = positions_in_order(values, order, "are not in outcome.order", where, problems)
    unused = [o for k, o in enumerate(order) if not (y == k).any()]
    return y, tuple(f"no respondent answered {o!r}" for o in unused)


def positions_in_order(
    values: pd.Series, order: Sequence[str], what: str, where: str, problems: Problems
) -> np.ndarray:
    """Position of each answer in the declared order, shape (m,), int64; -1 for others, which are noted.

    Parameters
    ----------
    what : str
        What is wrong with the others, as in "are not in outcome.order".
    """
    labels = as_labels(values)
    declared = as_labels(pd.Series(list(order), dtype="str"))
    y: np.ndarray = pd.Index(declared).get_indexer(pd.Index(labels)).astype(np.int64)
    _tell_undeclared(labels[y < 0], what, tuple(declared), where, problems)
    return y


def _successes(values: pd.Series, success: Collection[str], where: str, problems: Problems) -> np.ndarray:
    """1 for an answer among the successes, 0 for any other declared answer; shape (m,)."""
    labels = as_labels(values)
    wanted = as_labels(pd.Series(list(success), dtype="str"))
    met = pd.Series(labels).unique()
    for want in set(wanted) - set(met):
        problems.add(
            where.replace("response", "success"), f"no respondent answered {want!r}", nearest(want, met), "data"
        )
    _tell_undeclared(labels[_stray(labels, wanted)], "look like codes for no answer", (), where, problems)
    return np.isin(labels.astype(str), wanted.astype(str)).astype(np.float64)


def _stray(labels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Answers that are no answers: numbers among text; among numbers, negative ones and 8, 97 … beyond the others."""
    numbers, text = as_numbers(pd.Series(labels))
    declared = np.isin(labels.astype(str), wanted.astype(str))
    if text.any():
        return ~text & ~declared
    beyond = np.isin(numbers, list(DONT_KNOW)) & ~declared
    rest = numbers[~beyond & (numbers >= 0)]
    return ~declared & ((numbers < 0) | (beyond & (numbers > (rest.max() if rest.size else -np.inf) + 1)))


def _numbers(values: pd.Series, kind: str, where: str, problems: Problems) -> np.ndarray:
    """Values as the numbers that a family, or a column beside the response, allows; shape (m,)."""
    numbers, text = as_numbers(values)
    whole = numbers == np.floor(numbers)
    finite = np.isfinite(numbers)
    allowed: Mapping[str, tuple[np.ndarray, str]] = {
        "bernoulli": (np.isin(numbers, (0, 1)), "0 or 1"),
        "binomial": (finite & whole & (numbers >= 0), "whole numbers of successes"),
        "poisson": (finite & whole & (numbers >= 0), "whole numbers, zero or more"),
        "gaussian": (finite, "finite numbers"),
        "trials": (finite & whole & (numbers > 0), "whole numbers above zero"),
        "exposure": (finite & (numbers > 0), "finite numbers above zero"),
        "variance": (finite & (numbers > 0), "finite numbers above zero"),
    }
    fits, expected = allowed[kind]
    if kind == "bernoulli" and text.all():
        _tell_undeclared(as_labels(values), "are text", (), where, problems, "name the answers in outcome.success")
        return numbers
    if not fits.all():
        _tell_undeclared(as_labels(values[~fits]), f"are not {expected}", (), where, problems)
    return numbers


def _check_together(
    y: np.ndarray, beside: Mapping[str, np.ndarray], response: str, family: str, where: str, problems: Problems
) -> None:
    trials = beside.get("trials")
    if trials is not None:
        over = int((y > trials).sum())
        if over:
            problems.add(
                where, f"{response!r} counts more successes than trials for {told(over)} respondents", kind="data"
            )
        if (y == 0).all() or (y == trials).all():
            problems.add(
                where,
                f"{response!r} is {'zero' if y[0] == 0 else 'all trials'} for every respondent",
                "nothing can be learned from one answer",
                "data",
            )
    elif (y == y[0]).all() and not (family == "poisson" and y[0] > 0):
        problems.add(
            where,
            f"all respondents gave the same answer in {response!r}",
            "nothing can be learned from one answer",
            "data",
        )


def _tell_undeclared(
    labels: np.ndarray, what: str, declared: Collection[str], where: str, problems: Problems, hint: str = ""
) -> None:
    """One problem that lists answers and their counts, none below the threshold."""
    if not len(labels):
        return
    counts = pd.Series(labels).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    # Many distinct answers may be free text, of which a rare one could tell who gave it.
    telling = [(a, c) for a, c in ordered if c >= THRESHOLD or len(ordered) <= MOST_SHOWN][:MOST_SHOWN]
    shown = [f"{str(answer)[:40]!r} ({told(int(count))})" for answer, count in telling]
    if len(telling) < len(ordered):
        shown.append(f"{told(len(ordered) - len(telling))} {'others' if telling else 'answers, each rare'}")
    close = nearest(str(ordered[0][0]), declared) if declared else ""
    problems.add(
        where,
        f"answers {what}: {', '.join(shown)}",
        hint or f"declare them in the survey's missing, or mend them{'; ' + close if close else ''}",
        "data",
    )
