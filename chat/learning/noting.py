"""An answer as the log of use keeps it."""

from __future__ import annotations

from chat import order
from chat.answer import Answer
from chat.asking import MOST_NEAREST
from chat.learning.bandit import Choice
from chat.learning.places import Candidates
from chat.learning.use_log import Found, FoundPlace, Noted
from chat.subjects import OF_PLACES
from index.search import Weights

DIGITS = 6


def noted(answer_id: str, answer: Answer, weights: Weights, choice: Choice, at: float) -> Noted | None:
    """What is kept of an answer; None of one that search has no part in, or that other weights have found."""
    candidates = Candidates.of(answer.hits, weights) if answer.kind in OF_PLACES else None
    if candidates is None or answer.weights != weights.version:
        return None
    places = [
        FoundPlace(hit.path, hit.first, hit.last, hit.share, hit.score, [round(float(one), DIGITS) for one in row])
        for hit, row in zip(answer.hits, candidates.features, strict=True)
    ]
    shown = len(order.shown(answer.hits, answer.policy.places if answer.known else MOST_NEAREST))
    found = Found(candidates.of_class, list(candidates.names), list(candidates.weights.values()), places, shown)
    policy = answer.policy.name
    return Noted(answer_id, at, answer.kind, answer.weights, choice.version, policy, choice.chance, found)
