"""A base model's tokenizer made to give back exactly what it was given, with room for our own tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_RESERVED = re.compile(r"reserved|unused|place.?holder|\[control_\d+\]|<SPECIAL_\d+>", re.IGNORECASE)
"""Tokens that makers of models keep free: Llama 3, Gemma, DeepSeek, Mistral name them so."""


def lossless(tokenizer: Tokenizer, own: Sequence[str] = ()) -> Tokenizer:
    """A copy that gives back what it was given: nothing normalised, no blank put in front or stripped.

    Added tokens all become special ones, since only those can be kept from matching inside text.
    Tokens of `own` take the places of reserved ones, as far as there are such.
    """
    from tokenizers import Tokenizer

    parts = json.loads(tokenizer.to_str())
    _complete_alphabet(parts)
    for token in parts["added_tokens"]:
        token["special"] = True
    _rename_reserved(parts, own)
    parts["normalizer"] = _without(
        parts["normalizer"], "normalizers", ("NFC", "NFD", "NFKC", "NFKD", "Prepend", "Strip")
    )
    parts["decoder"] = _without(parts["decoder"], "decoders", ("Strip",))
    for part in (parts["pre_tokenizer"], parts["decoder"]):
        for item in _components(part):
            if item["type"] == "Metaspace":
                item["prepend_scheme"] = "never"
            elif item["type"] == "ByteLevel" and part is parts["pre_tokenizer"]:
                item["add_prefix_space"] = False
    return Tokenizer.from_str(json.dumps(parts))


def spare_rows(tokenizer: Tokenizer, rows: int) -> int:
    """How many tokens can be added without new rows in a model that has `rows` of them."""
    reserved = sum(bool(_RESERVED.search(token.content)) for token in tokenizer.get_added_tokens_decoder().values())
    last = max(tokenizer.get_vocab(with_added_tokens=True).values())
    return reserved + max(rows - last - 1, 0)


def _rename_reserved(parts: dict[str, Any], own: Sequence[str]) -> None:
    free = (token for token in parts["added_tokens"] if _RESERVED.search(token["content"]))
    entries = parts["model"].get("vocab")
    for token, name in zip(free, own, strict=False):
        if isinstance(entries, dict) and token["content"] in entries:
            entries[name] = entries.pop(token["content"])
        token.update(content=name, normalized=False, lstrip=False, rstrip=False, single_word=False)


def _complete_alphabet(parts: dict[str, Any]) -> None:
    """Give a byte-level vocabulary the bytes it never met; without an entry a byte would vanish."""
    from tokenizers import pre_tokenizers

    if not any(item["type"] == "ByteLevel" for item in _components(parts["decoder"])):
        return
    entries = parts["model"]["vocab"]
    missing = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - entries.keys())
    if not missing:
        return
    # An added token that is not an entry is numbered after the last entry: as entries they keep their ids.
    entries.update({token["content"]: token["id"] for token in parts["added_tokens"]})
    first_free = max(entries.values()) + 1
    entries.update({symbol: first_free + number for number, symbol in enumerate(missing)})


def _components(part: dict[str, Any] | None) -> list[dict[str, Any]]:
    if part is None:
        return []
    for key in ("normalizers", "pretokenizers", "decoders"):
        if key in part:
            return list(part[key])
    return [part]


def _without(part: dict[str, Any] | None, key: str, types: Sequence[str]) -> dict[str, Any] | None:
    if part is None or part["type"] in types:
        return None
    if part["type"] == "Sequence":
        kept = [item for item in part[key] if item["type"] not in types]
        return {**part, key: kept} if kept else None
    return part
