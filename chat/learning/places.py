"""The places that were found for a question, as weights of the search see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.ranking.history import Floats, Mask
from core.ranking.model import Matrix
from index.hits import Hit
from index.search import Weights

_LEAST = 1e-9


@dataclass(frozen=True)
class Candidates:
    """Places in the order in which they were put, with the features that weights are for.

    Other weights move a place by what they change of its share; what else its score is made of (words that it holds,
    tests behind code) stays. A place that was found by its name alone has no features, and keeps its score.
    """

    of_class: str
    names: tuple[str, ...]
    features: Matrix
    shares: Floats
    """Of all that was found, by the weights that the places were found with; 0 of those found by name."""
    final: Floats
    """The scores that they were put in order by."""
    weights: dict[str, float]
    """Those that they were found with."""

    @classmethod
    def of(cls, hits: Sequence[Hit], weights: Weights) -> Candidates | None:
        """Of hits as a question gets them; None where none of them was found by a search."""
        of_class = next((hit.of_class for hit in hits if hit.of_class), "")
        if not of_class:
            return None
        own = weights.documents[of_class]
        names = tuple(name for name, weight in own.items() if weight)
        rows = [[hit.features.get(name, 0.0) / own[name] for name in names] for hit in hits]
        return cls(
            of_class,
            names,
            np.array(rows, np.float32).reshape(len(hits), len(names)),
            np.array([hit.share for hit in hits]),
            np.array([hit.score for hit in hits]),
            {name: own[name] for name in names},
        )

    @property
    def searched(self) -> Mask:
        """Those that have features."""
        found: Mask = self.shares > 0
        return found

    @property
    def offsets(self) -> Floats:
        """What is added to a weighted sum to get the logarithm of a score, but for a constant."""
        found: Floats = np.log(np.maximum(self.final, _LEAST) / np.maximum(self.shares, _LEAST))
        return found

    def scores(self, weights: Weights) -> Floats:
        """What the places are put in order by with other weights."""
        moved = [weights.documents[self.of_class].get(name, 0.0) - self.weights[name] for name in self.names]
        sums = self.features @ np.array(moved, np.float64)
        searched = self.searched
        grown = np.where(searched, self.shares * np.exp(np.clip(sums, -50, 50)), 0.0)
        total = grown.sum()
        if not total:
            return self.final
        shares = grown * (self.shares[searched].sum() / total)
        return np.where(searched, self.final * shares / np.maximum(self.shares, _LEAST), self.final)
