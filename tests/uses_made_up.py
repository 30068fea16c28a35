"""Answers as the log of use has them, made up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chat.learning.places import Candidates
from chat.learning.policies import DEFAULT
from chat.learning.replay import Replayed
from chat.learning.use_log import Found, FoundPlace, Noted
from index.search import CLASSES, Weights

NAMES = ("w_all", "h_all")
BASE = Weights({}, {one: {"w_all": 1.0, "h_all": 1.0} for one in CLASSES}, [])


def noted(
    number: int, rows: Sequence[Sequence[float]] = ((1.0, 0.0), (0.0, 1.0)), *, opened: Sequence[int] = (),
    useful: bool | None = None, arm: str = DEFAULT.name, kind: str = "where",
) -> Noted:  # fmt: skip
    """An answer that showed a place for each row of features."""
    shares = np.exp(np.array(rows, float) @ [1.0, 1.0])
    shares /= shares.sum()
    places = [
        FoundPlace(f"part{at}.py", 10, 19, float(share), float(share), [*map(float, row)])
        for at, (row, share) in enumerate(zip(rows, shares, strict=True))
    ]
    found = Found("plain", list(NAMES), [1.0, 1.0], places, len(places))
    return Noted(f"ans_{number}", float(number), kind, "w1", "p1", arm, 0.5, found, useful, frozenset(opened))


def replayed(
    number: int, rows: Sequence[Sequence[float]], right: int, kind: str = "full", weights: Weights = BASE
) -> Replayed:
    """A question to the history that found a place for each row, put in order by some weights."""
    features = np.array(rows, np.float32)
    own = weights.documents["plain"]
    scores = np.exp(features @ [own[name] for name in NAMES])
    shares = scores / scores.sum()
    found = Candidates("plain", NAMES, features, shares, shares.copy(), {name: own[name] for name in NAMES})
    places = tuple((f"part{at}.py", "") for at in range(len(rows)))
    return Replayed(f"c{number}", kind, found, np.arange(len(rows)) == right, places)
