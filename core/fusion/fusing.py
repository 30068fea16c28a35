"""Making one adapter of several: layer by layer, each method beside the exact weighted sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.fusion import updates
from core.fusion.parents import Parent, layers_of
from core.fusion.updates import Fused, Update
from core.records.fusion import LayerFigures, Method

Tensors = dict[str, NDArray[np.float32]]
_SEED_DIGITS = 8


@dataclass(frozen=True)
class Recipe:
    """How adapters are fused. `weights` add up to 1."""

    method: Method
    weights: Sequence[float]
    rank: int = 0
    """0: the largest of theirs; for `cat` the sum of them, always."""
    energy: float = 0.0
    """Above 0: the least rank, at most `rank` if that is given, that keeps this share of each layer's squared norm."""
    density: float = 0.5
    """Of `ties` and `dare`: the share of entries that stay."""


@dataclass
class FusedLayers:
    """The factors of all layers, under their names in the file, with a scale of 1; and what became of each layer."""

    rank: int
    tensors: Tensors = field(default_factory=dict)
    figures: dict[str, LayerFigures] = field(default_factory=dict)
    energy: float = 1.0
    error: float = 0.0


def fuse(parents: Sequence[Parent], recipe: Recipe, progress: Callable[[], None] | None = None) -> FusedLayers:
    """All layers; `progress` is called after each.

    Raises UserError where the method cannot be used on these adapters.
    """
    layers = layers_of(parents)
    if recipe.method == "literal" and len({parent.rank for parent in parents}) > 1:
        raise UserError("factors of different ranks cannot be averaged", "use --method delta")
    made = FusedLayers(_rank(parents, recipe, layers))
    kept = wanted = apart = whole = 0.0
    for layer, shape in layers.items():
        present = [place for place, parent in enumerate(parents) if layer in parent.layers]
        theirs = [parents[place].update(layer) for place in present]
        weights = [recipe.weights[place] for place in present]
        exact = updates.joined(theirs, weights)
        fused = _layer(recipe, theirs, weights, exact, shape, made.rank, [parents[place] for place in present])
        made.tensors |= _named(layer, updates.padded(fused.update, made.rank))
        error, norm = updates.error(fused.update, exact), exact.norm()
        absent = [parent.name for place, parent in enumerate(parents) if place not in present]
        made.figures[layer] = LayerFigures(rank=exact.rank, energy=fused.energy, error=error, absent=absent)
        kept, wanted = kept + fused.energy * norm**2, wanted + norm**2
        apart, whole = apart + (error * norm) ** 2, whole + norm**2
        if progress:
            progress()
    made.energy, made.error = (kept / wanted if wanted else 1.0), ((apart / whole) ** 0.5 if whole else 0.0)
    return made


def _rank(parents: Sequence[Parent], recipe: Recipe, layers: Mapping[str, tuple[int, int]]) -> int:
    if recipe.method == "cat":
        return sum(parent.rank for parent in parents)
    largest = recipe.rank or max(parent.rank for parent in parents)
    if recipe.method != "delta" or not recipe.energy:
        return largest if recipe.method != "literal" else parents[0].rank
    needed = 1
    for layer in layers:
        present = [place for place, parent in enumerate(parents) if layer in parent.layers]
        theirs = [parents[place].update(layer) for place in present]
        singular = updates.decomposed(updates.joined(theirs, [recipe.weights[place] for place in present]))[1]
        needed = max(needed, updates.rank_for(singular, recipe.energy))
    return min(needed, recipe.rank) if recipe.rank else needed


def _layer(
    recipe: Recipe,
    theirs: Sequence[Update],
    weights: Sequence[float],
    exact: Update,
    shape: tuple[int, int],
    rank: int,
    parents: Sequence[Parent],
) -> Fused:
    if recipe.method == "cat":
        return Fused(exact)
    if recipe.method == "delta":
        return updates.truncated(updates.decomposed(exact), rank)
    if recipe.method == "literal":
        return Fused(updates.literal(theirs, weights))
    if recipe.method == "ties":
        return updates.nearest(updates.ties(theirs, weights, recipe.density), shape, rank, seed=0)
    seeds = [int(parent.sha256[:_SEED_DIGITS], 16) for parent in parents]
    return updates.nearest(updates.dare(theirs, weights, recipe.density, seeds), shape, rank, seed=0)


def _named(layer: str, update: Update) -> Tensors:
    prefix: Any = f"base_model.model.{layer}.lora_"
    return {
        f"{prefix}A.weight": np.ascontiguousarray(update.up, dtype=np.float32),
        f"{prefix}B.weight": np.ascontiguousarray(update.down, dtype=np.float32),
    }
