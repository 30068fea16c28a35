"""Weights of the search, learned from questions whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import UserError
from core.ranking import model
from core.ranking.features import Features
from core.ranking.model import Example
from index.examples import Answered, with_weights
from index.search import CLASSES, Weights

RIDGE = 10.0
LEARNED_FROM = ("full", "masked", "docstring")
ByClass = dict[str, dict[str, float]]


def fitted(questions: Sequence[Answered], names: list[str]) -> Weights:
    """Weights by class of question; a class without questions has those of all. Documents are learned with the shares
    that the weights of files give. Raises UserError where there is nothing to learn from.
    """
    known = [one for one in questions if one.kind in LEARNED_FROM]
    if not any(one.right_documents.any() for one in known):
        raise UserError("these repositories have no questions to learn from", "name others, or ask for more")
    weights = Weights(of_files(known), {}, names)
    return Weights(weights.files, of_documents([with_weights(one, weights) for one in known]), names)


def of_files(questions: Sequence[Answered], ridge: float = RIDGE, prior: ByClass | None = None) -> ByClass:
    """Weights of files, drawn to those of the `prior`, which a class without questions keeps."""
    found: ByClass = dict(prior or {})
    for one in CLASSES:
        if some := [question for question in questions if question.of_class == one] or ([] if prior else questions):
            examples = [question.example_of_files for question in some]
            found[one] = _learned(examples, some[0].files, ridge, found.get(one))
    return found


def of_documents(questions: Sequence[Answered], ridge: float = RIDGE, prior: ByClass | None = None) -> ByClass:
    """The same of documents."""
    known = [question for question in questions if question.right_documents.any()]
    found: ByClass = dict(prior or {})
    for one in CLASSES:
        if some := [question for question in known if question.of_class == one] or ([] if prior else known):
            examples = [question.example_of_documents for question in some]
            found[one] = _learned(examples, some[0].documents, ridge, found.get(one))
    return found


def _learned(
    examples: Sequence[Example], names: Features, ridge: float, prior: Mapping[str, float] | None
) -> dict[str, float]:
    free = [name for name in names if name.startswith("k_")]
    found = model.fit(examples, list(names), ridge=ridge, prior=prior, free=free).weights
    return {name: round(weight, 4) for name, weight in found.items() if abs(weight) >= 5e-5}
