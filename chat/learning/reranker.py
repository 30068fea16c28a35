"""Weights of symbols learned from what people opened and judged, drawn to those that a repository has.

Places further down are looked at less often, so what was opened there counts more: each opened place by one through the
chance that it was looked at (Joachims, Swaminathan and Schnabel 2017), which is taken to fall as one through its rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chat.learning.use_log import Noted
from core.ranking import model
from core.ranking.history import Floats
from core.ranking.model import Example
from index.search import CLASSES, Weights

RIDGE = 160.0
"""How strongly weights are drawn to those that a repository has."""
MOST_WEIGHT = 5.0
"""Of a place that was opened, however far down it was."""
ByClass = dict[str, dict[str, float]]


def learned(judged: Sequence[Noted], base: Weights, ridge: float = RIDGE) -> ByClass:
    """Weights of symbols by class of question; a class that nobody judged keeps its own."""
    found: ByClass = dict(base.documents)
    for of_class in CLASSES:
        own = base.documents[of_class]
        names = [name for name, weight in own.items() if weight]
        some = [one for noted in judged if noted.found.of_class == of_class for one in examples(noted, names)]
        if some:
            free = [name for name in names if name.startswith("k_") or own[name] < 0]
            fitted = model.fit(some, names, ridge=ridge, prior=own, free=free).weights
            found[of_class] = {name: round(weight, 4) for name, weight in fitted.items()}
    return found


def examples(noted: Noted, names: Sequence[str]) -> list[Example]:
    """What an answer teaches: each opened place against all that were shown; of an answer that helped, though nothing
    was opened, the first place.
    """
    places = noted.found.places[: noted.found.shown]
    searched = [number for number, one in enumerate(places) if one.share > 0]
    if len(searched) < 2:
        return []
    features = matrix(noted, names)[searched]
    offsets = np.array([np.log(max(places[number].score, 1e-9) / places[number].share) for number in searched])
    opened = [number for number in noted.opened if number in searched]
    if not noted.opened and noted.useful and 0 in searched:
        opened = [0]
    found = []
    for number in sorted(opened):
        true = np.array([one == number for one in searched])
        found.append(Example(features, true, min(number + 1.0, MOST_WEIGHT), offsets))
    return found


def matrix(noted: Noted, names: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Features of the places, those with these names; a name that was not looked at then is 0."""
    columns = {name: number for number, name in enumerate(noted.found.names)}
    every = np.array([one.features for one in noted.found.places], np.float32).reshape(-1, len(columns))
    found = np.zeros((len(every), len(names)), np.float32)
    for number, name in enumerate(names):
        if name in columns:
            found[:, number] = every[:, columns[name]]
    return found


def nats(example: Example, weights: Floats) -> float:
    """How unlikely weights hold what was opened: -log(share), by how much it counts."""
    scores = example.features @ weights + (0.0 if example.offset is None else example.offset)
    shares = model.softmax(scores)
    return float(-np.log(shares[example.true] + 1e-12).mean()) * example.weight
