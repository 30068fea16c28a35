"""fusion.json: what an adapter was fused from, and how well that went."""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA = "1.0"
BASE, FUSED = "untuned base", "fused"
"""Rows of a proof, beside the parents' names."""
Method = Literal["delta", "cat", "literal", "ties", "dare"]


class FusedParent(msgspec.Struct, kw_only=True, frozen=True):
    """One of the adapters."""

    name: str
    sha256: str
    """Of its weights' file."""
    weight: float
    """All weights together are 1."""
    success_rate: float | None = None
    trials: int | None = None
    """Reported outcomes behind the rate; None where it was given without them."""


class Origin(msgspec.Struct, kw_only=True, frozen=True):
    """What an adapter was made from; a part of gitlore.json, so that its identity says it."""

    method: Method
    parents: list[FusedParent]


class LayerFigures(msgspec.Struct, kw_only=True, frozen=True):
    """What became of the updates of one layer."""

    rank: int
    """Of what was wanted, before it was cut."""
    energy: float
    """The share of its squared norm that was kept."""
    error: float
    """Relative distance to the exact weighted sum of the updates (Frobenius norm); 0 is exact."""
    absent: list[str] = []
    """Adapters without an update here: theirs counts as zero."""


class Saved(msgspec.Struct, kw_only=True, frozen=True):
    """Share of bits that the fused adapter saves, with the interval over commits; below 0 it needs more."""

    share: float
    low: float | None = None
    high: float | None = None


class Beside(msgspec.Struct, kw_only=True, frozen=True):
    """What another adapter needs on a history, which is no parent."""

    bits_per_byte: float
    saved: Saved
    """What the fused adapter saves of that."""


class OnHistory(msgspec.Struct, kw_only=True, frozen=True):
    """What everybody needs on the held-out commits of one parent's history."""

    owner: str
    """The parent that was trained on it."""
    of_edits: bool
    """Bits are those of edits, for each byte that they add; else of text, for each of its bytes."""
    commits: int
    tokens: int
    bits_per_byte: dict[str, float]
    """Of the untuned base, of each parent, and of the fused adapter."""
    saved_over_base: Saved
    saved_over_owner: Saved
    beside: dict[str, Beside] = {}
    """Adapters that were measured beside them, by name."""


class Proof(msgspec.Struct, kw_only=True, frozen=True):
    """The fused adapter beside everything that it could replace. Means are over histories."""

    histories: list[OnHistory]
    mean: dict[str, float]
    swapping: float
    """The mean where each history is served by its own adapter."""
    passes: bool
    """It needs fewer bits than the untuned base on every history, and than the best parent on the mean."""


class Trial(msgspec.Struct, kw_only=True, frozen=True):
    """Weights that were tried while they were learnt."""

    weights: list[float]
    bits_per_byte: float
    """On the validation commits of all histories: the mean over histories."""


class FusionReport(msgspec.Struct, kw_only=True):
    """fusion.json."""

    schema_version: str = SCHEMA
    origin: Origin
    base_model: str
    base_sha256: str = ""
    rank: int
    energy: float
    """Share of the squared norm that was kept, over all layers."""
    error: float
    """The same as a distance to the exact weighted sum: sqrt(Σ distance²) / sqrt(Σ norm²)."""
    layers: dict[str, LayerFigures]
    proof: Proof | None = None
    """None where it was not measured."""
    trials: list[Trial] = []
    """In order, where weights were learnt; the first are those without learning."""
    values_left_out: int = 0
    """Values (paths, authors, …) with a token in an adapter, but with no row left in the fused one."""
    notes: list[str] = []
    """What a reader should know, as sentences."""
