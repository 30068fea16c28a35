"""Stage 2: each commit's diffs cut into semantic units: functions, types, tests, sections of files.

    python semantic_chunker.py --commits outputs/commits.json --output outputs/chunks.jsonl

Reads commits.json and, for languages with symbols, whole files from the repository; writes
chunks.jsonl, an index with which the next run chunks only what is new, and
chunking_stats.json. Every added and every removed line of a kept file belongs to exactly one chunk:
that of the innermost symbol around it, else the file's "module" chunk. core/chunking/ holds the parts.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from core.chunking.segments import EarlierChunks, Known, Settings, chunk_all, plan
from core.chunking.tally import ChunkTotals
from core.chunking.writer import ChunkFile
from core.code.languages import LANGUAGES
from core.config import Section
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.files import write_json
from core.git.encodings import LEAST_CONFIDENCE
from core.process import processors
from core.records.commit_files import read_history
from core.records.commits import side_branches


class SemanticChunkerConfig(Section):
    """Which changes become chunks, and how large these may get."""

    file_filters: tuple[str, ...] = ()
    """Keep only files with these endings (".rs"); none keeps all."""
    include: tuple[str, ...] = ()
    """Keep only files whose whole path matches one of these patterns, as in src/*; none keeps all."""
    exclude: tuple[str, ...] = ("*.svg",)
    """Leave out files whose whole path matches one of these patterns."""
    languages: tuple[str, ...] = ()
    """Keep only files in these languages (rust, python, markdown, ...); none keeps all."""
    derived_files: bool = False
    """Chunk lock files, vendored, minified and generated files too."""
    include_merges: bool = False
    """Chunk merge commits too; against the first parent they mostly repeat the commits they merge."""
    max_code_bytes: int = Field(default=16_384, ge=256)
    """Longer code of one symbol is cut into parts, between statements where it can be."""
    max_file_bytes: int = Field(default=1_000_000, ge=0)
    """Larger source files are not parsed; their change becomes one chunk."""
    max_line_bytes: int = Field(default=10_000, ge=80)
    """Leave out file changes with a longer changed line: minified code, data."""
    min_encoding_confidence: float = Field(default=LEAST_CONFIDENCE, ge=0, le=1)
    """How sure a guess of the encoding of a text that is not UTF-8 must be; others are read as Latin-1."""
    workers: int = Field(default=0, ge=0, json_schema_extra={"control": True})
    """Processes that chunk in parallel; 0 for one per processor, at most 32. The result is the same."""
    incremental: bool = Field(default=True, json_schema_extra={"control": True})
    """Chunk only new commits where the last result still holds; the result is the same."""

    @field_validator("languages")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in LANGUAGES:
                raise ValueError(f"unknown language '{name}'; known: {', '.join(sorted(LANGUAGES))}")
        return value


def run(ctx: Context[SemanticChunkerConfig]) -> None:
    """Write chunks.jsonl, its index and chunking_stats.json."""
    commits = ctx.input("commits.json")
    history = read_history(commits)
    git_dir = Path(history.git_dir)
    if not git_dir.exists():
        raise UserError(f"the repository of commits.json is gone: {git_dir}", "run git_scraper again")
    earlier = None
    if ctx.config.incremental and ctx.only_changed("commits.json"):
        earlier = EarlierChunks.load(ctx.published("chunks.jsonl"), ctx.published("chunks.index"))
    workers = workers_of(ctx.config)
    totals = ChunkTotals()
    with (
        ChunkFile(ctx.output("chunks.jsonl"), ctx.output("chunks.index")) as out,
        ctx.progress("chunking", history.total_commits, "commits") as progress,
    ):
        settings = Settings.of(ctx.config.model_dump(), git_dir, side_branches(history))
        todo = plan(commits, ctx.scratch, earlier, workers, settings.branches)
        for item, entries in chunk_all(todo, settings, workers, progress):
            if isinstance(item, Known):
                assert earlier is not None
                out.copy(earlier.chunks, item.start, item.end, entries)
                progress.advance(len(entries))
            else:
                out.take(item.part, entries)
            for entry in entries:
                totals.add(entry.counts)
    report(ctx, totals)


def workers_of(config: SemanticChunkerConfig) -> int:
    """How many processes are to chunk."""
    return config.workers or min(processors(), 32)


def report(ctx: Context[SemanticChunkerConfig], totals: ChunkTotals) -> None:
    """Count what was made and left out. Raises UserError where nothing was made."""
    chunks = totals.counts["chunks"]
    dropped = totals.table("dropped")
    if not chunks:
        raise UserError(
            f"no chunk could be made of {totals.commits} commits: "
            + (", ".join(f"{number} {reason}" for reason, number in dropped.items()) or "they change no files"),
            "widen semantic_chunker.file_filters, include, exclude or languages, or take a repository with text files",
        )
    write_json(ctx.output("chunking_stats.json"), totals.as_dict())
    ctx.count("chunks", chunks)
    ctx.count("commits with chunks", totals.commits_with_chunks)
    for reason, number in totals.table("coarse").items():
        ctx.count(reason, number)
    for reason, number in dropped.items():
        ctx.drop(reason, number)


STAGE = Stage(
    name="semantic_chunker",
    help="cut each commit's diffs into functions, types, tests and other units",
    config=SemanticChunkerConfig,
    run=run,
    inputs=("commits.json",),
    outputs=("chunks.jsonl", "chunks.index", "chunking_stats.json"),
    flags={"commits": "commits.json", "output": "chunks.jsonl"},
    reads=("files of the repository",),
    libraries=(
        "tree-sitter",
        "chardet",
        *sorted({one.wheel.replace("_", "-") for one in LANGUAGES.values() if one.wheel}),
    ),
    data_files=("core/code/queries/*.scm",),
    resumes_despite=("input commits.json",),
)

if __name__ == "__main__":
    stage_main(STAGE)
