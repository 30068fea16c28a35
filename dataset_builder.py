"""Stage 5: training, validation and test data in chronological order.

    python dataset_builder.py --vocab outputs/vocab.json --chunks outputs/chunks.jsonl --commits outputs/commits.json

Joins the token sequences in commit order, splits between commits (oldest for training, newest for
test), leaves out of the later splits what an earlier one holds, and cuts context and target windows
inside each. Writes training_data_{train,val,test}.pt, the same streams as packed blocks (dataset/), and
dataset_stats.json. Nothing is published before every check against leaks holds.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from core.config import Section
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.files import write_json
from core.logs import log
from core.records.chunk_files import commit_digests
from core.records.commit_files import read_history
from core.records.lines import DAMAGED
from core.records.stats import DATASET_SCHEMA
from core.text import costs
from core.text.token_files import SPLITS, window_count, write_windows
from core.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from core.dataset.abouts import Run
    from core.dataset.blocks import Packed
    from core.dataset.duplicates import Duplicate
    from core.dataset.history import TokenHistory
    from core.dataset.splits import Boundaries, Split

FILES = {name: f"training_data_{name}.pt" for name in SPLITS}


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
    """Share of five-token n-grams in common (Jaccard) from which on code is a near duplicate."""
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
    from core.dataset import blocks, leakage, summary
    from core.dataset.history import TokenHistory, in_order
    from core.dataset.splits import learned_commits, split

    config = ctx.config
    vocabulary = Vocabulary.load(ctx.input("vocab.json"), ctx.input("tokenizer"))
    history = TokenHistory.load(ctx.input("tokens.pt"), vocabulary.markers, vocabulary.size)
    costs.check_disk(ctx.scratch, len(history.ids), costs.DATASET_DISK)
    check_same_chunks(ctx.input("chunks.jsonl"), history.abouts.runs)
    commits = in_order(list(history.commits()), ctx.input("commits.json"), config.interleave)
    learned_until = learned_commits(commits, vocabulary.origin.get("learnt_until", {}))
    commits = [commit for commit in commits if commit.tokens]
    splits, boundaries = split(commits, rule_of(config), learned_until, kept_boundaries(ctx))
    copies = leave_out_copies(history, splits, config)
    packed = {one.name: write_split(one, history, vocabulary, ctx) for one in splits}
    rows = blocks.write(ctx.output("dataset"), ctx.scratch, packed, config.block_size)
    checks = leakage.check(
        {name: ctx.output(file) for name, file in FILES.items()},
        history,
        splits,
        learned_until,
        vocabulary.markers,
        stride=config.stride,
        least_copy=config.duplicate_min_tokens if config.duplicates == "drop" else None,
    )
    windows = {one.name: window_count(one.tokens, *shape_of(config)) for one in splits}
    stats = {
        "schema_version": DATASET_SCHEMA,
        "total_commits": read_history(ctx.input("commits.json")).total_commits,
        "commits_with_tokens": len(commits),
        "settings": config.model_dump(exclude={"keep_boundaries"}),
        "boundaries": boundaries.as_dict(),
        **summary.of_splits(splits, packed, {"windows": windows, "blocks": rows}, history, vocabulary, ctx.scratch),
        "duplicates": summary.of_duplicates(copies, history),
        "leakage_checks": checks,
    }
    write_json(ctx.output("dataset_stats.json"), stats)
    report(ctx, stats)


def leave_out_copies(
    history: TokenHistory, splits: Sequence[Split], config: DatasetBuilderConfig
) -> dict[str, list[Duplicate]]:
    """Find code that an earlier split holds, and by config leave it out of the later one."""
    from core.dataset import duplicates

    least, similarity = config.duplicate_min_tokens, config.duplicate_similarity
    copies = duplicates.find(history, splits, least_tokens=least, similarity=similarity)
    for one in splits:
        if config.duplicates == "drop":
            one.left_out = {copy.sequence for copy in copies.get(one.name, ()) if copy.kind != "earlier version"}
        one.lay_out(history)
    return copies


def write_split(
    one: Split, history: TokenHistory, vocabulary: Vocabulary, ctx: Context[DatasetBuilderConfig]
) -> Packed:
    """Write a split's training_data file; its stream as it is to be packed."""
    from core.dataset import streams

    config = ctx.config
    stream = streams.SplitTokens(one, history)
    write_windows(ctx.output(FILES[one.name]), stream, *shape_of(config), vocabulary.pad_id)
    return streams.pack(one, stream, vocabulary, config.repository_weights if one.name == "train" else {})


def shape_of(config: DatasetBuilderConfig) -> tuple[int, int, int]:
    """Context, target and stride of the windows."""
    return config.context_window, config.target_window, config.stride


def rule_of(config: DatasetBuilderConfig) -> dict[str, Any]:
    """The settings that decide where splits end."""
    return config.model_dump(include={"train_ratio", "val_ratio", "train_until", "val_until", "interleave"})


def kept_boundaries(ctx: Context[DatasetBuilderConfig]) -> Boundaries | None:
    """Where the splits of the last run end, if they are to stay there."""
    from core.dataset.splits import Boundaries

    path = ctx.published("dataset_stats.json")
    if not ctx.config.keep_boundaries or not path.exists():
        return None
    try:
        return Boundaries.read(json.loads(path.read_bytes()), rule_of(ctx.config))
    except (*DAMAGED, KeyError, AttributeError, TypeError):
        log.warning("%s is damaged: new boundaries of the splits are drawn", path)
        return None


def check_same_chunks(chunks: Path, runs: Sequence[Run]) -> None:
    """Raise UserError unless tokens.pt was made from exactly these chunks, in this order."""
    number = 0
    for digest, run in itertools.zip_longest(commit_digests(chunks), runs):
        if digest is None or run is None or digest != (run.digest, run.last - run.first):
            raise UserError(
                f"tokens.pt was not made from {chunks}: they differ at chunk {number}", "run tokenizer again"
            )
        number = run.last


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
