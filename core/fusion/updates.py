"""The arithmetic of fusing: weighted sums of low-rank updates, without ever forming one in full.

An update is scale · B·A, a matrix of rank r; its two factors are not unique. With M any invertible matrix, (B·M, M⁻¹·A)
is the same update, so averages of factors are no function of the updates: of one adapter and the same with the signs of
its factors flipped, they leave nothing. Everything here but `literal` depends on the updates alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating[Any]]
_ROWS_AT_ONCE = 512
"""Of a full update, where a method needs its entries."""
_OVERSAMPLED = 8
"""Directions beyond the rank that a randomised decomposition looks in (Halko, Martinsson, Tropp 2011)."""


@dataclass(frozen=True)
class Update:
    """down @ up, as (d, r) and (r, k): B with its scale in it, and A."""

    down: Matrix
    up: Matrix

    @property
    def rank(self) -> int:
        """r."""
        return int(self.up.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(d, k) of the layer."""
        return int(self.down.shape[0]), int(self.up.shape[1])

    def times(self, factor: float) -> Update:
        """The update, scaled."""
        return Update(self.down.astype(np.float64) * factor, self.up.astype(np.float64))

    def rows(self, first: int, last: int) -> Matrix:
        """Rows of the full matrix."""
        return self.down[first:last].astype(np.float64) @ self.up.astype(np.float64)

    def norm(self) -> float:
        """Frobenius norm."""
        down, up = self.down.astype(np.float64), self.up.astype(np.float64)
        return float(np.sqrt(max(np.sum((down.T @ down) * (up @ up.T)), 0.0)))


@dataclass(frozen=True)
class Fused:
    """What became of a layer's updates."""

    update: Update
    energy: float = 1.0
    """The share of the squared Frobenius norm of what was wanted that its rank holds."""


def joined(updates: Sequence[Update], weights: Sequence[float]) -> Update:
    """Σ weight · update, exactly; its rank is the sum of theirs."""
    scaled = [update.times(weight) for update, weight in zip(updates, weights, strict=True)]
    return Update(np.concatenate([one.down for one in scaled], axis=1), np.concatenate([one.up for one in scaled]))


def decomposed(update: Update) -> tuple[Matrix, Matrix, Matrix]:
    """Its singular value decomposition (U, S, Vᵀ) at its own rank, by way of both factors' QR: O((d + k) r²)."""
    left, left_core = np.linalg.qr(update.down.astype(np.float64))
    right, right_core = np.linalg.qr(update.up.astype(np.float64).T)
    inner, singular, outer = np.linalg.svd(left_core @ right_core.T, full_matrices=False)
    return _signed(left @ inner, singular, outer @ right.T)


def rank_for(singular: Matrix, energy: float) -> int:
    """The least rank that keeps a share of the squared norm; at least 1."""
    squares = np.cumsum(np.square(singular))
    if not len(squares) or squares[-1] == 0:
        return 1
    return int(min(np.searchsorted(squares, energy * squares[-1] * (1 - 1e-12)) + 1, len(squares)))


def truncated(parts: tuple[Matrix, Matrix, Matrix], rank: int) -> Fused:
    """The nearest update of a rank, its factors scaled alike; filled up with zeros where it has fewer."""
    left, singular, right = parts
    kept = min(rank, len(singular))
    root = np.sqrt(singular[:kept])
    down, up = left[:, :kept] * root, root[:, None] * right[:kept]
    whole = float(np.sum(np.square(singular)))
    energy = float(np.sum(np.square(singular[:kept]))) / whole if whole else 1.0
    return Fused(padded(Update(down, up), rank), energy)


def padded(update: Update, rank: int) -> Update:
    """The same update with factors of a larger rank."""
    more = rank - update.rank
    if more <= 0:
        return update
    return Update(np.pad(update.down, ((0, 0), (0, more))), np.pad(update.up, ((0, more), (0, 0))))


def literal(updates: Sequence[Update], weights: Sequence[float]) -> Update:
    """Averages of the factors themselves. All have one rank."""
    shares = np.array(weights)[:, None, None]
    down = np.sum(np.stack([update.down.astype(np.float64) for update in updates]) * shares, axis=0)
    up = np.sum(np.stack([update.up.astype(np.float64) for update in updates]) * shares, axis=0)
    return Update(down, up)


def error(made: Update, exact: Update) -> float:
    """Norm of what sets them apart, by the norm of what is exact; 0 where both are zero."""
    difference = joined([made, exact], [1.0, -1.0])
    whole, apart = exact.norm(), float(np.sqrt(np.sum(np.square(decomposed(difference)[1]))))
    return apart / whole if whole else float(apart > 0)


Entries = Callable[[int, int], Matrix]
"""Rows [first, last) of a full update."""


def ties(updates: Sequence[Update], weights: Sequence[float], density: float) -> Entries:
    """TIES (Yadav et al. 2023) of the updates: of each the largest entries (a share `density`), of these the sign that
    weighs more at each place, of these the weighted mean.
    """
    bounds = [_threshold(update, density) for update in updates]

    def rows(first: int, last: int) -> Matrix:
        blocks = [update.rows(first, last) for update in updates]
        kept = [np.where(np.abs(block) >= bound, block, 0.0) for block, bound in zip(blocks, bounds, strict=True)]
        scaled = [block * weight for block, weight in zip(kept, weights, strict=True)]
        sign = np.sign(np.sum(scaled, axis=0))
        agree = [(np.sign(block) == sign) & (block != 0) for block in kept]
        shares = np.sum([mask * weight for mask, weight in zip(agree, weights, strict=True)], axis=0)
        total = np.sum([np.where(mask, block, 0.0) for mask, block in zip(agree, scaled, strict=True)], axis=0)
        return np.asarray(np.divide(total, shares, out=np.zeros_like(total), where=shares > 0))

    return rows


def dare(updates: Sequence[Update], weights: Sequence[float], density: float, seeds: Sequence[int]) -> Entries:
    """DARE (Yu et al. 2023): entries of each update are dropped at random, the share `density` that stays is scaled up
    by its inverse, then they are added by weight. `seeds` holds one for each update.
    """

    def rows(first: int, last: int) -> Matrix:
        total = np.zeros((last - first, updates[0].shape[1]))
        for update, weight, seed in zip(updates, weights, seeds, strict=True):
            draw = np.random.default_rng([seed, first])
            stays = draw.random(total.shape) < density
            total += np.where(stays, update.rows(first, last), 0.0) * (weight / density)
        return total

    return rows


def nearest(entries: Entries, shape: tuple[int, int], rank: int, seed: int) -> Fused:
    """The nearest update of a rank to a matrix that is given in rows, nearly: by random directions, in two passes."""
    wide = min(rank + _OVERSAMPLED, *shape)
    probe = np.random.default_rng(seed).standard_normal((shape[1], wide))
    left, _ = np.linalg.qr(np.concatenate([entries(*block) @ probe for block in _blocks(shape[0])]))
    core, whole = np.zeros((wide, shape[1])), 0.0
    for first, last in _blocks(shape[0]):
        rows = entries(first, last)
        core += left[first:last].T @ rows
        whole += float(np.sum(np.square(rows)))
    inner, singular, right = np.linalg.svd(core, full_matrices=False)
    found = truncated(_signed(left @ inner, singular, right), rank)
    held = float(np.sum(np.square(singular[:rank])))
    return Fused(found.update, held / whole if whole else 1.0)


def _threshold(update: Update, density: float) -> float:
    """The size that a share `density` of an update's entries reach: from a histogram, in two passes."""
    if density >= 1:
        return 0.0
    largest = max((float(np.abs(update.rows(*block)).max()) for block in _blocks(update.shape[0])), default=0.0)
    if largest == 0:
        return 0.0
    edges = np.linspace(0, largest, (1 << 16) + 1)
    counts = np.zeros(len(edges) - 1)
    for block in _blocks(update.shape[0]):
        counts += np.histogram(np.abs(update.rows(*block)), edges)[0]
    above = np.cumsum(counts[::-1])[::-1]
    reached = np.flatnonzero(above >= density * counts.sum())
    return float(edges[reached[-1]]) if len(reached) else 0.0


def _blocks(rows: int) -> Iterator[tuple[int, int]]:
    for first in range(0, rows, _ROWS_AT_ONCE):
        yield first, min(first + _ROWS_AT_ONCE, rows)


def _signed(left: Matrix, singular: Matrix, right: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """With one of the two signs that each pair of vectors may have, so that one update has one decomposition."""
    largest = np.abs(right).argmax(axis=1)
    sign = np.where(right[np.arange(len(right)), largest] < 0, -1.0, 1.0)
    return left * sign, singular, right * sign[:, None]
