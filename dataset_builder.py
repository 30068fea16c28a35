"""Stage 4: training, validation and test data in chronological order.

    python dataset_builder.py --vocab outputs/vocab.json --chunks outputs/chunks.jsonl --commits outputs/commits.json

Joins the token sequences in commit order, splits between commits (oldest for training, newest for
test), leaves out of the later splits what an earlier one holds, and cuts context and target windows
inside each. Writes training_data_{train,val,test}.pt, the same streams as packed blocks (dataset/), and
dataset_stats.json. Nothing is published before every check against leaks holds.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from core.cli import stage_main
from core.commit_grammar import COMMIT_START, Marker
from core.config import Section
from core.dataset import baselines, blocks, duplicates, leakage
from core.dataset.duplicates import Duplicate
from core.dataset.history import Ids, TokenHistory, in_order
from core.dataset.splits import Boundaries, Split, split
from core.errors import UserError
from core.files import write_json
from core.logs import log
from core.record_files import chunk_groups, read_history
from core.stage import Context, Stage
from core.token_files import SPLITS, save, window_count, windows
from core.vocabulary import Vocabulary

FILES = {name: f"training_data_{name}.pt" for name in SPLITS}
QUANTILES = (5, 25, 50, 75, 95, 100)
MOST_EXAMPLES = 20
_TEXT_BLOCK = 1 << 16


class DatasetBuilderConfig(Section):
    """How the token stream is split and cut."""

    context_window: int = Field(default=2048, ge=1)
    """Tokens of history that a window shows."""
    target_window: int = Field(default=256, ge=1)
    """Tokens that follow, to be predicted."""
    stride: int = Field(default=128, ge=1)
    """Tokens from one window's start to the next one's."""
    block_size: int = Field(default=512, ge=2, json_schema_extra={"same_as": "model_training.sequence_length"})
    """Tokens of a packed block in dataset/; taken from model_training.sequence_length unless set."""
    train_ratio: float = Field(default=0.70, gt=0, lt=1)
    """Share of the tokens, oldest first, for training; the boundary falls between commits."""
    val_ratio: float = Field(default=0.15, gt=0, lt=1)
    """Share that follows, for validation; the newest rest is for the test."""
    train_until: str = ""
    """Last commit (hash) or date of the training split, instead of train_ratio."""
    val_until: str = ""
    """Last commit or date of the validation split, instead of val_ratio."""
    keep_boundaries: bool = Field(default=True, json_schema_extra={"control": True})
    """Leave the splits' boundaries where they are when commits are added: new ones are for the test."""
    duplicates: Literal["drop", "report"] = "drop"
    """Code that an earlier split holds: leave it out of the later one, or only count it."""
    duplicate_min_tokens: int = Field(default=32, ge=5)
    """Shorter code is never a duplicate: much short code is alike by chance."""
    duplicate_similarity: float = Field(default=0.8, gt=0.3, le=1)
    """Share of five-token runs in common (Jaccard) from which on code is a near duplicate."""
    interleave: Literal["date", "repository"] = Field(
        default="date", json_schema_extra={"same_as": "pipeline.interleave"}
    )
    """How several repositories make one history; taken from pipeline.interleave unless set."""
    repository_weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """How often the training blocks of a repository are taken in an epoch, by its folder's name; 1 unless set."""

    @model_validator(mode="after")
    def _leave_a_test_split(self) -> DatasetBuilderConfig:
        if self.train_ratio + self.val_ratio >= 1:
            raise ValueError("train_ratio + val_ratio must stay below 1, to leave a test split")
        return self


def run(ctx: Context[DatasetBuilderConfig]) -> None:
    """Write the three training_data files, dataset/ and dataset_stats.json."""
    config = ctx.config
    vocabulary = Vocabulary.load(ctx.input("vocab.json"), ctx.input("tokenizer"))
    history = TokenHistory.load(ctx.input("tokens.pt"), vocabulary.markers)
    check_same_chunks(ctx.input("chunks.jsonl"), history.metadata)
    commits = in_order(list(history.commits()), ctx.input("commits.json"), config.interleave)
    learnt_until = vocabulary.about.get("learnt_until", {})
    splits, boundaries = split(commits, rule_of(config), learnt_until, kept_boundaries(ctx))
    copies = duplicates.find(
        history, splits, least_tokens=config.duplicate_min_tokens, similarity=config.duplicate_similarity
    )
    streams: dict[str, Ids] = {}
    for one in splits:
        if config.duplicates == "drop":
            one.left_out = {copy.sequence for copy in copies.get(one.name, ()) if copy.kind != "earlier version"}
        one.lay_out(history)
        streams[one.name] = stream_of(one, history)
        save(ctx.output(FILES[one.name]), make_windows(streams[one.name], config, vocabulary.pad_id))
    packed = {one.name: pack(one, streams[one.name], vocabulary, config) for one in splits}
    row_counts = blocks.write(ctx.output("dataset"), ctx.scratch, packed, config.block_size)
    checks = leakage.check(
        {name: ctx.output(file) for name, file in FILES.items()},
        history,
        splits,
        learnt_until,
        vocabulary.markers,
        stride=config.stride,
        least_copy=config.duplicate_min_tokens if config.duplicates == "drop" else None,
    )
    measured = {name: measure(streams["train"], streams[name], vocabulary) for name in SPLITS[1:]}
    text_bytes = {name: size for name, (size, _) in measured.items()}
    text_bytes["train"] = sum(size for _, size in texts(streams["train"], vocabulary))
    total = sum(len(stream) for stream in streams.values())
    summary = {
        "schema_version": "2.0",
        "total_commits": read_history(ctx.input("commits.json")).total_commits,
        "commits_with_tokens": len(commits),
        "total_tokens": total,
        "bytes_per_token": sum(text_bytes.values()) / total,
        "context_window": config.context_window,
        "target_window": config.target_window,
        "stride": config.stride,
        "block_size": config.block_size,
        "boundaries": boundaries.as_dict(),
        "splits": {
            one.name: describe(one, history, text_bytes[one.name], streams[one.name], config, row_counts[one.name])
            for one in splits
        },
        "duplicates": describe_duplicates(copies, history, config),
        "leakage_checks": checks,
        "baselines": {name: figures for name, (_, figures) in measured.items()},
    }
    write_json(ctx.output("dataset_stats.json"), summary)
    report(ctx, summary)


def rule_of(config: DatasetBuilderConfig) -> dict[str, Any]:
    """The settings that decide where splits end."""
    return config.model_dump(include={"train_ratio", "val_ratio", "train_until", "val_until", "interleave"})


def kept_boundaries(ctx: Context[DatasetBuilderConfig]) -> Boundaries | None:
    """Where the splits of the last run end, if they are to stay there."""
    path = ctx.published("dataset_stats.json")
    if not ctx.config.keep_boundaries or not path.exists():
        return None
    try:
        return Boundaries.read(json.loads(path.read_bytes()), rule_of(ctx.config))
    except (ValueError, KeyError, AttributeError):
        return None


def check_same_chunks(chunks: Path, metadata: Sequence[Mapping[str, Any]]) -> None:
    """Raise UserError unless tokens.pt was made from exactly these chunks, in this order."""
    number = 0
    for group in chunk_groups(chunks):
        about = metadata[number : number + len(group.lines)]
        digest = group.digest()
        if len(about) < len(group.lines) or any(one.get("digest") != digest for one in about):
            break
        number += len(group.lines)
    else:
        if number == len(metadata):
            return
    raise UserError(f"tokens.pt was not made from {chunks}: they differ at chunk {number}", "run tokenizer again")


def stream_of(one: Split, history: TokenHistory) -> Ids:
    """The tokens of a split in a row."""
    parts = [history.ids[start:end] for start, end in one.ranges]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def make_windows(stream: Ids, config: DatasetBuilderConfig, pad_id: int) -> dict[str, Any]:
    """The windows of one split over a store that holds this split's tokens alone."""
    import torch

    return windows(
        torch.from_numpy(np.ascontiguousarray(stream)),
        config.context_window,
        config.target_window,
        config.stride,
        pad_id,
    )


def pack(one: Split, stream: Ids, vocabulary: Vocabulary, config: DatasetBuilderConfig) -> blocks.Packed:
    """A stream with the places where its commits begin, and how much each weighs."""
    starts = np.flatnonzero(stream == vocabulary.markers[COMMIT_START]).astype(np.int64)
    used = [commit for commit in one.commits if any(n not in one.left_out for n in range(commit.first, commit.last))]
    weights = np.ones(len(starts))
    if one.name == SPLITS[0]:
        weights = np.array([config.repository_weights.get(commit.repository, 1.0) for commit in used])
    return blocks.Packed(stream, starts, weights)


def texts(stream: Ids, vocabulary: Vocabulary) -> Iterator[tuple[bytes, int]]:
    """(text with markers spelled out, bytes of the text without them) of some whole commits at a time."""
    starts = np.flatnonzero(stream == vocabulary.markers[COMMIT_START])
    first = 0
    while first < len(stream):
        place = np.searchsorted(starts, first + _TEXT_BLOCK)
        last = int(starts[place]) if place < len(starts) else len(stream)
        pieces = vocabulary.pieces(stream[first:last].tolist())
        yield "".join(pieces).encode(), sum(len(piece.encode()) for piece in pieces if type(piece) is not Marker)
        first = last


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
    }
    figures: dict[str, Any] = {
        name: {
            "cross_entropy": entropy.bits * math.log(2) / max(entropy.tokens, 1),
            "bits_per_byte": entropy.bits / max(text_bytes, 1),
        }
        for name, entropy in found.items()
    }
    figures["xz"] = {"bits_per_byte": packed_bits / max(text_bytes, 1)}
    return text_bytes, figures


def describe(
    one: Split, history: TokenHistory, text_bytes: int, stream: Ids, config: DatasetBuilderConfig, rows: int
) -> dict[str, Any]:
    """What dataset_stats.json says of a split."""
    times = [commit.timestamp for commit in one.commits]
    used = [n for commit in one.commits for n in range(commit.first, commit.last) if n not in one.left_out]
    kinds = Counter(history.metadata[number]["change_type"] for number in used if history.bodies[number] >= 0)
    repositories = Counter(commit.repository for commit in one.commits if commit.repository)
    return {
        "commits": len(one.commits),
        "chunks": kinds.total(),
        "tokens": len(stream),
        "text_bytes": text_bytes,
        "bytes_per_token": text_bytes / max(len(stream), 1),
        "windows": window_count(len(stream), config.context_window, config.target_window, config.stride),
        "blocks": rows,
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


def describe_duplicates(
    copies: Mapping[str, Sequence[Duplicate]], history: TokenHistory, config: DatasetBuilderConfig
) -> dict[str, Any]:
    """What dataset_stats.json says of code that an earlier split holds."""
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
        "least_tokens": config.duplicate_min_tokens,
        "similarity": config.duplicate_similarity,
        "left_out": config.duplicates == "drop",
        "splits": splits,
    }


def report(ctx: Context[DatasetBuilderConfig], summary: Mapping[str, Any]) -> None:
    """Counts for the summary."""
    for name, one in summary["splits"].items():
        ctx.count(f"{name} tokens", one["tokens"])
        ctx.count(f"{name} windows", one["windows"])
        ctx.count(f"{name} blocks", one["blocks"])
        if one["chunks_left_out"]:
            ctx.drop(f"{name} chunks that an earlier split holds", one["chunks_left_out"])
    for check in summary["leakage_checks"]:
        log.debug("holds: %s (%s)", check["check"], f"{check['checked']:,}")
    for name, figures in summary["baselines"].items():
        log.info(
            "%s, bits per byte: %s",
            name,
            ", ".join(f"{method} {figure['bits_per_byte']:.2f}" for method, figure in figures.items()),
        )


STAGE = Stage(
    name="dataset_builder",
    help="split the token stream by commit, cut it into windows and blocks, and check that nothing leaks",
    config=DatasetBuilderConfig,
    run=run,
    inputs=("vocab.json", "tokenizer", "chunks.jsonl", "commits.json", "tokens.pt"),
    outputs=(*FILES.values(), "dataset", "dataset_stats.json"),
    flags={"vocab": "vocab.json", "chunks": "chunks.jsonl", "commits": "commits.json", "tokens": "tokens.pt"},
    libraries=("torch", "datasets", "pyarrow", "numpy"),
)

if __name__ == "__main__":
    stage_main(STAGE)
