"""Peak memory, CPU seconds and output digests of tokenizer and dataset_builder on a history of any length.

    python -m benchmarks.long_histories OUTPUTS FOLDER --copies 4

OUTPUTS holds commits.json and chunks.jsonl of a real history. FOLDER gets a history that is so many times as long, and
what the two stages make of it. Each copy follows the one before, with commits of its own and with other words in its
code: each word changes places with one that is about as frequent, so that a copy is no duplicate and costs as many
tokens. An input that is there already is used again.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from core.engine.command import with_exit_codes
from core.records.chunk_files import chunk_groups
from core.records.chunks import Chunk
from core.records.commit_files import CommitWriter, commit_lines, placement_of, read_commit, read_history

ROOT = Path(__file__).resolve().parents[1]
STAGES = {"tokenizer": ("chunks",), "dataset_builder": ("vocab", "chunks", "commits", "tokens")}
_FILES = {"chunks": "chunks.jsonl", "vocab": "vocab.json", "commits": "commits.json", "tokens": "tokens.pt"}
_WORD = re.compile(r"[A-Za-z_]{4,}")
_ALIKE = 32
"""Words, in the order of their frequency, among which one finds the one to change places with."""


@click.command(help=(__doc__ or "").split("\n\n    ", maxsplit=1)[0])
@click.argument("outputs", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--copies", type=click.IntRange(1), default=1, show_default=True, help="Length, in real histories.")
@click.option("--code", type=click.Path(path_type=Path, exists=True), default=ROOT, help="Whose stages: a checkout.")
@with_exit_codes
def main(outputs: Path, folder: Path, copies: int, code: Path) -> None:
    """Make the input where it is missing, then run both stages and print a line for each."""
    folder, code = folder.resolve(), code.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "chunks.jsonl").exists():
        multiply(outputs, folder, copies)
    for stage, inputs in STAGES.items():
        flags = [word for flag in inputs for word in (f"--{flag}", str(folder / _FILES[flag]))]
        if stage == "tokenizer":
            flags += ["--output-vocab", str(folder / "vocab.json")]
        before = _cpu_seconds()
        subprocess.run(
            [sys.executable, str(code / f"{stage}.py"), *flags],
            cwd=folder,  # so that no config.yaml but that of the folder counts
            env={**os.environ, "PYTHONPATH": str(code)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        cpu = _cpu_seconds() - before
        record = json.loads((folder / ".gitlore" / "records" / f"{stage}.json").read_bytes())
        tokens = record["counts"].get("tokens") or sum(
            record["counts"][f"{s} tokens"] for s in ("train", "val", "test")
        )
        print(
            f"{stage:15} {tokens:12,} tokens   peak {record['peak_memory_mb']:7,.0f} MB"
            f"   CPU {cpu:7.1f} s   wall {record['seconds']:7.1f} s",
            flush=True,
        )
        for name, output in record["outputs"].items():
            print(f"  {name:24} {output['bytes']:14,} bytes   {output['sha256'][:16]}", flush=True)


def multiply(outputs: Path, folder: Path, copies: int) -> None:
    """Write commits.json and chunks.jsonl of `copies` histories in a row."""
    frequent = [word for word, _ in Counter(_words(outputs / "chunks.jsonl")).most_common()]
    encoder = msgspec.json.Encoder()
    partial = folder / "chunks.jsonl.partial"
    history = read_history(outputs / "commits.json")
    longer = msgspec.structs.replace(history, total_commits=history.total_commits * copies)
    with partial.open("wb") as chunks, CommitWriter(folder / "commits.json", longer) as commits:
        for number in range(copies):
            for _, line in commit_lines(outputs / "commits.json"):
                metadata = read_commit(line, "commits.json").metadata
                metadata.hash = _renamed(metadata.hash, number)
                metadata.parents = [_renamed(parent, number) for parent in metadata.parents]
                commits.write(metadata, (), placement_of(line.rstrip(b",\n")))
            swap = _swapper(frequent, number)
            for group in chunk_groups(outputs / "chunks.jsonl"):
                chunks.writelines(encoder.encode(_changed(chunk, number, swap)) + b"\n" for chunk in group.chunks())
        commits.finish(longer)
    partial.rename(folder / "chunks.jsonl")


def _words(path: Path) -> Iterator[str]:
    for group in chunk_groups(path):
        for chunk in group.chunks():
            yield from _WORD.findall(chunk.new_code)


def _renamed(hash_: str, number: int) -> str:
    """Another hash for each copy; the first keeps its own."""
    return hash_ if not number else f"{number:04x}{hash_[4:]}"


def _swapper(frequent: list[str], number: int) -> Callable[[str], str]:
    """Puts other words into a text: always the same ones in one copy."""
    if not number:
        return lambda text: text
    chosen = random.Random(number)
    other: dict[str, str] = {}
    for start in range(0, len(frequent), _ALIKE):
        group = frequent[start : start + _ALIKE]
        other.update(zip(group, chosen.sample(group, len(group)), strict=True))
    return lambda text: _WORD.sub(lambda match: other.get(match[0], match[0]), text)


def _changed(chunk: Chunk, number: int, swap: Callable[[str], str]) -> Chunk:
    chunk.commit_hash, chunk.chunk_id = (_renamed(name, number) for name in (chunk.commit_hash, chunk.chunk_id))
    chunk.commit_metadata.message = swap(chunk.commit_metadata.message)
    chunk.file_path, chunk.new_code = swap(chunk.file_path), swap(chunk.new_code)
    chunk.qualified_name = chunk.qualified_name and swap(chunk.qualified_name)
    chunk.old_path = chunk.old_path and swap(chunk.old_path)
    chunk.old_qualified_name = chunk.old_qualified_name and swap(chunk.old_qualified_name)
    return chunk


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
