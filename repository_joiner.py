"""Between stages 2 and 3, with `pipeline.one_model`: the histories of several repositories as one.

Reads commits.json and chunks.jsonl of each repository's folder; writes the same files with all of
them, each commit and chunk with the name of its repository: by date, or one repository after the other.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import Field

from core.chunking.segments import read_entries
from core.chunking.tally import ChunkTotals
from core.config import Section, expand
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.files import write_json
from core.records.chunk_files import chunk_groups
from core.records.commit_files import CommitWriter, branch_set_of, commit_heads, placement_of, read_history
from core.records.commits import DateRange, HistoryMetadata
from core.records.json_files import write_record
from core.records.rankings import RankingEvaluations, read_rankings

PARTS = ("commits.json", "chunks.jsonl", "chunks.index")
RANKINGS = "ranking_evaluation.json"


class RepositoryJoinerConfig(Section):
    """Which histories become one, and in what order."""

    folders: tuple[str, ...] = ()
    """Outputs folders of the repositories; a repository is named as its folder."""
    interleave: Literal["date", "repository"] = Field(
        default="date", json_schema_extra={"same_as": "pipeline.interleave"}
    )
    """Commit by commit by date, or one repository after the other."""


@dataclass(frozen=True)
class Item:
    """A commit of one of the histories: the number of its repository, and its line of commits.json."""

    repository: int
    hash: str
    time: str
    line: bytes


def run(ctx: Context[RepositoryJoinerConfig]) -> None:
    """Write commits.json, chunks.jsonl, chunking_stats.json and ranking_evaluation.json of all repositories."""
    folders = [expand(folder) for folder in ctx.config.folders]
    if not folders:
        raise UserError("no histories to join", "name their outputs folders in repository_joiner.folders")
    for file in (folder / name for folder in folders for name in PARTS):
        if not file.exists():
            raise UserError(f"{file} is missing", "run the first two stages for this repository")
    histories = [read_history(folder / "commits.json") for folder in folders]
    names = [folder.name for folder in folders]
    together, first_sets = join_metadata(names, histories)
    order: list[tuple[int, str]] = []
    with CommitWriter(ctx.output("commits.json"), together) as out:
        commits = [commits_of(number, folder) for number, folder in enumerate(folders)]
        for number, item in enumerate(in_order(commits, ctx.config.interleave)):
            placement = placement_of(item.line)
            placement.commit_number, placement.repository = number, names[item.repository]
            own = branch_set_of(item.line, len(histories[item.repository].branch_sets))
            out.write_again(item.line, first_sets[item.repository] + own, placement)
            order.append((item.repository, item.hash))
        out.finish(together)
    write_chunks(ctx.output("chunks.jsonl"), folders, order)
    ctx.count("repositories", len(folders))
    ctx.count("commits", len(order))
    totals = ChunkTotals()
    for folder in folders:
        _, _, entries = (folder / "chunks.index").read_bytes().partition(b"\n")
        for entry in read_entries(entries):
            totals.add(entry.counts)
    write_json(ctx.output("chunking_stats.json"), totals.as_dict())
    rankings = [read_rankings(folder / RANKINGS) for folder in folders if (folder / RANKINGS).exists()]
    tables = [one for ranking in rankings for one in ranking.repositories]
    write_record(ctx.output(RANKINGS), RankingEvaluations(repositories=tables))


def join_metadata(names: list[str], histories: list[HistoryMetadata]) -> tuple[HistoryMetadata, list[int]]:
    """(the head of the joint commits.json, for each history the number of its first branch set there).

    Branches are named <repository>/<branch>.
    """
    branches: list[str] = []
    sets: list[str] = []
    first_sets: list[int] = []
    for name, history in zip(names, histories, strict=True):
        first_sets.append(len(sets))
        sets += [f"{int(mask, 16) << len(branches):x}" for mask in history.branch_sets]
        branches += [f"{name}/{branch}" for branch in history.branches]
    times = [time for one in histories for time in (one.date_range.first, one.date_range.last) if time]

    def total(field: str) -> int:
        return sum(getattr(one, field) for one in histories)

    joint = msgspec.structs.replace(
        histories[0],
        repository=", ".join(names),
        git_dir="",
        scrape_timestamp=max(one.scrape_timestamp for one in histories),
        ref_tips={
            f"{name}: {ref}": tip
            for name, one in zip(names, histories, strict=True)
            for ref, tip in one.ref_tips.items()
        },
        is_shallow=any(one.is_shallow for one in histories),
        is_partial=any(one.is_partial for one in histories),
        left_out=dict(sum((Counter(one.left_out) for one in histories), Counter[str]())),
        unique_branches=len(branches),
        branches=branches,
        current_branch=None,
        branch_sets=sets,
        date_range=DateRange(min(times, default=None), max(times, default=None)),
        **{
            field: total(field)
            for field in (
                *("shallow_commits", "grafted_commits", "missing_file_changes", "total_commits", "total_authors"),
                *("merge_commits", "total_files_touched", "total_insertions", "total_deletions"),
            )
        },
    )
    return joint, first_sets


def commits_of(number: int, folder: Path) -> Iterator[Item]:
    """The commits of one history."""
    for _, head, line in commit_heads(folder / "commits.json"):
        yield Item(number, head.hash, head.commit_timestamp, line)


def write_chunks(path: Path, folders: list[Path], order: list[tuple[int, str]]) -> None:
    """The chunks of all, in the order of their commits."""
    encoder = msgspec.json.Encoder()
    left = [chunk_groups(folder / "chunks.jsonl") for folder in folders]
    following = [next(groups, None) for groups in left]
    with path.open("wb", buffering=1 << 20) as file:
        for repository, hash_ in order:
            group = following[repository]
            if group and group.commit_hash == hash_:
                for chunk in group.decoded(_CHUNK):
                    file.write(encoder.encode({**chunk, "repository": folders[repository].name}) + b"\n")
                following[repository] = next(left[repository], None)
    for folder, group in zip(folders, following, strict=True):
        if group:
            raise UserError(f"{folder}: chunks.jsonl was not made from commits.json", "run semantic_chunker again")


def in_order(histories: list[Iterator[Item]], interleave: str) -> Iterator[Item]:
    """The commits of all: each history keeps its own order, which by date may hold a commit back."""
    if interleave == "repository":
        for history in histories:
            yield from history
        return
    yield from (item for _, item in heapq.merge(*map(_dated, histories), key=lambda pair: pair[0]))


def _dated(history: Iterator[Item]) -> Iterator[tuple[str, Item]]:
    latest = ""
    for item in history:
        latest = max(latest, item.time)
        yield latest, item


_CHUNK = msgspec.json.Decoder(dict[str, Any])


def _sources(config: RepositoryJoinerConfig) -> dict[str, str]:
    files = [expand(folder) / name for folder in config.folders for name in (*PARTS, RANKINGS)]
    return {str(file): repr((file.stat().st_size, file.stat().st_mtime_ns)) for file in files if file.exists()}


STAGE = Stage(
    name="repository_joiner",
    help="make one history of several repositories",
    config=RepositoryJoinerConfig,
    run=run,
    outputs=("commits.json", "chunks.jsonl", "chunking_stats.json", RANKINGS),
    sources=_sources,
    flags={"output": "chunks.jsonl"},
)

if __name__ == "__main__":
    stage_main(STAGE)
