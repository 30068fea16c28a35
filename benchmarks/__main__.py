"""CPU time of our stages against the floor of what each cannot do without, in the same run.

    make bench                                  on this repository
    .venv/bin/python -m benchmarks REPOSITORY   on another clone
    make bench REPO="../ripgrep git_scraper"    one stage alone

Pairs are run in turn; the ratio is the median over rounds. CPU seconds of a process and its
children are compared, since wall time on a shared machine says less; it stands in brackets. The
scraper reads every ref, as does the `git log --all` that it is compared with. PyDriller and GitPython, much slower, get
the newest commits only, and are compared with git on just these.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import git_scraper
import semantic_chunker
import tokenizer
from core.chunking.filters import FileFilters
from core.chunking.grammars import parser
from core.chunking.segments import Settings
from core.chunking.versions import is_parsed
from core.code.content import language_in
from core.code.languages import LANGUAGES
from core.config import EMBEDDED_MODEL, PipelineConfig, expand
from core.engine.stage import Context
from core.git import commands
from core.git.blobs import BlobReader
from core.git.repositories import Repository, open_repository
from core.models import base_models
from core.records.chunk_files import chunk_groups
from core.records.commit_files import read_commits
from core.text.grammar import Marker
from core.text.sequences import SequenceMaker
from core.text.token_files import TokenWriter
from core.text.vocabulary import Vocabulary
from core.text.vocabulary_training import TrainingText, train
from git_scraper import GitScraperConfig

ROUNDS = 3
PEER_COMMITS = 1000


def main() -> None:
    """Print one line per comparison, for all stages or for those that are named."""
    location, *names = sys.argv[1:] or ["."]
    stages = {"git_scraper": scraping, "semantic_chunker": chunking, "tokenizer": tokenizing}
    cache = expand(PipelineConfig().cache_dir)
    repository = open_repository(location, cache)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{location}: median of {ROUNDS} rounds, CPU seconds (wall)", flush=True)
        for name in names or stages:
            stages[name](repository, Path(folder), cache)


def scraping(repository: Repository, folder: Path, _: Path) -> None:
    """Every commit of every ref; then ten new ones; then the peers on the newest commits."""
    clone = folder / "clone.git"
    subprocess.run(["git", "clone", "--quiet", "--mirror", repository.git_dir, clone], check=True)
    mirror = Repository(str(clone), clone)
    scrape = functools.partial(run_scraper, mirror.location, folder / "anew")
    compare("git_scraper", scrape, "git log --all -p", lambda: log_patches(mirror, "--all"))
    updated = functools.partial(run_scraper, mirror.location, folder / "updated")
    last = updated()
    ten = functools.partial(add_commits, clone, 10)
    compare("ten new commits", lambda: updated(last), "all commits", scrape, prepare=ten)
    newest = ("--all", "--no-merges", f"--max-count={PEER_COMMITS}")
    for peer in (pydriller, gitpython):
        ours = functools.partial(peer, mirror, newest)
        with contextlib.suppress(ImportError):
            compare(peer.__name__, ours, f"git log -p, {PEER_COMMITS}", lambda: log_patches(mirror, *newest))


def chunking(repository: Repository, folder: Path, _: Path) -> None:
    """Commits of the default refs, against reading and parsing each version of a file once."""
    commits = folder / "commits.json"
    run_scraper(str(repository.git_dir), folder, refs=GitScraperConfig().refs)
    one = functools.partial(run_chunker, folder, workers=1)
    compare("semantic_chunker", one, "parsing alone", functools.partial(parse, repository, commits))
    compare("two workers", functools.partial(run_chunker, folder, workers=2), "one worker", one)


def tokenizing(repository: Repository, folder: Path, cache: Path) -> None:
    """All sequences of the default settings, in both modes, against the tokenizer library alone on the same text."""
    chunks = folder / "chunks.jsonl"
    if not chunks.exists():
        run_scraper(str(repository.git_dir), folder, refs=GitScraperConfig().refs)
        run_chunker(folder)
    maker = SequenceMaker("new")
    pieces = [one for group in chunk_groups(chunks) for one in maker.of(group.chunks())]
    texts = [piece for one in pieces for piece in one if not isinstance(piece, Marker)]
    backend, pad, _ = base_models.load_tokenizer(EMBEDDED_MODEL, cache)
    for vocabulary in (
        Vocabulary.of_base_model(backend, pad, EMBEDDED_MODEL),
        train(TrainingText(pieces), None),
    ):
        alone = functools.partial(vocabulary.tokenizer.encode_batch, texts, add_special_tokens=False)
        compare(f"encode {vocabulary.base_model}", functools.partial(vocabulary.encode, pieces), "encode_batch", alone)
        whole = functools.partial(write_tokens, chunks, vocabulary, folder / "tokens.pt")
        compare("read, mask, encode", whole, "encode_batch", alone)


def write_tokens(chunks: Path, vocabulary: Vocabulary, path: Path) -> None:
    """What the tokenizer stage does for each chunk, up to the last byte of the token stream."""
    maker = SequenceMaker("new")
    made = tokenizer.batches(chunks, maker, None)
    with TokenWriter(path) as out:
        for batch, encoded in tokenizer.encoded_ahead(made, vocabulary):
            tokenizer.write_batch(out, batch, encoded, maker, None)


def compare(
    name: str,
    ours: Callable[[], object],
    floor_name: str,
    floor: Callable[[], object],
    prepare: Callable[[], object] = lambda: None,
) -> None:
    """Time both in turn, each time after `prepare`, and print medians and the median of the paired ratios."""
    pairs = []
    for _ in range(ROUNDS):
        prepare()
        pairs.append((seconds(ours), seconds(floor)))
    cpu, wall = (statistics.median(a[kind] / b[kind] for a, b in pairs) for kind in (0, 1))
    mine, theirs = ([statistics.median(pair[side][kind] for pair in pairs) for kind in (0, 1)] for side in (0, 1))
    print(
        f"  {name:19} {mine[0]:8.2f} ({mine[1]:.2f})   {floor_name:20} {theirs[0]:8.2f} ({theirs[1]:.2f})"
        f"   ratio {cpu:.2f} ({wall:.2f})",
        flush=True,
    )


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """(user and system time of this process and its finished children, wall time) of a call."""
    before, started = _times(), time.monotonic()
    work()
    return _times() - before, time.monotonic() - started


def run_scraper(
    location: str,
    folder: Path,
    last: Mapping[str, str] | None = None,
    refs: tuple[git_scraper.RefKind, ...] = ("all",),
) -> Mapping[str, str]:
    """Stage 1 as the pipeline calls it; `last` are the facts that it returned the last time."""
    config = GitScraperConfig(repo=location, refs=refs)
    facts = {f"source {name}": digest for name, digest in git_scraper.sources(config).items()}
    places = {name: folder / name for name in git_scraper.STAGE.outputs}
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    git_scraper.run(Context(config, {}, places, places, folder / "scratch", folder, facts=facts, previous=last))
    return facts


def add_commits(clone: Path, number: int) -> None:
    """New commits on the branch that is checked out."""
    for _ in range(number):
        words = ["commit-tree", "-p", "HEAD", "-m", "new", "HEAD^{tree}"]
        who = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        made = subprocess.run(["git", "-C", clone, *words], env={**os.environ, **who}, capture_output=True, check=True)
        subprocess.run(["git", "-C", clone, "update-ref", "HEAD", made.stdout.decode().strip()], check=True)


def log_patches(repository: Repository, *arguments: str) -> None:
    """What git alone needs to print patches; merges have none here."""
    line = commands.command(repository.git_dir, "log", "--date-order", "-p", *arguments)
    with Path(os.devnull).open("wb") as nothing:
        subprocess.run(line, stdout=nothing, env=commands.environment(), check=True)


def pydriller(repository: Repository, arguments: tuple[str, ...]) -> None:
    """The same through PyDriller."""
    library = importlib.import_module("pydriller")  # installed by `make bench` alone
    hashes = commands.run(repository.git_dir, "rev-list", *arguments).decode().split()
    for commit in library.Repository(
        str(repository.git_dir), only_commits=hashes, include_refs=True
    ).traverse_commits():
        for file in commit.modified_files:
            _ = file.diff


def gitpython(repository: Repository, arguments: tuple[str, ...]) -> None:
    """The same through GitPython."""
    from git import NULL_TREE, Repo

    with Repo(repository.git_dir) as repo:
        for hash_ in commands.run(repository.git_dir, "rev-list", *arguments).decode().split():
            commit = repo.commit(hash_)
            before = commit.parents[0] if commit.parents else NULL_TREE
            for diff in commit.diff(before, create_patch=True, R=True):
                _ = diff.diff


def run_chunker(folder: Path, workers: int = 0) -> None:
    """Stage 2 as the pipeline calls it."""
    places = {name: folder / name for name in (*semantic_chunker.STAGE.inputs, *semantic_chunker.STAGE.outputs)}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        config = semantic_chunker.SemanticChunkerConfig(workers=workers)
        semantic_chunker.run(Context(config, places, places, places, Path(scratch), folder))


def parse(repository: Repository, commits: Path) -> None:
    """git and tree-sitter alone: every version of a file that the chunker must know, once."""
    config = semantic_chunker.SemanticChunkerConfig()
    filters = FileFilters(**Settings.of(config.model_dump(), repository.git_dir).filters)
    wanted: dict[str, str] = {}
    for commit in read_commits(commits):
        for diff in () if commit.metadata.is_merge else commit.diffs:
            if filters.reason(diff) is None and is_parsed(diff):
                blobs = (blob for blob in (diff.old_blob, diff.new_blob) if blob.strip("0"))
                wanted.update(dict.fromkeys(blobs, diff.filename))
    with BlobReader(repository.git_dir) as reader:
        for path, source in zip(wanted.values(), reader.read_many(list(wanted)), strict=True):
            language = language_in(path, source or b"")
            if LANGUAGES[language].wheel:
                parser(language).parse(source or b"")


def _times() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
