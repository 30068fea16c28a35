"""dataset_stats.json: sizes and quantiles of the splits, copies, and the baselines that a model must beat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.dataset import baselines
from core.dataset.baselines import Asked, Entropy, Spool
from core.dataset.blocks import Packed
from core.dataset.duplicates import Duplicate
from core.dataset.history import TokenHistory
from core.dataset.splits import Split
from core.dataset.streams import texts
from core.text.stream import Tokens
from core.text.vocabulary import Vocabulary

QUANTILES = (5, 25, 50, 75, 95, 100)
MOST_EXAMPLES = 20


def of_splits(
    splits: Sequence[Split],
    packed: Mapping[str, Packed],
    counts: Mapping[str, Mapping[str, int]],
    history: TokenHistory,
    vocabulary: Vocabulary,
    scratch: Path,
) -> dict[str, Any]:
    """Sizes of all splits, and the baselines of the held-out ones. `counts` are further figures, by name and split."""
    train, *held_out = splits
    streams = {one.name: packed[one.name].stream for one in held_out}
    entropies = counted(packed[train.name].stream, streams, vocabulary.size, scratch)
    sizes = {name: compressed(stream, vocabulary) for name, stream in streams.items()}
    text_bytes = {train.name: int(history.abouts.text_bytes[_used(train)].sum())}
    text_bytes |= {name: size for name, (size, _) in sizes.items()}
    total = sum(one.tokens for one in splits)
    return {
        "total_tokens": total,
        "bytes_per_token": sum(text_bytes.values()) / total,
        "splits": {
            one.name: {
                **describe(one, history, text_bytes[one.name]),
                **{name: by_split[one.name] for name, by_split in counts.items()},
            }
            for one in splits
        },
        "baselines": {name: _bars(entropies[name], *sizes[name]) for name in streams},
    }


def compressed(stream: Tokens, vocabulary: Vocabulary) -> tuple[int, int]:
    """(bytes of text, bits that compressing needs for it) of a stream."""
    text_bytes = 0

    def spelled() -> Iterator[bytes]:
        nonlocal text_bytes
        for text, size in texts(stream, vocabulary):
            text_bytes += size
            yield text

    bits = baselines.compressed_bits(spelled())
    return text_bytes, bits


def counted(train: Tokens, streams: Mapping[str, Tokens], size: int, scratch: Path) -> dict[str, dict[str, Entropy]]:
    """What counting in `train` needs for each of the streams, by method."""
    asked = {
        name: Asked(stream, None, Spool(scratch / f"{name}-probabilities", max(len(stream) - 1, 0), 1 / max(size, 1)))
        for name, stream in streams.items()
    }
    found = {name: {"uniform": Entropy.of(one.probabilities)} for name, one in asked.items()}
    for order, method in enumerate(("unigram", "bigram", "trigram")):
        baselines.refine(asked.values(), order, train, size)
        for name, one in asked.items():
            found[name][method] = Entropy.of(one.probabilities)
    return found


def _bars(entropies: Mapping[str, Entropy], text_bytes: int, packed_bits: int) -> dict[str, Any]:
    figures: dict[str, Any] = {
        name: {
            "cross_entropy": entropy.bits * math.log(2) / max(entropy.tokens, 1),
            "bits_per_byte": entropy.bits / max(text_bytes, 1),
        }
        for name, entropy in entropies.items()
    }
    return {**figures, "xz": {"bits_per_byte": packed_bits / max(text_bytes, 1)}}


def _used(one: Split) -> list[int]:
    """The sequences of a split."""
    return [n for commit in one.commits for n in range(commit.first, commit.last) if n not in one.left_out]


def describe(one: Split, history: TokenHistory, text_bytes: int) -> dict[str, Any]:
    """The entry of a split in dataset_stats.json."""
    times = [commit.timestamp for commit in one.commits]
    used = np.array(_used(one), np.int64)
    kinds = Counter(history.abouts.change_types(used[history.bodies[used] >= 0]))
    repositories = Counter(commit.repository for commit in one.commits if commit.repository)
    return {
        "commits": len(one.commits),
        "chunks": kinds.total(),
        "tokens": one.tokens,
        "text_bytes": text_bytes,
        "bytes_per_token": text_bytes / max(one.tokens, 1),
        "first_commit": one.commits[0].hash,
        "last_commit": one.commits[-1].hash,
        "date_range": {"first": min(times), "last": max(times)},
        "tokens_per_commit": quantiles([commit.tokens for commit in one.commits]),
        "tokens_per_chunk": quantiles(np.diff(history.offsets)[used].tolist()),
        "chunks_left_out": len(one.left_out),
        "change_types": dict(kinds.most_common()),
        **({"commits_by_repository": dict(repositories)} if repositories else {}),
    }


def quantiles(sizes: Sequence[int]) -> dict[str, int]:
    """Sizes at some shares of their number."""
    ordered = sorted(sizes)
    return {f"p{q}": ordered[(len(ordered) - 1) * q // 100] for q in QUANTILES} if ordered else {}


def of_duplicates(copies: Mapping[str, Sequence[Duplicate]], history: TokenHistory) -> dict[str, Any]:
    """The entry in dataset_stats.json about code that an earlier split contains."""
    splits: dict[str, Any] = {}
    for name, found in copies.items():
        kinds = Counter(copy.kind for copy in found)
        examples = [copy for copy in found if copy.kind != "earlier version"][:MOST_EXAMPLES]
        splits[name] = {
            **{kind: kinds[kind] for kind in ("exact", "near", "earlier version")},
            "tokens": sum(len(history.code(copy.sequence)) for copy in found if copy.kind != "earlier version"),
            "examples": [
                {
                    "chunk_id": history.abouts.chunk_id(copy.sequence),
                    "of": history.abouts.chunk_id(copy.of),
                    "kind": copy.kind,
                    "similarity": round(copy.similarity, 3),
                }
                for copy in examples
            ],
        }
    return {
        "method": "exact: hash of the code's tokens; near: MinHash of five-token runs, verified by Jaccard; "
        "a near copy of what the same symbol was before is an earlier version, not a duplicate",
        "splits": splits,
    }
