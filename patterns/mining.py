"""patterns.jsonl from commits.json and chunks.jsonl: extraction, what survived, the same change made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import StageError, UserError
from core.git import main_line
from core.git.blobs import BlobReader
from core.logs import log
from core.progress import Progress
from core.records.chunk_files import ChunkGroup, chunk_groups
from core.records.commit_files import commit_heads, commit_lines, read_commit, read_history
from core.records.commits import Commit, CommitMetadata
from core.records.lines import decode
from core.records.patterns import Evidence, SurvivalSummary, Template
from miners.histories import ScrapedHistory, overview_of
from miners.signals.dialects import Dialect
from patterns import ages, confidence, survival, templates
from patterns.commit_cache import CommitCache, Found, Given, KnownCommits, found_in, key_of
from patterns.extraction import UNREADABLE, Extractor
from patterns.line_fates import LineFates
from patterns.purposes import problem_type_of
from patterns.steps import CommitChanges, changes_of, steps_of
from patterns.survival import Survivals


class _OfMetadata(msgspec.Struct):
    metadata: CommitMetadata


class _Line(NamedTuple):
    """A commit, not decoded yet but for its metadata, and its chunks."""

    metadata: CommitMetadata
    line: bytes
    place: str
    """Where the line is."""
    group: ChunkGroup


_METADATA = msgspec.json.Decoder(_OfMetadata)


class Earlier(NamedTuple):
    """What an earlier run has left."""

    walk: Path | None = None
    """Of the main line, to go on from (`survival.save`)."""
    commits: Path | None = None
    """What each commit gave (`CommitCache`)."""


NOTHING = Earlier()
Evidences = dict[str, list[Evidence]]
"""By `solution_hash`, where a change was made again."""


@dataclass
class Mined:
    """What came of it, in figures."""

    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    fates: LineFates = field(default_factory=LineFates)
    """Without steps where survival cannot be known."""
    repository: str = ""
    templates: list[Template] = field(default_factory=list)
    """templates.jsonl."""

    def summary(self) -> SurvivalSummary:
        """survival.json."""
        if not self.fates.commits:
            return SurvivalSummary(repository=self.repository, until="", steps=0, files=0)
        return ages.summary(self.fates, self.repository)


def mine(
    commits: Path,
    chunks: Path,
    output: Path,
    types: Collection[str],
    progress: Progress,
    cache: Path,
    earlier: Earlier = NOTHING,
) -> Mined:
    """Write patterns.jsonl, in the order of the commits, and `cache`, what each commit gave.

    From `earlier` comes what is as it was; the result is the same. Raises UserError where the two files do not belong
    together, or their repository is gone.
    """
    git_dir = Path(read_history(commits).git_dir)
    if not git_dir.exists():
        raise UserError(f"the repository of commits.json is gone: {git_dir}", "run git_scraper again")
    history = ScrapedHistory(commits)
    overview = overview_of(history)
    found = Mined(repository=history.key)
    parents = main_line.parents(git_dir, history.head)
    survivals = None
    try:
        found.fates = survival.walk(git_dir, history.head, progress, earlier.walk)
        survivals = Survivals(found.fates, parents, overview.reverts.of)
        if found.fates.absent:
            log.warning("%d blobs are missing: what became of their lines is not known", len(found.fates.absent))
    except StageError as error:  # folders are missing, as in treeless clones
        log.warning("what survived is not known: %s", error)
        found.drops["walks that git could not finish"] += 1
    with (
        BlobReader(git_dir) as blobs,
        KnownCommits(earlier.commits, history.key) as known,
        CommitCache(cache, history.key) as new,
    ):
        extractor = Extractor(history.key, overview.dialect, frozenset(types), blobs)
        if survivals:
            merges = _purposes_of_merges(commits, overview.dialect)
            extractor.merged_for = lambda commit: merges.get(survivals.brought_in_by(commit), "")
        again: Evidences = {}
        changes = _read(_paired(commits, chunks), extractor, known, new, again, found)
        found.templates, followed = templates.mine(history.key, steps_of(changes, parents, history.head))
    _write(found_in(cache), output, again, survivals, followed)
    if survivals and survivals.unread:
        found.drops["outcomes that files which cannot be read keep unknown"] = survivals.unread
    return found


def _read(
    lines: Iterable[_Line],
    extractor: Extractor,
    known: KnownCommits,
    new: CommitCache,
    again: Evidences,
    found: Mined,
) -> Iterator[CommitChanges]:
    """What the commits changed. What each of them gave goes into `new`, what was made again into `again`."""
    for metadata, line, place, group in lines:
        problem, key = extractor.problem_of(metadata), key_of(line, group)
        given = known.get(key)
        if given is None or given.problem != problem:
            given = _given(read_commit(line, place), problem, group, extractor)
        new.add(b"" if UNREADABLE in given.drops else key, given)
        found.drops.update(given.drops)
        for one in given.found:
            name = one.pattern.solution_hash
            if name in again:
                again[name] += one.pattern.evidence
                found.drops["changes that were made before"] += 1
            else:
                again[name] = []
                found.counts[problem.replace("_", " ")] += 1
        if given.changes:
            yield given.changes


def _given(commit: Commit, problem: str, group: ChunkGroup, extractor: Extractor) -> Given:
    extractor.drops = Counter()
    chunks = group.chunks()
    found = [*extractor.of_commit(commit, problem, chunks)] if problem else []
    return Given(problem, changes_of(group.commit_hash, chunks), found, dict(extractor.drops))


def _purposes_of_merges(commits: Path, dialect: Dialect) -> dict[str, str]:
    """What each merge is for."""
    found = {}
    for number, (_, line) in enumerate(commit_lines(commits), start=2):
        meta = decode(_METADATA, line.removesuffix(b"\n").removesuffix(b","), commits, number).metadata
        if meta.is_merge:
            found[meta.hash] = problem_type_of(meta, dialect)
    return found


def _paired(commits: Path, chunks: Path) -> Iterator[_Line]:
    """Each commit that has chunks. Raises UserError where a chunk's commit is not there in turn."""
    waiting = enumerate(commit_heads(commits), start=2)
    for group in chunk_groups(chunks):
        number, line = next(((at, line) for at, (_, head, line) in waiting if head.hash == group.commit_hash), (0, b""))
        if not line:
            raise UserError(
                f"{chunks} is not made of {commits}: commit {group.commit_hash} is not there, or in another place",
                "make it again: python pipeline.py --stage semantic_chunker",
            )
        yield _Line(decode(_METADATA, line, commits, number).metadata, line, f"{commits}, line {number}", group)


def _write(
    found: Iterable[Found], output: Path, again: Evidences, survivals: Survivals | None, followed: Mapping[str, str]
) -> None:
    """Write each change once, where it was made first, with the evidence of all that made it."""
    encoder, table = msgspec.json.Encoder(), confidence.shipped()
    with output.open("wb") as out:
        for one in found:
            pattern = one.pattern
            others = again.pop(pattern.solution_hash, None)
            if others is None:  # it is written
                continue
            pattern.evidence += others
            pattern.survival = survivals.of(one.change) if survivals else None
            pattern.confidence = confidence.confidence_of(pattern.survival, table)
            pattern.template_id = followed.get(pattern.chunk_id, "")
            out.write(encoder.encode(pattern) + b"\n")
