"""Chunks drawn at random to be read by a person, and what was right when they were.

    python -m benchmarks.read_chunks REPOSITORY --language kotlin --seed 1     chunks with their diff
    python -m benchmarks.read_chunks REPOSITORY --seed 1 --drafts FILE         and a label for each
    python -m benchmarks.read_chunks --check CLONES                            kept labels against today's chunks

The newest COMMITS commits without merges are put in an order that the seed decides; of each in turn one chunk is drawn,
until there are enough: a large commit counts no more than a small one. Of long code in parts, the first that changes
is drawn.

chunk_labels.jsonl names a chunk by commit, file and its first changed line ("+12", "-7"), which belong to one chunk
whatever it is called. `type`, `kind`, `symbol` and `module` are what is right; `wrong` lists which of them the chunker
had otherwise when the chunk was drawn, and `note` says what was wrong. The share of a draw is that of empty `wrong`.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

import semantic_chunker
from benchmarks.files import clone_name
from core.chunking.chunker import Chunker
from core.chunking.edits import header_rows
from core.chunking.segments import Settings
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError
from core.git import commands
from core.git.blobs import BlobReader
from core.git.repositories import Repository, open_repository
from core.history.options import ReadOptions
from core.history.recent import recent_commits
from core.records.chunks import Chunk
from core.records.commits import Commit

LABELS = Path(__file__).parent / "chunk_labels.jsonl"
COMMITS = 500
FIELDS = ("type", "kind", "symbol", "module")
CODE_LINES, DIFF_LINES = 60, 150
"""Of a chunk's code, and of its file's diff, what is printed."""


class Label(msgspec.Struct, kw_only=True, frozen=True):
    """What is right of one chunk."""

    repository: str
    seed: int
    """Of the draw."""
    commit: str
    file: str
    line: str
    """The chunk's first changed line, with its sign."""
    language: str
    type: str
    kind: str
    symbol: str | None
    module: str
    wrong: tuple[str, ...] = ()
    """Fields that were otherwise when it was drawn."""
    note: str = ""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("places", nargs=-1, required=True, metavar="REPOSITORY…")
@click.option("--count", default=30, type=click.IntRange(1), show_default=True, help="Chunks to draw of each.")
@click.option("--seed", default=1, show_default=True, help="Another one draws other chunks.")
@click.option("--language", "languages", multiple=True, help="Only chunks in this language; may be repeated.")
@click.option("--commits", default=COMMITS, type=click.IntRange(1), show_default=True, help="Newest commits of each.")
@click.option("--drafts", type=click.Path(path_type=Path), metavar="FILE", help="Append labels as if all were right.")
@click.option("--check", is_flag=True, help="Compare kept labels; REPOSITORY is a folder of clones.")
@click.option("--labels", default=LABELS, type=click.Path(path_type=Path), metavar="FILE", help="Labels to check.")
@with_exit_codes
def main(
    places: tuple[str, ...],
    count: int,
    seed: int,
    languages: tuple[str, ...],
    commits: int,
    drafts: Path | None,
    check: bool,
    labels: Path,
) -> None:
    """Print chunks drawn at random, or how many kept labels the chunker gives today."""
    if check:
        kept = [msgspec.json.decode(line, type=Label) for line in labels.read_bytes().splitlines()]
        report([one for one in kept if not languages or one.language in languages], [Path(place) for place in places])
        return
    for place in places:
        name = clone_name(place)
        for number, (commit, chunk) in enumerate(drawn(place, commits, seed, languages, count), 1):
            print_chunk(number, name, commit, chunk)
            if drafts:
                with drafts.open("ab") as file:
                    file.write(msgspec.json.encode(label_of(name, seed, chunk)) + b"\n")


def drawn(place: str, most: int, seed: int, languages: Sequence[str], count: int) -> Iterator[tuple[Commit, Chunk]]:
    """Up to `count` chunks, each of another commit."""
    repository = open_repository(place, cache_folder(""))
    listing = commands.run(repository.git_dir, "rev-list", "--no-merges", f"--max-count={most}", "HEAD")
    hashes = sorted(listing.decode().split())
    random.Random(f"{clone_name(place)}/{seed}").shuffle(hashes)
    with BlobReader(repository.git_dir) as blobs:
        chunker = _chunker(repository, blobs)
        for hash_ in hashes:
            commit = next(recent_commits(repository, ReadOptions(), hash_, last=1))
            found: dict[str, Chunk] = {}
            for chunk in chunker.chunks(commit):
                if (not languages or chunk.language in languages) and next(changed_lines(chunk), None):
                    found.setdefault(chunk.part_of or chunk.chunk_id, chunk)
            if found:
                yield commit, random.Random(f"{hash_}/{seed}").choice([*found.values()])
                count -= 1
            if not count:
                return


def _chunker(repository: Repository, blobs: BlobReader) -> Chunker:
    config = semantic_chunker.SemanticChunkerConfig()
    return Settings.of(config.model_dump(), repository.git_dir).chunker(blobs)


def changed_lines(chunk: Chunk) -> Iterator[tuple[str, str]]:
    """(path, sign and number) of each changed line of a chunk."""
    old = new = 0
    for line in chunk.patch.split("\n"):
        match line[:1]:
            case "@":
                old, new = header_rows(line)
            case "-":
                old += 1
                yield chunk.old_path or chunk.file_path, f"-{old}"
            case "+":
                new += 1
                yield chunk.file_path, f"+{new}"
            case " ":
                old, new = old + 1, new + 1


def label_of(repository: str, seed: int, chunk: Chunk) -> Label:
    """The label of a chunk with changed lines, if all of it is right."""
    file, line = next(changed_lines(chunk))
    return Label(
        repository=repository,
        seed=seed,
        commit=chunk.commit_hash,
        file=file,
        line=line,
        language=chunk.language,
        type=chunk.change_type,
        kind=chunk.symbol_kind,
        symbol=chunk.qualified_name,
        module=chunk.module_path,
    )


def print_chunk(number: int, repository: str, commit: Commit, chunk: Chunk) -> None:
    """Everything that a reader needs to judge a chunk."""
    meta = commit.metadata
    diff = next(one for one in commit.diffs if one.filename == chunk.file_path)
    said = {
        "type": chunk.change_type,
        "kind": chunk.symbol_kind,
        "symbol": chunk.qualified_name,
        "old symbol": chunk.old_qualified_name,
        "module": chunk.module_path,
        "signature": chunk.signature,
        "doc": chunk.doc[:200],
        "test": chunk.is_test,
        "new lines": chunk.line_ranges or chunk.line_range,
        "old lines": chunk.old_line_ranges or chunk.old_line_range,
        "old path": chunk.old_path,
        "encoding": chunk.encoding,
        "evidence": " ".join(chunk.change_evidence),
        "parts": chunk.parts,
    }
    click.echo(f"\n{'=' * 100}\n{number}. {repository} {meta.hash} {chunk.file_path}\n   {meta.message}\n")
    click.echo("\n".join(f"  {key:11} {value}" for key, value in said.items() if value))
    for title, text, most in (
        ("patch of the chunk", chunk.patch, DIFF_LINES),
        ("new code" if chunk.new_code else "old code", chunk.new_code or chunk.old_code, CODE_LINES),
        (f"git show, {diff.change_type} {diff.filename}", diff.patch, DIFF_LINES),
    ):
        lines = text.split("\n")
        left = [f"… {len(lines) - most} more lines"] if len(lines) > most else []
        click.echo("\n".join([f"--- {title} ---", *lines[:most], *left]))


def report(labels: Sequence[Label], folders: Sequence[Path]) -> None:
    """Print, of each draw, the share right when it was drawn and today, then what is otherwise today."""
    today: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    otherwise: list[str] = []
    for label, found in predicted(labels, folders):
        counts = today[label.repository, label.seed]
        wrong = [field for field in FIELDS if found is None or getattr(found, field) != getattr(label, field)]
        counts.update(["labels", *(["then"] * (not label.wrong)), *(["now"] * (not wrong))])
        counts.update(field for field in FIELDS if field not in wrong)
        says = "no chunk" if found is None else ", ".join(f"{field} {getattr(found, field)}" for field in wrong)
        if wrong:
            rights = ", ".join(f"{field} {getattr(label, field)}" for field in wrong)
            otherwise.append(
                f"  {label.repository} {label.commit[:9]} {label.file} {label.line}: {says}; right: {rights}"
            )
    click.echo(f"{'draw':32} {'labels':>6} {'drawn':>6} {'today':>6} " + " ".join(f"{one:>7}" for one in FIELDS))
    for (repository, seed), counts in sorted(today.items()):
        shares = [counts[name] / counts["labels"] for name in ("then", "now", *FIELDS)]
        cells = [f"{share:{width}.2f}" for share, width in zip(shares, (6, 6, 7, 7, 7, 7), strict=True)]
        click.echo(f"{f'{repository} {seed}':32} {counts['labels']:6} " + " ".join(cells))
    click.echo("\n".join([f"\n{len(otherwise)} otherwise today:", *otherwise] if otherwise else []))


def predicted(labels: Sequence[Label], folders: Sequence[Path]) -> Iterator[tuple[Label, Label | None]]:
    """Each label with what the chunker says today of the same line; None where no chunk has it."""
    by_commit: dict[str, dict[str, list[Label]]] = defaultdict(lambda: defaultdict(list))
    for label in labels:
        by_commit[label.repository][label.commit].append(label)
    for name, commits in by_commit.items():
        repository = open_repository(str(_clone(name, folders)), cache_folder(""))
        with BlobReader(repository.git_dir) as blobs:
            chunker = _chunker(repository, blobs)
            for hash_, own in commits.items():
                commit = next(recent_commits(repository, ReadOptions(), hash_, last=1))
                said: dict[tuple[str, str], Label] = {}
                for chunk in chunker.chunks(commit):
                    if keys := [*changed_lines(chunk)]:
                        said |= dict.fromkeys(keys, label_of(name, 0, chunk))
                for label in own:
                    yield label, said.get((label.file, label.line))


def _clone(name: str, folders: Sequence[Path]) -> Path:
    """Where a repository lies in some folders; raises UserError where it does not."""
    names = (f"{name.replace('/', '+')}/repo", name.replace("/", "+"), name, name.rpartition("/")[2])
    for place in (folder / one for folder in folders for one in names):
        if place.is_dir():
            return place
    raise UserError(f"no clone of {name} in {', '.join(map(str, folders))}", f"clone it there as {names[1]}")


if __name__ == "__main__":
    main()
