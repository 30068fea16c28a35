"""PageRank (Page et al. 1998): where somebody ends up who follows edges, and now and then begins at random."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

DAMPING = 0.85
ROUNDS = 50
"""After which a share is off by at most 0.85 to the power of this."""
Name = TypeVar("Name", bound=Hashable)


def ranks(names: Sequence[Name], edges: Iterable[tuple[Name, Name]]) -> Mapping[Name, float]:
    """The share of each name, all together 1; edges to or from other names do not count."""
    import numpy as np
    from scipy.sparse import csr_array

    numbers = {name: number for number, name in enumerate(names)}
    pairs = [(numbers[a], numbers[b]) for a, b in edges if a in numbers and b in numbers]
    if not numbers:
        return {}
    size = len(numbers)
    sources = np.array([pair[0] for pair in pairs], dtype=np.int64)
    targets = np.array([pair[1] for pair in pairs], dtype=np.int64)
    degrees = np.bincount(sources, minlength=size)
    weights = 1.0 / degrees[sources]
    steps = csr_array((weights, (targets, sources)), shape=(size, size))
    share = np.full(size, 1.0 / size)
    for _ in range(ROUNDS):
        lost = share[degrees == 0].sum()
        share = (1 - DAMPING + DAMPING * lost) / size + DAMPING * (steps @ share)
    return {name: float(share[number]) for name, number in numbers.items()}
