"""Whether adapters can be fused: each on the same base, each trained on sequences written in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.errors import UserError
from core.fusion.parents import Parent
from core.models.model_folder import ModelInfo

_TRUST = "name --trust-base if you know that they were trained on the same weights"
SEQUENCES = (
    *(("tokenizer", "mode"), ("tokenizer", "code_view")),
    *(("model_training", "documents"), ("model_training", "objective"), ("model_training", "nearest_edit")),
)
"""Settings that decide what a model is shown."""


def check(parents: Sequence[Parent], *, trust_base: bool = False) -> list[str]:
    """Raise UserError where fusing them would be wrong; returns what was taken on trust, as sentences.

    `trust_base` lets adapters through whose bases are only said to be the same.
    """
    if len({parent.sha256 for parent in parents}) < len(parents):
        raise UserError("an adapter is named twice", "give it a larger weight instead")
    infos = [parent.info for parent in parents]
    known = [info for info in infos if info]
    if 0 < len(known) < len(infos):
        raise UserError("some adapters were trained by Gitlore and some were not", "their sequences differ")
    if not all(info and info.base_sha256 for info in infos):  # the same weights may have other names elsewhere
        _one(
            parents, "base models", lambda parent: parent.base_model, "an adapter only fits the base it was trained on"
        )
    _one(parents, "embedding tables with trained rows", lambda parent: parent.tables, "their bases differ")
    if not known:
        if any(parent.tables for parent in parents):
            raise UserError(
                "the adapters have trained rows, but nothing says which tokens they are for",
                "name folders with gitlore.json, or adapters without trainable_token_indices",
            )
        return _trusted("nothing says which weights they were trained on", trust_base)
    _same_sequences(parents)
    return [*_same_weights(known, trust_base=trust_base), *_same_method(known, trust_base=trust_base)]


def _same_sequences(parents: Sequence[Parent]) -> None:
    def setting(section: str, key: str) -> Callable[[Parent], object]:
        return lambda parent: parent.info and parent.info.settings.get(section, {}).get(key)

    for section, key in SEQUENCES:
        _one(parents, f"values of {section}.{key}", setting(section, key), "they were trained on other sequences")
    markers = [set(parent.info.markers) for parent in parents if parent.info]
    if any(one != markers[0] for one in markers):
        raise UserError(
            "the adapters know different markers of the grammar", "train the older one again with this version"
        )


def _same_weights(infos: Sequence[ModelInfo], *, trust_base: bool) -> list[str]:
    hashes = {info.base_sha256 or "" for info in infos}
    if len(hashes - {""}) > 1:
        raise UserError(
            f"the adapters were trained on different weights of {infos[0].base_model}",
            "an adapter only fits the base it was trained on",
        )
    if "" not in hashes:
        return []
    return _trusted("an adapter was made before base models were recorded by their hash", trust_base)


def _same_method(infos: Sequence[ModelInfo], *, trust_base: bool) -> list[str]:
    if len({info.method for info in infos}) < 2:
        return []
    return _trusted("lora and qlora adapters were trained on differently rounded weights of their base", trust_base)


def _trusted(why: str, trust_base: bool) -> list[str]:
    if not trust_base:
        raise UserError(f"the adapters may have different bases: {why}", _TRUST)
    return [f"that the bases are the same was taken on trust: {why}"]


def _one(parents: Sequence[Parent], what: str, value: Callable[[Parent], object], hint: str) -> None:
    first = value(parents[0])
    for parent in parents[1:]:
        if (other := value(parent)) != first:
            raise UserError(
                f"{parents[0].folder} and {parent.folder} have different {what}: {_shown(first)} and {_shown(other)}",
                hint,
            )


def _shown(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "none"
