"""dataset_stats.json: sizes and quantiles of the splits, copies, and the baselines that a model must beat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from core.dataset import baselines
from core.dataset.blocks import Packed
from core.dataset.duplicates import Duplicate
from core.dataset.history import Ids, TokenHistory
from core.dataset.splits import Split
from core.dataset.streams import texts
from core.text.vocabulary import Vocabulary

QUANTILES = (5, 25, 50, 75, 95, 100)
MOST_EXAMPLES = 20


def of_splits(
    splits: Sequence[Split],
    packed: Mapping[str, Packed],
    counts: Mapping[str, Mapping[str, int]],
    history: TokenHistory,
    vocabulary: Vocabulary,
) -> dict[str, Any]:
    """Sizes of all splits, and the baselines of the held-out ones. `counts` are further figures, by name and split."""
    train = packed[splits[0].name].stream
    text_bytes = {splits[0].name: sum(size for _, size in texts(train, vocabulary))}
    bars = {}
    for one in splits[1:]:
        text_bytes[one.name], bars[one.name] = measure(train, packed[one.name].stream, vocabulary)
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
        "baselines": bars,
    }


def measure(train: Ids, stream: Ids, vocabulary: Vocabulary) -> tuple[int, dict[str, Any]]:
    """(bytes of text, what counting and compressing need for it) of a held-out stream."""
    text_bytes = 0

    def spelled() -> Iterator[bytes]:
        nonlocal text_bytes
        for text, size in texts(stream, vocabulary):
            text_bytes += size
            yield text

    packed_bits = baselines.compressed_bits(spelled())
    found = {
        "uniform": baselines.uniform(vocabulary.size, stream),
        "unigram": baselines.unigram(train, vocabulary.size, stream),
        "bigram": baselines.bigram(train, vocabulary.size, stream),
        "trigram": baselines.trigram(train, vocabulary.size, stream),
    }
    entropies = {name: baselines.Entropy.of(probabilities) for name, probabilities in found.items()}
    figures: dict[str, Any] = {
        name: {
            "cross_entropy": entropy.bits * math.log(2) / max(entropy.tokens, 1),
            "bits_per_byte": entropy.bits / max(text_bytes, 1),
        }
        for name, entropy in entropies.items()
    }
    figures["xz"] = {"bits_per_byte": packed_bits / max(text_bytes, 1)}
    return text_bytes, figures


def describe(one: Split, history: TokenHistory, text_bytes: int) -> dict[str, Any]:
    """The entry of a split in dataset_stats.json."""
    times = [commit.timestamp for commit in one.commits]
    used = [n for commit in one.commits for n in range(commit.first, commit.last) if n not in one.left_out]
    kinds = Counter(history.metadata[number]["change_type"] for number in used if history.bodies[number] >= 0)
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
        "tokens_per_chunk": quantiles(np.diff(history.offsets)[used].tolist() if used else []),
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
                    "chunk_id": history.metadata[copy.sequence]["chunk_id"],
                    "of": history.metadata[copy.of]["chunk_id"],
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
