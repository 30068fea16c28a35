"""Which commits speak of what a question is about: their messages, ranked by words in any form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.git.touched import Touch
from core.ranking.matching import Documents
from core.ranking.terms import counted, number, words

LEAST_HELD = 0.5
"""Of what the words of a topic weigh, that a message holds which is shown."""
LEAST_SCORE = 0.4
"""Of the nearest message's score."""


@dataclass(frozen=True)
class Spoken:
    """A commit, and how much its message holds of the words of a topic, by their rarity: 0 to 1."""

    touch: Touch
    held: float


def nearest(touches: Sequence[Touch], topic: Sequence[str], asked: Sequence[str] = (), beyond: int = 0) -> list[Spoken]:
    """Commits whose messages hold enough of a topic's stems, the nearest first; of equal ones as they come.

    `asked` are all stems of the question: how something was changed tells as well, but is not required. `beyond` is how
    many commits there are that say nothing of the topic.
    """
    if not topic or not touches:
        return []
    texts = [counted([*words(touch.title), *words(touch.title), *words(touch.body)]) for touch in touches]
    found = replace(Documents.of(texts), beyond=beyond).find([*topic, *asked])
    scores = found.scores([*topic, *topic, *asked])
    own = np.isin(found.terms, [number(word) for word in topic])
    known = own & (np.bincount(found.places, minlength=len(found.terms)) > 0)
    weights = np.where(known, found.shares, 0.0)
    total = float(weights.sum()) * own.sum() / max(known.sum(), 1)  # a word that no message has weighs as the others do
    held = np.bincount(found.rows, weights[found.places], len(touches)) / max(total, 1e-9)
    best = [place for place in np.argsort(-scores, kind="stable").tolist() if held[place] >= LEAST_HELD]
    least = LEAST_SCORE * scores[best[0]] if best else 0.0
    return [Spoken(touches[place], float(held[place])) for place in best if scores[place] >= least]
