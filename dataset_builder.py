"""Stage 4: training, validation and test data in chronological order.

    python dataset_builder.py --vocab outputs/vocab.json --chunks outputs/chunks.jsonl --commits outputs/commits.json

Joins the token sequences in commit order, splits between commits (oldest for training, newest for
test), then cuts context and target windows inside each split. Writes training_data_train.pt,
training_data_val.pt, training_data_test.pt and dataset_stats.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from core.cli import stage_main
from core.config import Section
from core.errors import UserError
from core.files import write_json
from core.record_files import read_chunks, read_history
from core.stage import Context, Stage
from core.token_files import SPLITS, load, save, windows
from core.vocabulary import read_vocab

if TYPE_CHECKING:
    import torch


class DatasetBuilderConfig(Section):
    """How the token stream is split and cut."""

    context_window: int = Field(default=2048, ge=1)
    """Tokens of history that a window shows."""
    target_window: int = Field(default=256, ge=1)
    """Tokens that follow, to be predicted."""
    stride: int = Field(default=128, ge=1)
    """Tokens from one window's start to the next one's."""
    train_ratio: float = Field(default=0.70, gt=0, lt=1)
    """Share of the tokens, oldest first, for training; the boundary falls between commits."""
    val_ratio: float = Field(default=0.15, gt=0, lt=1)
    """Share that follows, for validation; the newest rest is for the test."""

    @model_validator(mode="after")
    def _leave_a_test_split(self) -> DatasetBuilderConfig:
        if self.train_ratio + self.val_ratio >= 1:
            raise ValueError("train_ratio + val_ratio must stay below 1, to leave a test split")
        return self


@dataclass
class CommitTokens:
    """One commit's stretch of the token stream."""

    hash: str
    timestamp: str
    chunks: int
    tokens: int


@dataclass
class Split:
    """A run of whole commits, as a range of the stream."""

    name: str
    commits: Sequence[CommitTokens]
    first_token: int

    @property
    def tokens(self) -> int:
        """Length of the range."""
        return sum(commit.tokens for commit in self.commits)


def run(ctx: Context[DatasetBuilderConfig]) -> None:
    """Write the three training_data files and dataset_stats.json."""
    config = ctx.config
    pad_id = int(read_vocab(ctx.input("vocab.json"))["pad_id"])
    history = read_history(ctx.input("commits.json"))
    data = load(ctx.input("tokens.pt"), ("tokens", "metadata"))
    check_same_chunks(ctx.input("chunks.jsonl"), data["metadata"])
    commits = commit_tokens(data["tokens"], data["metadata"])
    splits = split_by_commit(commits, config.train_ratio, config.val_ratio)
    kinds = _change_types(splits, data["metadata"])
    stats: dict[str, Any] = {}
    first = 0
    for split in splits:
        last = first + sum(commit.chunks for commit in split.commits)
        made = make_windows(data["tokens"][first:last], config, pad_id)
        save(ctx.output(f"training_data_{split.name}.pt"), made)
        stats[split.name] = describe(split, made, kinds[split.name])
        ctx.count(f"{split.name} tokens", split.tokens)
        ctx.count(f"{split.name} windows", len(made["contexts"]))
        first = last
    check_no_overlap(splits)
    summary = {
        "schema_version": "1.0",
        "total_commits": history.total_commits,
        "commits_with_tokens": len(commits),
        "total_tokens": sum(split.tokens for split in splits),
        "context_window": config.context_window,
        "target_window": config.target_window,
        "stride": config.stride,
        "leakage_check": "splits are disjoint ranges of one token stream, cut between commits; verified",
        "splits": stats,
    }
    write_json(ctx.output("dataset_stats.json"), summary)


def check_same_chunks(chunks: Path, metadata: Sequence[dict[str, Any]]) -> None:
    """Raise UserError unless tokens.pt was made from exactly these chunks, in this order."""
    number = -1
    for number, chunk in enumerate(read_chunks(chunks)):
        if number >= len(metadata) or metadata[number]["chunk_id"] != chunk.chunk_id:
            break
    else:
        if number + 1 == len(metadata):
            return
    raise UserError(f"tokens.pt was not made from {chunks}: they differ at chunk {number + 1}", "run tokenizer again")


def commit_tokens(tokens: Sequence[torch.Tensor], metadata: Sequence[dict[str, Any]]) -> list[CommitTokens]:
    """Sizes of the commits in stream order."""
    commits: list[CommitTokens] = []
    for sequence, about in zip(tokens, metadata, strict=True):
        if not commits or commits[-1].hash != about["commit_hash"]:
            commits.append(CommitTokens(about["commit_hash"], about["timestamp"], 0, 0))
        commits[-1].chunks += 1
        commits[-1].tokens += len(sequence)
    return commits


def split_by_commit(commits: Sequence[CommitTokens], train_ratio: float, val_ratio: float) -> list[Split]:
    """Three runs of whole commits in time order, by share of tokens; each has at least one commit.

    Raises UserError when there are fewer than three commits.
    """
    if len(commits) < len(SPLITS):
        raise UserError(
            f"too little history: commits with text {len(commits)}, but a split by commit needs {len(SPLITS)}",
            "get more of it (git fetch --unshallow), or name a repository with more history in git_scraper.repo",
        )
    total = sum(commit.tokens for commit in commits)
    ends = [_first_reaching(commits, total * train_ratio), _first_reaching(commits, total * (train_ratio + val_ratio))]
    train_end = min(ends[0], len(commits) - 2)
    val_end = min(max(ends[1], train_end + 1), len(commits) - 1)
    splits, first = [], 0
    for name, part in zip(SPLITS, (commits[:train_end], commits[train_end:val_end], commits[val_end:]), strict=True):
        splits.append(Split(name, part, first))
        first += splits[-1].tokens
    return splits


def make_windows(
    sequences: Sequence[torch.Tensor], config: DatasetBuilderConfig, pad_id: int
) -> dict[str, torch.Tensor]:
    """The windows of one split over a store that holds this split's tokens alone."""
    import torch

    return windows(torch.cat(list(sequences)), config.context_window, config.target_window, config.stride, pad_id)


def check_no_overlap(splits: Sequence[Split]) -> None:
    """No commit and no token stands in two splits; they follow one another without a gap."""
    seen: set[str] = set()
    position = 0
    for split in splits:
        hashes = {commit.hash for commit in split.commits}
        if seen & hashes or split.first_token != position:
            raise AssertionError(f"split {split.name} overlaps an earlier one")
        seen |= hashes
        position += split.tokens


def describe(split: Split, made: dict[str, torch.Tensor], kinds: Counter[str]) -> dict[str, Any]:
    """What dataset_stats.json says of a split."""
    times = [commit.timestamp for commit in split.commits]
    sizes = sorted(commit.tokens for commit in split.commits)
    return {
        "commits": len(split.commits),
        "chunks": sum(commit.chunks for commit in split.commits),
        "tokens": split.tokens,
        "first_token": split.first_token,
        "windows": len(made["contexts"]),
        "first_commit": split.commits[0].hash,
        "last_commit": split.commits[-1].hash,
        "date_range": {"first": min(times), "last": max(times)},
        "tokens_per_commit": {f"p{q}": sizes[(len(sizes) - 1) * q // 100] for q in (5, 25, 50, 75, 95, 100)},
        "change_types": dict(kinds.most_common()),
    }


def _first_reaching(commits: Sequence[CommitTokens], tokens: float) -> int:
    """How many commits it takes to have this many tokens; at least one."""
    done = 0
    for number, commit in enumerate(commits, start=1):
        done += commit.tokens
        if done >= tokens:
            return number
    return len(commits)


def _change_types(splits: Sequence[Split], metadata: Sequence[dict[str, Any]]) -> dict[str, Counter[str]]:
    kinds, first = {}, 0
    for split in splits:
        last = first + sum(commit.chunks for commit in split.commits)
        kinds[split.name] = Counter(about["change_type"] for about in metadata[first:last])
        first = last
    return kinds


STAGE = Stage(
    name="dataset_builder",
    help="split the token stream by commit and cut it into context and target windows",
    config=DatasetBuilderConfig,
    run=run,
    inputs=("vocab.json", "chunks.jsonl", "commits.json", "tokens.pt"),
    outputs=("training_data_train.pt", "training_data_val.pt", "training_data_test.pt", "dataset_stats.json"),
    flags={"vocab": "vocab.json", "chunks": "chunks.jsonl", "commits": "commits.json", "tokens": "tokens.pt"},
    libraries=("torch",),
)

if __name__ == "__main__":
    stage_main(STAGE)
