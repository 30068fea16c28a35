"""What an answer says beside files: names with shares, ranked by weights that ship in facts.json."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.ranking.history import Floats
from core.ranking.model import Logit
from core.records.ranker import RankerRecord, read_ranker

if TYPE_CHECKING:
    from core.records.rankings import Fact

SHIPPED = Path(__file__).with_name("facts.json")


@dataclass(frozen=True)
class Ranked:
    """A name, its share of all that may be right (all shares add up to one), and why."""

    name: str
    share: float
    reason: str = ""


def ordered(fact: Fact, features: Mapping[str, Floats]) -> list[tuple[int, float]]:
    """(place, share) of each candidate, the best one first. Raises UserError where the weights cannot be read."""
    shares = Logit(weights(fact)).shares({name: features[name] for name in weights(fact)})
    return [(place, float(shares[place])) for place in np.argsort(-shares, kind="stable").tolist()]


def weights(fact: Fact) -> dict[str, float]:
    """Those that ship, by feature."""
    return shipped().modes[fact].weights


@functools.cache
def shipped() -> RankerRecord:
    """The record that scripts/fit_facts.py wrote."""
    return read_ranker(SHIPPED)


def decayed_shares(rows: Sequence[int] | Floats, values: Floats, count: int) -> Floats:
    """Values added up by row, as parts of their sum; shape (count,)."""
    totals = np.bincount(rows, values, count)
    return totals / max(float(totals.sum()), 1e-12)
