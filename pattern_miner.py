"""Stage 11: what past repairs and additions did, with the evidence for it and what became of them.

    python pattern_miner.py --commits outputs/commits.json --chunks outputs/chunks.jsonl --output outputs/patterns.jsonl

Writes patterns.jsonl: both sides of each change of a symbol, the blobs that they stand in, and how many of its lines
are still there; templates.jsonl: edits of a line that several commits made in the same way; survival.json: what became
of all lines, by age; and an index and a cache with which the next run walks and reads the new commits alone. patterns/
holds the parts.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from pydantic import Field

from core.config import Section
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.files import atomic_write
from core.records.json_files import write_record

INPUTS = ("commits.json", "chunks.jsonl")


class PatternMinerConfig(Section):
    """What becomes a pattern."""

    types: tuple[Literal["bug_fix", "feature_addition"], ...] = Field(
        default=("bug_fix", "feature_addition"), min_length=1
    )
    """Repairs, and symbols that are new."""
    incremental: bool = Field(default=True, json_schema_extra={"control": True})
    """Read and walk only new commits where those of the last run still hold; the result is the same."""


def run(ctx: Context[PatternMinerConfig]) -> None:
    """Write patterns.jsonl, templates.jsonl, survival.json and the walk's index."""
    from patterns import survival
    from patterns.mining import NOTHING, Earlier, mine

    goes_on = ctx.config.incremental and ctx.only_changed(*INPUTS)
    earlier = Earlier(*map(ctx.published, ("patterns.index", "patterns.cache"))) if goes_on else NOTHING
    commits, chunks = map(ctx.input, INPUTS)
    output, cache = map(ctx.output, ("patterns.jsonl", "patterns.cache"))
    with ctx.progress("walking the main line", unit="commits") as progress:
        found = mine(commits, chunks, output, ctx.config.types, progress, cache, earlier)
    survival.save(found.fates, ctx.output("patterns.index"))
    write_record(ctx.output("survival.json"), found.summary())
    with atomic_write(ctx.output("templates.jsonl")) as file:
        for template in found.templates:
            file.write(msgspec.json.encode(template) + b"\n")
            ctx.count("templates that are offered" if not template.retired else "retired templates")
    ctx.counts.update(found.counts)
    ctx.drops.update(found.drops)


STAGE = Stage(
    name="pattern_miner",
    help="take both sides of past repairs and additions, with their evidence and what became of them",
    config=PatternMinerConfig,
    run=run,
    inputs=INPUTS,
    outputs=("patterns.jsonl", "templates.jsonl", "survival.json", "patterns.index", "patterns.cache"),
    flags={"commits": "commits.json", "chunks": "chunks.jsonl", "output": "patterns.jsonl"},
    reads=("files of the repository",),
    libraries=("numpy", "rapidfuzz"),
    data_files=("patterns/confidence.json",),
    per_repository=True,
)

if __name__ == "__main__":
    stage_main(STAGE)
