"""How often change_type is what a person says: 150 real changes of eight repositories, labelled by hand.

    python -m benchmarks.change_types                 clones the repositories into the cache
    python -m benchmarks.change_types CLONES          takes CLONES/<name> where it is there

change_type_labels.jsonl names each change (repository, commit, file, symbol, line) with its label.

How they were drawn, fixed before any was seen: of each repository, at default settings, the commits with
chunks in the order of chunks.jsonl. For i = 0, 1, ...: h = SHA-256 of "<owner>/<name>/<i>" as a big-endian
number; the commit h mod (commits), and of it the chunk (h >> 64) mod (chunks); repeats and parts of long
code are passed over. Nineteen of each of ripgrep, tokio, flask, sqlite-utils, httpx, fd, eighteen of express
and gin. The first 100 (thirteen of the first four, twelve of the others) were labelled before the rules
for messages, documents and manifests were tuned on them; the last 50 were labelled after that,
without their predicted types in view, and evaluated once.

What a label means: the row of the table in core/code/change_types.py that a person would pick from the diff and
the message. What a commit is for (bug_fix, optimization, refactor) was judged from both, not from words.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import semantic_chunker
from core.chunking.segments import Settings
from core.config import PipelineConfig, expand
from core.git.blobs import BlobReader
from core.git.repositories import open_repository
from core.history.options import ReadOptions
from core.history.recent import recent_commits
from core.records.chunks import Chunk

LABELS = Path(__file__).parent / "change_type_labels.jsonl"


def main() -> None:
    """Print agreement by set and the confusion table."""
    clones = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("/nonexistent")
    labels = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    by_repository: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for label in labels:
        by_repository[label["repository"]].append(label)
    results: list[tuple[dict[str, Any], str]] = []
    for name, own in by_repository.items():
        clone = clones / name.split("/")[1]
        results += predict(str(clone) if clone.exists() else f"https://github.com/{name}", own)
    for part in ("tuning", "held out"):
        pairs = [(label["label"], found) for label, found in results if label["set"] == part]
        right = sum(label == found for label, found in pairs)
        print(f"{part}: {right} of {len(pairs)} agree ({right / max(len(pairs), 1):.3f})")
    print("\nlabel -> change_type, where they differ or are many:")
    table = Counter((label["label"], found) for label, found in results)
    for (label, found), number in sorted(table.items()):
        print(f"  {label:18} -> {found:18} {number:3}{'' if label == found else '  *'}")


def predict(location: str, labels: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Each label with the change type that the chunker gives, "missing" where it makes no such chunk."""
    cache = expand(PipelineConfig().cache_dir)
    repository = open_repository(location, cache)
    settings = Settings.of(semantic_chunker.SemanticChunkerConfig().model_dump(), repository.git_dir)
    found = []
    with BlobReader(repository.git_dir) as blobs:
        chunker = settings.chunker(blobs)
        for label in labels:
            commits = recent_commits(repository, ReadOptions(), label["commit"], last=1)
            chunks = {key(chunk): chunk.change_type for commit in commits for chunk in chunker.chunks(commit)}
            found.append((label, chunks.get((label["file"], label["symbol"], label["line"]), "missing")))
    return found


def key(chunk: Chunk) -> tuple[str, str | None, int | None]:
    """What names a change: file, symbol, and the line that it starts at."""
    span = chunk.line_range or chunk.old_line_range
    return chunk.file_path, chunk.qualified_name, span[0] if span else None


if __name__ == "__main__":
    main()
