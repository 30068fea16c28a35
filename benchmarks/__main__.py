"""CPU time of our stages against the floor of what each cannot do without, in the same run.

    make bench                                  on this repository
    .venv/bin/python -m benchmarks REPOSITORY   on another clone

Pairs are run in turn; the ratio is the median over rounds. CPU seconds of a process and its
children are compared, since wall time on a shared machine says little.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import git_scraper
import semantic_chunker
from core import base_models, git
from core.commit_grammar import Marker, by_commit, serialise
from core.config import EMBEDDED_MODEL, PipelineConfig, expand
from core.languages import GRAMMARS, language_of, parser
from core.record_files import ChunkWriter, CommitWriter, read_chunks, read_commits
from core.vocabulary import Vocabulary

ROUNDS = 3


def main() -> None:
    """Print one line per stage."""
    location = sys.argv[1] if len(sys.argv) > 1 else "."
    cache = expand(PipelineConfig().cache_dir)
    repository = git.open_repository(location, cache)
    config = git_scraper.GitScraperConfig()
    tips = git.tips(repository.git_dir, config.refs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commits, chunks = folder / "commits.json", folder / "chunks.jsonl"
        print(f"{location}: median of {ROUNDS} rounds, CPU seconds")
        compare(
            "git_scraper",
            lambda: scrape(repository, config, tips, commits),
            "git log -p",
            lambda: log_patches(repository, tips),
        )
        blobs = read_blobs(repository, commits)
        compare("semantic_chunker", lambda: chunk(repository, commits, chunks), "parsing alone", lambda: parse(blobs))
        tokenizer, pad = base_models.load_tokenizer(EMBEDDED_MODEL, cache)
        vocabulary = Vocabulary.of_base_model(tokenizer, pad, EMBEDDED_MODEL)
        pieces = [one for group in by_commit(read_chunks(chunks)) for one in serialise(group, "new")]
        texts = [piece for one in pieces for piece in one if not isinstance(piece, Marker)]
        compare(
            "tokenizer",
            lambda: vocabulary.encode(pieces),
            "encode_batch alone",
            lambda: vocabulary.tokenizer.encode_batch_fast(texts, add_special_tokens=False),
        )


def compare(name: str, ours: Callable[[], object], floor_name: str, floor: Callable[[], object]) -> None:
    """Time both in turn and print medians and the median of the paired ratios."""
    pairs = [(cpu_seconds(ours), cpu_seconds(floor)) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"  {name:17} {mine:8.2f} s   {floor_name:20} {theirs:8.2f} s   ratio {ratio:.2f}")


def cpu_seconds(work: Callable[[], object]) -> float:
    """User and system time of this process and its finished children during a call."""
    before = _times()
    work()
    return _times() - before


def scrape(repository: git.Repository, config: git_scraper.GitScraperConfig, tips: bytes, path: Path) -> None:
    """Stage 1 without its bookkeeping."""
    totals = git_scraper.Totals()
    lineage = git_scraper.read_lineage(repository, tips)
    with CommitWriter(path) as out:
        for number, commit in enumerate(git_scraper.read_commits(repository, config, tips)):
            git_scraper.place(commit, number, lineage, [], expand=False)
            totals.add(commit)
            out.write(commit)
        out.finish(totals.metadata(repository, config, lineage, is_shallow=False))


def log_patches(repository: git.Repository, tips: bytes) -> None:
    """What git alone needs to print the same patches."""
    line = git.command(repository.git_dir, "log", "--stdin", "--date-order", "-p", "--diff-merges=first-parent")
    with Path(os.devnull).open("wb") as nothing:
        subprocess.run(line, input=tips, stdout=nothing, env=git.environment(), check=True)


def chunk(repository: git.Repository, commits: Path, path: Path) -> None:
    """Stage 2 without its bookkeeping."""
    config = semantic_chunker.SemanticChunkerConfig()
    with git.BlobReader(repository.git_dir) as blobs, ChunkWriter(path) as out:
        files = semantic_chunker.ParsedFiles(blobs, config.max_file_bytes)
        for commit in read_commits(commits):
            for one in semantic_chunker.chunk_commit(commit, files, config, Counter()):
                out.write(one)


def read_blobs(repository: git.Repository, commits: Path) -> list[tuple[str, bytes]]:
    """Every version of every file with a known grammar that a chunker must parse, once."""
    wanted: dict[str, str] = {}
    for commit in read_commits(commits):
        for diff in () if commit.metadata.is_merge else commit.diffs:
            if language_of(diff.filename) in GRAMMARS and diff.patch:
                both = (blob for blob in (diff.old_blob, diff.new_blob) if blob.strip("0"))
                wanted.update(dict.fromkeys(both, language_of(diff.filename)))
    with git.BlobReader(repository.git_dir) as reader:
        return [(language, reader.read(blob) or b"") for blob, language in wanted.items()]


def parse(blobs: list[tuple[str, bytes]]) -> None:
    """tree-sitter alone."""
    for language, source in blobs:
        parser(language).parse(source)


def _times() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
