"""Weights of the search, learned from questions whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import UserError
from core.ranking import model
from core.ranking.features import Features
from core.ranking.model import Example
from index.examples import Answered, with_weights
from index.search import CLASSES, Weights

RIDGE = 10.0
LEARNED_FROM = ("full", "masked", "docstring")


def fitted(questions: Sequence[Answered], names: list[str]) -> Weights:
    """Weights by class of question; a class without questions has those of all. Documents are learned with the shares
    that the weights of files give. Raises UserError where there is nothing to learn from.
    """
    known = [one for one in questions if one.kind in LEARNED_FROM]
    if not any(one.right_documents.any() for one in known):
        raise UserError("these repositories have no questions to learn from", "name others, or ask for more")
    of_files: dict[str, dict[str, float]] = {}
    for one in CLASSES:
        some = [question for question in known if question.of_class == one] or known
        of_files[one] = _learned([question.example_of_files for question in some], some[0].files)
    weights = Weights(of_files, {}, names)
    found = [with_weights(question, weights) for question in known if question.right_documents.any()]
    of_documents: dict[str, dict[str, float]] = {}
    for one in CLASSES:
        some = [question for question in found if question.of_class == one] or found
        of_documents[one] = _learned([question.example_of_documents for question in some], some[0].documents)
    return Weights(of_files, of_documents, names)


def _learned(examples: Sequence[Example], names: Features) -> dict[str, float]:
    free = [name for name in names if name.startswith("k_")]
    found = model.fit(examples, list(names), ridge=RIDGE, free=free).weights
    return {name: round(weight, 4) for name, weight in found.items() if abs(weight) >= 5e-5}
