"""The model file of one outcome as typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from placewise.models.card import ModelCard
from placewise.models.priors import Prior
from placewise.surveys.items import Question

DEFAULT_ENGINE = "laplace"
# in category_specific: those that depart most from proportional odds
AUTO = "auto"

Family = Literal["gaussian", "bernoulli", "binomial", "poisson", "cumulative", "graded_response"]


@dataclass(frozen=True)
class EstimandSpec:
    """One published quantity.

    Parameters
    ----------
    name : str
        Empty when the model file names only one.
    kind : {"share", "mean", "latent", "score"}
        ``share`` of the categories named; ``mean`` (categories scored 1..K); ``latent``; ``score`` of a scale.
    categories : tuple of str
        Categories of a share; empty for bernoulli and binomial (the share of successes).
    item : str
        Item of a scale, else empty.
    """

    name: str
    kind: Literal["share", "mean", "latent", "score"]
    categories: tuple[str, ...] = ()
    item: str = ""


@dataclass(frozen=True)
class OutcomeSpec:
    """Table ``[outcome]``: what is asked, of whom, and what is published of it.

    Parameters
    ----------
    surveys : tuple of str
        The reference first.
    response, items, order
        The reference's: its column, or the columns of a scale, and the categories of the first of them.
    questions : mapping of str to tuple of Question
        Cumulative and graded_response: every survey's questions with their categories.
    different : tuple of str
        Items that several surveys ask and that have parameters of their own in each.
    wordings : mapping of str to str
        Wording of the question by survey, where there are several.
    item_wordings : mapping of str to str
        Wording of each item by its column, those that the model file gives.
    """

    name: str
    title: str
    surveys: tuple[str, ...]
    family: Family
    response: str = ""
    items: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    success: tuple[str, ...] = ()
    trials: str = ""
    exposure: str = ""
    variance: str = ""
    estimands: tuple[EstimandSpec, ...] = ()
    higher_is_better: bool = True
    finite_population: bool | None = None
    question: str = ""
    questions: Mapping[str, tuple[Question, ...]] = field(default_factory=dict)
    different: tuple[str, ...] = ()
    wordings: Mapping[str, str] = field(default_factory=dict)
    item_wordings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_measured(self) -> bool:
        """Whether a trait is measured by several items or surveys, so that there are instruments."""
        return self.family == "graded_response" or len(self.surveys) > 1


@dataclass(frozen=True)
class ModelSpec:
    """One model file: outcome, formula, priors, engine.

    Parameters
    ----------
    priors : mapping of str to Prior
        Keys as in the model file (``slope``, ``sd:geography`` …); only what the user wrote.
    category_specific : tuple of str, "auto" or None
        Covariates whose slope may differ by cutpoint; ``"auto"``: those that depart most from proportional odds.
    area_scale : str, mapping or None
        A class or level by which the area's own sd differs; or that as ``by``, with declared ``multipliers``.
    split : float or None
        ``split:geography``: the Dirichlet weight of the area is this times the number of levels above it.
    reference : mapping of str to str or float
        ``[model.reference]``; the value ``"draw"`` means a new level in every draw.
    sensitivity : bool
        Whether to fit again with survey weights and with other priors, and tell what changes.
    discrepancy : str
        Level or class of the areas at which a survey other than the reference departs from what all share; empty where
        it follows from the number of respondents.
    raw : mapping
        The file's tables as read, for round trips and hashing.
    """

    outcome: OutcomeSpec
    formula: str
    standardise: bool = True
    structure: Mapping[str, str] = field(default_factory=dict)
    category_specific: tuple[str, ...] | Literal["auto"] | None = None
    area_scale: Any = None
    engine: str = DEFAULT_ENGINE
    reference: Mapping[str, str | float] = field(default_factory=dict)
    priors: Mapping[str, Prior] = field(default_factory=dict)
    split: float | None = None
    below_link: Mapping[str, Any] = field(default_factory=dict)
    benchmark: Mapping[str, Any] = field(default_factory=dict)
    card: ModelCard = field(default_factory=ModelCard)
    sensitivity: bool = False
    discrepancy: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
